//! What programs read: JUnit, workflow commands, badges.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod certified;
mod sample;

use certified::{Case, time};
use quick_junit::{Report, TestCaseStatus};
use reports::render::{annotations, badge_endpoint, badge_svg, junit};

#[test]
fn junit_tells_failures_errors_and_skips_apart() {
    let text = junit(&sample::failing()).unwrap();
    let report = Report::deserialize_from_str(&text).unwrap();
    let of = |name: &str| report.test_suites.iter().find(|s| s.name.as_str() == name).unwrap();
    let (bad, partly) = (of("spatial_autocorr"), of("ligrec"));
    let kinds = |suite: &quick_junit::TestSuite| -> Vec<&str> {
        let kind = |status: &TestCaseStatus| match status {
            TestCaseStatus::Success { .. } => "success",
            TestCaseStatus::NonSuccess { kind, .. } => match kind {
                quick_junit::NonSuccessKind::Failure => "failure",
                quick_junit::NonSuccessKind::Error => "error",
            },
            TestCaseStatus::Skipped { .. } => "skipped",
        };
        suite.test_cases.iter().map(|c| kind(&c.status)).collect()
    };
    assert_eq!(kinds(bad), ["failure", "failure", "failure", "success", "skipped"]);
    assert_eq!(kinds(partly), ["success", "skipped"]);
    assert!(text.contains("concord replay"), "{text}");
    assert!(!text.contains("timestamp"), "a clock");
    let broken = junit(&sample::broken()).unwrap();
    assert!(Report::deserialize_from_str(&broken).unwrap().errors > 0, "{broken}");
}

#[test]
fn hostile_names_make_no_markup_in_junit_and_no_second_command() {
    let text = junit(&sample::hostile()).unwrap();
    Report::deserialize_from_str(&text).unwrap();
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
    for line in annotations(&sample::hostile()).lines() {
        assert!(line.starts_with("::error title="), "{line}");
        let title = line.strip_prefix("::error title=").unwrap().split_once("::").unwrap().0;
        assert!(!title.contains(':') && !title.contains(','), "{title}");
    }
}

#[test]
fn no_more_annotations_than_are_shown() {
    let mut log = sample::failing();
    let wrong = log
        .records
        .iter()
        .find(|r| r.verdict.condemns() && r.failed_check().is_some())
        .unwrap()
        .clone();
    for i in 0..30 {
        let mut record = wrong.clone();
        record.case = format!("{} extra={i}", record.case);
        let failed = record.checks.iter_mut().find(|c| c.finding.is_some()).unwrap();
        failed.name = format!("slot {i}: value");
        record.shrunk = None;
        log.records.push(record);
    }
    let text = annotations(&log);
    assert_eq!(text.lines().count(), 8);
    assert!(text.lines().last().unwrap().contains("26 more distinct failures"), "{text}");
    assert_eq!(annotations(&sample::conformant()), "");
}

#[test]
fn a_badge_always_says_until_when() {
    let statement = Case::new().issue().unwrap();
    let at = |now| badge_endpoint(&statement, time(now));
    let fresh = at("2026-12-01T00:00:00Z");
    assert_eq!(fresh["label"], "reference conformance");
    assert_eq!(fresh["message"], "statistical · to 2027-05-21");
    assert_eq!((fresh["color"].as_str(), fresh["isError"].as_bool()), (Some("green"), Some(false)));
    assert_eq!(at("2027-06-01T00:00:00Z")["message"], "expired 2027-05-21");
    let svg = badge_svg(&statement, time("2026-12-01T00:00:00Z"));
    assert!(svg.contains("to 2027-05-21") && svg.starts_with("<svg xmlns="), "{svg}");
    let mut bad = Case::new();
    bad.log.records[0].verdict = reports::Verdict::Fail;
    let message = badge_endpoint(&bad.issue().unwrap(), time("2026-12-01T00:00:00Z"));
    assert_eq!(message["message"], "statistical 1/2 · to 2027-05-21");
}
