//! The roofline: what a backend makes of the machine, where both the work of a call and the ceilings of the machine are known.
//!
//! Work is counted from the definition of the function, so that the same workload lies at the same place for every backend and
//! only the height differs. A GPU has other ceilings, which are not measured here: no point is drawn for it.

use std::collections::BTreeSet;

use dispatch::Device;
use maud::{Markup, html};
use plotters::prelude::*;

use super::canvas::{self, Area, Chart, Drawn, INK, SOFT, apart, colour, mesh, svg, text};
use super::table;
use crate::perf::compare::typical;
use crate::perf::text::number;
use crate::perf::{Ceilings, Fate, Lane, PerfLog, Workload};
use crate::render::brief;

const SIZE: (u32, u32) = (560, 340);
/// Characters of a name beside a point.
const NAME: usize = 22;

/// One backend on one workload.
struct Point<'a> {
    workload: &'a Workload,
    lane: &'a Lane,
    /// Operations for each byte that must be read.
    intensity: f64,
    /// Operations in a second.
    operations: f64,
    /// Bytes that must be read, in a second.
    bytes: f64,
}

pub(super) fn roofline(log: &PerfLog) -> Markup {
    let lanes = || log.workloads.iter().flat_map(|w| w.lanes.iter().map(move |lane| (w, lane)));
    if !lanes().any(|(_, lane)| lane.fate == Fate::Timed) {
        return Markup::default();
    }
    let points: Vec<Point<'_>> = lanes().filter_map(|(w, lane)| point(log, w, lane)).collect();
    let functions: BTreeSet<&str> = points.iter().map(|p| p.workload.function.as_str()).collect();
    html! {
        section aria-labelledby="roofline" {
            h2 id="roofline" { "Beside what the machine can do" }
            @match &log.environment.ceilings {
                Some(ceilings) if !points.is_empty() => {
                    p { (said(ceilings)) }
                    div.plots { @for function in functions {
                        @let own: Vec<&Point<'_>> = points.iter().filter(|p| p.workload.function == function).collect();
                        (figure(function, ceilings, &own))
                    } }
                    (rows(ceilings, &points))
                }
                Some(_) => p { "No roofline is drawn: no point has both counts of its work and ceilings of its device." }
                None => p { "No roofline is drawn: what the machine can do was not measured in this run." }
            }
            @for sentence in without(log) { p { (sentence) } }
        }
    }
}

fn said(ceilings: &Ceilings) -> String {
    format!(
        "Each point is a backend on a workload: operations in a second against operations for each byte of input that must be read. Both are counted from the definition of the function and not from what a backend does: one that does more than it must lies lower, one that finds a way round work may lie above a roof. The roofs were measured in this run with {} threads, the fastest of some short rounds before and after it: reading {} MiB of memory, reading the first cache, and multiplications with additions (two operations each) of float64 and float32. Additions alone reach half of such a roof.",
        ceilings.threads,
        ceilings.memory_bytes >> 20
    )
}

fn on_processor(log: &PerfLog, lane: &Lane) -> bool {
    log.backends.iter().any(|c| c.name == lane.backend && c.device == Device::Cpu)
}

fn point<'a>(log: &PerfLog, workload: &'a Workload, lane: &'a Lane) -> Option<Point<'a>> {
    let work = workload.work.as_ref()?;
    let (operations, bytes) = (work.operations.filter(|&n| n > 0)?, work.bytes.filter(|&n| n > 0)?);
    if lane.again || lane.fate != Fate::Timed || !on_processor(log, lane) {
        return None;
    }
    let seconds = typical(lane, log.settings.seed)?.at / 1e9;
    let [operations, bytes] = [operations, bytes].map(|n| n as f64);
    Some(Point {
        workload,
        lane,
        intensity: operations / bytes,
        operations: operations / seconds,
        bytes: bytes / seconds,
    })
}

/// What has a time and no point, and why.
fn without(log: &PerfLog) -> Vec<String> {
    let timed = |w: &&Workload| w.lanes.iter().any(|lane| lane.fate == Fate::Timed);
    let counted =
        |w: &Workload| w.work.as_ref().is_some_and(|w| w.operations.is_some() && w.bytes.is_some());
    let uncounted: BTreeSet<&str> = log
        .workloads
        .iter()
        .filter(timed)
        .filter(|w| !counted(w))
        .map(|w| w.function.as_str())
        .collect();
    let lanes = log.workloads.iter().flat_map(|w| &w.lanes);
    let elsewhere: BTreeSet<&str> = lanes
        .filter(|lane| lane.fate == Fate::Timed && !on_processor(log, lane))
        .map(|lane| lane.backend.as_str())
        .collect();
    let list =
        |names: BTreeSet<&str>| names.iter().map(|n| brief(n)).collect::<Vec<_>>().join(", ");
    let mut sentences = Vec::new();
    if !uncounted.is_empty() {
        let functions = list(uncounted);
        sentences.push(format!(
            "Without a point: {functions} on inputs whose operations and bytes are not counted, as those from a file."
        ));
    }
    if !elsewhere.is_empty() {
        let backends = list(elsewhere);
        sentences.push(format!(
            "Without a point: {backends}, whose device has ceilings that are not measured here."
        ));
    }
    sentences
}

fn figure(function: &str, ceilings: &Ceilings, points: &[&Point<'_>]) -> Markup {
    let function = brief(function);
    let label = format!("Operations in a second of {function}, beside what the machine can do");
    html! {
        figure {
            (svg(SIZE.0, SIZE.1, &label, |area| draw(area, ceilings, points)))
            figcaption { code { (function) } }
        }
    }
}

fn draw(area: &Area<'_>, ceilings: &Ceilings, points: &[&Point<'_>]) -> Drawn {
    let [memory, cache, wide, narrow] = [
        ceilings.memory_bytes_per_s,
        ceilings.cache_bytes_per_s,
        ceilings.f64_operations_per_s,
        ceilings.f32_operations_per_s,
    ]
    .map(|n| n as f64);
    let top = wide.max(narrow);
    let of = |f: fn(&Point<'_>) -> f64| points.iter().map(move |p| f(p));
    // The ridge of memory is inside, so that both kinds of roof are seen.
    let ridge = wide / memory;
    let low = of(|p| p.intensity).fold(ridge, f64::min) / 4.0;
    let high = of(|p| p.intensity).fold(ridge, f64::max) * 4.0;
    let bottom = of(|p| p.operations).fold(top, f64::min) / 4.0;
    let highest = of(|p| p.operations).fold(top, f64::max) * 2.5;
    if !(low.is_finite() && high.is_finite() && low < high && 0.0 < bottom && bottom < highest) {
        return Err("nothing to draw".into());
    }
    let mut chart = canvas::chart(area, (low..high, bottom..highest), (62, 128))?;
    mesh(&mut chart)
        .x_desc("operations for each byte that must be read")
        .x_label_formatter(&|x| number(*x))
        .y_label_formatter(&|y| per_second(*y, ""))
        .draw()?;
    let mut beside = Vec::new();
    for (rate, name) in [(wide, "float64"), (narrow, "float32")] {
        let from = (rate / cache.max(memory)).clamp(low, high);
        chart.draw_series([PathElement::new([(from, rate), (high, rate)], INK)])?;
        let (x, y) = chart.backend_coord(&(high, rate));
        beside.push(((x + 6, y - 6), INK, format!("{name} {}", per_second(rate, ""))));
    }
    for (rate, name) in [(memory, "memory"), (cache, "first cache")] {
        let (from, to) = (low.max(bottom / rate), high.min(top / rate));
        if from < to {
            chart.draw_series([PathElement::new([(from, rate * from), (to, rate * to)], INK)])?;
            // Below the line, which rises away from it.
            let at = from.powf(0.55) * to.powf(0.45);
            let (x, y) = chart.backend_coord(&(at, rate * at));
            let label = format!("{name} {}", per_second(rate, "B"));
            area.draw(&Text::new(label, (x + 8, y + 2), text(SOFT)))?;
        }
    }
    let names: Vec<&str> = backends(points);
    for point in points {
        let n = names.iter().position(|name| *name == point.lane.backend).unwrap_or(0);
        let at = (point.intensity, point.operations);
        chart.draw_series([Circle::new(at, 4, colour(n).filled())])?;
    }
    for (n, name) in names.iter().enumerate() {
        let own = points.iter().filter(|p| p.lane.backend == *name);
        // The largest workload: the rightmost point where they are not above each other.
        if let Some(last) = own.max_by_key(|p| p.workload.cells) {
            let (x, y) = place(&chart, last);
            let name: String = brief(name).chars().take(NAME).collect();
            beside.push(((x + 8, y - 6), colour(n), name));
        }
    }
    apart(&mut beside);
    for (at, ink, label) in beside {
        area.draw(&Text::new(label, at, text(ink)))?;
    }
    Ok(())
}

fn place(chart: &Chart<'_, '_>, point: &Point<'_>) -> (i32, i32) {
    chart.backend_coord(&(point.intensity, point.operations))
}

/// The backends of some points, each once, in the order of the log.
fn backends<'a>(points: &[&Point<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for point in points {
        if !names.contains(&point.lane.backend.as_str()) {
            names.push(&point.lane.backend);
        }
    }
    names
}

fn rows(ceilings: &Ceilings, points: &[Point<'_>]) -> Markup {
    let share = |of: f64, ceiling: u64| format!("{} %", number(100.0 * of / ceiling.max(1) as f64));
    table(
        "Beside what the machine can do",
        html! {
            caption { "Operations and bytes that the definition asks for, over the median time, and their share of what was measured" }
            thead { tr {
                th scope="col" { "Asked" } th scope="col" { "Backend" } th.n scope="col" { "Operations for each byte" }
                th.n scope="col" { "Operations" } th.n scope="col" { "of float64, float32" } th.n scope="col" { "Bytes" } th.n scope="col" { "of memory, first cache" }
            } }
            tbody { @for p in points { tr {
                td { code { (brief(&p.workload.name())) } } th scope="row" { (brief(&p.lane.backend)) }
                td.n { (number(p.intensity)) }
                td.n { (per_second(p.operations, "")) }
                td.n { (share(p.operations, ceilings.f64_operations_per_s)) ", " (share(p.operations, ceilings.f32_operations_per_s)) }
                td.n { (per_second(p.bytes, "B")) }
                td.n { (share(p.bytes, ceilings.memory_bytes_per_s)) ", " (share(p.bytes, ceilings.cache_bytes_per_s)) }
            } } }
        },
    )
}

/// A rate with the prefix that leaves few digits.
pub(super) fn per_second(rate: f64, unit: &str) -> String {
    let (by, prefix) = match rate {
        r if r >= 1e12 => (1e12, "T"),
        r if r >= 1e9 => (1e9, "G"),
        r if r >= 1e6 => (1e6, "M"),
        r if r >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    format!("{} {prefix}{unit}/s", number(rate / by))
}
