//! Permutations that other programs can draw too.
//!
//! [`Permutations`] is this project's own counter-based stream, the same integers on a CPU and a GPU and
//! in any order; [`numpy`] reproduces the generators of the host, draw for draw.

mod concord;
pub mod numpy;

pub use concord::{Permutations, philox4x32_10};

/// The function number of `spatial_autocorr` in the counters of [`Permutations`].
pub const SPATIAL_AUTOCORR: u32 = 1;
/// The function number of `ligrec` in the counters of [`Permutations`].
pub const LIGREC: u32 = 2;
