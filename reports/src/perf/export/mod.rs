//! The same times for services and tools that keep them: times of answers that were judged right, and nothing else.

mod asv;
mod bencher;
mod criterion;
mod github;
mod libtest;

pub use asv::asv;
pub use bencher::bencher;
pub use criterion::criterion;
pub use github::github_action_benchmark;
pub use libtest::libtest;

use super::compare::typical;
use super::{Fate, Interval, Lane, PerfLog, Workload};

/// Each lane that was timed, with its median time in nanoseconds.
fn timed(log: &PerfLog) -> impl Iterator<Item = (&Workload, &Lane, Interval)> {
    let lanes = log.workloads.iter().flat_map(|w| w.lanes.iter().map(move |lane| (w, lane)));
    let timed = lanes.filter(|(_, lane)| !lane.again && lane.fate == Fate::Timed);
    timed.filter_map(|(w, lane)| Some((w, lane, typical(lane, log.settings.seed)?)))
}

/// The name of a lane: function, inputs, backend.
fn name(workload: &Workload, lane: &Lane) -> String {
    format!("{} / {}", workload.name(), lane.backend)
}
