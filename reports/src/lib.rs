//! The vocabulary of results: what became of each case, what follows from all of them, and how a
//! person reads it.
//!
//! Everything here is a pure function of the log ([`Log`]): the decision ([`decide`]) and every
//! rendering; of the log of a measurement ([`perf`]) likewise. This crate names no function and runs nothing.

#![forbid(unsafe_code)]

pub mod certificate;
mod date;
mod decision;
mod difference;
mod domain;
mod log;
pub mod perf;
mod places;
mod precision;
mod ratio;
mod record;
pub mod render;
mod ruling;
pub mod signature;
pub mod trust;
mod verdict;
mod waiver;
pub mod wheel;
mod witness;

pub use date::{Date, Time};
pub use decision::{Decision, FunctionDecision, Outcome, decide};
pub use difference::{Change, ChangeKind, difference};
pub use domain::{Coverage, Domain, KnobLevels, Knobs, Seen};
pub use log::{Called, FORMAT, Header, Log, LogError};
pub use places::{Places, Quantile};
pub use precision::Precision;
pub use ratio::Ratio;
pub use record::{Check, Finding, Record, Shrunk, Source};
pub use ruling::{Blame, Ruling};
pub use verdict::Verdict;
pub use waiver::WaiverUse;
pub use witness::{Witnessed, Witnesses, Work};
