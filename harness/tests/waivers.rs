//! Waivers are strict both ways: what is wrong with one is an error of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;
use std::time::Duration;

use harness::examine::{Examination, Options, header};
use harness::mutants::{MutantBackend, find};
use harness::plan::Plan;
use harness::waivers::Waivers;
use reports::Date;
use reports::{Log, Outcome, Verdict, decide};

const GOOD: &str = r#"
format = 1

[[waiver]]
function = "spatial_autocorr"
select = { isolated = ["first", "last", "middle", "several", "all-but-two"] }
kind = "I: value"
reason = "the factor n/S0 comes with the next release"
issue = "https://example.org/issues/7"
granted_by = "A. Reviewer"
granted = 2026-01-10
expires = 2026-04-10
max_cases = 300
"#;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// The good file with one thing changed.
fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replace(from, to)
}

/// The levels of the knob `isolated` that isolate a cell, as TOML.
fn isolating() -> String {
    let generator = generators::generator("spatial_autocorr").unwrap();
    let knob = generator.knobs.iter().find(|k| k.name == "isolated").unwrap();
    format!("{:?}", &knob.levels[1..])
}

fn good() -> String {
    changed(r#"["first", "last", "middle", "several", "all-but-two"]"#, &isolating())
}

#[test]
fn each_mistake_in_the_file_has_its_own_message() {
    let today = day("2026-02-01");
    assert!(Waivers::parse(&good(), today).is_ok());
    assert!(Waivers::parse("format = 1", today).is_ok(), "no waiver at all");
    let good = good();
    for (from, to, says) in [
        ("format = 1", "format = 2", "reads format 1"),
        ("\"spatial_autocorr\"", "\"spatial_autocor\"", "did you mean `spatial_autocorr`?"),
        ("isolated =", "isolatd =", "unknown knob `isolatd`"),
        ("[\"first\"", "[\"1st\"", "unknown level `1st` of `isolated`"),
        ("kind = \"I: value\"", "kind = \"\"", "`kind` is empty"),
        (
            "the factor n/S0 comes with the next release",
            "known             ",
            "a reason of 5 characters",
        ),
        ("https://example.org/issues/7", "JIRA-7", "expected the URL"),
        ("A. Reviewer", " ", "expected the name of a person"),
        ("granted = 2026-01-10", "granted = 2026-02-02", "after today"),
        ("expires = 2026-04-10", "expires = 2026-07-10", "holds for 181 days, expected 1 to 180"),
        ("expires = 2026-04-10", "expires = 2026-01-10", "holds for 0 days"),
        (
            "expires = 2026-04-10",
            "expires = 2026-01-31",
            "expired on 2026-01-31, today is 2026-02-01",
        ),
        ("expires = 2026-04-10", "expires = 2026-04-10T10:00:00", "YYYY-MM-DD"),
        ("max_cases = 300", "max_cases = 0", "`max_cases` is 0"),
        ("max_cases = 300", "max_cases = 300\nbackend = \"x\"", "unknown field `backend`"),
        (
            "max_cases = 300",
            "max_cases = 300\npredicate = \"one-cell\"",
            "either `select` or `predicate`",
        ),
        ("max_cases = 300", "", "missing field `max_cases`"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = Waivers::parse(&good.replacen(from, to, 1), today).unwrap_err();
        assert!(error.contains(says), "`{says}` is not in {error}");
    }
    // The last day counts, the day after does not.
    assert!(Waivers::parse(&good, day("2026-04-10")).is_ok());
    assert!(Waivers::parse(&good, day("2026-04-11")).unwrap_err().contains("expired"));
    let select = &good[good.find("select").unwrap()..good.find("kind").unwrap()];
    let unknown = good.replace(select, "predicate = \"odd\"\n");
    assert!(Waivers::parse(&unknown, today).unwrap_err().contains("isolated-cells"));
    let empty = good.replace(select, "select = {}\n");
    assert!(Waivers::parse(&empty, today).unwrap_err().contains("every case"));
}

/// A run of the mutant that forgets n/S0, under some waivers.
fn run(waivers: &str, normalised_only: bool) -> Log {
    let waivers = Waivers::parse(waivers, day("2026-02-01")).unwrap();
    let mutant = find("moran-without-n-over-s0").unwrap();
    let examination = Examination {
        host: Arc::new(reference::backend()),
        backend: Arc::new(MutantBackend::new(mutant)),
        precision: reports::Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: "reference".to_owned(),
        backend_name: "mutant:moran-without-n-over-s0".to_owned(),
        replay_args: String::new(),
    };
    let generator = generators::generator("spatial_autocorr").unwrap();
    let mut plan = Plan::sized(&[generator], 1, 400, 7);
    // No law is asked about a case of this source; laws change the input, which a selector knows nothing of.
    plan.cases.iter_mut().for_each(|(source, _)| *source = reports::Source::File);
    // Where rows are not normalised the mutant is wrong as well; a waiver on isolated cells is not about that.
    plan.cases.retain(|(_, case)| {
        let text = case.text();
        // A graph that is drawn isolates cells of its own accord.
        let others = ["transformation=false", "weights=", "loops=", "zeros=", "cells=1 ", "graph="];
        !normalised_only || !others.iter().any(|part| text.contains(part))
    });
    let options = Options { jobs: 2, waivers: Some(&waivers), capsules: None };
    examination.examine(&plan, header(&examination, &plan, "standard", 7), options, |_| ()).log
}

#[test]
fn a_waiver_covers_its_failures_and_is_told() {
    let by_input = good().replace(
        &format!("select = {{ isolated = {} }}", isolating()),
        "predicate = \"isolated-cells\"",
    );
    for file in [good(), by_input] {
        let log = run(&file, true);
        let waived: Vec<_> = log.records.iter().filter(|r| r.verdict == Verdict::Waived).collect();
        let wrong: Vec<_> = log.records.iter().filter(|r| r.verdict.condemns()).collect();
        assert!(waived.len() > 5, "{}", waived.len());
        assert!(wrong.is_empty(), "{}: {:?}", wrong[0].case, wrong[0].failed_check());
        assert_eq!(log.header.waivers[0].cases, waived.len() as u64);
        assert_eq!(log.header.waivers[0].problem, None);
        assert_eq!(decide(&log).outcome, Outcome::Conformant);
        for record in waived {
            assert!(record.shrunk.is_none() && record.failed_check().is_some(), "{record:?}");
            assert!(record.reason.contains("https://example.org/issues/7"), "{}", record.reason);
        }
        let shown =
            reports::render::text(&log, reports::render::Style { color: false, width: 400 });
        assert!(shown.contains("waived") && shown.contains("granted by A. Reviewer"), "{shown}");
    }
}

#[test]
fn what_a_waiver_does_not_select_still_fails() {
    let log = run(&good(), false);
    assert_eq!(decide(&log).outcome, Outcome::NotConformant);
    assert!(log.records.iter().any(|r| r.verdict == Verdict::Waived));
    let failing = log.records.iter().filter(|r| r.verdict.condemns());
    assert!(failing.clone().count() > 0);
    for record in failing {
        let is_about = record.failed_check().is_some_and(|c| c.name == "I: value");
        assert!(!is_about || !record.case.contains("isolated="), "{}", record.case);
    }
}

#[test]
fn a_waiver_that_is_too_narrow_unmatched_or_no_longer_needed_covers_nothing() {
    let good = good();
    let select = format!("select = {{ isolated = {} }}", isolating());
    for (file, says, outcome) in [
        (
            good.replace("max_cases = 300", "max_cases = 2"),
            "at most 2 were granted",
            Outcome::NotConformant,
        ),
        (
            good.replace("I: value", "C: value"),
            "fails with `C: value` any more: remove it",
            Outcome::NotConformant,
        ),
        (
            good.replace(&select, "select = { isolated = [\"none\"] }"),
            "remove it",
            Outcome::NotConformant,
        ),
        (
            good.replace("spatial_autocorr", "ligrec").replace(&select, "predicate = \"one-cell\""),
            "selects no case of this plan",
            Outcome::NotConformant,
        ),
    ] {
        let log = run(&file, true);
        let waiver = &log.header.waivers[0];
        let problem = waiver.problem.as_deref().unwrap_or_default();
        assert!(problem.contains(says), "`{says}` is not in `{problem}`");
        assert!(log.records.iter().all(|r| r.verdict != Verdict::Waived), "{file}");
        assert_eq!(decide(&log).outcome, outcome, "{file}");
    }
    // A file that is right but for one waiver too many shows nothing either.
    let stale = good[good.find("[[waiver]]").unwrap()..].replace("I: value", "C: value");
    let log = run(&format!("{good}\n{stale}"), true);
    assert_eq!(decide(&log).outcome, Outcome::Inconclusive);
}
