//! How time grows with the number of cells: log-log, with what has no time drawn at the top edge and not left out.

use std::collections::BTreeSet;

use maud::{Markup, html};
use plotters::prelude::*;

use super::canvas::{self, Area, Chart, Drawn, LINE, Label, SOFT, apart, colour, mesh, svg, text};
use crate::perf::scaling::{Crossover, Curve, Sweep, sweeps};
use crate::perf::text::duration;
use crate::perf::{Fate, PerfLog};
use crate::render::brief;

const SIZE: (u32, u32) = (560, 330);
/// Characters of a name beside a curve.
const NAME: usize = 22;

pub(super) fn curves(log: &PerfLog) -> Markup {
    let sweeps = sweeps(log);
    let sweeps: Vec<&Sweep<'_>> = sweeps.iter().filter(|sweep| sweep.workloads.len() > 1).collect();
    html! {
        @if !sweeps.is_empty() {
            section aria-labelledby="growth" {
                h2 id="growth" { "How time grows" }
                p { "Median times with 95 % intervals, both axes logarithmic. A cross at the upper edge is a size without an answer in time, in memory, or at all. Grey: proportional to cells, and to their square." }
                div.plots { @for sweep in &sweeps { (figure(log, sweep)) } }
            }
        }
    }
}

fn figure(log: &PerfLog, sweep: &Sweep<'_>) -> Markup {
    let curves = sweep.curves(log.settings.seed);
    let label = format!("Time of {} by number of cells", brief(sweep.function));
    html! {
        figure {
            (svg(SIZE.0, SIZE.1, &label, |area| draw(area, &curves)))
            figcaption {
                code { (brief(sweep.function)) " " (brief(sweep.case)) }
                ul { @for curve in &curves { li { (exponent(curve)) } }
                     @for crossing in sweep.crossovers(&log.settings) { li { (cross(&crossing, &log.settings.base)) } } }
            }
        }
    }
}

fn exponent(curve: &Curve<'_>) -> String {
    let name = brief(curve.backend);
    match curve.exponent {
        Some(e) => format!("{name}: cells to the power {:.2} [{:.2}, {:.2}]", e.at, e.low, e.high),
        None => format!("{name}: fewer than three sizes have a time, so no exponent"),
    }
}

fn cross(crossing: &Crossover<'_>, base: &str) -> String {
    let side = if crossing.faster_above { "above" } else { "below" };
    let at = crossing.cells;
    format!(
        "{} is faster than {} {side} {:.0} cells [{:.0}, {:.0}]; {:.0} % of the resamples cross",
        brief(crossing.backend),
        brief(base),
        at.at,
        at.low,
        at.high,
        100.0 * crossing.share
    )
}

fn draw(area: &Area<'_>, curves: &[Curve<'_>]) -> Drawn {
    let sizes = || {
        curves.iter().flat_map(|c| c.points.iter().map(|p| p.0).chain(c.gaps.iter().map(|g| g.0)))
    };
    let times = || curves.iter().flat_map(|c| c.points.iter().map(|p| p.1));
    let (first, last) = (sizes().fold(f64::INFINITY, f64::min), sizes().fold(0.0, f64::max));
    let low = times().map(|t| t.low).fold(f64::INFINITY, f64::min) / 1.6;
    let high = times().map(|t| t.high).fold(0.0, f64::max) * 3.0;
    if !(first < last && low < high) {
        return Err("nothing to draw".into());
    }
    let mut chart = canvas::chart(area, (first * 0.85..last * 1.18, low..high), (62, 140))?;
    mesh(&mut chart)
        .x_desc("cells")
        .disable_x_mesh()
        .x_labels(1)
        // The measured sizes are written below it instead: powers of ten are too far apart.
        .x_label_formatter(&|_| String::new())
        .y_label_formatter(&|ns| duration(*ns))
        .draw()?;
    guides(&mut chart, (first, last), (low, high))?;
    for (i, curve) in curves.iter().enumerate() {
        let (ink, points) = (colour(i), &curve.points);
        chart.draw_series([PathElement::new(
            points.iter().map(|(n, t)| (*n, t.at)).collect::<Vec<_>>(),
            ink.stroke_width(2),
        )])?;
        for (n, time) in points {
            chart.draw_series([PathElement::new([(*n, time.low), (*n, time.high)], ink)])?;
            chart.draw_series([Circle::new((*n, time.at), 3, ink.filled())])?;
        }
        for (n, fate) in curve.gaps.iter().filter(|(_, fate)| **fate != Fate::Timed) {
            // One below the other, so that two backends without an answer both show.
            let at = (*n, high / 1.25f64.powi(2 * i as i32 + 1));
            chart.draw_series([Cross::new(at, 5, ink.stroke_width(2))])?;
            chart
                .draw_series([EmptyElement::at(at) + Text::new(word(fate), (8, -6), text(ink))])?;
        }
    }
    let sizes: BTreeSet<u64> = sizes().map(|n| n as u64).collect();
    for n in sizes {
        let (x, y) = chart.backend_coord(&(n as f64, low));
        area.draw(&Text::new(
            n.to_string(),
            (x - 3 * n.to_string().len() as i32, y + 6),
            text(SOFT),
        ))?;
    }
    for (at, ink, name) in labels(&chart, curves) {
        area.draw(&Text::new(name, at, text(ink)))?;
    }
    Ok(())
}

/// A name beside the end of each curve, moved down where it would cover another.
fn labels(chart: &Chart<'_, '_>, curves: &[Curve<'_>]) -> Vec<Label> {
    let end = |(i, curve): (usize, &Curve<'_>)| {
        let (n, time) = curve.points.last()?;
        let (x, y) = chart.backend_coord(&(*n, time.at));
        let name: String = brief(curve.backend).chars().take(NAME).collect();
        Some(((x + 8, y - 6), colour(i), name))
    };
    let mut all: Vec<Label> = curves.iter().enumerate().filter_map(end).collect();
    apart(&mut all);
    all
}

/// Lines of slope 1 and 2 through the lower left corner, as far as they are inside.
fn guides(chart: &mut Chart<'_, '_>, (first, last): (f64, f64), (low, high): (f64, f64)) -> Drawn {
    for power in [1.0, 2.0] {
        let at = |n: f64| low * 1.3 * (n / first).powf(power);
        let end = last.min(first * (high / (low * 1.3)).powf(1.0 / power));
        let line = [(first, at(first)), (end, at(end))];
        chart.draw_series([PathElement::new(line, LINE.stroke_width(2))])?;
    }
    Ok(())
}

/// Why there is no time, in a word or two.
fn word(fate: &Fate) -> &'static str {
    match fate {
        Fate::Timed => "too few samples",
        Fate::WrongAnswer { .. } => "wrong",
        Fate::NotJudged { .. } => "not judged",
        Fate::Excluded { .. } => "excluded",
        Fate::TimedOut { .. } => "timeout",
        Fate::OutOfMemory { .. } => "out of memory",
        Fate::Failed { .. } => "no answer",
    }
}
