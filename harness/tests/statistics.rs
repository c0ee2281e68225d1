//! The statistics examined: a right backend is never rejected, wrong ones are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dispatch::{Backend, Call, Fault, Kind, Manifest, Params, Reply, Value};
use harness::examine::{Examination, header};
use harness::mutants::{Mutant, MutantBackend};
use harness::plan::Plan;
use harness::statistics::wrong::WRONG;
use harness::statistics::{
    Budget, CONFIRM, FAMILY, StudyCase, clopper_pearson, examine, record, studies,
};
use reports::{Record, Verdict};

const RANDOM: [&str; 2] = ["spatial_autocorr", "ligrec"];

/// An examination of a backend; the reference as host draws from NumPy's streams, the backend need not.
fn examination(backend: impl Backend + 'static) -> Examination {
    Examination {
        host: Arc::new(reference::backend()),
        backend: Arc::new(backend),
        precision: reports::Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: "reference".to_owned(),
        backend_name: "tested".to_owned(),
        replay_args: String::new(),
    }
}

/// The reference behind another door: what it is asked is changed, and how often is counted.
struct Changed {
    manifest: Manifest,
    change: fn(&mut Params, u64),
    calls: AtomicU64,
}

impl Changed {
    fn new(without: &[&str], change: fn(&mut Params, u64)) -> Changed {
        let mut manifest = reference::backend().manifest().clone();
        for signature in manifest.functions.values_mut() {
            signature
                .params
                .retain(|p| !without.contains(&p.name.as_str()) || p.kind == Kind::VarKeyword);
        }
        manifest.name = "changed".to_owned();
        Changed { manifest, change, calls: AtomicU64::new(0) }
    }
}

impl Backend for Changed {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        let mut params = call.params.clone();
        (self.change)(&mut params, self.calls.fetch_add(1, Ordering::Relaxed));
        reference::backend().run(&Call::new(call.function.clone(), call.data.clone(), params))
    }
}

fn failed(records: &[Record]) -> Vec<String> {
    let failed = records.iter().filter(|r| r.verdict.condemns());
    let failed = failed.flat_map(|r| r.checks.iter().map(move |c| (r, c)));
    let failed = failed.filter(|(_, c)| c.finding.is_some());
    failed.map(|(r, c)| format!("{}: {}: {:?}", r.case, c.name, c.finding)).collect()
}

/// A/A: right backends with either stream, over and over with other seeds.
#[test]
fn a_right_backend_is_never_rejected() {
    let numpy: fn(&mut Params, u64) = |params, _| {
        params.insert("rng".to_owned(), "numpy".into());
    };
    let sides = [examination(reference::backend()), examination(Changed::new(&["rng"], numpy))];
    let (mut studied, mut first, mut alarms, mut tests) = (0_u64, 0_u64, 0_u64, 0);
    for examination in &sides {
        for (function, repetitions) in [("spatial_autocorr", 20), ("ligrec", 20)] {
            for seed in 0..repetitions {
                let records = examine(examination, function, Budget::Standard, (seed + 100) << 32);
                studied += records.len() as u64;
                alarms += records.iter().filter(|r| r.verdict != Verdict::Pass).count() as u64;
                first +=
                    records.iter().filter(|r| r.reason.contains("rejected once")).count() as u64;
                tests += records.iter().map(Record::compared).sum::<u64>();
                assert_eq!(failed(&records), [""; 0]);
            }
        }
    }
    let (_, high) = clopper_pearson(alarms, studied, 0.05);
    println!(
        "A/A: {studied} studies, {tests} tests: {first} rejected once, {alarms} rejected twice; \
         at most {high:.1e} of studies (95 %); by design {:.0e} of certificates once, {:.0e} twice",
        FAMILY,
        FAMILY * CONFIRM
    );
    assert!(studied >= 1000, "{studied}");
    assert_eq!(alarms, 0);
    // Forty certificates at 10^-3 each: two or more first-stage rejections have probability below 10^-3.
    assert!(first <= 1, "{first} first-stage rejections");
}

/// Whether the check that a wrong backend names finds it; studies after that are left out.
fn rejected(mutant: &'static Mutant, seed: u64) -> Result<(), String> {
    let examination = examination(MutantBackend::new(mutant));
    let mut session = examination.session();
    let mut found = Vec::new();
    for case in StudyCase::all(mutant.function, Budget::Standard, seed << 32) {
        found.extend(failed(&[record(&mut session, &case)]));
        if found.iter().any(|f| f.contains(&format!(": {}: ", mutant.check))) {
            return Ok(());
        }
    }
    let (name, check) = (mutant.name, mutant.check);
    Err(format!("{name} with seed {seed} is not found by `{check}` but by {found:?}"))
}

#[test]
fn every_wrong_backend_is_rejected_by_the_check_it_names() {
    // Seeds are fixed, so this never flickers; the example `power` measures how often it would, with intervals.
    let missed: Vec<String> =
        WRONG.iter().flat_map(|m| (1..3).filter_map(|seed| rejected(m, seed).err())).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn backends_without_a_seed_are_judged_too() {
    // One draws anew at each call, the other always the same.
    let anew: fn(&mut Params, u64) = |params, call| {
        params.insert("seed".to_owned(), Value::Int(1000 + call as i64));
    };
    let fixed: fn(&mut Params, u64) = |params, _| {
        params.insert("seed".to_owned(), Value::Int(5));
    };
    for function in RANDOM {
        let records = examine(
            &examination(Changed::new(&["seed"], anew)),
            function,
            Budget::Standard,
            1 << 32,
        );
        assert_eq!(failed(&records), [""; 0]);
        assert_eq!(records[0].verdict, Verdict::QualityWarning, "{:?}", records[0]);
        assert!(records[0].reason.contains("other permutations at each call"));
        assert!(records[1..].iter().all(|r| r.verdict == Verdict::Pass && r.compared() > 0));
        let records = examine(
            &examination(Changed::new(&["seed"], fixed)),
            function,
            Budget::Standard,
            1 << 32,
        );
        assert_eq!(failed(&records), [""; 0]);
        assert!(records.iter().all(|r| r.verdict == Verdict::Pass), "{records:#?}");
    }
}

#[test]
fn a_backend_that_rounds_differently_each_time_has_a_class_of_its_own() {
    struct Rough(AtomicU64);
    impl Backend for Rough {
        fn manifest(&self) -> &Manifest {
            static MANIFEST: std::sync::LazyLock<Manifest> =
                std::sync::LazyLock::new(|| reference::backend().manifest().clone());
            &MANIFEST
        }

        fn run(&self, call: &Call) -> Result<Reply, Fault> {
            let mut reply = reference::backend().run(call)?;
            let noise = 1.0 + 1e-13 * self.0.fetch_add(1, Ordering::Relaxed) as f64;
            if let Some(Value::Frame(frame)) = reply.data.get_mut("result")
                && let Some(Value::Dense(dense)) = frame.column("var_sim").cloned()
            {
                let values: Vec<f64> = dense.to_f64().iter().map(|v| v * noise).collect();
                frame.set_column("var_sim", dispatch::Dense::vector(values).into());
            }
            Ok(reply)
        }
    }
    let examination = examination(Rough(AtomicU64::new(0)));
    let case = &StudyCase::all("spatial_autocorr", Budget::Quick, 0)[0];
    let record = record(&mut examination.session(), case);
    assert_eq!(record.verdict, Verdict::QualityWarning, "{record:?}");
    assert!(record.reason.contains("not the same last bits"), "{}", record.reason);
}

#[test]
fn a_function_without_permutations_is_measured_for_repeats_alone() {
    let records = examine(&examination(reference::backend()), "co_occurrence", Budget::Quick, 0);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].reason, "determinism: the same bits on any number of threads");
    assert!(examine(&examination(reference::backend()), "ripley", Budget::Quick, 0).is_empty());
}

#[test]
fn a_study_has_a_text_and_runs_again_from_it() {
    let examination = examination(MutantBackend::new(&WRONG[0]));
    for function in RANDOM {
        for case in StudyCase::all(function, Budget::Quick, 77 << 32) {
            let again = StudyCase::parse(function, &case.to_string()).unwrap();
            assert_eq!(again.to_string(), case.to_string());
            assert_eq!(again.call(), case.call());
        }
    }
    assert!(StudyCase::parse("ligrec", "cells=17 seed=4").is_none());
    assert!(StudyCase::parse("ligrec", "study=ring-of-8 budget=quick seed=4").is_none());
    let case = StudyCase::parse("spatial_autocorr", "study=ring-33 budget=quick seed=4").unwrap();
    let run = || record(&mut examination.session(), &case);
    assert_eq!(run(), run());
    let replay = run().shrunk.unwrap().replay;
    assert_eq!(
        replay,
        "concord replay spatial_autocorr \"study=ring-33 budget=quick seed=4\" --backend tested"
    );
}

#[test]
fn where_streams_differ_the_quick_tier_studies_and_its_limitation_is_gone() {
    let functions: Vec<String> = RANDOM.iter().map(|f| (*f).to_owned()).collect();
    let plan_of = |examination: &Examination, budget| Plan {
        cases: harness::statistics::cases(examination, &functions, budget, 0),
    };
    let shared = examination(reference::backend());
    assert!(plan_of(&shared, Budget::Quick).cases.is_empty());
    // Determinism of each function, and which null is sampled.
    let all = studies().count() + RANDOM.len() + 1;
    assert_eq!(plan_of(&shared, Budget::Standard).cases.len(), all);
    let apart = examination(Changed::new(&["rng"], |_, _| ()));
    let plan = plan_of(&apart, Budget::Quick);
    assert_eq!(plan.cases.len(), all);
    assert!(header(&apart, &plan, "quick", 0).limitations.is_empty());
    let mut bare = plan.clone();
    bare.cases.clear();
    let recipe = generators::Recipe::simplest(&generators::LIGREC, 0);
    bare.cases.push((reports::Source::MustPass, harness::Case::Recipe(recipe)));
    assert_eq!(header(&apart, &bare, "quick", 0).limitations.len(), 1);
}
