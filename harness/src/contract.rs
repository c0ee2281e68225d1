//! How the answers to one function are judged.

use dispatch::{Call, Fault, Reply};

use crate::Profile;
use crate::compare::Checks;

/// Two answers to one call, and what is known about who gave them.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a> {
    /// The answer of the host.
    pub expected: &'a Reply,
    /// The answer of the backend.
    pub actual: &'a Reply,
    /// The arithmetic of the host.
    pub host: Profile,
    /// The arithmetic of the backend.
    pub backend: Profile,
    /// Whether both drew the same permutations, so that random columns can be compared exactly.
    pub same_stream: bool,
}

/// How the answers to one function are judged. One constant per function, listed in [`crate::CONTRACTS`].
pub struct Contract {
    /// The function.
    pub function: &'static str,
    /// Parameters whose loss on the way to a backend changes what is computed.
    pub semantic: &'static [&'static str],
    /// Checks that cannot hold unless others do: a wrong statistic makes wrong p-values. Each with those it rests on,
    /// all of them made before it.
    pub rests_on: &'static [(&'static str, &'static [&'static str])],
    /// Compares two answers slot by slot.
    ///
    /// # Errors
    /// When the input cannot be understood well enough to derive an allowance; that is a fault of the harness.
    pub judge: fn(&Call, &Answers<'_>, &mut Checks) -> Result<(), Fault>,
    /// Why squidpy 1.8.3's own answer to this call means nothing, if so.
    pub host_undefined: fn(&Call) -> Option<String>,
}
