//! How many permutations are asked for, in how many calls, and when to stop asking.

use super::study::{Knowledge, Study};

/// Calls that are judged together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// Permutations of each call.
    pub(super) n_perms: usize,
    /// Calls, with consecutive seeds.
    pub(super) runs: usize,
}

const fn batch(n_perms: usize, runs: usize) -> Batch {
    Batch { n_perms, runs }
}

/// How much is asked of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// The first look of each line.
    Quick,
    /// Further looks where the first is suspicious.
    Standard,
    /// Every look, suspicious or not.
    Full,
}

impl Budget {
    /// Every budget, cheapest first.
    pub const ALL: [Budget; 3] = [Budget::Quick, Budget::Standard, Budget::Full];

    /// The word in the text of a case.
    pub fn name(self) -> &'static str {
        match self {
            Budget::Quick => "quick",
            Budget::Standard => "standard",
            Budget::Full => "full",
        }
    }

    /// Of a line of looks, those that this budget may take.
    pub(super) fn looks(self, line: &'static [Batch]) -> &'static [Batch] {
        match self {
            Budget::Quick => &line[..1],
            Budget::Standard | Budget::Full => line,
        }
    }

    /// Whether to go on to the next look, after one whose smallest p-value, corrected for their number, is `p`.
    ///
    /// Stopping early costs power only, never validity: each look has its own share of the error.
    pub(super) fn goes_on(self, p: f64) -> bool {
        match self {
            Budget::Quick => false,
            Budget::Standard => p < SUSPICIOUS,
            Budget::Full => true,
        }
    }
}

/// One look in twenty of a right backend is followed by another.
const SUSPICIOUS: f64 = 0.05;

/// One call of many permutations: moments and rank of one draw.
const DEEP: &[Batch] = &[batch(999, 1), batch(3999, 1), batch(15_999, 1)];
/// Many calls of few permutations: how counts vary from seed to seed.
const WIDE: &[Batch] = &[batch(19, 64), batch(19, 256)];
/// Two permutations: a variance with the wrong divisor is twice what it should be.
const PAIRS: &[Batch] = &[batch(2, 192), batch(2, 768)];

/// The lines of looks of a study.
pub(super) fn lines(study: &Study) -> &'static [&'static [Batch]] {
    match (study.knowledge, study.function) {
        (Knowledge::Enumerated, "spatial_autocorr") => &[DEEP, WIDE, PAIRS],
        (Knowledge::Enumerated, _) => &[DEEP, WIDE],
        (Knowledge::Sampled, _) => &[DEEP],
    }
}

/// Number of looks of a study, taken or not: the error is shared among all of them.
pub(super) fn looks(study: &Study) -> usize {
    lines(study).iter().map(|line| line.len()).sum()
}
