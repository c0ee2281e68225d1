//! What a signature does not say about its parameters; declared per function by whoever knows it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Comparison, Value};

/// What probe calls showed about two defaults that look different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Leaving the parameter out gives the same answer on both sides as passing the host's default.
    Equal,
    /// It does not.
    Different,
}

/// The meaning of a function's parameters, as far as dispatch must know it.
///
/// ```
/// use dispatch::Semantics;
/// let semantics = Semantics::new(["attr", "seed"]).neutral(["n_jobs"]);
/// assert!(semantics.is_semantic("seed") && !semantics.is_semantic("n_jobs"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Semantics {
    /// Parameters that change the answer: a backend that lacks one computes something else.
    pub semantic: BTreeSet<String>,
    /// Parameters that cannot change the answer (workers, progress bars): losing one is no finding.
    pub neutral: BTreeSet<String>,
    /// Names the backend accepts though its signature hides them (behind a decorator), each with the
    /// parameter it stands for.
    pub hidden: BTreeMap<String, String>,
    /// What probes showed about defaults, by parameter.
    pub proofs: BTreeMap<String, Proof>,
    /// Values of objects that a signature names only by how they print: `Key.obsm.spatial`.
    pub constants: BTreeMap<String, Value>,
}

impl Semantics {
    /// Parameters that change the answer.
    pub fn new<S: Into<String>>(semantic: impl IntoIterator<Item = S>) -> Semantics {
        Semantics {
            semantic: semantic.into_iter().map(Into::into).collect(),
            ..Semantics::default()
        }
    }

    /// Adds parameters that cannot change the answer.
    pub fn neutral<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Semantics {
        self.neutral.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds a name that the backend accepts without showing it, and the parameter it stands for.
    pub fn hidden(mut self, name: &str, stands_for: &str) -> Semantics {
        self.hidden.insert(name.to_owned(), stands_for.to_owned());
        self
    }

    /// Adds what probes showed about the defaults of a parameter.
    pub fn proof(mut self, name: &str, proof: Proof) -> Semantics {
        self.proofs.insert(name.to_owned(), proof);
        self
    }

    /// Adds the value of an object that signatures name by how it prints.
    pub fn constant(mut self, repr: &str, value: impl Into<Value>) -> Semantics {
        self.constants.insert(repr.to_owned(), value.into());
        self
    }

    /// Whether the parameter changes the answer.
    pub fn is_semantic(&self, name: &str) -> bool {
        self.semantic.contains(name)
    }

    /// Whether the backend accepts the name without showing it.
    pub fn is_hidden(&self, name: &str) -> bool {
        self.hidden.contains_key(name)
    }

    /// A static comparison, settled by what probes showed.
    pub(crate) fn settle(&self, name: &str, comparison: Comparison) -> Comparison {
        match self.proofs.get(name) {
            None => comparison,
            Some(Proof::Equal) => Comparison::Equal,
            Some(Proof::Different) => Comparison::Different,
        }
    }
}
