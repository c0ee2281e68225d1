//! The control run: nothing alarms where nothing is wrong, and what is wrong is counted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::time::Duration;

use harness::backends;
use harness::control::{Control, control};
use harness::examine::Examination;

fn run(host: &str, backend: &str, sizes: [u64; 2]) -> Control {
    let examination = Examination {
        host: backends::open(host).unwrap().backend,
        backend: backends::open(backend).unwrap().backend,
        precision: reports::Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: host.to_owned(),
        backend_name: backend.to_owned(),
        replay_args: String::new(),
    };
    let functions = harness::CONTRACTS.iter().map(|c| c.function.to_owned());
    control(&examination, &functions.collect::<Vec<_>>(), sizes, 2, || {})
}

#[test]
fn the_reference_raises_no_alarm() {
    let found = run("reference", "reference", [600, 1]);
    assert!(found.is_quiet(), "{:?}", found.alarms);
    assert_eq!((found.cases.trials, found.studies.trials, found.declined), (600, 2, 0));
    assert!(found.compared > 10_000);
}

#[test]
fn an_error_is_counted_and_named() {
    let found = run("reference", "mutant:moran-without-n-over-s0", [300, 0]);
    assert!(!found.is_quiet());
    assert!(found.cases.alarms > 10 && found.cases.alarms < 100, "{:?}", found.cases);
    assert!(found.alarms[0].starts_with("fail: spatial_autocorr"), "{:?}", found.alarms);
}
