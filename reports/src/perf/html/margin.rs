//! Error against speed: what a backend is faster by, and how near its answers came to their allowances.

use maud::{Markup, html};
use plotters::prelude::*;

use super::canvas::{self, Area, BAD, Drawn, INK, colour, mesh, svg, text};
use crate::perf::compare::Comparison;
use crate::render::brief;

/// The smallest margin that is drawn in its place; exact answers are drawn there too.
const LEAST: f64 = 1e-6;

pub(super) fn margins(all: &[Comparison<'_>]) -> Markup {
    html! {
        @if !all.is_empty() {
            section aria-labelledby="error" {
                h2 id="error" { "Error against speed" }
                p { "Each point is a workload: to the right the backend is faster, further up its answers are nearer to what is allowed on that input. At 1 an answer is wrong, and not timed." }
                figure { (svg(620, 300, "Largest distance over allowance against speed", |area| draw(area, all))) }
            }
        }
    }
}

fn draw(area: &Area<'_>, all: &[Comparison<'_>]) -> Drawn {
    let speed = |c: &Comparison<'_>| (-c.effect.at).exp();
    let low = all.iter().map(speed).fold(0.5, f64::min) / 1.5;
    let high = all.iter().map(speed).fold(2.0, f64::max) * 1.5;
    let mut chart = canvas::chart(area, (low..high, LEAST / 2.0..4.0), (84, 140))?;
    mesh(&mut chart)
        .x_desc("times as fast as the base")
        .y_desc("distance / allowance")
        .y_labels(7)
        .x_label_formatter(&|x| crate::perf::text::number(*x))
        .y_label_formatter(&|y| {
            if *y <= LEAST { "≤1e-6".to_owned() } else { crate::perf::text::number(*y) }
        })
        .draw()?;
    chart.draw_series([PathElement::new([(low, 1.0), (high, 1.0)], BAD)])?;
    chart.draw_series([PathElement::new([(1.0, LEAST / 2.0), (1.0, 4.0)], INK)])?;
    let mut names: Vec<&str> = Vec::new();
    for comparison in all {
        let name = comparison.lane.backend.as_str();
        let n = names.iter().position(|known| *known == name).unwrap_or(names.len());
        let at = (speed(comparison), comparison.lane.judged.worst.0.clamp(LEAST, 4.0));
        chart.draw_series([Circle::new(at, 4, colour(n).filled())])?;
        if n == names.len() {
            names.push(name);
            let name: String = brief(name).chars().take(20).collect();
            // Above the point: exact answers lie in a row.
            let label = Text::new(name, (-4, -20), text(colour(n)));
            chart.draw_series([EmptyElement::at(at) + label])?;
        }
    }
    Ok(())
}
