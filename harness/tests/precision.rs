//! The class of arithmetic that a backend reached is measured.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;
use std::time::Duration;

use harness::backends;
use harness::examine::{Examination, header};
use harness::plan::Plan;
use reports::render::Tally;
use reports::{Outcome, Precision};

/// The class that a backend reached in one function, and the outcome where a class is asked for.
fn reached(function: &str, backend: &str, asked: Precision) -> (Option<Precision>, Outcome) {
    let examination = Examination {
        host: Arc::new(reference::backend()),
        backend: backends::open(backend).unwrap().backend,
        precision: asked,
        deadline: Duration::from_secs(60),
        host_name: "reference".to_owned(),
        backend_name: backend.to_owned(),
        replay_args: String::new(),
    };
    let generator = generators::generator(function).unwrap();
    let plan = Plan::sized(&[generator], 1, 0, 11);
    let header = header(&examination, &plan, "test", 11);
    let log = examination.run(&plan, header, 2, |_| {});
    let tally = Tally::of(&log);
    (tally.functions[0].precision, tally.functions[0].decision.outcome)
}

#[test]
fn each_class_is_recognised_whatever_is_asked() {
    use Precision::{P32Acc, P32In, P64};
    let cases = [
        ("spatial_autocorr", "reference", P64),
        ("spatial_autocorr", "mutant:autocorr-values-in-f32", P32In),
        ("spatial_autocorr", "mutant:autocorr-sums-in-f32", P32Acc),
        ("co_occurrence", "mutant:cooc-ratios-in-f32", P32Acc),
        ("ligrec", "mutant:ligrec-sums-in-f32", P32Acc),
    ];
    for (function, backend, class) in cases {
        for asked in Precision::ALL {
            let (found, outcome) = reached(function, backend, asked);
            assert_eq!(found, Some(class), "{backend}, asked for {asked}");
            let expected =
                if class <= asked { Outcome::Conformant } else { Outcome::NotConformant };
            assert_eq!(outcome, expected, "{backend}, asked for {asked}");
        }
    }
}

#[test]
fn wrong_is_wrong_in_every_class() {
    for backend in ["mutant:moran-without-n-over-s0", "mutant:autocorr-one-pass-f32"] {
        let (found, outcome) = reached("spatial_autocorr", backend, Precision::P32Acc);
        assert_eq!((found, outcome), (None, Outcome::NotConformant), "{backend}");
    }
}
