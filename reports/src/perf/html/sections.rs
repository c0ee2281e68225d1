//! What has no time, all times, earlier runs, the machine, and how it was measured.

use maud::{Markup, html};

use super::roofline::per_second;
use super::table;
use crate::perf::compare::{FEWEST, beside_itself, repeated, typical};
use crate::perf::history::{Movement, SHORTEST, series};
use crate::perf::text::{CACHED, duration, number, percent};
use crate::perf::{Fate, Lane, PerfLog, Workload};
use crate::render::brief;

/// Lanes without a time, and why.
pub(super) fn missing(log: &PerfLog) -> Markup {
    let lanes = log.workloads.iter().flat_map(|w| w.lanes.iter().map(move |lane| (w, lane)));
    let mut missing: Vec<(&Workload, &Lane, usize)> = Vec::new();
    for (workload, lane) in lanes.filter(|(_, lane)| lane.fate != Fate::Timed && !lane.again) {
        // What is the same at every size is said once.
        let same = |m: &&mut (&Workload, &Lane, usize)| {
            m.1.backend == lane.backend && m.1.fate == lane.fate
        };
        match missing.iter_mut().find(same) {
            Some((.., more)) => *more += 1,
            None => missing.push((workload, lane, 0)),
        }
    }
    html! {
        @if !missing.is_empty() {
            section aria-labelledby="missing" {
                h2 id="missing" { "Without a time" }
                (table("Without a time", html! {
                    thead { tr { th scope="col" { "Backend" } th scope="col" { "Asked" } th scope="col" { "What became of it" } } }
                    tbody { @for (w, lane, more) in &missing { tr {
                        @let class = if matches!(lane.fate, Fate::WrongAnswer { .. }) { "b" } else { "" };
                        th scope="row" { (brief(&lane.backend)) } td { code { (brief(&w.name())) } @if *more > 0 { " and " (more) " more" } } td class=(class) { (brief(&lane.fate.sentence())) }
                    } } }
                }))
            }
        }
    }
}

/// Every lane that was timed.
pub(super) fn times(log: &PerfLog) -> Markup {
    let lanes = log.workloads.iter().flat_map(|w| w.lanes.iter().map(move |lane| (w, lane)));
    let timed: Vec<_> = lanes.filter(|(_, lane)| !lane.again && lane.fate == Fate::Timed).collect();
    html! {
        @if !timed.is_empty() {
            section aria-labelledby="times" {
                h2 id="times" { "Times" }
                (table("Times", html! {
                    caption { "Median of a call on a fresh input, its 95 % interval; cold: start of the process and first call in it; largest: distance over what is allowed" }
                    thead { tr {
                        th scope="col" { "Asked" } th scope="col" { "Backend" } th.n scope="col" { "Time" } th.n scope="col" { "Per unit of work" }
                        th.n scope="col" { "Cold" } th.n scope="col" { "Process at most" } th.n scope="col" { "Judged" } th scope="col" { "Phases" }
                    } }
                    tbody { @for (w, lane) in &timed { (time(log, w, lane)) } }
                }))
            }
        }
    }
}

fn time(log: &PerfLog, workload: &Workload, lane: &Lane) -> Markup {
    let time = typical(lane, log.settings.seed);
    let per = |ns: f64| {
        let work = workload.work.as_ref()?;
        Some((number(ns / work.count.max(1) as f64), work.unit.as_str()))
    };
    let base = lane.backend == log.settings.base;
    let noise = beside_itself(workload, &log.settings).filter(|_| base);
    html! { tr {
        td { code { (brief(&workload.name())) } } th scope="row" { (brief(&lane.backend)) }
        td.n { @if let Some(t) = time { (duration(t.at)) br; span.s { "[" (duration(t.low)) ", " (duration(t.high)) "]" } }
            @if let Some(noise) = noise { br; span.s { "beside itself " (percent(noise)) } } }
        td.n { @match time.and_then(|t| per(t.at)) {
            Some((ns, unit)) => { (ns) " ns" br; span.s { "per " (brief(unit)) } }
            None => "unknown"
        } }
        td.n { @if let Some(cold) = lane.cold {
            @if let Some(start) = cold.start_ns { (duration(start as f64)) " + " }
            (duration(cold.call_ns as f64))
        } }
        td.n { (lane.peak_bytes.map_or("unknown".to_owned(), |b| format!("{:.0} MiB", b as f64 / f64::from(1 << 20)))) }
        td.n { @if is_host(log, lane) { "the host" } @else {
            (lane.judged.before + lane.judged.timed) br; span.s { "largest " (lane.judged.worst) }
        } }
        td { (phases(lane))
            @if let Some(times) = repeated(lane).filter(|&t| t > CACHED) { br; span.d { "repeated input " (number(times)) " times as fast" } } }
    } }
}

fn is_host(log: &PerfLog, lane: &Lane) -> bool {
    log.backends.iter().any(|c| c.host && c.name == lane.backend)
}

/// Mean time of each part of the calls.
fn phases(lane: &Lane) -> String {
    let mut sums: Vec<(String, u64)> = Vec::new();
    for (phase, ns) in lane.samples.iter().flat_map(|s| &s.phases_ns) {
        let name = format!("{phase:?}").to_lowercase();
        match sums.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += ns,
            None => sums.push((name, *ns)),
        }
    }
    let calls = lane.samples.len().max(1) as f64;
    let each = sums.iter().map(|(name, sum)| format!("{name} {}", duration(*sum as f64 / calls)));
    let each: Vec<String> = each.collect();
    if each.is_empty() { "not told apart".to_owned() } else { each.join(", ") }
}

/// This run beside earlier ones.
pub(super) fn history(log: &PerfLog, before: &[PerfLog]) -> Markup {
    let runs: Vec<&PerfLog> = before.iter().chain([log]).collect();
    let all = if before.is_empty() { Vec::new() } else { series(&runs) };
    let moved = |movement| match movement {
        Movement::Alone => "only one run".to_owned(),
        Movement::Held => "no change".to_owned(),
        Movement::Moved(ratio) => {
            let [at, low, high] = [ratio.at, ratio.low, ratio.high].map(number);
            format!("{at} times the last ratio [{low}, {high}]: measure again")
        }
    };
    html! {
        @if !all.is_empty() {
            section aria-labelledby="history" {
                h2 id="history" { "Beside earlier runs" }
                p { "Followed is the ratio to the base of the same run. " @if runs.len() < SHORTEST { (runs.len()) " runs are no series: change points need " (SHORTEST) "." } }
                (table("History", html! {
                    thead { tr { th scope="col" { "Backend" } th scope="col" { "Asked" } th.n scope="col" { "Runs" } th scope="col" { "Since the last run" } th scope="col" { "Changes of the series" } } }
                    tbody { @for one in &all { tr {
                        th scope="row" { (brief(&one.backend)) } td { code { (brief(&one.workload)) } } td.n { (one.effects.len()) } td { (moved(one.movement())) }
                        td { @if one.changes.is_empty() { "none" } @for step in &one.changes { "run " (step.run + 1) ": " (number(step.factor)) " times " } }
                    } } }
                }))
            }
        }
    }
}

pub(super) fn load(log: &PerfLog) -> String {
    let one = |load: Option<f64>| load.map_or("unknown".to_owned(), |load| format!("{load:.1}"));
    let [before, after] = log.environment.load.map(one);
    format!("{before} before, {after} after")
}

/// The machine and the builds.
pub(super) fn circumstances(log: &PerfLog) -> Markup {
    let at = &log.environment;
    html! {
        section aria-labelledby="environment" {
            h2 id="environment" { "Machine and builds" }
            p { (brief(&at.processor)) ", " (at.threads) " threads, "
                (at.memory_bytes.map_or("memory unknown".to_owned(), |b| format!("{:.1} GiB", b as f64 / f64::from(1 << 30)))) ", " (brief(&at.system))
                ". Load average " (load(log)) "; work of others makes both sides slower and the noise floor higher." }
            @if let Some(c) = &at.ceilings { p { "Most that was seen of " (c.threads) " threads: memory " (per_second(c.memory_bytes_per_s as f64, "B")) ", first cache " (per_second(c.cache_bytes_per_s as f64, "B")) ", float64 " (per_second(c.f64_operations_per_s as f64, "")) ", float32 " (per_second(c.f32_operations_per_s as f64, "")) "." } }
            @for (name, value) in &at.variables { p { code { (brief(name)) "=" (brief(value)) } } }
            ul { @for c in &log.backends { li {
                strong { (brief(&c.name)) } " " (brief(&c.version)) ", " (brief(&c.summary)) ", digest " code { (c.artifact.short(12)) }
                @if !c.set.is_empty() { ", given " (brief(&c.set.join(", "))) }
                @if c.host { ". Its answers are what the others are judged by." }
            } } }
        }
    }
}

/// How it was measured, and what the words mean.
pub(super) fn method(log: &PerfLog) -> Markup {
    let s = &log.settings;
    html! {
        section aria-labelledby="method" {
            h2 id="method" { "How this was measured" }
            p { "Each backend runs in a process of its own and is given the same inputs, a fresh one for each half of a block. A block calls all of them in one order and then in the reverse order, so that a steady drift of the machine cancels. Between " (s.least_blocks) " and " (s.most_blocks) " blocks, until the interval is within " (percent(s.half_width.exp_m1())) " on either side. Times are of the function alone where both processes report them, else of the call with the way there and back." }
            p { "The base runs twice, in two processes; what differs between them is the noise floor. " strong { "Faster" } " or " strong { "slower" } ": the 95 % interval of the ratio (bootstrap over blocks) lies outside the band of " (percent(s.band)) " and the effect is above the noise floor. " strong { "Same" } ": the interval lies within the band. Else " strong { "inconclusive" } ", as with fewer than " (FEWEST) " blocks." }
            p { "Every answer is judged by the contract of its function before its time counts; one wrong answer, and the lane has none." }
            p { "The same numbers, raw: " code { "perf.json" } ". Again: " code { "concord bench --from perf.json" } "." }
        }
    }
}
