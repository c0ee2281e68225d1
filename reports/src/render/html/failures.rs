//! One card per cause of failure: the claim, the smallest input, what was expected and got, and how to see it.

use maud::{Markup, html};

use super::{View, brief, clean};
use crate::render::phrase;
use crate::render::tally::Failure;
use crate::{Finding, Shrunk};

/// Cards shown in full; more are listed.
const CARDS: usize = 25;
/// Findings shown on a card.
const FINDINGS: usize = 6;
/// The module in which the functions are found.
const MODULE: &str = "squidpy";

/// What is broken, worst first; nothing where nothing is.
pub(super) fn failures(view: &View<'_>) -> Markup {
    let failures = &view.tally.failures;
    html! {
        @if !failures.is_empty() {
            section aria-labelledby="broken" {
                h2 id="broken" { "What is broken" }
                @for (i, failure) in failures.iter().take(CARDS).enumerate() { (card(view, i + 1, failure)) }
                @if failures.len() > CARDS {
                    p { "Also failed (in full in the log):" }
                    ul { @for (i, f) in failures.iter().enumerate().skip(CARDS) {
                        li id=(format!("failure-{}", i + 1)) {
                            code { (brief(f.function)) } ", " code { (brief(f.check)) } ": " (phrase::plural(f.cases, "case"))
                        }
                    } }
                }
            }
        }
    }
}

fn card(view: &View<'_>, number: usize, failure: &Failure<'_>) -> Markup {
    let findings = failure.findings();
    let [host, backend] = phrase::sides(&view.tally.log.header);
    html! {
        article.card id=(format!("failure-{number}")) {
            h3 { span.b { "✗ " (failure.verdict) } " " code { (brief(failure.function)) } ": " (brief(failure.check)) }
            p { strong { (brief(&phrase::claim(failure, &host))) } }
            p.s {
                (phrase::extent(failure, &view.tally.functions)) "."
                @if let Some(more) = phrase::consequences(failure) { " It also explains " (brief(&more)) "." }
            }
            @if let Some(ruling) = failure.shrunk().and_then(|s| s.ruling.as_ref()) {
                p { "By exact arithmetic: " (brief(&phrase::ruling(ruling, &host, &backend))) }
            }
            @if !findings.is_empty() { (difference(&findings, &host)) }
            @match failure.shrunk() {
                Some(shrunk) => (input(failure.function, shrunk)),
                None => { p { "Case " code { (clean(&failure.record.case)) } } }
            }
        }
    }
}

fn difference(findings: &[&Finding], host: &str) -> Markup {
    html! {
        div.box tabindex="0" role="group" aria-label="Differences" {
            table {
                caption { "Where the answers differ, on the smallest input" }
                thead { tr {
                    th scope="col" { "At" } th scope="col" { "Expected (" (brief(host)) ")" } th scope="col" { "Actual" }
                    th.n scope="col" { "Difference" } th.n scope="col" { "Over allowance" } th scope="col" { "Allowance" }
                } }
                tbody { @for f in findings.iter().take(FINDINGS) {
                    tr {
                        th scope="row" { code { (brief(format!("{} {}", f.slot, f.at).trim())) } }
                        (values(f))
                        td.n { (apart(f)) }
                        td.n { strong { (f.ratio) } }
                        td { (brief(&f.allowance)) }
                    }
                } }
            }
        }
        @if findings.len() > FINDINGS { p.s { (findings.len() - FINDINGS) " more in the log." } }
    }
}

/// Both values, with what differs marked.
fn values(finding: &Finding) -> Markup {
    let (expected, actual) = (clean(&finding.expected), clean(&finding.actual));
    let (expected, actual, at) = phrase::contrast(&expected, &actual, 80);
    let cut = |text: &str| -> (String, String) {
        let same = text.chars().take(at).collect();
        (same, text.chars().skip(at).collect())
    };
    let cell =
        |(same, differs): (String, String)| html! { td { code { (same) mark { (differs) } } } };
    html! { (cell(cut(&expected))) (cell(cut(&actual))) }
}

fn apart(finding: &Finding) -> String {
    match (finding.expected.parse::<f64>(), finding.actual.parse::<f64>()) {
        (Ok(expected), Ok(actual)) => format!("{:.2e}", (actual - expected).abs()),
        _ => "–".to_owned(),
    }
}

/// The smallest input, as the levels of its knobs, and two ways to see it.
fn input(function: &str, shrunk: &Shrunk) -> Markup {
    let whole = phrase::size(shrunk);
    // The size is what a reader looks for; how it was cut down may be long.
    let (size, how) = whole.split_at(whole.find(", ").unwrap_or(whole.len()));
    let words = shrunk.recipe.split_whitespace().filter_map(|word| word.split_once('='));
    html! {
        p { "Smallest input: " strong { (size) } (how) ", after " (phrase::plural(shrunk.calls, "call")) "." }
        @if words.clone().next().is_some() {
        div.box tabindex="0" role="group" aria-label="Smallest input" {
            table {
                caption { "What builds it, and the arguments of the call" }
                tbody {
                    tr { @for (knob, _) in words.clone() { th scope="col" { (brief(knob)) } } }
                    tr { @for (_, level) in words { td { code { (brief(level)) } } } }
                }
            }
        }
        }
        p { code { (brief(&shrunk.params.join(", "))) } }
        pre aria-label="Command" { code { (clean(&shrunk.replay)) } }
        @if let Some(capsule) = &shrunk.capsule {
            details {
                summary { "The same in Python, without Concord" }
                pre { code { "python capsules/" (clean(capsule)) "/reproduce.py" } }
                @if shrunk.params.iter().all(|p| !p.contains('…')) {
                    pre { code { (python(function, capsule, &shrunk.params)) } }
                }
            }
        }
    }
}

fn python(function: &str, capsule: &str, params: &[String]) -> String {
    let arguments: String = params.iter().map(|p| format!(",\n    {}", clean(p))).collect();
    let (function, capsule) = (clean(function), clean(capsule));
    format!(
        "import anndata, {MODULE}\n\
         adata = anndata.read_h5ad(\"capsules/{capsule}/input.h5ad\")\n\
         print({MODULE}.gr.{function}(adata{arguments}))\n\
         # what both sides said then: capsules/{capsule}/capsule.json"
    )
}
