//! From a statistic to p-values, and their correction for many tests.

mod correction;
mod normal;

pub use correction::Correction;
pub use normal::{density, upper_tail};
