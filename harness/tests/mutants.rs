//! The examiner examined: wrong backends are found by the check they name and shrunk, the right one never is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use dispatch::Backend;
use generators::Recipe;
use harness::adequacy::{Fate, Summary, Trial, measure};
use harness::examine::{Examination, header};
use harness::mutants::{self, Class, EQUIVALENT, MutantBackend};
use harness::plan::{Plan, Tier, run_seed};
use reports::{Log, Outcome, decide};

/// What only the 47,000 cells of the standard tier show.
const BEYOND_QUICK: [&str; 1] = ["cooc-total-in-32-bits"];

/// Every mutant at the settings of the quick tier; measured once for all tests.
static QUICK: LazyLock<Summary> = LazyLock::new(|| {
    let functions: Vec<String> = harness::CONTRACTS.iter().map(|c| c.function.to_owned()).collect();
    measure(&functions, Tier::Quick, 2, |_| ())
});

/// Examines a backend with the quick tier, as the command line does.
fn examine(backend: Arc<dyn Backend>, name: &str, functions: &[&str]) -> Log {
    let host: Arc<dyn Backend> = Arc::new(reference::backend());
    let seed = run_seed(backend.manifest(), host.manifest(), "");
    let examination = Examination {
        host,
        backend,
        precision: reports::Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: "reference".to_owned(),
        backend_name: name.to_owned(),
        replay_args: String::new(),
    };
    let generators: Vec<_> = functions.iter().filter_map(|f| generators::generator(f)).collect();
    let plan = Plan::generated(&generators, Tier::Quick, seed);
    let header = header(&examination, &plan, "quick", seed);
    examination.run(&plan, header, 2, |_| ())
}

fn trial(name: &str) -> &'static Trial {
    QUICK.mutants.iter().find(|t| t.mutant == name).unwrap()
}

#[test]
fn every_mutant_is_found_by_the_check_it_names() {
    let wrong: Vec<String> = (QUICK.mutants.iter())
        .filter(|t| t.fate != Fate::Killed && !BEYOND_QUICK.contains(&t.mutant))
        .map(|t| {
            format!("{}: {:?}, named `{}`, found by {:?}", t.mutant, t.fate, t.check, t.found_by)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // If these are found too, say so: the list is what the quick tier is known not to see.
    let survivors: Vec<&str> = QUICK.survivors().map(|t| t.mutant).collect();
    assert_eq!(survivors, BEYOND_QUICK);
}

#[test]
fn found_mutants_are_shrunk_to_a_few_cells_within_the_budget() {
    let Summary { cells, genes, calls, .. } = &*QUICK;
    assert!(cells.median <= 8 && genes.median <= 3, "{cells:?} cells, {genes:?} genes");
    assert!(calls.max <= 150, "{calls:?}");
    // Mistakes of size keep the size they need; nine of ten need none.
    assert!(cells.p90 <= 8 && genes.p90 <= 3, "{cells:?} cells, {genes:?} genes");
}

#[test]
fn what_no_answer_can_show_is_not_found() {
    let refuted: Vec<_> = QUICK.equivalent.iter().filter(|e| e.refuted.is_some()).collect();
    assert!(refuted.is_empty(), "{refuted:#?}");
    assert!(EQUIVALENT.iter().all(|e| e.proof.len() >= 30 && !e.change.is_empty()));
}

#[test]
fn the_specification_is_covered_row_by_row() {
    let rows: BTreeSet<&str> = mutants::all().map(|m| m.spec).collect();
    for function in ["A", "B", "G"] {
        for row in 1..=10 {
            assert!(rows.contains(format!("{function}{row}").as_str()), "{function}{row}");
        }
    }
    let n = mutants::all().count();
    assert!(n >= 100, "{n} mutants");
    assert!(QUICK.all.killed as f64 >= 0.95 * n as f64);
}

/// Rows that the CUDA backend's list leaves to stages it shares with the reference, and the mutants named for them.
#[derive(serde::Deserialize)]
struct Shared {
    spec: String,
    mutants: Vec<String>,
}

#[derive(serde::Deserialize)]
struct CudaMutants {
    shared: Vec<Shared>,
}

#[test]
fn the_mutants_that_the_cuda_backend_names_are_of_the_rows_it_names() {
    let text = include_str!("../../cuda-backend/tests/mutants.toml");
    let list: CudaMutants = toml::from_str(text).unwrap();
    for Shared { spec, mutants } in &list.shared {
        assert!(!mutants.is_empty(), "{spec}");
        for name in mutants {
            assert_eq!(mutants::find(name).map(|m| m.spec), Some(&**spec), "{name}");
            assert!(!BEYOND_QUICK.contains(&&**name), "{name}");
        }
    }
}

#[test]
fn mutants_say_what_they_are() {
    let mut names = BTreeSet::new();
    for m in mutants::all() {
        assert!(names.insert(m.name), "two mutants are called {}", m.name);
        let blank = [m.name, m.mistake, m.origin, m.check].iter().any(|text| text.is_empty());
        assert!(!blank, "{m:?} lacks a text");
        assert!(harness::contract(m.function).is_some());
    }
    assert!(EQUIVALENT.iter().all(|e| names.insert(e.name)));
    for class in Class::ALL {
        assert!(mutants::all().any(|m| m.class == class), "{}", class.name());
    }
}

#[test]
fn the_known_mutant_shrinks_to_one_gene_and_its_replay_shows_it_again() {
    let shrunk = trial("moran-without-n-over-s0").shrunk.as_ref().unwrap();
    assert!(shrunk.cells <= 8 && shrunk.genes == 1, "{shrunk:?}");
    let names_the_cause = ["isolated=", "transformation=false", "weights=signed", "graph="];
    assert!(names_the_cause.iter().any(|c| shrunk.recipe.contains(c)), "{}", shrunk.recipe);
    assert!(shrunk.replay.starts_with("concord replay spatial_autocorr"), "{}", shrunk.replay);
    assert!(shrunk.replay.contains("--backend mutant:moran-without-n-over-s0"));
}

#[test]
fn the_reference_against_itself_never_alarms() {
    let functions: Vec<&str> = harness::CONTRACTS.iter().map(|c| c.function).collect();
    let log = examine(Arc::new(reference::backend()), "reference", &functions);
    let decision = decide(&log);
    assert_eq!(decision.outcome, Outcome::Conformant, "{decision:#?}");
    // Laws compare answers to two different calls, which are rounded differently.
    let compared = log.records.iter().flat_map(|r| &r.checks);
    let worst =
        compared.filter(|c| harness::laws::of_check(&c.name).is_none()).find(|c| c.worst.0 != 0.0);
    assert_eq!(worst, None, "the same bits were not found equal");
}

/// As two versions of a library that share a mistake: what was read otherwise has another number of interactions.
#[test]
fn two_that_read_a_call_in_another_way_are_compared_all_the_same() {
    let mistaken = || -> Arc<dyn Backend> {
        Arc::new(MutantBackend::new(mutants::find("ligrec-two-tuples-are-columns").unwrap()))
    };
    let examination = Examination {
        host: mistaken(),
        backend: mistaken(),
        precision: reports::Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: "reference".to_owned(),
        backend_name: "the other".to_owned(),
        replay_args: String::new(),
    };
    let generator = generators::generator("ligrec").unwrap();
    let mut session = examination.session();
    for seed in 1..60 {
        let recipe = format!("interactions=two-tuples seed={seed}");
        let recipe = Recipe::parse(generator, &recipe).unwrap();
        let judgement = session.exchange(Arc::new(recipe.build())).judgement;
        assert!(!judgement.verdict.condemns(), "seed {seed}: {judgement:?}");
    }
}

#[test]
fn a_mutant_examined_by_certify_is_refused_and_twice_alike() {
    let mutant = mutants::find("cooc-self-pairs").unwrap();
    let run = || {
        examine(Arc::new(MutantBackend::new(mutant)), "mutant:cooc-self-pairs", &["co_occurrence"])
    };
    let log = run();
    assert_eq!(decide(&log).outcome, Outcome::NotConformant);
    // The case that adequacy stopped at is the first that certify finds.
    let first =
        log.records.iter().position(|r| r.failed_check().is_some_and(|c| c.name == mutant.check));
    assert_eq!(first.map(|i| i as u64 + 1), Some(trial(mutant.name).cases));
    assert_eq!(run(), log);
}
