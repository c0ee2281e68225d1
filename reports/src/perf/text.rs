//! A measurement as a person reads it on a terminal: verdict first, then what was not timed, then how time grows.

use super::compare::{
    Comparison, FEWEST, SpeedVerdict, beside_itself, comparisons, repeated, typical,
};
use super::history::{Movement, SHORTEST, series};
use super::scaling::sweeps;
use super::{Fate, Interval, Lane, PerfLog, Workload};

/// Calls on inputs that were asked before, so many times faster than fresh ones, are the work of a cache. The first
/// touch of memory explains less.
pub(super) const CACHED: f64 = 3.0;

/// The text; `before` are earlier runs, if there is something to compare with.
pub fn text(log: &PerfLog, before: &[PerfLog]) -> String {
    let all = comparisons(log);
    let mut out = String::new();
    for workload in &log.workloads {
        out += &format!("{}\n", workload.name());
        for lane in workload.lanes.iter().filter(|lane| !lane.again) {
            let comparison = all.iter().find(|c| std::ptr::eq(c.lane, lane));
            out += &row(log, workload, lane, comparison);
        }
    }
    for contender in log.backends.iter().filter(|c| !c.set.is_empty()) {
        out += &format!("{} is given {}\n", contender.name, contender.set.join(", "));
    }
    out += &growth(log);
    if !before.is_empty() {
        out += &history(log, before);
    }
    out
}

/// One lane: what is said of it beside the base, its time, and under it what else is known.
fn row(
    log: &PerfLog,
    workload: &Workload,
    lane: &Lane,
    comparison: Option<&Comparison<'_>>,
) -> String {
    let time = typical(lane, log.settings.seed).filter(|_| lane.fate == Fate::Timed);
    let Some(time) = time else {
        return format!("  {:<13} {}: {}\n", "no time", lane.backend, lane.fate.sentence());
    };
    let base = lane.backend == log.settings.base;
    let word = comparison.map_or(if base { "base" } else { "alone" }, |c| c.verdict.name());
    let [at, low, high] = [time.at, time.low, time.high].map(duration);
    let mut out = format!("  {word:<13} {}: {at} [{low}, {high}]", lane.backend);
    out += &comparison.map(|c| beside(c, log)).unwrap_or_default();
    if let Some(noise) = beside_itself(workload, &log.settings).filter(|_| base) {
        out += &format!(", beside itself within {}", percent(noise));
    }
    let work = workload.work.as_ref().map_or(String::new(), |work| {
        format!("{} ns per {}, ", number(time.at / work.count.max(1) as f64), work.unit)
    });
    out += &format!("\n{:16}{work}{}{}\n", "", cold(lane), memory(lane));
    if let Some(times) = repeated(lane).filter(|&times| times > CACHED) {
        let times = number(times);
        out += &format!(
            "{:16}keeps answers: a repeated input took 1/{times} of a fresh one; times are of fresh ones\n",
            ""
        );
    }
    out
}

fn beside(comparison: &Comparison<'_>, log: &PerfLog) -> String {
    let speed = comparison.effect.negated().map(f64::exp);
    let [at, low, high] = [speed.at, speed.low, speed.high].map(number);
    let noise = comparison.noise.map_or("unknown".to_owned(), |noise| percent(noise.exp_m1()));
    let way = if comparison.alone { "" } else { ", with the way to the process and back" };
    let why = match comparison.verdict {
        SpeedVerdict::Inconclusive => format!("; {}", doubt(comparison)),
        SpeedVerdict::Faster | SpeedVerdict::Same | SpeedVerdict::Slower => String::new(),
    };
    format!(
        ", {at} times as fast as {} [{low}, {high}] ({} blocks{way}; noise {noise}; {} would show{why})",
        log.settings.base,
        comparison.blocks,
        percent(comparison.detectable(&log.settings)),
    )
}

fn growth(log: &PerfLog) -> String {
    let mut out = String::new();
    for sweep in sweeps(log).iter().filter(|sweep| sweep.workloads.len() > 1) {
        out += &format!("\n{} {}\n", sweep.function, sweep.case);
        for curve in sweep.curves(log.settings.seed) {
            if let Some(Interval { at, low, high }) = curve.exponent {
                let power = format!("{at:.2} [{low:.2}, {high:.2}]");
                out += &format!("  {}: time grows as cells to the power {power}\n", curve.backend);
            }
        }
        for crossing in sweep.crossovers(&log.settings) {
            let Interval { at, low, high } = crossing.cells;
            let side = if crossing.faster_above { "above" } else { "below" };
            out += &format!(
                "  {} is faster than {} {side} {at:.0} cells [{low:.0}, {high:.0}] (a crossing in {:.0} % of the resamples)\n",
                crossing.backend,
                log.settings.base,
                100.0 * crossing.share,
            );
        }
    }
    out
}

fn history(log: &PerfLog, before: &[PerfLog]) -> String {
    let runs: Vec<&PerfLog> = before.iter().chain([log]).collect();
    let mut out = format!("\nBeside {} earlier runs\n", before.len());
    for one in series(&runs) {
        let what = match one.movement() {
            Movement::Alone => "no earlier run has this workload, machine and base".to_owned(),
            Movement::Held => "no change".to_owned(),
            Movement::Moved(Interval { at, low, high }) => format!(
                "the ratio is {} times what it was in the last run [{}, {}]: more than noise explains; measure again",
                number(at),
                number(low),
                number(high)
            ),
        };
        out += &format!("  {} {} / {}: {what}\n", one.backend, one.workload, one.base);
        if one.effects.len() < SHORTEST {
            continue;
        }
        for step in &one.changes {
            out += &format!(
                "    change at run {} of {}: the ratio became {} times what it was\n",
                step.run + 1,
                one.effects.len(),
                number(step.factor)
            );
        }
    }
    if runs.len() < SHORTEST {
        out += &format!("  {} runs are no series: change points need {SHORTEST}\n", runs.len());
    }
    out
}

fn cold(lane: &Lane) -> String {
    let Some(cold) = lane.cold else { return String::new() };
    let start =
        cold.start_ns.map_or(String::new(), |ns| format!("start {} and ", duration(ns as f64)));
    format!("cold: {start}first call {}, ", duration(cold.call_ns as f64))
}

fn memory(lane: &Lane) -> String {
    match lane.peak_bytes {
        Some(bytes) => format!("process at most {:.0} MiB", bytes as f64 / f64::from(1 << 20)),
        None => "memory unknown".to_owned(),
    }
}

/// Three digits.
pub(super) fn number(x: f64) -> String {
    match x.abs() {
        a if a >= 100.0 => format!("{x:.0}"),
        a if a >= 10.0 => format!("{x:.1}"),
        a if a >= 0.1 || a == 0.0 => format!("{x:.2}"),
        a if a >= 0.001 => format!("{x:.4}"),
        _ => format!("{x:.1e}"),
    }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Nanoseconds in the unit that leaves few digits.
pub(super) fn duration(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{} ns", number(ns)),
        ns if ns < 1e6 => format!("{} µs", number(ns / 1e3)),
        ns if ns < 1e9 => format!("{} ms", number(ns / 1e6)),
        ns => format!("{} s", number(ns / 1e9)),
    }
}

/// Why a verdict is inconclusive, in words.
pub(super) fn doubt(comparison: &Comparison<'_>) -> &'static str {
    match comparison {
        Comparison { blocks, .. } if *blocks < FEWEST => "too few blocks",
        Comparison { noise: None, .. } => "no noise floor",
        Comparison { effect, noise: Some(noise), .. } if effect.at.abs() <= *noise => {
            "within the noise floor"
        }
        Comparison { .. } => "the interval crosses the edge of the band",
    }
}
