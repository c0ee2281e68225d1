//! The forest plot: each ratio with its interval, as a power of two, so that twice as fast and half as fast are as far apart
//! from 1. Drawn, and as a table.

use maud::{Markup, html};
use plotters::prelude::*;

use super::canvas::{Area, BAD, DOUBT, Drawn, GOOD, INK, LINE, SOFT, svg, text};
use super::{ink, table};
use crate::perf::compare::{Comparison, SpeedVerdict};
use crate::perf::text::{doubt, number, percent};
use crate::perf::{Interval, PerfLog};
use crate::render::brief;

const WIDTH: u32 = 920;
const ROW: i32 = 26;
const TOP: i32 = 12;
/// Where the plot begins, right of the names, and how wide it is.
const LEFT: i32 = 400;
const PLOT: i32 = 480;
/// Characters of a name; the table below has all of it.
const NAME: usize = 60;

pub(super) fn forest(log: &PerfLog, all: &[Comparison<'_>]) -> Markup {
    let base = brief(&log.settings.base);
    html! {
        @if !all.is_empty() {
            section aria-labelledby="ratios" {
                h2 id="ratios" { "Times as fast as " (base) }
                p { "Right of the line is faster. Bars are 95 % intervals; the grey band around 1 is what counts as the same, " (percent(log.settings.band)) "." }
                figure { (svg(WIDTH, height(all), &format!("Speed beside {base}"), |area| draw(area, log, all))) }
                (rows(log, all))
            }
        }
    }
}

fn height(all: &[Comparison<'_>]) -> u32 {
    (TOP + ROW * all.len() as i32 + 40) as u32
}

/// Powers of two: how many times as fast as the base.
fn speed(comparison: &Comparison<'_>) -> Interval {
    comparison.effect.negated().map(|effect| effect / std::f64::consts::LN_2)
}

fn draw(area: &Area<'_>, log: &PerfLog, all: &[Comparison<'_>]) -> Drawn {
    let speeds: Vec<Interval> = all.iter().map(speed).collect();
    let low = speeds.iter().map(|s| s.low).fold(-1.0, f64::min).floor();
    let high = speeds.iter().map(|s| s.high).fold(1.0, f64::max).ceil();
    let x = |at: f64| LEFT + (f64::from(PLOT) * (at - low) / (high - low)).round() as i32;
    let bottom = TOP + ROW * all.len() as i32;
    let band = log.settings.band.ln_1p() / std::f64::consts::LN_2;
    area.draw(&Rectangle::new(
        [(x(-band), TOP), (x(band).max(x(-band) + 2), bottom)],
        LINE.filled(),
    ))?;
    let step = ((high - low) / 8.0).ceil().max(1.0) as usize;
    for tick in (low as i32..=high as i32).step_by(step) {
        let at = x(f64::from(tick));
        area.draw(&PathElement::new([(at, TOP), (at, bottom)], LINE))?;
        let label =
            if tick < 0 { format!("1/{}", 1u64 << -tick) } else { (1u64 << tick).to_string() };
        area.draw(&Text::new(label, (at - 6, bottom + 6), text(SOFT)))?;
    }
    area.draw(&PathElement::new([(x(0.0), TOP), (x(0.0), bottom)], INK))?;
    area.draw(&Text::new("times as fast", (LEFT + PLOT / 2 - 36, bottom + 22), text(SOFT)))?;
    for (i, (comparison, speed)) in all.iter().zip(&speeds).enumerate() {
        let middle = TOP + ROW * i as i32 + ROW / 2;
        let workload = comparison.workload;
        let name = format!("{} cells: {}", workload.cells, comparison.lane.backend);
        let name = format!("{} {}", brief(&workload.function), brief(&name));
        let name: String = name.chars().take(NAME).collect();
        area.draw(&Text::new(name, (4, middle - 6), text(INK)))?;
        let colour = match comparison.verdict {
            SpeedVerdict::Faster => GOOD,
            SpeedVerdict::Slower => BAD,
            SpeedVerdict::Same => SOFT,
            SpeedVerdict::Inconclusive => DOUBT,
        };
        let (from, to) = (x(speed.low), x(speed.high));
        area.draw(&PathElement::new([(from, middle), (to, middle)], colour.stroke_width(2)))?;
        for end in [from, to] {
            area.draw(&PathElement::new(
                [(end, middle - 4), (end, middle + 4)],
                colour.stroke_width(2),
            ))?;
        }
        area.draw(&Circle::new((x(speed.at), middle), 4, colour.filled()))?;
    }
    Ok(())
}

fn rows(log: &PerfLog, all: &[Comparison<'_>]) -> Markup {
    let interval =
        |i: Interval| format!("{} [{}, {}]", number(i.at), number(i.low), number(i.high));
    table(
        "Ratios",
        html! {
            caption { "Time of " (brief(&log.settings.base)) " over time of the backend; the noise is what the base showed beside itself" }
            thead { tr {
                th scope="col" { "Verdict" } th scope="col" { "Backend" } th scope="col" { "Asked" } th.n scope="col" { "Times as fast" }
                th.n scope="col" { "Noise" } th.n scope="col" { "Would show" } th.n scope="col" { "Blocks" }
            } }
            tbody { @for c in all { tr {
                @let (class, symbol) = ink(c.verdict);
                th scope="row" class=(format!("nowrap {class}")) { (symbol) " " (c.verdict.name())
                    @if c.verdict == SpeedVerdict::Inconclusive { br; span.s { (doubt(c)) } } }
                td { (brief(&c.lane.backend)) } td { code { (brief(&c.workload.name())) } }
                td.n { (interval(c.effect.negated().map(f64::exp))) }
                td.n { (c.noise.map_or("unknown".to_owned(), |noise| percent(noise.exp_m1()))) }
                td.n { (percent(c.detectable(&log.settings))) }
                td.n { (c.blocks) @if !c.alone { br; span.s { "with the way to the process" } } }
            } } }
        },
    )
}
