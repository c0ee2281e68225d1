//! A recipe builds the same bytes on every machine and in every version.
//!
//! A recorded case is a recipe and a digest; if a recipe builds other data, every record made before is void. New knobs
//! and levels change nothing here: the recipes are read from the file, and what they leave out is at its simplest.

use std::fs;
use std::path::PathBuf;

use generators::{GENERATORS, Recipe, generator, plan};

const HOW: &str = "this recipe builds other data than was recorded. If that is meant, run \
    `CONCORD_RECORD=1 cargo test -p generators --test digests` and commit tests/digests.txt with the reason";

fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "digests.txt"].iter().collect()
}

/// Recipes from all over the plans, about seventeen of each function.
fn chosen() -> Vec<Recipe> {
    let of = |plan: Vec<Recipe>| {
        let step = plan.len().div_ceil(17);
        plan.into_iter().step_by(step)
    };
    GENERATORS.iter().flat_map(|g| of(plan::pairwise(g, 2024))).collect()
}

fn line(recipe: &Recipe) -> String {
    format!("{} {} {recipe}\n", recipe.build().digest(), recipe.generator().function)
}

#[test]
fn recipes_build_what_was_recorded() {
    if std::env::var_os("CONCORD_RECORD").is_some() {
        fs::write(path(), chosen().iter().map(line).collect::<String>()).unwrap();
    }
    let recorded = fs::read_to_string(path()).unwrap();
    assert!(recorded.lines().count() >= 45, "{} holds too few digests", path().display());
    for then in recorded.lines() {
        let mut parts = then.splitn(3, ' ').skip(1);
        let generator = parts.next().and_then(generator).unwrap();
        let recipe = Recipe::parse(generator, parts.next().unwrap()).unwrap();
        assert_eq!(line(&recipe).trim_end(), then, "{HOW}");
    }
}
