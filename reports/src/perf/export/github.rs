//! The list that `benchmark-action/github-action-benchmark` reads with `tool: customSmallerIsBetter`.

use serde_json::{Value, json};

use super::{name, timed};
use crate::perf::PerfLog;

/// Median times in milliseconds, with half the width of the interval as range. Alerts of a shared runner are mostly about its
/// neighbours: `fail-on-alert: false`.
pub fn github_action_benchmark(log: &PerfLog) -> Value {
    let of = |(workload, lane, time): (_, &crate::perf::Lane, crate::perf::Interval)| {
        json!({
            "name": name(workload, lane),
            "unit": "ms",
            "value": time.at / 1e6,
            "range": format!("± {:.3}", time.half_width() / 1e6),
            "extra": format!("{} samples, every answer judged", lane.samples.len()),
        })
    };
    timed(log).map(of).collect()
}
