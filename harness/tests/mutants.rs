//! The examiner examined: wrong backends are found by the check they name and shrunk, the right one never is.

use std::sync::Arc;
use std::time::Duration;

use dispatch::Backend;
use harness::examine::{Examination, header};
use harness::mutants::{MUTANTS, Mutant, MutantBackend};
use harness::plan::{Plan, Tier, run_seed};
use reports::{Log, Outcome, Shrunk, decide};

/// Examines a backend with the quick tier, as the command line does.
fn examine(backend: Arc<dyn Backend>, name: &str, functions: &[&str]) -> Log {
    let host: Arc<dyn Backend> = Arc::new(reference::backend());
    let seed = run_seed(backend.manifest(), host.manifest(), "");
    let examination = Examination {
        host,
        backend,
        deadline: Duration::from_secs(60),
        backend_name: name.to_owned(),
        replay_args: String::new(),
    };
    let generators: Vec<_> = functions.iter().filter_map(|f| generators::generator(f)).collect();
    let plan = Plan::generated(&generators, Tier::Quick, seed);
    let header = header(&examination, &plan, "quick", seed);
    examination.run(&plan, header, 2, |_| ())
}

fn shrunk(log: &Log, check: &str) -> Option<Shrunk> {
    log.records.iter().filter_map(|r| r.shrunk.clone()).find(|s| s.check == check)
}

fn check_mutant(mutant: &'static Mutant) -> Result<Shrunk, String> {
    let name = format!("mutant:{}", mutant.name);
    let log = examine(Arc::new(MutantBackend::new(mutant)), &name, &[mutant.function]);
    if decide(&log).outcome != Outcome::NotConformant {
        return Err(format!("{name} survives: {:?}", decide(&log)));
    }
    let Some(shrunk) = shrunk(&log, mutant.check) else {
        let found: Vec<_> =
            log.records.iter().filter_map(|r| r.failed_check()).map(|c| &c.name).collect();
        return Err(format!("{name} is not found by `{}` but by {found:?}", mutant.check));
    };
    if shrunk.n_obs > 8 || shrunk.n_vars > 3 || shrunk.calls > 150 {
        return Err(format!(
            "{name} is shrunk to {} x {} only, in {} calls: {}",
            shrunk.n_obs, shrunk.n_vars, shrunk.calls, shrunk.recipe
        ));
    }
    Ok(shrunk)
}

#[test]
fn every_mutant_is_found_by_the_check_it_names_and_shrunk_to_a_few_cells() {
    let failures: Vec<String> = MUTANTS.iter().filter_map(|m| check_mutant(m).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn each_function_has_three_mutants_or_more() {
    for contract in harness::CONTRACTS {
        let n = MUTANTS.iter().filter(|m| m.function == contract.function).count();
        assert!(n >= 3, "{} has {n}", contract.function);
    }
}

#[test]
fn the_known_mutant_shrinks_to_one_gene_and_its_replay_shows_it_again() {
    let mutant = harness::mutants::find("moran-without-n-over-s0").unwrap();
    let shrunk = check_mutant(mutant).unwrap();
    assert!(shrunk.n_obs <= 8 && shrunk.n_vars == 1, "{shrunk:?}");
    let isolated =
        shrunk.recipe.contains("isolated=") || shrunk.recipe.contains("transformation=false");
    assert!(isolated, "the cause is not named: {}", shrunk.recipe);
    assert!(shrunk.replay.starts_with("concord replay spatial_autocorr"), "{}", shrunk.replay);
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

#[test]
fn the_same_run_gives_the_same_log() {
    let mutant = harness::mutants::find("cooc-self-pairs").unwrap();
    let run = || {
        examine(Arc::new(MutantBackend::new(mutant)), "mutant:cooc-self-pairs", &["co_occurrence"])
    };
    assert_eq!(run(), run());
}
