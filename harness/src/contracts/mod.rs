//! One contract per function.

pub(crate) mod co_occurrence;
pub(crate) mod frames;
pub(crate) mod ligrec;
pub(crate) mod spatial_autocorr;

use crate::Contract;

/// Every function that can be judged. A test asserts that the reference and the generators know the same ones.
pub const CONTRACTS: &[&Contract] =
    &[&spatial_autocorr::CONTRACT, &co_occurrence::CONTRACT, &ligrec::CONTRACT];

/// The contract of a function.
pub fn contract(function: &str) -> Option<&'static Contract> {
    CONTRACTS.iter().copied().find(|c| c.function == function)
}
