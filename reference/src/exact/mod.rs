//! An oracle: slow, obviously correct answers to calls that have been read, to say who is wrong where two
//! implementations differ.
//!
//! Of the reference it takes the reading of a call (the `Task`s) and nothing else: no sum, no order of additions, no
//! normalised graph, no count. Every float is an integer times a power of two, so the statistics of finite data are
//! rational numbers; they are written here from their definitions in integers of any size ([`BigInt`](num_bigint::BigInt)), with one
//! division at the end. Where these integers would grow too long, the same formulas run over [`Ball`]s: double-double
//! numbers that carry a bound on their own error. Either way the answer is a [`Number`]: nearest `f64` and error bound.
//!
//! | question | function | cost |
//! | --- | --- | --- |
//! | Moran, Geary, their expected value and variance | [`spatial_autocorr`] | `edges` products per feature; of integers of b bits each while `edges * b` is at most 2^22, else of balls |
//! | the moments of a permutation null in closed form | [`null_moments`] | the same |
//! | the statistic under one permutation | [`permuted_scores`] | the same |
//! | the whole null | [`enumerate_null`] | n! times `edges`; n = 8: 40 320 times |
//! | pairs of cells, by either predicate | [`co_occurrence`] | `n^2/2` distances, each compared with each threshold |
//! | means, what is defined | [`Ligrec`] | `genes * n` additions |
//! | p-values of given labels, or of all | [`Ligrec::tally`], [`Ligrec::enumerate`] | `genes * n` additions a labelling; n = 8 in sizes 3, 3, 2: 560 labellings |
//! | how a p-value is distributed | [`Tally`] | N products of `N log2(total)` bits |
//! | whose error a difference is | [`verdict`] | one exact subtraction a side |
//! | a whole answer | [`backend`] | the sum of its parts; long calls are declined |
//!
//! Measured on one 2.5 GHz core, dev profile: a feature over 64 cells with 6 neighbours takes 0.1 ms with equal weights, 1.5 ms
//! with rows normalised by unrelated floats (integers of 3,400 bits), over 10,000 cells 70 ms and, in balls, 30 ms;
//! 1,000 cells and 49 distances 1.2 s; the null of 8 cells 0.3 to 0.6 s a feature.

mod arrangements;
mod backend;
mod ball;
mod blame;
mod co_occurrence;
mod draws;
mod ligrec;
mod null;
mod number;
mod ring;
mod spatial_autocorr;
mod tally;
mod weights;

pub use backend::backend;
pub use ball::Ball;
pub use blame::{Blame, verdict};
pub use co_occurrence::{CoOccurrence, Pairs, co_occurrence};
pub use ligrec::Ligrec;
pub use null::{Enumeration, Moments, Null, enumerate_null, null_moments, permuted_scores};
pub use number::Number;
pub use spatial_autocorr::{SpatialAutocorr, spatial_autocorr};
pub use tally::Tally;

/// A question whose answer the oracle does not compute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Beyond {
    /// There are more arrangements than the caller wants to wait for.
    #[error("enumerate {needed} arrangements: the limit is {limit}")]
    Arrangements {
        /// How many there are.
        needed: num_bigint::BigUint,
        /// How many the caller allowed.
        limit: u64,
    },
    /// Infinite values have no sum; the reference's rules for them are conventions, not arithmetic.
    #[error("add up gene {gene}: it has an infinite value")]
    Infinite {
        /// Its name.
        gene: String,
    },
}
