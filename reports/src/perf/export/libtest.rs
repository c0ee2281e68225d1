//! The lines of `cargo bench` with libtest, which criterion writes too (`--output-format bencher`) and dashboards for it read.

use super::{name, timed};
use crate::perf::PerfLog;

/// One line per lane: median nanoseconds, and half the width of the interval.
pub fn libtest(log: &PerfLog) -> String {
    let line = |(workload, lane, time): (_, _, crate::perf::Interval)| {
        // Readers split at blanks.
        let name = name(workload, lane).replace(' ', "_");
        format!("test {name} ... bench: {:>15.0} ns/iter (+/- {:.0})\n", time.at, time.half_width())
    };
    timed(log).map(line).collect()
}
