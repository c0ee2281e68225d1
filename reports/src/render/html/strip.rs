//! The first screen: the verdict, and what follows for each function.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{View, brief, clean};
use crate::certificate::{Level, Statement};
use crate::render::phrase;
use crate::render::tally::FunctionTally;
use crate::{Outcome, Verdict};

/// Which build, on what, against whom, how far, until when.
pub(super) fn strip(view: &View<'_>) -> Markup {
    let (tally, header) = (&view.tally, &view.tally.log.header);
    let (word, tone) = verdict(view);
    let waived =
        match (tally.counts.get(&Verdict::Waived).copied().unwrap_or(0), header.waivers.len()) {
            (0, 0) => "none".to_owned(),
            (cases, waivers) => {
                format!("{} by {}", phrase::plural(cases, "case"), count(waivers, "waiver"))
            }
        };
    html! {
        header.strip.(tone) {
            h1 { (brief(&phrase::who(&header.backend))) " compared with " (brief(&phrase::who(&header.host))) }
            p.word { (word) }
            p { (brief(&sentence(view))) }
            dl.facts {
                (fact("Build", html! { code { (build(view)) } }))
                (fact("Device", html! { (brief(&phrase::device(&header.backend.device))) }))
                (fact("Examination", html! { "concord " (clean(&header.examiner)) ", tier " (brief(&header.tier)) }))
                @match view.certificate {
                    Some(certificate) => {
                        (fact("Valid until", date(certificate)))
                        (fact("Assurance", html! { (certificate.predicate.verifier.assurance) }))
                    }
                    None => (fact("Valid until", html! { "no certificate" })),
                }
                (fact("Broken", broken(view)))
                (fact("Waived", html! { (waived) }))
                (fact("Check it", html! { a href="#check" { "one command" } }))
            }
        }
    }
}

fn fact(label: &str, value: Markup) -> Markup {
    html! { div { dt { (label) } dd { (value) } } }
}

/// How many failures, and in which functions.
fn broken(view: &View<'_>) -> Markup {
    let failures = &view.tally.failures;
    let functions: BTreeSet<&str> = failures.iter().map(|f| f.function).collect();
    let names: Vec<&str> = functions.into_iter().collect();
    html! {
        @if failures.is_empty() { "none" } @else {
            a href="#broken" { (count(failures.len(), "failure")) } " in " (brief(&names.join(", ")))
        }
    }
}

fn count(n: usize, noun: &str) -> String {
    if n == 0 { "none".to_owned() } else { phrase::plural(n as u64, noun) }
}

fn date(certificate: &Statement) -> Markup {
    let end = certificate.predicate.not_after;
    html! { time datetime=(end.to_string()) { (end.date()) } }
}

/// The large word and its tone.
fn verdict(view: &View<'_>) -> (String, &'static str) {
    if view.tally.outcome == Outcome::NotConformant {
        return (Outcome::NotConformant.name().to_uppercase(), "bad");
    }
    match view.certificate.map(|c| c.predicate.granted.overall) {
        Some(Level::None) => ("NO LEVEL".to_owned(), "doubt"),
        None => {
            let tone = if view.tally.outcome == Outcome::Conformant { "good" } else { "doubt" };
            (view.tally.outcome.name().to_uppercase(), tone)
        }
        Some(level) => (level.name().to_uppercase(), "good"),
    }
}

/// Why not higher, or what was found.
fn sentence(view: &View<'_>) -> String {
    let summary = phrase::summary(&view.tally);
    let notice = phrase::notice(&view.tally.log.header);
    let reason = view.certificate.and_then(|c| c.predicate.granted.reasons.first());
    match (reason, notice) {
        (Some(reason), _) => format!("{summary} Why not higher: {reason}."),
        (None, Some(notice)) => format!("{summary} {notice}"),
        (None, None) => summary,
    }
}

fn build(view: &View<'_>) -> String {
    match view.certificate.and_then(|c| c.subject.first()) {
        Some(subject) => format!("{} {}", brief(&subject.name), subject.digest.sha256.short(12)),
        None => view.tally.log.header.backend.artifact.short(12),
    }
}

/// A row per function, worst first; functions that only the host offers below.
pub(super) fn matrix(view: &View<'_>) -> Markup {
    let unclaimed = view.certificate.map(|c| &c.predicate.backend.unclaimed_functions);
    html! {
        main id="functions" {
            h2 { "Functions" }
            div.box tabindex="0" role="group" aria-label="Functions" {
                table {
                    caption { "What follows for each function, and from what" }
                    thead { tr {
                        th scope="col" { "Function" } th scope="col" { "Level" } th scope="col" { "Outcome" }
                        th scope="col" { "Cases" } th.n scope="col" { "Elements" }
                        th.n scope="col" { "Nearest to its allowance" } th scope="col" { "Arithmetic" } th scope="col" { "Mutants found" }
                    } }
                    tbody {
                        @for function in &view.tally.functions { (row(view, function)) }
                        @for name in unexamined(view) {
                            tr {
                                th scope="row" { code { (brief(name)) } }
                                td.nowrap { (level(Level::None)) } td colspan="6" { "– offered by the backend, not examined" }
                            }
                        }
                        @for name in unclaimed.into_iter().flatten() {
                            tr.s { th scope="row" { code { (brief(name)) } } td colspan="7" { "– not offered by the backend" } }
                        }
                    }
                }
            }
            p.s { "The nearest: distance over allowance of the comparison that came nearest to its allowance; at most 1 agrees." }
        }
    }
}

/// Functions that are claimed and were not part of the run.
fn unexamined<'a>(view: &View<'a>) -> Vec<&'a String> {
    let known = |name: &&String| view.tally.functions.iter().any(|f| f.name == **name);
    let granted = view.certificate.map(|c| c.predicate.granted.functions.keys());
    granted.into_iter().flatten().filter(|name| !known(name)).collect()
}

fn row(view: &View<'_>, function: &FunctionTally) -> Markup {
    let decision = &function.decision;
    let failed = view.tally.failures.iter().position(|f| f.function == function.name);
    let adequacy = view.certificate.and_then(|c| {
        c.predicate.results.iter().find(|r| r.function == function.name)?.adequacy.as_ref()
    });
    html! {
        tr {
            th scope="row" { code { (brief(&function.name)) } }
            td.nowrap { @match view.certificate { Some(c) => (level(c.level(&function.name))), None => span.s { "– no certificate" } } }
            td { (outcome(decision.outcome)) " "
                @match failed {
                    Some(i) => { a href=(format!("#failure-{}", i + 1)) { (brief(&decision.why)) } }
                    None if decision.outcome != Outcome::Conformant => { (brief(&decision.why)) }
                    None => {}
                }
            }
            td { (phrase::verdicts(&decision.counts)) " of " (phrase::grouped(function.planned)) }
            td.n { (phrase::grouped(decision.compared)) }
            td.n { @match function.spread { Some(spread) => (spread.max), None => "–" } }
            td.nowrap { (phrase::class(function.precision)) }
            td { @match adequacy {
                Some(found) => { (found.killed) "/" (found.mutants) @if !found.survivors.is_empty() { " " a href="#adequacy" { (found.survivors.len()) " not found" } } }
                None => span.s { "– not measured" }
            } }
        }
    }
}

/// A level as symbol and word.
pub(super) fn level(level: Level) -> Markup {
    let (class, mark) = if level == Level::None { ("b", "✗") } else { ("g", "✓") };
    html! { span.(class) { (mark) " " (level) } }
}

fn outcome(outcome: Outcome) -> Markup {
    let (class, mark) = match outcome {
        Outcome::Conformant => ("g", "✓"),
        Outcome::NotConformant => ("b", "✗"),
        Outcome::Inconclusive => ("d", "~"),
        Outcome::Infrastructure => ("d", "!"),
    };
    html! { span.nowrap.(class) { (mark) " " (outcome.name()) } }
}
