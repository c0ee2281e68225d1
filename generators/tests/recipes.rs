//! The text of a recipe: its inverse, its errors, its neighbours.

use generators::{GENERATORS, Generator, Recipe, SPATIAL_AUTOCORR, generator, strategy};
use proptest::prelude::*;

fn any_recipe() -> impl Strategy<Value = Recipe> {
    (0..GENERATORS.len()).prop_flat_map(|i| strategy::recipes(GENERATORS[i]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_what_is_displayed_gives_the_recipe(recipe in any_recipe()) {
        let text = recipe.to_string();
        prop_assert_eq!(&Recipe::parse(recipe.generator(), &text).unwrap(), &recipe);
        let backwards: Vec<&str> = text.split(' ').rev().collect();
        prop_assert_eq!(Recipe::parse(recipe.generator(), &backwards.join("  ")).unwrap(), recipe);
    }

    #[test]
    fn a_simpler_recipe_differs_in_one_knob(recipe in any_recipe()) {
        let words = |r: &Recipe| r.to_string().split(' ').count();
        for simpler in recipe.simpler() {
            let changed = recipe.generator().knobs.iter().filter(|k| simpler.level(k.name) != recipe.level(k.name));
            prop_assert_eq!(changed.count(), 1);
            prop_assert!(words(&simpler) <= words(&recipe));
            prop_assert_eq!(simpler.seed, recipe.seed);
            prop_assert!(Recipe::parse(simpler.generator(), &simpler.to_string()).is_ok());
        }
        prop_assert_eq!(recipe.is_simplest(), words(&recipe) == 1);
    }
}

/// Checks the message for a text that is no recipe of `spatial_autocorr`.
fn check_error(text: &str, expected: &str) {
    let message = Recipe::parse(&SPATIAL_AUTOCORR, text).expect_err(text).to_string();
    assert!(message.contains(expected), "`{text}` gave `{message}`");
}

#[test]
fn errors_say_what_was_expected() {
    check_error("cell=4", "no knob `cell` for spatial_autocorr, did you mean `cells`?");
    check_error("colour=4", "its knobs are cells, genes, graph");
    check_error("graph=delauney", "no level `delauney` of graph, did you mean `delaunay`?");
    check_error("cells=6", "its levels are 4, 5, 8");
    check_error("graph", "read `graph`: expected knob=level, for example `graph=ring`");
    check_error("seed=-1", "read seed `-1`: expected a number from 0");
    check_error("cells=5 cells=4", "cells is set twice");
    check_error("dtype=u8 expression=gaussian", "these levels exclude each other");
}

#[test]
fn with_refuses_what_makes_no_sense() {
    let simplest = Recipe::simplest(&SPATIAL_AUTOCORR, 3);
    let negative = simplest.with("expression", "negative").unwrap();
    assert_eq!(negative.to_string(), "expression=negative seed=3");
    assert_eq!(negative.with("dtype", "u8"), None);
    assert_eq!(negative.with("dtype", "f128"), None);
    assert_eq!(negative.with("type", "u8"), None);
    assert_eq!(negative.with("expression", "poisson"), Some(simplest));
}

#[test]
fn generators_are_found_by_name_and_are_well_formed() {
    for &one in GENERATORS {
        assert_eq!(generator(one.function).map(|g| g.function), Some(one.function));
        check_well_formed(one);
    }
    assert!(generator("nothing").is_none());
}

fn check_well_formed(generator: &'static Generator) {
    assert!((generator.valid)(&Recipe::simplest(generator, 0)));
    for (i, knob) in generator.knobs.iter().enumerate() {
        assert_eq!(generator.position(knob.name), Some(i), "two knobs are called {}", knob.name);
        assert!(knob.name != "seed" && knob.levels.len() > 1);
        let mut levels = knob.levels.to_vec();
        levels.sort_unstable();
        levels.dedup();
        assert_eq!(levels.len(), knob.levels.len(), "a level of {} occurs twice", knob.name);
        for edge in knob.edges {
            assert!(
                knob.levels[1..].contains(edge),
                "{} has no level {edge} above its first",
                knob.name
            );
        }
        let large = &knob.levels[knob.ordinary()..];
        assert_eq!(large, knob.large, "the large levels of {} stand last", knob.name);
        for word in knob.levels.iter().chain([&knob.name]) {
            assert!(!word.contains([' ', '=']), "`{word}` cannot stand in a recipe");
        }
    }
}
