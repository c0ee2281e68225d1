//! The CPU reference: what each host function should answer, in `f64`.
//!
//! One module per function holds the formula, its source and every place where the host deviates from
//! it. Nothing here looks at the host's answers or at the generators of test data, so one misreading
//! cannot hide on both sides of a comparison. Results do not depend on the number of threads, the
//! clock, entropy or the order of a hash map.
//!
//! - [`spatial_autocorr`]: Moran's I and Geary's C.
//!
//! Shared parts, open to other backends and to judges that derive tolerances from them:
//! [`args`] (arguments as Python would take them), [`rng`] (permutations), [`stats`] (p-values and
//! their correction).

#![forbid(unsafe_code)]

pub mod args;
pub mod co_occurrence;
mod labels;
pub mod rng;
pub mod stats;
