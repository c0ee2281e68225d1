//! Shrinking lowers one knob at a time, needs few calls, and ends where no knob can be lowered.

use generators::{
    CO_OCCURRENCE, GENERATORS, Generator, LIGREC, Recipe, SPATIAL_AUTOCORR, strategy,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

fn runner(seed: u8) -> TestRunner {
    let config = Config { cases: 5000, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

/// Shrinks as proptest's runner does; returns the end and the number of calls. Checks each step on the way.
fn shrink(start: Recipe, fails: &dyn Fn(&Recipe) -> bool) -> (Recipe, usize) {
    let mut tree = strategy::Shrink::new(start);
    let (mut last, mut calls) = (tree.current(), 0);
    let mut moved = tree.simplify();
    while moved {
        let proposal = tree.current();
        let lowered =
            last.generator().knobs.iter().filter(|k| last.level(k.name) != proposal.level(k.name));
        let changes = lowered.count() + usize::from(last.seed != proposal.seed);
        assert_eq!(changes, 1, "from {last} to {proposal}");
        calls += 1;
        moved = if fails(&proposal) {
            last = proposal;
            tree.simplify()
        } else {
            tree.complicate()
        };
    }
    assert_eq!(tree.current(), last, "complicate did not return to the last failure");
    (last, calls)
}

/// Shrinks twenty failing recipes; returns the texts they end at and the median and the largest number of calls.
fn ends(
    generator: &'static Generator,
    fails: &dyn Fn(&Recipe) -> bool,
) -> (Vec<String>, usize, usize) {
    let (mut texts, mut calls) = (Vec::new(), Vec::new());
    let mut runner = runner(1);
    while calls.len() < 20 {
        let start = strategy::recipes(generator).new_tree(&mut runner).expect("a recipe").current();
        if fails(&start) {
            let (end, n) = shrink(start, fails);
            assert!(end.simpler().all(|simpler| !fails(&simpler)), "{end} is not minimal");
            texts.push(end.to_string());
            calls.push(n);
        }
    }
    calls.sort_unstable();
    texts.sort();
    texts.dedup();
    println!("{texts:?}: median {} calls, at most {}", calls[10], calls[19]);
    (texts, calls[10], calls[19])
}

/// Checks where a planted failure ends, and the most calls that may take.
fn check(
    generator: &'static Generator,
    fails: &dyn Fn(&Recipe) -> bool,
    expected: &[&str],
    most: usize,
) {
    let (texts, _, largest) = ends(generator, fails);
    assert_eq!(texts, expected);
    assert!(largest <= most, "{largest} calls, at most {most} expected");
}

// A recipe has up to 27 knobs, each of which needs a call at least to be known to matter or not. A knob that matters needs one
// call for each level below the one that fails, and the seed resets what is known about those.

#[test]
fn what_always_fails_becomes_the_simplest_recipe() {
    for &generator in GENERATORS {
        check(generator, &|_| true, &["seed=0"], 28);
    }
}

#[test]
fn one_condition() {
    check(&SPATIAL_AUTOCORR, &|r| r.is("isolated", "last"), &["isolated=last seed=0"], 36);
    check(&CO_OCCURRENCE, &|r| r.is("interval", "unsorted"), &["interval=unsorted seed=0"], 36);
    check(&LIGREC, &|r| r.number("cells") >= 100, &["cells=129 seed=0"], 50);
}

#[test]
fn two_conditions() {
    let fails = |r: &Recipe| r.is("transformation", "false") && r.is("graph", "delaunay");
    check(&SPATIAL_AUTOCORR, &fails, &["graph=delaunay transformation=false seed=0"], 46);
    // Levels that need others: twelve clusters need that many cells.
    let fails = |r: &Recipe| r.is("clusters", "12") && r.is("names", "digits");
    check(&CO_OCCURRENCE, &fails, &["cells=17 clusters=12 names=digits seed=0"], 50);
}

#[test]
fn either_of_two_conditions_keeps_one() {
    let fails = |r: &Recipe| r.is("storage", "csc") || r.is("threshold", "exact");
    check(&LIGREC, &fails, &["storage=csc seed=0", "threshold=exact seed=0"], 46);
}

#[test]
fn the_seed_stays_where_it_matters() {
    let fails = |r: &Recipe| r.seed.is_multiple_of(2) == r.is("copy", "true");
    let (texts, _, largest) = ends(&LIGREC, &fails);
    assert!(
        texts.iter().all(|t| t.starts_with("seed=") || t.starts_with("copy=false seed=")),
        "{texts:?}"
    );
    assert!(largest <= 46, "{largest} calls");
}

#[test]
fn calls_counted_by_hand() {
    // Cells and genes: 2. The graph as ring, torus, star: 3. The seed: 1, after it the graph again: 3.
    let start =
        Recipe::parse(&SPATIAL_AUTOCORR, "cells=257 genes=33 graph=complete seed=9").unwrap();
    let (end, calls) = shrink(start, &|r| r.is("graph", "complete"));
    assert_eq!((end.to_string().as_str(), calls), ("graph=complete seed=0", 9));
}

#[test]
fn prop_test_runner_reports_the_minimal_recipe() {
    let result = runner(2).run(&strategy::recipes(&SPATIAL_AUTOCORR), |recipe| {
        match recipe.is("mode", "geary") && recipe.is("weights", "dyadic") {
            true => Err(TestCaseError::fail("planted")),
            false => Ok(()),
        }
    });
    match result {
        Err(TestError::Fail(_, recipe)) => {
            assert_eq!(recipe.to_string(), "weights=dyadic mode=geary seed=0");
        }
        other => panic!("expected a failure, got {other:?}"),
    }
}

#[test]
fn draws_reach_every_level() {
    for &generator in GENERATORS {
        let mut runner = runner(3);
        let mut draw =
            || strategy::recipes(generator).new_tree(&mut runner).expect("a recipe").current();
        let drawn: Vec<Recipe> = (0..3000).map(|_| draw()).collect();
        for knob in generator.knobs {
            for level in &knob.levels[..knob.ordinary()] {
                let n = drawn.iter().filter(|r| r.is(knob.name, level)).count();
                assert!(n > 0, "{}={level} of {} drawn {n} times", knob.name, generator.function);
            }
        }
        let edges = |r: &Recipe| {
            generator.knobs.iter().filter(|k| k.edges.contains(&r.level(k.name))).count()
        };
        let plain = drawn.iter().filter(|r| edges(r) == 0).count();
        assert!(
            plain > 1500,
            "{} of 3000 draws of {} are without an edge",
            plain,
            generator.function
        );
    }
}
