//! A folder as criterion leaves it in `target/criterion`, for what reads that: critcmp, and pages made of `estimates.json`.
//!
//! A sweep is a group, a backend a function in it, the number of cells its value. Every sample is one call, so that the
//! sampling is flat and there is no slope.

use serde_json::{Value, json};

use crate::perf::compare::times;
use crate::perf::interval::{Resampler, median, quantile};
use crate::perf::{Lane, PerfLog, Workload};

/// The share of resamples within an interval.
const CONFIDENCE: f64 = 0.95;
/// The standard deviation of normal values over their median absolute deviation.
const OF_MAD: f64 = 1.4826;
/// Characters that criterion leaves of a name of a folder.
const LONGEST: usize = 64;

/// Paths below the folder `criterion`, and their content. Times are in nanoseconds.
pub fn criterion(log: &PerfLog) -> Vec<(String, Value)> {
    let one = |(workload, lane, _): (&Workload, &Lane, _)| {
        let times = times(lane);
        let benchmark = benchmark(workload, lane);
        let folder = format!("{}/new", benchmark["directory_name"].as_str().unwrap_or_default());
        let iterations = vec![1.0; times.len()];
        let sample = json!({"sampling_mode": "Flat", "iters": iterations, "times": times});
        Some([
            (format!("{folder}/estimates.json"), estimates(&times, log.settings.seed)?),
            (format!("{folder}/tukey.json"), fences(&times)?),
            (format!("{folder}/benchmark.json"), benchmark),
            (format!("{folder}/sample.json"), sample),
        ])
    };
    super::timed(log).filter_map(one).flatten().collect()
}

fn benchmark(workload: &Workload, lane: &Lane) -> Value {
    let group = format!("{} {}", workload.function, workload.case).trim_end().to_owned();
    let cells = workload.cells.to_string();
    let full = format!("{group}/{}/{cells}", lane.backend);
    let folder = [&group, &lane.backend, &cells].map(|name| safe(name)).join("/");
    json!({
        "group_id": group,
        "function_id": lane.backend,
        "value_str": cells,
        "throughput": workload.work.as_ref().map(|work| json!({"Elements": work.count})),
        "full_id": full,
        "directory_name": folder,
        "title": full,
    })
}

/// A name as criterion makes a folder of it.
fn safe(name: &str) -> String {
    let word = |c: char| if "?\"/\\*<>:|^".contains(c) { '_' } else { c };
    name.chars().map(word).take(LONGEST).collect()
}

fn estimates(times: &[f64], seed: u64) -> Option<Value> {
    Some(json!({
        "mean": estimate(times, seed, mean)?,
        "median": estimate(times, seed, median)?,
        "median_abs_dev": estimate(times, seed, median_deviation)?,
        "slope": null,
        "std_dev": estimate(times, seed, deviation)?,
    }))
}

/// A statistic, its bootstrap interval and the standard deviation of its resamples.
fn estimate(times: &[f64], seed: u64, of: fn(&[f64]) -> Option<f64>) -> Option<Value> {
    let found = Resampler::new(seed).distribution(&[times.to_vec()], |drawn| of(&drawn[0]));
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some(json!({
        "confidence_interval": {
            "confidence_level": CONFIDENCE,
            "lower_bound": quantile(&found, tail)?,
            "upper_bound": quantile(&found, 1.0 - tail)?,
        },
        "point_estimate": of(times)?,
        "standard_error": deviation(&found)?,
    }))
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation of a sample.
fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

fn median_deviation(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    let apart: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    Some(OF_MAD * median(&apart)?)
}

/// Tukey's fences: times beyond the inner ones are outliers, beyond the outer ones severe ones.
fn fences(times: &[f64]) -> Option<Value> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (first, third) = (quantile(&sorted, 0.25)?, quantile(&sorted, 0.75)?);
    let at = |of: f64, quartiles: f64| of + quartiles * (third - first);
    Some(json!([at(first, -3.0), at(first, -1.5), at(third, 1.5), at(third, 3.0)]))
}
