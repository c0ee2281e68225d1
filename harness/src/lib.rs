//! The examiner: runs a host and a backend on the same calls, judges every answer, shrinks what
//! differs, and writes the log that certificates and reports are made from.
//!
//! - [`plan`] decides which cases are run; a [`Case`] is a line of text that builds a call.
//! - [`examine`] runs them; [`executor`] keeps a backend under a deadline.
//! - [`judge`](mod@judge) turns two outcomes into a verdict, through the [`Contract`] of the function and
//!   [`compare`], where every comparison is a ratio to an allowance derived on that input.
//! - [`audit`](mod@audit) measures how small an error each check sees.
//! - [`laws`] need no host: they compare a backend's answers with each other.
//! - [`statistics`] judges random columns where the two sides draw different permutations.
//! - [`mutants`] are backends that are wrong on purpose, and [`adequacy`] runs them all and says which survive;
//!   [`contract_mutants`] break the dispatch contract instead.
//! - [`shrink`](mod@shrink) finds the smallest input that still differs; a [`capsule`] keeps it as data, and
//!   [`regressions`] are capsules that run first.
//! - [`waivers`] are differences that somebody decided to live with; [`domain`] says what was tried.
//! - [`probes`] ask what a backend does with a call, rule by rule of the dispatch contract.
//! - [`self_test`](mod@self_test) asks whether the machine computes known answers.
//! - [`bench`](mod@bench) is the lab: how fast right answers are.
//! - [`journal`] is the log while a run is under way; [`shards`] are parts of a run on several machines; [`replan`](mod@replan) derives seed and cases of a certificate again.
//! - [`golden`] compares with stored answers of a real host; [`suite`] is the door of a backend's CI.

#![forbid(unsafe_code)]

pub mod adequacy;
pub mod audit;
pub mod backends;
pub mod backends_file;
pub mod bench;
pub mod capsule;
mod case;
mod causes;
pub mod cli;
mod clock;
pub mod compare;
mod contract;
pub mod contract_mutants;
mod contracts;
pub mod control;
pub mod deliver;
pub mod domain;
mod errors;
pub mod examine;
pub mod executor;
pub mod file_case;
pub mod golden;
pub mod journal;
pub mod judge;
pub mod laws;
pub mod mutants;
pub mod oracle;
pub mod plan;
pub mod predicates;
pub mod probes;
mod profile;
pub mod python;
mod recipe_text;
pub mod recorded;
pub mod regressions;
pub mod replan;
pub mod self_test;
pub mod shards;
pub mod show;
pub mod shrink;
pub mod signatures;
pub mod statistics;
pub mod stream;
pub mod suite;
mod usage;
pub mod waivers;

pub use case::{Case, Input};
pub use contract::{Answers, Contract};
pub use contracts::{CONTRACTS, contract};
pub use profile::{Profile, U32, U64};
pub use usage::Usage;
