//! The lab: how fast right answers are.
//!
//! Backends get the same inputs in one run. Every answer is judged by the contract of its function, before anything is
//! timed and again in the timed run; a wrong one is never timed. Each timed call has an input that nobody has seen, so
//! that a backend that keeps answers shows ([`Inputs`]). Lanes are called in blocks, there and back in reverse order, and
//! the base runs in a second process beside itself, which measures the noise ([`Lab`]). The clock is an argument
//! ([`Stopwatch`]): tests simulate one, with the noise of a busy machine. What the samples mean is decided in
//! [`reports::perf`], from the log alone.

mod ceilings;
mod inputs;
mod judging;
mod lab;
mod lane;
pub mod machine;
mod settings;
mod stopwatch;
mod subject;

/// Blocks before anybody looks whether there are enough.
pub const LEAST_BLOCKS: usize = 8;
/// Blocks at most. Where a call takes a millisecond, one block on a virtual machine differs from the next by 5 to 10 %, and the
/// interval of a median gets within 1 % on either side after some hundreds; long calls end by their time.
pub const MOST_BLOCKS: usize = 1000;

pub use ceilings::measure as ceilings;
pub use inputs::{Generated, Inputs};
pub use lab::{Lab, Progress};
pub use stopwatch::{Monotonic, Stopwatch};
pub use subject::{Bounds, Subject};
