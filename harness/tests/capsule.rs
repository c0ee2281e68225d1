//! Counterexamples as data: what shrinking comes to, what stands in a capsule, and that nothing in one can hurt.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use dispatch::{Call, Dense, Value};
use generators::Recipe;
use harness::Case;
use harness::capsule::{self, Capsule};
use harness::examine::{Examination, Examined, Options, header};
use harness::mutants::{MutantBackend, find};
use harness::plan::Plan;
use harness::regressions;
use harness::shrink::{Budget, Counterexample, shrink};
use harness::statistics::StudyCase;
use harness::statistics::wrong::WRONG;
use reports::{Source, Verdict};

fn examination(mutant: &str) -> Examination {
    let found = find(mutant).unwrap_or_else(|| panic!("no mutant {mutant}"));
    Examination {
        host: Arc::new(reference::backend()),
        backend: Arc::new(MutantBackend::new(found)),
        precision: reports::Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: "reference".to_owned(),
        backend_name: format!("mutant:{mutant}"),
        replay_args: String::new(),
    }
}

fn recipe(function: &str, text: &str) -> Case {
    Case::Recipe(Recipe::parse(generators::generator(function).unwrap(), text).unwrap())
}

fn shrunk(mutant: &str, function: &str, text: &str, check: &str) -> Counterexample {
    let examination = examination(mutant);
    let budget = Budget { capsules: Some("somewhere"), ..Budget::default() };
    let case = recipe(function, text);
    shrink(&mut examination.session(), &case, check, budget).expect("it fails again")
}

fn known_mutant() -> Counterexample {
    let text = "cells=17 genes=8 graph=delaunay isolated=last dtype=f32 n_perms=19 seed=4";
    shrunk("moran-without-n-over-s0", "spatial_autocorr", text, "I: value")
}

#[test]
fn the_host_is_named_as_on_the_command_line() {
    let examination = Examination {
        host_name: "squidpy-1.6.5".to_owned(),
        ..examination("moran-without-n-over-s0")
    };
    let case = recipe("spatial_autocorr", "cells=17 graph=delaunay isolated=last seed=4");
    let mut session = examination.session();
    let found = shrink(&mut session, &case, "I: value", Budget::default()).unwrap();
    // Of two versions of a library the manifests have one name.
    assert_eq!(found.capsule.host.name, "squidpy-1.6.5");
    assert_eq!(found.capsule.host.manifest.name, "reference");
    let backend = "--backend mutant:moran-without-n-over-s0 --host squidpy-1.6.5";
    assert!(found.shrunk.replay.contains(backend), "{}", found.shrunk.replay);
}

#[test]
fn a_counterexample_is_smaller_than_any_recipe() {
    let Counterexample { shrunk, capsule } = known_mutant();
    assert!(shrunk.n_obs <= 4 && shrunk.n_vars == 1 && shrunk.calls <= 150, "{shrunk:#?}");
    assert_eq!(shrunk.replay, format!("concord replay {} --dir somewhere", capsule.id()));
    assert_eq!(shrunk.capsule, Some(capsule.id()));
    // Of the decoys nothing is left, and the values are small whole numbers.
    let data = &capsule.call.data;
    for slot in ["layers", "raw", "obsm", "obsp/other", "obs/score"] {
        assert_eq!(data.get(slot), None, "{slot} does not matter");
    }
    let Some(Value::Dense(x)) = data.get("X") else { panic!("{data:?}") };
    assert!(x.to_f64().iter().all(|v| v.fract() == 0.0 && v.abs() <= 4.0), "{x:?}");
    assert!(
        shrunk.edits.iter().any(|edit| edit.starts_with("slots dropped")),
        "{:?}",
        shrunk.edits
    );
}

#[test]
fn clusters_interactions_and_permutations_are_dropped() {
    let text = "cells=33 genes=3 clusters=5 n_perms=99 seed=11";
    let Counterexample { shrunk, capsule } =
        shrunk("ligrec-plus-one", "ligrec", text, "pvalues: value");
    let params = &capsule.call.params;
    assert!(matches!(params["n_perms"], Value::Int(..=2)), "{:?}", shrunk.params);
    let column = capsule.call.data.get("obs/cluster");
    let Some(Value::Categorical(column)) = column else { panic!("{column:?}") };
    assert!(column.categories.len() < Some(5), "of five categories none went: {column:?}");
    assert!(params["interactions"].len() <= Some(3), "{:?}", params["interactions"]);
}

#[test]
fn without_a_place_for_capsules_the_input_stays_a_recipe() {
    let examination = examination("cooc-self-pairs");
    let case = recipe("co_occurrence", "cells=17 seed=1");
    let found = shrink(&mut examination.session(), &case, "occ: value", Budget::default()).unwrap();
    assert!(found.shrunk.edits.is_empty() && found.shrunk.capsule.is_none());
    assert!(
        found.shrunk.replay.starts_with("concord replay co_occurrence \""),
        "{}",
        found.shrunk.replay
    );
}

#[test]
fn a_capsule_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let written = known_mutant().capsule;
    written.write(dir.path()).unwrap();
    let read = capsule::read(&dir.path().join(written.id())).unwrap();
    assert_eq!(read.call, written.call);
    assert_eq!(read.checks, written.checks);
    assert_eq!(read.id(), written.id());
    let data = |side: &capsule::Side| side.outcome.as_ref().unwrap().data.clone();
    assert_eq!(data(&read.host), data(&written.host));
    assert_eq!(data(&read.backend), data(&written.backend));
    // The same counterexample, the same bytes: no clock, no name of a machine.
    let other = tempfile::tempdir().unwrap();
    read.write(other.path()).unwrap();
    for file in ["capsule.json", "input.h5ad", "reproduce.py"] {
        let bytes = |dir: &Path| std::fs::read(dir.join(written.id()).join(file)).unwrap();
        assert_eq!(bytes(dir.path()), bytes(other.path()), "{file}");
    }
}

/// Every covering recipe: storage orders, sparse formats, masks, labels that are numbers, frames as arguments.
#[test]
fn every_kind_of_generated_input_fits_into_a_capsule_and_its_script_compiles() {
    let dir = tempfile::tempdir().unwrap();
    let examination = examination("moran-without-n-over-s0");
    let session = examination.session();
    let mut scripts = Vec::new();
    for generator in generators::GENERATORS {
        for recipe in generators::plan::pairwise(generator, 5).into_iter().step_by(7) {
            let call = Arc::new(recipe.build());
            let nothing = || Err(dispatch::Fault::Unsupported("not asked".to_owned()));
            let manifest = examination.host.manifest();
            let exchange = harness::examine::Exchange::judged(
                call.clone(),
                (manifest, nothing()),
                (manifest, nothing()),
                reports::Precision::P64,
            );
            let stored = Capsule::of(&session, &exchange, &recipe.to_string(), "x");
            stored.write(dir.path()).unwrap_or_else(|e| panic!("{recipe:?}: {e:#}"));
            let folder = dir.path().join(stored.id());
            assert_eq!(capsule::read(&folder).unwrap().call, call, "{recipe:?}");
            let script = std::fs::read_to_string(folder.join("reproduce.py")).unwrap();
            assert!(script.lines().count() <= 15, "{script}");
            assert!(!script.contains("..."), "an argument has no literal: {script}");
            scripts.push(folder.join("reproduce.py"));
        }
    }
    assert!(scripts.len() > 50, "{}", scripts.len());
    compile(&scripts);
}

/// Compiles the scripts with the Python of this machine, if there is one.
fn compile(scripts: &[std::path::PathBuf]) {
    let program = "import sys\nfor path in sys.argv[1:]: compile(open(path, encoding='utf-8').read(), path, 'exec')";
    match Command::new("python3").args(["-c", program]).args(scripts).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
        }
        Err(error) => {
            println!("the scripts were not compiled, because python3 did not start: {error}")
        }
    }
}

#[test]
fn the_script_keeps_what_the_file_format_loses() {
    let mut call = Call::clone(&known_mutant().capsule.call);
    let mut data = dispatch::Dataset::clone(&call.data);
    let Some(Value::Dense(x)) = data.get("X").cloned() else { panic!() };
    data.set(
        "X",
        Dense::new(vec![x.shape[0], 2], vec![1.0; 2 * x.shape[0]])
            .to_order(dispatch::Order::F)
            .into(),
    );
    data.remove("var");
    call.data = Arc::new(data);
    let mut changed = known_mutant().capsule;
    changed.call = Arc::new(call);
    // Genes without names are numbered by the file, so this input is not kept exactly: no half capsule stays.
    let dir = tempfile::tempdir().unwrap();
    let error = format!("{:#}", changed.write(dir.path()).unwrap_err());
    assert!(error.contains("does not hold"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let script =
        capsule::script(&changed, &["X".to_owned(), "obsm/a\"b".to_owned(), "raw/X".to_owned()]);
    assert!(
        script.contains(r#"adata.X = np.asfortranarray(adata.X); adata.obsm["a\"b"] = "#),
        "{script}"
    );
}

/// Cut off at any length, or with any byte changed: an error or the same capsule, never a panic.
#[test]
fn damaged_capsules_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let original = known_mutant().capsule;
    original.write(dir.path()).unwrap();
    let folder = dir.path().join(original.id());
    for file in ["capsule.json", "input.h5ad"] {
        let path = folder.join(file);
        let bytes = std::fs::read(&path).unwrap();
        let step = (bytes.len() / 60).max(1);
        for at in (0..bytes.len() - 1).step_by(step) {
            std::fs::write(&path, &bytes[..at]).unwrap();
            assert!(capsule::read(&folder).is_err(), "{file} cut to {at} bytes was read");
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x15;
            std::fs::write(&path, &flipped).unwrap();
            if let Ok(read) = capsule::read(&folder) {
                assert_eq!(read.call, original.call, "{file} with byte {at} changed");
            }
        }
        std::fs::write(&path, &bytes).unwrap();
    }
    std::fs::remove_file(folder.join("input.h5ad")).unwrap();
    assert!(format!("{:#}", capsule::read(&folder).unwrap_err()).contains(&original.id()));
}

#[test]
fn hostile_content_is_an_error_that_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let original = known_mutant().capsule;
    original.write(dir.path()).unwrap();
    let path = dir.path().join(original.id()).join("capsule.json");
    let good: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let deep = "[".repeat(100_000);
    let change = |field: &str, value: serde_json::Value| {
        let mut json = good.clone();
        json[field] = value;
        json.to_string()
    };
    let array = serde_json::json!({"t": "array", "dtype": "float64", "shape": [1u64 << 40, 1u64 << 40], "data": []});
    for (text, says) in [
        (deep, "recursion"),
        ("{}".to_owned(), "format None"),
        (change("format", 2.into()), "this version reads format 1"),
        (change("surprise", 1.into()), "unknown field"),
        (change("params", serde_json::json!({"genes": array})), "0 elements"),
        (change("params", serde_json::json!({"seed": 7})), "not the one it was made from"),
        (change("id", "CX-000000000000".into()), "not the one it was made from"),
        (change("fortran", serde_json::json!(["uns/nothing"])), "column-major"),
        (change("verdict", "splendid".into()), "splendid"),
    ] {
        std::fs::write(&path, &text).unwrap();
        let error = format!("{:#}", capsule::read(path.parent().unwrap()).unwrap_err());
        assert!(error.contains(says), "`{says}` is not in {error}");
    }
}

fn run(backend: &Examination, plan: &Plan, dir: Option<&str>) -> Examined {
    let options = Options { jobs: 2, waivers: None, capsules: dir };
    backend.examine(plan, header(backend, plan, "quick", 1), options, |_| ())
}

#[test]
fn one_cause_is_reported_once_with_its_consequences() {
    let wrong = examination("moran-without-n-over-s0");
    let generator = generators::generator("spatial_autocorr").unwrap();
    let plan = Plan::sized(&[generator], 1, 150, 7);
    let Examined { log, capsules } = run(&wrong, &plan, Some("out/capsules"));
    let failing: Vec<_> = log.records.iter().filter(|r| r.verdict.condemns()).collect();
    assert!(failing.len() > 40);
    // Every failure is shrunk or explained by one that is.
    let roots: Vec<&str> =
        failing.iter().filter(|r| r.shrunk.is_some()).map(|r| r.case.as_str()).collect();
    for record in &failing {
        let explained = record.explained_by.as_deref().is_some_and(|case| roots.contains(&case));
        assert!(record.shrunk.is_some() || explained, "{}", record.case);
    }
    // Two ways to make n/S0 differ from 1: an isolated cell, a graph that is not normalised.
    let tally = reports::render::Tally::of(&log);
    let mut checks: Vec<&str> = tally.failures.iter().map(|f| f.check).collect();
    checks.dedup();
    assert_eq!((tally.failures.len() <= 3, checks), (true, vec!["I: value"]));
    assert_eq!(tally.condemned(), failing.len() as u64);
    let ids: Vec<String> =
        failing.iter().filter_map(|r| r.shrunk.as_ref()?.capsule.clone()).collect();
    assert_eq!(ids, capsules.iter().map(Capsule::id).collect::<Vec<_>>());
}

/// Two calls of random columns never agree, so the capsule says what was found over many, and is examined as a study again.
#[test]
fn a_study_that_fails_has_a_capsule_too() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = WRONG.iter().find(|m| m.name == "autocorr-permutes-values").unwrap();
    let wrong = Examination {
        backend: Arc::new(MutantBackend::new(wrong)),
        ..examination("moran-without-n-over-s0")
    };
    let text = "study=ring-33 budget=quick seed=4";
    let case = StudyCase::parse("spatial_autocorr", text).unwrap();
    let plan = Plan { cases: vec![(Source::Statistical, Case::Study(case))] };
    let Examined { log, capsules } = run(&wrong, &plan, Some("elsewhere"));
    let (record, capsule) = (&log.records[0], &capsules[0]);
    assert_eq!(record.verdict, Verdict::Fail);
    assert_eq!(record.shrunk.as_ref().unwrap().capsule, Some(capsule.id()));
    assert_eq!((&capsule.checks, capsule.verdict), (&record.checks, Verdict::Fail));
    assert!(capsule.host.outcome.is_ok() && capsule.backend.outcome.is_ok());

    capsule.write(dir.path()).unwrap();
    let mut again = Plan::default();
    regressions::prepend(&mut again, dir.path(), &["spatial_autocorr".to_owned()]).unwrap();
    assert_eq!(again.cases[0].1.text(), text);
}

#[test]
fn regressions_run_first_and_need_no_generator() {
    let dir = tempfile::tempdir().unwrap();
    let kept = known_mutant().capsule;
    kept.write(dir.path()).unwrap();
    std::fs::write(dir.path().join("README.md"), "not a capsule").unwrap();
    let functions = vec!["spatial_autocorr".to_owned()];
    let generator = generators::generator("spatial_autocorr").unwrap();
    let mut plan = Plan::sized(&[generator], 0, 3, 7);
    regressions::prepend(&mut plan, dir.path(), &functions).unwrap();
    assert_eq!(plan.cases[0].0, Source::Regression);
    assert_eq!(plan.cases[0].1.text(), kept.id());

    let log = run(&examination("moran-without-n-over-s0"), &plan, Some("elsewhere")).log;
    let first = &log.records[0];
    assert_eq!(
        (first.verdict, first.source, first.input),
        (Verdict::Fail, Source::Regression, kept.call.digest())
    );
    let replay = &first.shrunk.as_ref().unwrap().replay;
    assert!(
        replay.starts_with("concord replay CX-") && replay.ends_with("--dir elsewhere"),
        "{replay}"
    );
    let right =
        Examination { backend: Arc::new(reference::backend()), ..examination("cooc-annuli") };
    assert_eq!(run(&right, &plan, None).log.records[0].verdict, Verdict::Pass);

    // Another function's regressions are not asked for; a damaged one is an error and not passed over.
    let mut other = Plan::default();
    regressions::prepend(&mut other, dir.path(), &["ligrec".to_owned()]).unwrap();
    assert!(other.cases.is_empty());
    std::fs::write(dir.path().join(kept.id()).join("capsule.json"), "{").unwrap();
    assert!(regressions::prepend(&mut plan, dir.path(), &functions).is_err());
}

#[test]
fn the_regressions_of_the_project_are_sound_and_pass() {
    let dir = regressions::default_dir();
    let functions: Vec<String> = harness::CONTRACTS.iter().map(|c| c.function.to_owned()).collect();
    let mut plan = Plan::default();
    regressions::prepend(&mut plan, &dir, &functions).unwrap();
    assert!(!plan.cases.is_empty(), "{} has no capsule", dir.display());
    let right =
        Examination { backend: Arc::new(reference::backend()), ..examination("cooc-annuli") };
    for record in run(&right, &plan, None).log.records {
        assert_eq!(record.verdict, Verdict::Pass, "{}: {}", record.case, record.reason);
    }
}
