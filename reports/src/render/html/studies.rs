//! How studies of random columns went: how far each test deviated, and whether values from many seeds are spread as they
//! should be.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::plot::{Axis, Mark, plot};
use super::plots::shares;
use super::{View, brief};
use crate::render::phrase;
use crate::{Check, Places, Record, Source};

/// The section; nothing where no random column was studied.
pub(super) fn statistics(view: &View<'_>) -> Markup {
    let studies: Vec<&Record> =
        view.tally.log.records.iter().filter(|r| r.source == Source::Statistical).collect();
    let mut by_function: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for record in &studies {
        let all = by_function.entry(&record.function).or_default();
        all.extend(record.checks.iter().filter(|c| c.compared > 0).map(|c| c.worst.0));
    }
    by_function.retain(|_, ratios| ratios.iter().any(|r| *r > 0.0));
    by_function.values_mut().for_each(|ratios| ratios.sort_by(f64::total_cmp));
    let placed: Vec<(&Record, &Check, &Places)> = studies
        .iter()
        .flat_map(|r| r.checks.iter().filter_map(move |c| Some((*r, c, c.places.as_ref()?))))
        .collect();
    html! {
        @if !studies.is_empty() {
            section aria-labelledby="statistics" {
                h2 id="statistics" { "Random columns" }
                p { (studies.len()) " studies, each over many seeds. A test refuses right of 1; the tests of a certificate together refuse a right backend with probability 0.000001 at most." }
                div.plots { @for (function, ratios) in &by_function { figure { (deviations(function, ratios)) figcaption { code { (brief(function)) } ": " (phrase::plural(ratios.len() as u64, "test")) } } } }
                @if !placed.is_empty() {
                    h3 { "p-values over seeds" }
                    p { "Each p-value of a call, put through the distribution that it should have, is uniform from seed to seed. On the diagonal: as it should be. Between the dashed lines: within what chance allows in 99 of 100 such pictures." }
                    div.plots { @for (record, check, places) in &placed { figure {
                        (quantiles(record, check, places))
                        figcaption { code { (brief(&record.function)) } " " (brief(study(record))) ": " (phrase::grouped(places.values())) " values of " (phrase::grouped(places.independent)) " calls" }
                    } } }
                    (table(&placed))
                }
                @if !view.tally.measured.is_empty() {
                    details { summary { "What was measured" } ul { @for (function, says) in &view.tally.measured {
                        li { code { (brief(function)) } ": " (brief(says)) }
                    } } }
                }
            }
        }
    }
}

/// The name of a study: `study=NAME` in the text of its case.
fn study(record: &Record) -> &str {
    record.case.split_whitespace().find_map(|word| word.strip_prefix("study=")).unwrap_or("study")
}

fn quantiles(record: &Record, check: &Check, places: &Places) -> Markup {
    let points: Vec<(f64, f64)> =
        places.quantiles().iter().map(|q| (q.expected, q.observed)).collect();
    let band = places.band();
    // Where both ends of a shifted diagonal meet the frame.
    let shifted = |by: f64| {
        let (from, to) = ((-by).max(0.0), (1.0 - by).min(1.0));
        Mark::Limit([(from, from + by), (to, to + by)])
    };
    plot(
        &format!("Quantiles of {} of {}", brief(&check.name), brief(study(record))),
        &format!(
            "the largest distance from the diagonal is {:.2}, chance allows {band:.2}",
            farthest(places)
        ),
        &shares("expected quantile"),
        &shares("observed quantile"),
        &[shifted(0.0), shifted(band), shifted(-band), Mark::Dots(points)],
    )
}

fn farthest(places: &Places) -> f64 {
    places.quantiles().iter().map(|q| (q.expected - q.observed).abs()).fold(0.0, f64::max)
}

/// The same numbers as a table.
fn table(placed: &[(&Record, &Check, &Places)]) -> Markup {
    html! {
        details {
            summary { "The same in numbers" }
            div.box tabindex="0" role="group" aria-label="Quantiles" { table {
                caption { "Distance from the diagonal, and what chance allows with probability 0.99" }
                thead { tr {
                    th scope="col" { "Function" } th scope="col" { "Study" } th.n scope="col" { "Calls" } th.n scope="col" { "Values" }
                    th.n scope="col" { "Distance" } th.n scope="col" { "Allowed" }
                } }
                tbody { @for (record, _, places) in placed { tr {
                    td { code { (brief(&record.function)) } } th scope="row" { (brief(study(record))) }
                    td.n { (phrase::grouped(places.independent)) } td.n { (phrase::grouped(places.values())) }
                    td.n { (format!("{:.3}", farthest(places))) } td.n { (format!("{:.3}", places.band())) }
                } } }
            } }
        }
    }
}

fn deviations(function: &str, sorted: &[f64]) -> Markup {
    let n = sorted.len() as f64;
    let most = sorted.last().copied().unwrap_or(0.0).clamp(1.5, 10.0);
    let dot = |(i, ratio): (usize, &f64)| (ratio / most, (i as f64 + 0.5) / n);
    let dots = sorted.iter().enumerate().map(dot).collect();
    let ticks = [0.0, 0.5, 1.0, 1.5].map(|r| (r / most, format!("{r}"))).to_vec();
    plot(
        &format!("Deviations of {}", brief(function)),
        &format!(
            "{} tests, the largest deviation is {:.2} of the refused one",
            sorted.len(),
            sorted.last().copied().unwrap_or_default()
        ),
        &Axis { title: "deviation / deviation that is refused", ticks },
        &shares("share of tests"),
        &[Mark::Dots(dots), Mark::Bound(1.0 / most, "refused")],
    )
}
