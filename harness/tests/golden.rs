//! The stored answers of the real squidpy, against the reference and as a backend of their own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;
use std::time::Duration;

use dispatch::Backend;
use harness::backends::default_golden_dir;
use harness::golden::Corpus;

fn corpus() -> Corpus {
    Corpus::read(&default_golden_dir()).unwrap()
}

#[test]
fn the_reference_agrees_with_squidpy_wherever_squidpy_is_defined() {
    let corpus = corpus();
    let reference: Arc<dyn Backend> = Arc::new(reference::backend());
    let results = corpus.compare(&reference, Duration::from_secs(60), || ());
    for result in &results {
        let judgement = &result.exchange.judgement;
        let findings: Vec<_> = judgement.checks.iter().filter_map(|c| c.finding.as_ref()).collect();
        assert_ne!(
            result.word(),
            "differ",
            "{}: {} {findings:#?}",
            result.case.id,
            judgement.reason
        );
        assert_ne!(result.word(), "not-supported", "{}: {}", result.case.id, judgement.reason);
    }
    let count = |word: &str| results.iter().filter(|r| r.word() == word).count();
    // Exact, so that a case that silently turns `host-undefined` is seen.
    assert_eq!((count("agree"), count("host-undefined")), (109, 12));
    let compared: u64 =
        results.iter().flat_map(|r| &r.exchange.judgement.checks).map(|c| c.compared).sum();
    assert!(compared > 20_000, "only {compared} elements compared");
}

/// With NumPy's own stream the p-values of permutations are squidpy's, except where rounding decides a tie: those lie in
/// the interval that the contract derives, which the test above has checked.
#[test]
fn permutation_p_values_meet_squidpys_to_the_bit_for_moran_and_geary() {
    let corpus = corpus();
    let reference = reference::backend();
    let mut met = 0;
    for id in
        ["dev-sa-05-perms-a", "dev-sa-06-perms-b", "dev-sa-07-perms-njobs2", "dev-sa-46-isolated"]
    {
        let case = corpus.cases.iter().find(|c| c.id == id).unwrap();
        let mut call = dispatch::Call::clone(&case.call);
        call.params.insert("rng".to_owned(), "numpy".into());
        let p_values = |reply: &dispatch::Reply| {
            let frame = reply.data.frame("result").unwrap().clone();
            let p = match frame.column("pval_sim") {
                Some(dispatch::Value::Dense(d)) => d.to_f64(),
                other => panic!("{other:?}"),
            };
            let mut rows: Vec<(String, u64)> =
                frame.index.labels().into_iter().zip(p.into_iter().map(f64::to_bits)).collect();
            rows.sort();
            rows
        };
        let expected = p_values(case.outcome.as_ref().unwrap());
        assert_eq!(p_values(&reference.run(&call).unwrap()), expected, "{id}");
        met += expected.len();
    }
    assert!(met > 40, "{met}");
}

#[test]
fn inputs_are_the_files_that_were_recorded() {
    let dir = default_golden_dir();
    let text = std::fs::read_to_string(dir.join("cases.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
    for case in cases["cases"].as_array().unwrap() {
        let bytes = std::fs::read(dir.join(case["input"].as_str().unwrap())).unwrap();
        assert_eq!(
            dispatch::Digest::of_bytes(&bytes).to_string(),
            case["input_sha256"].as_str().unwrap(),
            "{}",
            case["id"]
        );
    }
}

#[test]
fn a_folder_that_is_no_corpus_is_an_error_that_says_what_was_expected() {
    let empty = tempfile::tempdir().unwrap();
    let error = format!("{:#}", Corpus::read(empty.path()).unwrap_err());
    assert!(error.contains("cases.json") && error.contains("expected/"), "{error}");
    std::fs::write(empty.path().join("cases.json"), r#"{"versions": {}, "cases": []}"#).unwrap();
    let error = format!("{:#}", Corpus::read(empty.path()).unwrap_err());
    assert!(error.contains("nothing would be compared"), "{error}");
    let outside = r#"{"versions": {}, "cases": [{"id": "x", "function": "ligrec", "kwargs": {}, "input": "../../etc/passwd",
        "expected": "e", "status": "ok"}]}"#;
    std::fs::write(empty.path().join("cases.json"), outside).unwrap();
    let error = format!("{:#}", Corpus::read(empty.path()).unwrap_err());
    assert!(error.contains("leaves the folder"), "{error}");
}
