//! Bencher Metric Format: `bencher run --adapter json --file bencher.json`.

use serde_json::{Map, Value, json};

use super::{name, timed};
use crate::perf::PerfLog;

/// Latency with its interval in nanoseconds, and the peak of memory in bytes, by name.
pub fn bencher(log: &PerfLog) -> Value {
    let of = |(workload, lane, time): (_, &crate::perf::Lane, crate::perf::Interval)| {
        let mut measures = json!({
            "latency": {"value": time.at, "lower_value": time.low, "upper_value": time.high},
        });
        if let (Some(peak), Some(measures)) = (lane.peak_bytes, measures.as_object_mut()) {
            measures.insert("peak-memory".to_owned(), json!({"value": peak}));
        }
        (name(workload, lane), measures)
    };
    Value::Object(timed(log).map(of).collect::<Map<_, _>>())
}
