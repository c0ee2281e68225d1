//! Studies: fixed inputs whose permutation distribution is known.

use std::sync::OnceLock;

use dispatch::{Call, Fault, Reply};
use generators::Random;

use super::batch::Batch;
use super::hypothesis::Test;
use super::{inputs_ligrec, inputs_spatial, ligrec, spatial_autocorr};

/// Where the permutation distribution of an input is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// All that can be drawn was listed.
    Enumerated,
    /// Moments in closed form where there are any, the rest from permutations of our own.
    Sampled,
}

/// Whether rounding may decide ties on an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ties {
    /// Every intermediate result is a small multiple of a power of two, so no correct arithmetic rounds.
    Certain,
    /// Both outcomes are accepted.
    Doubtful,
}

/// One fixed input of one function, and what is known about it.
pub struct Study {
    /// The function.
    pub function: &'static str,
    /// The name in the text of a case.
    pub name: &'static str,
    pub(super) knowledge: Knowledge,
    pub(super) ties: Ties,
    build: fn() -> Call,
    truth: OnceLock<Result<Truth, Fault>>,
}

/// What is known, by function.
#[derive(Debug)]
pub(super) enum Truth {
    Autocorr(spatial_autocorr::Truth),
    Ligrec(ligrec::Truth),
}

impl Study {
    /// A study of an input small enough to be enumerated.
    pub(super) const fn tiny(
        function: &'static str,
        name: &'static str,
        ties: Ties,
        build: fn() -> Call,
    ) -> Study {
        let knowledge = Knowledge::Enumerated;
        Study { function, name, knowledge, ties, build, truth: OnceLock::new() }
    }

    /// A study of any other input.
    pub(super) const fn sampled(
        function: &'static str,
        name: &'static str,
        build: fn() -> Call,
    ) -> Study {
        let (knowledge, ties) = (Knowledge::Sampled, Ties::Doubtful);
        Study { function, name, knowledge, ties, build, truth: OnceLock::new() }
    }

    /// The call, without a choice of permutations.
    pub fn call(&self) -> Call {
        (self.build)()
    }

    /// What is known; found out once in a process.
    pub(super) fn truth(&self) -> Result<&Truth, Fault> {
        let truth = self.truth.get_or_init(|| {
            let (call, knowledge, ties) = (self.call(), self.knowledge, self.ties);
            match self.function {
                "ligrec" => ligrec::Truth::of(&call, knowledge, ties).map(Truth::Ligrec),
                _ => spatial_autocorr::Truth::of(&call, knowledge, ties).map(Truth::Autocorr),
            }
        });
        truth.as_ref().map_err(Clone::clone)
    }
}

impl std::fmt::Debug for Study {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Study({} {})", self.function, self.name)
    }
}

impl Truth {
    pub(super) fn tests(&self, batch: Batch, replies: &[Reply], random: &mut Random) -> Vec<Test> {
        match self {
            Truth::Autocorr(truth) => truth.tests(batch, replies, random),
            Truth::Ligrec(truth) => truth.tests(batch, replies, random),
        }
    }
}

/// Every study, in the order in which they are run: those that find most for least come first.
pub fn studies() -> impl Iterator<Item = &'static Study> {
    inputs_spatial::STUDIES.iter().chain(&inputs_ligrec::STUDIES)
}

/// The study of a function and a name.
pub fn study(function: &str, name: &str) -> Option<&'static Study> {
    studies().find(|s| s.function == function && s.name == name)
}
