//! What holds for every pair of signatures and every call.

use std::collections::BTreeSet;

use dispatch::{
    Kind, Param, Params, Rule, Semantics, Severity, Signature, Value, Verdict, bind_open,
    dispatchable, route,
};
use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;

/// The same cases on every machine.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: proptest::test_runner::RngSeed::Fixed(3),
        ..ProptestConfig::default()
    }
}

/// Some of eight parameters, each positional or keyword-only, required or with one of two defaults.
fn signatures() -> impl Strategy<Value = Signature> {
    let param = |name: &'static str| {
        (any::<bool>(), proptest::option::of(0..2_i64)).prop_map(move |(keyword_only, default)| {
            let param = default.map_or(Param::required(name), |d| Param::optional(name, d));
            let kind = if keyword_only { Kind::KeywordOnly } else { Kind::PositionalOrKeyword };
            Param { kind, ..param }
        })
    };
    let names = proptest::sample::subsequence(vec!["a", "b", "c", "d", "e", "f", "g", "h"], 1..=8);
    names.prop_shuffle().prop_flat_map(move |names| {
        names.into_iter().map(param).collect::<Vec<_>>().prop_map(|mut params| {
            // As Python wants it: by position before by name, required before optional.
            params.sort_by_key(|p| (p.kind, p.kind != Kind::KeywordOnly && p.default.is_some()));
            Signature::new(params)
        })
    })
}

/// Every parameter passed, the first `n` of the positional ones by position; and an unknown keyword.
fn full_call(sig: &Signature, n: usize, unknown: bool) -> (Vec<Value>, Params) {
    let n = sig.params.iter().take_while(|p| p.is_positional()).count().min(n);
    let value = |p: &Param| Value::Text(p.name.clone());
    let positional = sig.params[..n].iter().map(value).collect();
    let mut keyword: Params = sig.params[n..].iter().map(|p| (p.name.clone(), value(p))).collect();
    if unknown {
        keyword.insert("unknown".to_owned(), Value::None);
    }
    (positional, keyword)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_argument_disappears_and_none_changes_its_name(
        host in signatures(), backend in signatures(), n in 0..8_usize, unknown in any::<bool>(),
    ) {
        let (positional, keyword) = full_call(&host, n, unknown);
        let routed = route(&host, &backend, &bind_open(&host, positional, keyword).unwrap());
        for (name, value) in &routed.params {
            prop_assert!(name == "unknown" || *value == Value::Text(name.clone()));
        }
        let dropped = routed.dropped.iter().map(|d| &d.name);
        let seen: BTreeSet<&str> = routed.params.keys().chain(dropped).map(String::as_str).collect();
        let extra = unknown.then_some("unknown");
        let passed: BTreeSet<&str> = host.params.iter().map(|p| p.name.as_str()).chain(extra).collect();
        prop_assert_eq!(&seen, &passed);
        prop_assert_eq!(routed.params.len() + routed.dropped.len(), passed.len());
    }

    #[test]
    fn how_an_argument_is_passed_makes_no_difference(
        host in signatures(), backend in signatures(), n in 0..8_usize,
    ) {
        let routed = |n| {
            let (positional, keyword) = full_call(&host, n, false);
            route(&host, &backend, &bind_open(&host, positional, keyword).unwrap())
        };
        prop_assert_eq!(routed(n), routed(0));
    }

    #[test]
    fn a_function_against_itself_is_clean(host in signatures()) {
        let own = dispatchable(&host, &host, &Semantics::new(["a", "b"]));
        prop_assert_eq!(own.findings, vec![]);
    }

    #[test]
    fn a_pair_without_an_error_forms_every_call(host in signatures(), backend in signatures()) {
        let assessment = dispatchable(&host, &backend, &Semantics::default());
        let (positional, keyword) = full_call(&host, 8, false);
        let full = route(&host, &backend, &bind_open(&host, positional, keyword).unwrap());
        let required = |p: &&Param| p.is_required();
        let least = host.params.iter().filter(required).map(|p| (p.name.clone(), Value::None)).collect();
        let least = route(&host, &backend, &bind_open(&host, vec![], least).unwrap());
        if assessment.verdict != Verdict::No {
            prop_assert!(full.missing.is_empty() && least.missing.is_empty());
        } else {
            // Without declared semantics, an error is about a call that cannot be formed.
            let loses_required = assessment.of(Rule::D21).chain(assessment.of(Rule::C1)).next().is_some();
            prop_assert!(!least.missing.is_empty() || loses_required);
        }
        if assessment.verdict == Verdict::Yes {
            prop_assert!(least.warned.is_empty());
            let notes = assessment.findings.iter().filter(|f| f.rule != Rule::C6);
            prop_assert!(notes.clone().all(|f| f.severity == Severity::Note));
            prop_assert_eq!(full.dropped.len(), notes.count());
        }
    }
}
