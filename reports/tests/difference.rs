//! What `concord diff` says changed.

mod sample;

use reports::{ChangeKind, Log, Verdict, difference};

fn said(before: &Log, after: &Log) -> Vec<(ChangeKind, String)> {
    difference(before, after)
        .into_iter()
        .map(|c| (c.kind, format!("{}: {}", c.function, c.what)))
        .collect()
}

#[test]
fn a_run_does_not_differ_from_itself() {
    for log in [sample::conformant(), sample::failing(), sample::broken()] {
        assert_eq!(said(&log, &log), []);
    }
}

#[test]
fn a_new_failure_is_lost_and_its_repair_is_gained() {
    let good = sample::conformant();
    let mut bad = good.clone();
    bad.records[0].verdict = Verdict::Crash;
    let lost = said(&good, &bad);
    assert!(lost.contains(&(ChangeKind::Lost, "co_occurrence: crash fails".into())), "{lost:?}");
    assert!(lost.contains(&(
        ChangeKind::Lost,
        "co_occurrence: conformant before, not conformant now".into()
    )));
    assert!(lost.iter().all(|(kind, _)| *kind == ChangeKind::Lost));
    let gained = said(&bad, &good);
    assert!(gained.iter().all(|(kind, _)| *kind == ChangeKind::Gained), "{gained:?}");
    assert_eq!(gained.len(), 2);
}

#[test]
fn a_function_that_is_no_longer_examined_is_lost() {
    let before = sample::conformant();
    let mut after = before.clone();
    after.header.planned.remove("ligrec");
    after.records.retain(|r| r.function != "ligrec");
    let after = sample::as_planned(after);
    assert_eq!(
        said(&before, &after),
        [(ChangeKind::Lost, "ligrec: it is not examined any more".into())]
    );
    assert_eq!(
        said(&after, &before),
        [(ChangeKind::Gained, "ligrec: it is examined, and conformant".into())]
    );
}

#[test]
fn less_to_spare_is_named() {
    let before = sample::conformant();
    let mut after = before.clone();
    after.records[3].checks[0].worst = reports::Ratio(0.99);
    assert_eq!(
        said(&before, &after),
        [(
            ChangeKind::Nearer,
            "co_occurrence: the nearest comparison has ratio 0.99, before 0.38".into()
        )]
    );
    assert_eq!(said(&after, &before), []);
}
