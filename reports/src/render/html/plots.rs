//! How near right answers came to their allowances.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::plot::{Axis, Mark, plot};
use super::{View, brief};
use crate::render::phrase;
use crate::{Log, Source};

/// The smallest ratio that is drawn in its place; exact answers are drawn there too.
const LEAST: f64 = 1e-6;
/// Points of a curve; more cannot be told apart.
const POINTS: usize = 120;

/// Distance over allowance of all passing comparisons, by function, as a cumulative share.
pub(super) fn accuracy(view: &View<'_>) -> Markup {
    let ratios = ratios(view.tally.log);
    html! {
        @if !ratios.is_empty() {
            section aria-labelledby="accuracy" {
                h2 id="accuracy" { "Accuracy" }
                p { "Each comparison has its own allowance, derived on its input. Share of passing comparisons whose distance is at most so much of it; right of 1 would be a failure." }
                div.plots { @for (function, sorted) in &ratios { figure {
                    (ecdf(function, sorted))
                    figcaption { code { (brief(function)) } ": " (phrase::grouped(sorted.len() as u64)) " comparisons with an allowance" }
                } } }
                (margins(view))
            }
        }
    }
}

/// Sorted ratios of the passing comparisons of checks that have an allowance.
fn ratios(log: &Log) -> BTreeMap<&str, Vec<f64>> {
    let mut by_check: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for record in log.records.iter().filter(|r| r.source != Source::Statistical) {
        for check in record.checks.iter().filter(|c| c.finding.is_none() && c.compared > 0) {
            by_check.entry((&record.function, &check.name)).or_default().push(check.worst.0);
        }
    }
    let mut all: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for ((function, _), ratios) in by_check {
        if ratios.iter().any(|&r| r > 0.0) {
            all.entry(function).or_default().extend(ratios);
        }
    }
    all.values_mut().for_each(|ratios| ratios.sort_by(f64::total_cmp));
    all
}

fn ecdf(function: &str, sorted: &[f64]) -> Markup {
    let n = sorted.len();
    let step = n.div_ceil(POINTS).max(1);
    let ranks = (1..=n).filter(|rank| rank % step == 0 || *rank == n || *rank == 1);
    let points = ranks.map(|rank| (place(sorted[rank - 1]), rank as f64 / n as f64));
    let exact = sorted.iter().filter(|&&r| r < LEAST).count();
    let worst = sorted.last().copied().unwrap_or_default();
    let description = format!(
        "{exact} of {n} comparisons are exact or below 1e-6 of the allowance; the largest is {worst:.2}"
    );
    let x = Axis { title: "distance / allowance", ticks: decades() };
    plot(
        &format!("Accuracy of {}", brief(function)),
        &description,
        &x,
        &shares("share of comparisons"),
        &[Mark::Steps(points.collect()), Mark::Bound(place(1.0), "allowed")],
    )
}

/// Where a ratio stands on a logarithmic axis from [`LEAST`] to 10.
fn place(ratio: f64) -> f64 {
    (ratio.max(LEAST).log10() + 6.0) / 7.0
}

fn decades() -> Vec<(f64, String)> {
    let label = |(ratio, text): (f64, &str)| (place(ratio), text.to_owned());
    [(LEAST, "≤1e-6"), (1e-4, "1e-4"), (1e-2, "0.01"), (1.0, "1"), (10.0, "10")].map(label).to_vec()
}

/// An axis of shares.
pub(super) fn shares(title: &'static str) -> Axis {
    let ticks = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, format!("{share}")));
    Axis { title, ticks: ticks.to_vec() }
}

/// The same numbers as a table, nearest first.
fn margins(view: &View<'_>) -> Markup {
    let results = view.certificate.map(|c| c.predicate.results.as_slice()).unwrap_or_default();
    let mut rows: Vec<_> =
        results.iter().flat_map(|r| r.margins.iter().map(move |m| (&r.function, m))).collect();
    rows.sort_by(|(_, a), (_, b)| b.worst.value().total_cmp(&a.worst.value()));
    html! {
        @if !rows.is_empty() {
            details {
                summary { "The comparisons that came nearest to their allowances" }
                div.box tabindex="0" role="group" aria-label="Margins" { table {
                    caption { "Nearest first, of " (rows.len()) " checks with an allowance" }
                    thead { tr {
                        th scope="col" { "Function" } th scope="col" { "Check" } th.n scope="col" { "Cases" }
                        th.n scope="col" { "Median" } th.n scope="col" { "Largest" } th scope="col" { "In the case" }
                    } }
                    tbody { @for (function, m) in rows.iter().take(12) { tr {
                        td { code { (brief(function)) } } th scope="row" { (brief(&m.check)) }
                        td.n { (phrase::grouped(m.cases)) } td.n { (crate::Ratio(m.median.value())) }
                        td.n { (crate::Ratio(m.worst.value())) } td { code { (brief(&m.worst_case)) } }
                    } } }
                } }
            }
        }
    }
}
