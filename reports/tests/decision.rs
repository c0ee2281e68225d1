//! Every branch of the decision.

mod sample;

use reports::{Decision, Log, Outcome, Record, Verdict, decide};
use sample::{log, pass, record};

/// A log of one function `f`.
fn one(planned: u64, records: impl IntoIterator<Item = Record>) -> Log {
    let records = records.into_iter().collect();
    sample::as_planned(Log { records, ..log("b", "quick", &[("f", planned)]) })
}

/// A record with that verdict in which something was compared.
fn compared(i: usize, verdict: Verdict) -> Record {
    Record { verdict, ..pass("f", i, 0.5) }
}

#[track_caller]
fn check(log: &Log, outcome: Outcome, why: &str) {
    let decision = decide(log);
    assert_eq!(decision.functions["f"].why, why);
    assert_eq!(decision.functions["f"].outcome, outcome);
    assert_eq!(decision.outcome, outcome);
}

#[test]
fn an_empty_log_is_inconclusive() {
    let decision = decide(&log("b", "quick", &[]));
    assert_eq!(decision, Decision { outcome: Outcome::Inconclusive, functions: [].into() });
    check(&one(0, []), Outcome::Inconclusive, "no case was planned");
}

#[test]
fn agreement_in_every_case_is_conformant() {
    let log = one(2, [pass("f", 0, 0.0), compared(1, Verdict::QualityWarning)]);
    check(&log, Outcome::Conformant, "2 of 2 cases agree, 2048 elements compared");
}

#[test]
fn a_run_that_was_interrupted_decides_nothing() {
    for verdict in [Verdict::Pass, Verdict::Fail] {
        let mut log = one(1, [compared(0, verdict)]);
        log.header.unfinished = true;
        let why = "the run was interrupted; `concord certify ... --resume` goes on with it";
        check(&log, Outcome::Infrastructure, why);
    }
}

#[test]
fn nothing_compared_never_passes() {
    let log = one(2, [0, 1].map(|i| record("f", i, Verdict::Pass)));
    check(&log, Outcome::Inconclusive, "nothing was compared");
    let log = one(2, [0, 1].map(|i| record("f", i, Verdict::NotSupported)));
    check(&log, Outcome::Inconclusive, "nothing was compared");
}

#[test]
fn a_pass_that_shows_a_difference_is_an_infrastructure_error() {
    let finding = sample::finding("f", "[0]", ["0", "1", "exact"], 2.0);
    let why = "`f cells=5 graph=ring seed=0` passes and shows a difference: no examiner wrote that";
    let log = one(1, [sample::fail("f", 0, Verdict::Pass, finding)]);
    check(&log, Outcome::Infrastructure, why);
    check(&one(1, [pass("f", 0, 1.5)]), Outcome::Infrastructure, why);
}

#[test]
fn a_missing_record_is_an_infrastructure_error() {
    let why = "2 cases planned, 1 records of 1 cases found";
    check(&one(2, [pass("f", 0, 0.0)]), Outcome::Infrastructure, why);
    check(&one(1, []), Outcome::Infrastructure, "1 cases planned, 0 records of 0 cases found");
}

#[test]
fn records_of_other_cases_than_planned_are_an_infrastructure_error() {
    let why = "the records of the log are not of the planned cases, or in another order";
    let mut other = one(2, [0, 1].map(|i| pass("f", i, 0.0)));
    other.records[1].case = "f cells=5 graph=easier seed=1".into();
    check(&other, Outcome::Infrastructure, why);
    let mut turned = one(2, [0, 1].map(|i| pass("f", i, 0.0)));
    turned.records.reverse();
    check(&turned, Outcome::Infrastructure, why);
}

#[test]
fn a_doubled_record_is_an_infrastructure_error() {
    let why = "2 cases planned, 2 records of 1 cases found";
    check(&one(2, [0, 0].map(|i| pass("f", i, 0.0))), Outcome::Infrastructure, why);
    let why = "1 cases planned, 2 records of 1 cases found";
    check(&one(1, [0, 0].map(|i| pass("f", i, 0.0))), Outcome::Infrastructure, why);
}

#[test]
fn a_record_of_an_unplanned_function_is_an_infrastructure_error() {
    let mut log = one(1, [pass("f", 0, 0.0)]);
    log.records.push(pass("g", 0, 0.0));
    let decision = decide(&log);
    assert_eq!(decision.functions["f"].outcome, Outcome::Infrastructure);
    assert_eq!(decision.functions["g"].outcome, Outcome::Infrastructure);
    assert_eq!(decision.outcome, Outcome::Infrastructure);
}

#[test]
fn a_difference_outweighs_a_missing_record() {
    let log = one(9, [compared(0, Verdict::Fail)]);
    check(&log, Outcome::NotConformant, "1 of 9 cases differ");
}

#[test]
fn each_verdict_alone_spoils_an_otherwise_passing_function() {
    for verdict in Verdict::ALL {
        let (outcome, why) = match verdict {
            Verdict::Pass | Verdict::QualityWarning => {
                (Outcome::Conformant, "2 of 2 cases agree, 2048 elements compared")
            }
            // Neither counts against the backend; the agreement of the other case stands.
            Verdict::Waived => {
                (Outcome::Conformant, "1 of 2 cases agree, 1 waived, 2048 elements compared")
            }
            Verdict::HostUndefined => {
                (Outcome::Conformant, "1 of 2 cases agree, 2048 elements compared")
            }
            Verdict::NotSupported => {
                (Outcome::Inconclusive, "1 cases agree, 1 are not supported by the backend")
            }
            Verdict::Unproven => {
                (Outcome::Inconclusive, "1 cases do not show that the backend did the work")
            }
            Verdict::Inconclusive | Verdict::NotRun => {
                (Outcome::Inconclusive, "1 cases were not run or not conclusive")
            }
            Verdict::Infra => (Outcome::Infrastructure, "1 cases could not be examined"),
            Verdict::Fail
            | Verdict::Contract
            | Verdict::Flaky
            | Verdict::Crash
            | Verdict::Timeout
            | Verdict::DeviceLost => (Outcome::NotConformant, "1 of 2 cases differ"),
        };
        check(&one(2, [pass("f", 0, 0.0), compared(1, verdict)]), outcome, why);
    }
}

#[test]
fn waivers_alone_do_not_pass() {
    let log = one(2, [0, 1].map(|i| compared(i, Verdict::Waived)));
    check(&log, Outcome::Inconclusive, "no case passed");
}

#[test]
fn the_worst_function_decides() {
    assert_eq!(decide(&sample::failing()).outcome, Outcome::NotConformant);
    assert_eq!(decide(&sample::conformant()).outcome, Outcome::Conformant);
    assert_eq!(decide(&sample::broken()).outcome, Outcome::Infrastructure);
}

#[test]
fn each_outcome_has_its_exit_code() {
    let all = [
        (Outcome::Conformant, 0),
        (Outcome::NotConformant, 1),
        (Outcome::Infrastructure, 3),
        (Outcome::Inconclusive, 4),
    ];
    for (outcome, code) in all {
        assert_eq!(outcome.exit_code(), code, "{}", outcome.name());
    }
}

#[test]
fn every_verdict_is_listed_once_under_the_name_that_logs_use() {
    for verdict in Verdict::ALL {
        assert_eq!(Verdict::ALL.iter().filter(|&&v| v == verdict).count(), 1);
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.name());
    }
}
