//! A folder of results as asv 0.6 keeps it: `asv publish`, `asv compare` and what reads their files take it as their own.
//!
//! A sweep is a benchmark with the parameters `backend` and `cells`; what was not timed is `null`, which asv shows as failed.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::perf::compare::times;
use crate::perf::interval::{of_median_at, quantile};
use crate::perf::scaling::{Sweep, sweeps};
use crate::perf::{Fate, Lane, PerfLog};

/// Paths below the folder of results, and their content, for a commit of the project that was measured.
pub fn asv(log: &PerfLog, commit: &str) -> Vec<(String, Value)> {
    let sweeps = sweeps(log);
    let machine = machine(log);
    let mut benchmarks: Map<String, Value> =
        sweeps.iter().map(|sweep| (name(sweep), benchmark(sweep))).collect();
    benchmarks.insert("version".to_owned(), json!(2));
    let results: Map<String, Value> =
        sweeps.iter().map(|sweep| (name(sweep), result(sweep, log.settings.seed))).collect();
    let mut params = machine.clone();
    if let Some(params) = params.as_object_mut() {
        params.remove("version");
    }
    let run = json!({
        "version": 2,
        "commit_hash": commit,
        "env_name": "concord",
        "date": log.started.seconds() * 1000,
        "params": params,
        "python": "",
        "requirements": {},
        "env_vars": {},
        "result_columns": COLUMNS,
        "results": results,
        "durations": {},
    });
    let short: String = commit.chars().take(8).collect();
    let folder = MACHINE;
    vec![
        ("benchmarks.json".to_owned(), Value::Object(benchmarks)),
        (format!("{folder}/machine.json"), machine),
        (format!("{folder}/{short}-concord.json"), run),
    ]
}

/// What stands in each place of a result; `asv compare` fails without the last four.
const COLUMNS: [&str; 9] = [
    "result",
    "params",
    "version",
    "started_at",
    "duration",
    "stats_ci_99_a",
    "stats_ci_99_b",
    "stats_q_25",
    "stats_q_75",
];

/// asv wants a name for the machine; the processor tells machines apart, as a parameter.
const MACHINE: &str = "concord";

fn machine(log: &PerfLog) -> Value {
    let at = &log.environment;
    json!({
        "version": 1,
        "machine": MACHINE,
        "cpu": at.processor,
        "num_cpu": at.threads.to_string(),
        "os": at.system,
        "ram": at.memory_bytes.map(|bytes| bytes.to_string()).unwrap_or_default(),
        "arch": at.system.split(' ').next_back().unwrap_or_default(),
    })
}

/// A dotted name, as Python's modules and functions have.
fn name(sweep: &Sweep<'_>) -> String {
    let word = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let case: String = sweep.case.chars().map(word).collect();
    format!("{}.time_{}", sweep.function, if case.is_empty() { "call" } else { &case })
}

fn backends<'a>(sweep: &Sweep<'a>) -> BTreeSet<&'a str> {
    let lanes = sweep.workloads.iter().flat_map(|w| &w.lanes);
    lanes.map(|lane| lane.backend.as_str()).collect()
}

/// The values of both parameters, as Python writes them.
fn params(sweep: &Sweep<'_>) -> Value {
    let backends: Vec<String> = backends(sweep).iter().map(|name| format!("'{name}'")).collect();
    let cells: Vec<String> = sweep.workloads.iter().map(|w| w.cells.to_string()).collect();
    json!([backends, cells])
}

fn benchmark(sweep: &Sweep<'_>) -> Value {
    json!({
        "name": name(sweep),
        "code": format!("concord bench --function {} # {}", sweep.function, sweep.case),
        "type": "time",
        "unit": "seconds",
        "param_names": ["backend", "cells"],
        "params": params(sweep),
        "timeout": 3600.0,
        "version": version(sweep),
    })
}

/// Results of another version are not compared: the text of the inputs is the version.
fn version(sweep: &Sweep<'_>) -> String {
    dispatch::Digest::of_bytes(name(sweep).as_bytes()).to_string()
}

/// The columns of a result that are numbers, in seconds: the median, the ends of its 99 % interval, the quartiles of the samples.
fn numbers(lane: &Lane, seed: u64) -> Option<[f64; 5]> {
    let mut times = times(lane);
    times.sort_by(f64::total_cmp);
    let median = of_median_at(&times, seed, 0.99)?;
    let quartiles = [quantile(&times, 0.25)?, quantile(&times, 0.75)?];
    Some([median.at, median.low, median.high, quartiles[0], quartiles[1]].map(|ns| ns / 1e9))
}

fn result(sweep: &Sweep<'_>, seed: u64) -> Value {
    let all = backends(sweep);
    let lanes = all.iter().flat_map(|name| sweep.workloads.iter().map(move |w| w.lane(name)));
    let rows: Vec<Option<[f64; 5]>> = lanes
        .map(|lane| lane.filter(|lane| lane.fate == Fate::Timed))
        .map(|lane| lane.and_then(|lane| numbers(lane, seed)))
        .collect();
    let column = |k: usize| rows.iter().map(|row| row.map(|row| row[k])).collect::<Vec<_>>();
    let (started, took) = (Value::Null, Value::Null);
    json!([
        column(0),
        params(sweep),
        version(sweep),
        started,
        took,
        column(1),
        column(2),
        column(3),
        column(4),
    ])
}
