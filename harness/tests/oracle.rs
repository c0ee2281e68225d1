//! The oracle: exact arithmetic says who is wrong, and finds nothing wrong with the reference.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dispatch::Backend;
use harness::backends;
use harness::examine::{Examination, Options, header};
use harness::golden::{Corpus, GoldenResult};
use harness::plan::Plan;
use reports::{Blame, Precision, Verdict};

fn examination(host: &str, backend: &str) -> Examination {
    Examination {
        host: backends::open(host).unwrap().backend,
        backend: backends::open(backend).unwrap().backend,
        precision: Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: host.to_owned(),
        backend_name: backend.to_owned(),
        replay_args: String::new(),
    }
}

/// Every third case of the smallest plan.
fn plan() -> Plan {
    let mut plan = Plan::sized(generators::GENERATORS, 1, 0, 7);
    let mut place = 0;
    plan.cases.retain(|_| {
        place += 1;
        place % 3 == 0
    });
    plan
}

#[test]
fn the_reference_agrees_with_exact_arithmetic() {
    let examination = examination("exact", "reference");
    let plan = plan();
    let header = header(&examination, &plan, "test", 7);
    let log = examination.run(&plan, header, 2, |_| {});
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    log.records.iter().for_each(|r| *counts.entry(r.verdict).or_default() += 1);
    let odd = log.records.iter().find(|r| {
        !matches!(r.verdict, Verdict::Pass) && !r.reason.starts_with("the host declines")
    });
    assert!(odd.is_none(), "{odd:?}");
    // Infinite values and large inputs are declined; they are few.
    assert!(counts[&Verdict::Pass] * 20 > log.records.len() * 19, "{counts:?}");
}

#[test]
fn the_defects_of_the_host_are_found_in_its_stored_answers() {
    let corpus = Corpus::read(&backends::default_golden_dir()).unwrap();
    let reference: Arc<dyn Backend> = Arc::new(reference::backend());
    let results = corpus.compare(&reference, Duration::from_secs(60), || {});
    let blamed = |word: &str| {
        let is_blamed = |r: &&GoldenResult<'_>| {
            r.case.id.contains(word) && r.ruling.as_ref().is_some_and(|r| r.blame == Blame::Host)
        };
        assert!(results.iter().any(|r| is_blamed(&r)), "the host is not blamed for `{word}`");
    };
    // Of the specification, 0.1.4: constant genes and NaN poison the correction, integer weights are not normalised,
    // unused categories are written outside the table, Geary's denominator cancels.
    for word in ["constant", "nan-x", "graph-i64", "graph-bool", "unused", "offset"] {
        blamed(word);
    }
    let objections = results.iter().filter_map(|r| r.null?.objection());
    assert!(objections.count() > 0, "no stored answer shows which null is permuted");
    for result in &results {
        let blame = result.ruling.as_ref().map(|r| r.blame);
        assert!(
            !matches!(blame, Some(Blame::Backend | Blame::Both)),
            "{}: {:?}",
            result.case.id,
            result.ruling
        );
    }
}

/// Who is blamed for the first difference between two.
fn blame(host: &str, backend: &str) -> Blame {
    let examination = examination(host, backend);
    let plan = plan();
    let header = header(&examination, &plan, "test", 7);
    let options = Options { jobs: 2, ..Options::default() };
    let log = examination.examine(&plan, header, options, |_| {}).log;
    let mut shrunk = log.records.into_iter().filter_map(|record| record.shrunk);
    shrunk.find_map(|shrunk| shrunk.ruling).unwrap().blame
}

#[test]
fn whoever_is_wrong_is_blamed() {
    assert_eq!(blame("reference", "mutant:moran-without-n-over-s0"), Blame::Backend);
    assert_eq!(blame("mutant:moran-without-n-over-s0", "reference"), Blame::Host);
    assert_eq!(blame("mutant:moran-without-n-over-s0", "mutant:cooc-annuli"), Blame::Host);
}
