//! The line of text that names a study with its budget and seed, and runs it again.

use std::fmt;

use dispatch::Call;
use generators::Recipe;

use super::batch::Budget;
use super::study::{Study, studies};

/// The name of the case that measures the class of determinism.
const DETERMINISM: &str = "determinism";

/// One case: a study, or the measurement of determinism, with a budget and a seed.
#[derive(Clone, Debug)]
pub struct StudyCase {
    /// The function.
    pub function: &'static str,
    pub(super) study: Option<&'static Study>,
    pub(super) budget: Budget,
    pub(super) seed: u64,
}

impl StudyCase {
    /// The cases of a function, in order; none for a function that cannot be studied.
    pub fn all(function: &str, budget: Budget, seed: u64) -> Vec<StudyCase> {
        let Some(contract) = crate::contract(function) else { return Vec::new() };
        let function = contract.function;
        let studied = studies().filter(|s| s.function == function).map(Some);
        std::iter::once(None)
            .chain(studied)
            .map(|study| StudyCase { function, study, budget, seed: seed >> 32 })
            .collect()
    }

    /// The case of a text, as its `Display` writes it; `None` if it is no such text.
    pub fn parse(function: &str, text: &str) -> Option<StudyCase> {
        let field = |name: &str| {
            text.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        let budget = Budget::ALL.into_iter().find(|b| Some(b.name()) == field("budget"))?;
        let (name, seed) = (field("study")?, field("seed")?.parse().ok()?);
        let cases = StudyCase::all(function, budget, 0);
        let case = cases.into_iter().find(|case| case.name() == name)?;
        Some(StudyCase { seed, ..case })
    }

    /// The call that is made, again and again with other seeds.
    pub fn call(&self) -> Call {
        match self.study {
            Some(study) => study.call(),
            None => repeated(self.function),
        }
    }

    fn name(&self) -> &'static str {
        self.study.map_or(DETERMINISM, |study| study.name)
    }
}

impl fmt::Display for StudyCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "study={} budget={} seed={}", self.name(), self.budget.name(), self.seed)
    }
}

/// A call large enough that its work is split among threads.
fn repeated(function: &'static str) -> Call {
    let recipe = |generator, text| match Recipe::parse(generator, text) {
        Ok(recipe) => recipe.build(),
        Err(error) => panic!("the recipe of a study: {error}"),
    };
    match function {
        "co_occurrence" => recipe(&generators::CO_OCCURRENCE, "cells=257 seed=1"),
        "ligrec" => recipe(&generators::LIGREC, "cells=257 genes=8 clusters=5 seed=1"),
        _ => recipe(
            &generators::SPATIAL_AUTOCORR,
            "cells=257 genes=8 graph=delaunay expression=gaussian n_perms=99 seed=1",
        ),
    }
}
