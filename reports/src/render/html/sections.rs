//! What stands behind the verdict, and how to check it.

use maud::{Markup, html};

use super::{View, brief, clean};
use crate::certificate::{Accelerator, Answer, FILE_NAME, Statement};
use crate::render::phrase;
use crate::{Coverage, Domain};

/// What of the input space was tried.
pub(super) fn domain(view: &View<'_>) -> Markup {
    html! {
        @if !view.tally.domains.is_empty() {
            section aria-labelledby="domain" {
                h2 id="domain" { "What was tried" }
                @for domain in &view.tally.domains { (map(domain)) }
            }
        }
    }
}

fn map(domain: &Domain) -> Markup {
    let mut knobs: Vec<(&str, Vec<(&str, Coverage)>)> = Vec::new();
    for (name, seen) in &domain.levels {
        let (knob, level) = name.split_once('=').unwrap_or((name, ""));
        match knobs.last_mut() {
            Some((last, levels)) if *last == knob => levels.push((level, seen.coverage())),
            Some(_) | None => knobs.push((knob, vec![(level, seen.coverage())])),
        }
    }
    html! {
        h3 { code { (brief(&domain.function)) } }
        p {
            (phrase::covered(&domain.level_counts(), "levels")) "; "
            (phrase::covered(&domain.pair_counts(), "pairs of levels")) "."
        }
        @for (label, names) in phrase::domain_lists(domain) { p { (label) ": " (brief(&names)) } }
        details {
            summary { "Every level of every knob" }
            div.box tabindex="0" role="group" aria-label="Levels" { table {
                caption { "✓ verified, ✗ failed, ~ undefined, · untested" }
                tbody { @for (knob, levels) in &knobs { tr {
                    th scope="row" { code { (brief(knob)) } }
                    td { ul.map { @for (level, coverage) in levels { li { (mark(*coverage)) " " (brief(level)) } } } }
                } } }
            } }
        }
    }
}

fn mark(coverage: Coverage) -> Markup {
    let (class, mark) = match coverage {
        Coverage::Verified => ("g", "✓"),
        Coverage::Failed => ("b", "✗"),
        Coverage::Undefined => ("d", "~"),
        Coverage::Untested => ("s", "·"),
    };
    html! { span.(class) role="img" aria-label=(coverage.name()) { (mark) } }
}

/// Whether this examination finds mistakes.
pub(super) fn adequacy(view: &View<'_>) -> Markup {
    let results = view.certificate.map(|c| c.predicate.results.as_slice()).unwrap_or_default();
    let measured: Vec<_> =
        results.iter().filter_map(|r| Some((&r.function, r.adequacy.as_ref()?))).collect();
    html! {
        @if !measured.is_empty() {
            section aria-labelledby="adequacy" {
                h2 id="adequacy" { "Would a mistake be found?" }
                p { "Backends that are wrong on purpose were examined in the same way." }
                ul { @for (function, found) in measured { li {
                    code { (brief(function)) } ": " (found.killed) " of " (found.mutants) " found"
                    @if found.equivalent > 0 { ", " (found.equivalent) " changes that no answer can show rightly passed" }
                    @if !found.survivors.is_empty() { "; not found: " @for (i, name) in found.survivors.iter().enumerate() {
                        @if i > 0 { ", " } code { (brief(name)) }
                    } }
                    "."
                } } }
            }
        }
    }
}

/// Differences that somebody decided to live with.
pub(super) fn waivers(view: &View<'_>) -> Markup {
    let waivers = &view.tally.log.header.waivers;
    html! {
        @if !waivers.is_empty() {
            section aria-labelledby="waivers" {
                h2 id="waivers" { "Waivers" }
                div.box tabindex="0" role="group" aria-label="Waivers" { table {
                    caption { "Differences that somebody decided to live with, for a while" }
                    thead { tr {
                        th scope="col" { "Function" } th scope="col" { "What" } th scope="col" { "Where" } th scope="col" { "Why" }
                        th scope="col" { "Cases" } th scope="col" { "Granted by" } th scope="col" { "Until" }
                    } }
                    tbody { @for w in waivers { tr {
                        th scope="row" { code { (brief(&w.function)) } } td { (brief(&w.kind)) } td { code { (brief(&w.select)) } }
                        td {
                            @if let Some(problem) = &w.problem { strong.b { "Not in force: " (brief(problem)) } " " }
                            (brief(&w.reason)) " " (link(&w.issue))
                        }
                        td.nowrap { (w.cases) " of at most " (w.max_cases) } td { (brief(&w.granted_by)) } td.nowrap { (brief(&w.expires)) }
                    } } }
                } }
            }
        }
    }
}

/// An address as a link if it is one of the web; `javascript:` and its like stay text.
fn link(address: &str) -> Markup {
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    html! { @if is_web { a href=(clean(address)) rel="noreferrer" { (brief(address)) } } @else { code { (brief(address)) } } }
}

/// On what machine, and with what.
pub(super) fn environment(view: &View<'_>) -> Markup {
    let header = &view.tally.log.header;
    html! {
        section aria-labelledby="environment" {
            h2 id="environment" { "Environment" }
            div.box tabindex="0" role="group" aria-label="Environment" { table { tbody {
                (line("Backend", &format!("{}, artifact {}", phrase::who(&header.backend), header.backend.artifact)))
                (line("Host", &format!("{}, artifact {}", phrase::who(&header.host), header.host.artifact)))
                (line("Device", &phrase::device(&header.backend.device)))
                (line("Cases", &phrase::origins(&view.tally)))
                (line("Seed and plan", &format!("{}, {}", header.seed, header.plan)))
                @if let Some(certificate) = view.certificate { (machine(certificate)) }
            } } }
        }
    }
}

fn machine(certificate: &Statement) -> Markup {
    let predicate = &certificate.predicate;
    let machine = &predicate.environment.machine;
    let gib = machine.mem_bytes >> 30;
    let test = predicate.environment.self_test;
    let variables: Vec<String> =
        predicate.environment.variables.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let runner = &predicate.environment.runner;
    html! {
        (line("Machine", &format!("{}, {} threads, {gib} GiB", machine.cpu, machine.cores)))
        @for accelerator in &predicate.environment.accelerators {
            (line("Accelerator", &device(accelerator)))
        }
        (line("Self-test", &format!("known answers: {} before the run, {} after it", answer(test.before), answer(test.after))))
        @for result in &predicate.results { @if let Some(witness) = &result.witness {
            (line("Witness", &format!("{}: {}", result.function, phrase::witness(witness))))
        } }
        (line("System", &format!("{}, kernel {}, {}", machine.os, machine.kernel, machine.arch)))
        @if !variables.is_empty() { (line("Variables", &variables.join(" "))) }
        (line("Run", &format!("{}, {} to {}", runner.kind, predicate.execution.started_at, predicate.execution.finished_at)))
        (line("Command", &predicate.execution.argv.join(" ")))
        (line("Examiner", &format!("concord {}, {}", predicate.suite.version, predicate.suite.digest.sha256)))
        (line("Policy", &predicate.policy.digest.sha256.to_string()))
        @if let Some(challenge) = &predicate.seeds.challenge {
            (line("Challenge", &format!("{}, chosen by {}", challenge.value, challenge.source)))
        }
    }
}

fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Pass => "right",
        Answer::Fail => "wrong",
    }
}

fn device(accelerator: &Accelerator) -> String {
    let Accelerator { name, capability, driver, jit, state } = accelerator;
    let known = format!("{name} (sm {capability}), driver {driver}, {jit}");
    match state {
        None => format!("{known}; its driver says nothing about its memory"),
        Some(state) => {
            let ecc = if state.ecc_enabled { "on" } else { "off" };
            let part = if state.mig { ", a part of a divided device" } else { "" };
            let reported = state
                .xid_errors
                .map_or(", errors reported to the kernel unknown".to_owned(), |n| {
                    format!(", {} reported to the kernel", phrase::plural(n, "error"))
                });
            let clocks = state.clocks.map_or(String::new(), |clocks| {
                let slowed = if clocks.slowed { ", slowed by heat or power" } else { "" };
                format!(", at most {} MHz{slowed}", clocks.max_mhz)
            });
            format!(
                "{known}, {} GiB{part}, error correction {ecc}, {}{reported} during the run{clocks}, firmware {}, identity {}",
                state.mem_bytes >> 30,
                phrase::plural(state.ecc_errors_delta, "memory error"),
                state.vbios,
                state.uuid_sha256.short(12)
            )
        }
    }
}

fn line(label: &str, value: &str) -> Markup {
    html! { tr { th scope="row" { (label) } td { (brief(value)) } } }
}

/// How to check all this without believing the page.
pub(super) fn check(view: &View<'_>) -> Markup {
    html! {
        section aria-labelledby="check" {
            h2 id="check" { "Check it" }
            @match view.certificate {
                Some(certificate) => {
                    p { "This page is a picture of the certificate beside it. Everything, recomputed:" }
                    pre { code { "concord verify " (FILE_NAME) " --artifact FILE --policy policy.toml --allowed-signers allowed_signers" } }
                    p { "The signature alone, with what is on every machine:" }
                    pre { code { "ssh-keygen -Y verify -f allowed_signers -I WHO -n " (crate::signature::CERTIFICATE) " -s " (FILE_NAME) ".sig < " (FILE_NAME) } }
                    p { "Some of it again, and some of it with other seeds:" }
                    pre { code { "concord reproduce " (FILE_NAME) " --sample 5\nconcord reproduce " (FILE_NAME) " --challenge $(openssl rand -hex 16)" } }
                    (files(certificate))
                }
                None => {
                    p { "There is no certificate. The log gives this page, and the decision, again:" }
                    pre { code { "concord report results.jsonl --format html" } }
                }
            }
        }
    }
}

fn files(certificate: &Statement) -> Markup {
    html! {
        div.box tabindex="0" role="group" aria-label="Files" { table {
            caption { "The certified files, and the evidence" }
            thead { tr { th scope="col" { "File" } th.n scope="col" { "Bytes" } th scope="col" { "SHA-256" } } }
            tbody {
                @for subject in &certificate.subject { tr {
                    th scope="row" { (brief(&subject.name)) } td.n { "–" } td { code { (subject.digest.sha256) } }
                } }
                @for file in &certificate.predicate.evidence { tr {
                    th scope="row" { (brief(&file.name)) } td.n { (phrase::grouped(file.bytes)) } td { code { (file.digest.sha256) } }
                } }
            }
        } }
    }
}

/// What this does not show, and who says it.
pub(super) fn limits(view: &View<'_>) -> Markup {
    let own = &view.tally.log.header.limitations;
    let limitations = view.certificate.map_or(own, |c| &c.predicate.limitations);
    let interest =
        view.certificate.and_then(|c| c.predicate.verifier.conflict_of_interest.as_ref());
    html! {
        section aria-labelledby="limits" {
            h2 id="limits" { "Limits and interests" }
            ul { @for limitation in limitations { li { (brief(limitation)) } } }
            p { @match interest { Some(interest) => { strong { (brief(interest)) } } None => "No conflict of interest is stated." } }
        }
        footer {
            @match view.certificate {
                Some(c) => { (brief(&c.predicate.certificate_id)) ", by " (brief(&c.predicate.verifier.id)) ", issued " time datetime=(c.predicate.issued_at.to_string()) { (c.predicate.issued_at) } "." }
                None => { "concord " (brief(&view.tally.log.header.examiner)) }
            }
        }
    }
}
