//! The log as JUnit XML, which every continuous integration reads.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::phrase;
use super::tally::{Failure, Tally};
use crate::{Log, Verdict};

/// One suite per function; one test per cause of failure, per verdict that is neither, and one for all that agrees.
///
/// Tens of tests and not thousands: what a person can act on. A difference is a `failure`, what broke outside the
/// backend an `error`, and what was not supported, not run or waived is `skipped` with its word. The counts of cases
/// are properties. `quick-junit` drops characters that XML cannot hold.
///
/// # Errors
/// When a text cannot be written as XML.
pub fn junit(log: &Log) -> Result<String, quick_junit::SerializeError> {
    let tally = Tally::of(log);
    let mut report = Report::new(format!("concord: {}", phrase::who(&log.header.backend)));
    for function in &tally.functions {
        let mut suite = TestSuite::new(phrase::clean(&function.name));
        let property =
            |name: &str, value: String| Property::new(name.to_owned(), phrase::clean(&value));
        suite.add_property(property("seed", log.header.seed.clone()));
        suite.add_property(property("plan", log.header.plan.to_string()));
        suite.add_property(property("device", phrase::device(&log.header.backend.device)));
        suite.add_property(property("cases", phrase::verdicts(&function.decision.counts)));
        let class = format!("{}.{}", log.header.backend.name, function.name);
        let mut add = |name: &str, status: TestCaseStatus| {
            let mut case = TestCase::new(phrase::clean(name), status);
            case.set_classname(phrase::clean(&class));
            suite.add_test_case(case);
        };
        for failure in tally.failures.iter().filter(|f| f.function == function.name) {
            add(failure.check, failed(failure, &phrase::sides(&log.header)[0]));
        }
        for (verdict, cases) in other(&function.decision.counts) {
            add(&format!("{verdict} ({})", phrase::plural(cases, "case")), status(verdict));
        }
        report.add_test_suite(suite);
    }
    report.to_string()
}

/// The verdicts that do not condemn, with their counts.
fn other(counts: &BTreeMap<Verdict, u64>) -> impl Iterator<Item = (Verdict, u64)> {
    counts
        .iter()
        .map(|(verdict, cases)| (*verdict, *cases))
        .filter(|(verdict, _)| !verdict.condemns())
}

fn failed(failure: &Failure<'_>, host: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(failure.verdict.name());
    status.set_message(phrase::clean(&phrase::claim(failure, host)));
    let mut text = format!("{} fail this way\n", phrase::plural(failure.cases, "case"));
    if let Some(finding) = failure.findings().first() {
        text += &format!(
            "expected {}, got {}, allowance {}\n",
            finding.expected, finding.actual, finding.allowance
        );
    }
    match failure.shrunk() {
        Some(shrunk) => text += &format!("{}\n{}\n", phrase::size(shrunk), shrunk.replay),
        None => text += &format!("{}\n", failure.record.case),
    }
    status.set_description(text.lines().map(|l| phrase::clean(l) + "\n").collect::<String>());
    status
}

fn status(verdict: Verdict) -> TestCaseStatus {
    match verdict {
        Verdict::Pass | Verdict::QualityWarning => TestCaseStatus::success(),
        Verdict::Infra | Verdict::Inconclusive | Verdict::Unproven => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type(verdict.name());
            status
        }
        _ => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(verdict.name());
            status
        }
    }
}
