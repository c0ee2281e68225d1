//! The line of text that names a study with its budget and seed, and runs it again.

use std::fmt;

use dispatch::Call;
use generators::{Generator, Recipe};

use super::batch::Budget;
use super::null;
use super::study::{Study, studies};
use super::subject::asked;

/// What a case finds out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    /// How much of an answer comes back.
    Determinism,
    /// Which permutation null is sampled.
    Null,
    /// Whether random columns have the distribution that is known of an input.
    Study(&'static Study),
}

/// One case: a study, or something to be measured, with a budget and a seed.
#[derive(Clone, Debug)]
pub struct StudyCase {
    /// The function.
    pub function: &'static str,
    pub(super) question: Question,
    pub(super) budget: Budget,
    pub(super) seed: u64,
}

impl StudyCase {
    /// The cases of a function, in order; none for a function that cannot be studied.
    pub fn all(function: &str, budget: Budget, seed: u64) -> Vec<StudyCase> {
        let Some(contract) = crate::contract(function) else { return Vec::new() };
        let function = contract.function;
        let studied = studies().filter(|s| s.function == function).map(Question::Study);
        std::iter::once(Question::Determinism)
            .chain(studied)
            .map(|question| StudyCase { function, question, budget, seed: seed >> 32 })
            .collect()
    }

    /// The case that tells which permutation null is sampled; only Moran's and Geary's permutations have a textbook's null
    /// that the host does not sample.
    pub fn null(function: &str, budget: Budget, seed: u64) -> Option<StudyCase> {
        let function = crate::contract(function)?.function;
        let case = StudyCase { function, question: Question::Null, budget, seed: seed >> 32 };
        (function == "spatial_autocorr").then_some(case)
    }

    /// The case of a text, as its `Display` writes it; `None` if it is no such text.
    pub fn parse(function: &str, text: &str) -> Option<StudyCase> {
        let field = |name: &str| {
            text.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        let budget = Budget::ALL.into_iter().find(|b| Some(b.name()) == field("budget"))?;
        let (name, seed) = (field("study")?, field("seed")?.parse().ok()?);
        let cases = StudyCase::all(function, budget, 0);
        let mut cases = cases.into_iter().chain(StudyCase::null(function, budget, 0));
        let case = cases.find(|case| case.name() == name)?;
        Some(StudyCase { seed, ..case })
    }

    /// The call that is made, again and again with other seeds.
    pub fn call(&self) -> Call {
        match self.question {
            Question::Study(study) => study.call(),
            Question::Determinism => repeated(self.function),
            Question::Null => of_recipe(
                &generators::SPATIAL_AUTOCORR,
                "cells=64 genes=3 graph=delaunay expression=gaussian n_perms=99 seed=1",
            ),
        }
    }

    /// The call with as many permutations as show what a case found.
    pub(crate) fn shown(&self) -> Call {
        let (call, n_perms) = match self.question {
            Question::Null => (self.call(), null::PERMUTATIONS),
            Question::Determinism | Question::Study(_) => (self.call(), 999),
        };
        match call.params.contains_key("n_perms") {
            true => asked(&call, n_perms, self.seed),
            false => call,
        }
    }

    fn name(&self) -> &'static str {
        match self.question {
            Question::Determinism => "determinism",
            Question::Null => "null",
            Question::Study(study) => study.name,
        }
    }
}

impl fmt::Display for StudyCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "study={} budget={} seed={}", self.name(), self.budget.name(), self.seed)
    }
}

/// A call large enough that its work is split among threads.
fn repeated(function: &'static str) -> Call {
    match function {
        "co_occurrence" => of_recipe(&generators::CO_OCCURRENCE, "cells=257 seed=1"),
        "ligrec" => of_recipe(&generators::LIGREC, "cells=257 genes=8 clusters=5 seed=1"),
        _ => of_recipe(
            &generators::SPATIAL_AUTOCORR,
            "cells=257 genes=8 graph=delaunay expression=gaussian n_perms=99 seed=1",
        ),
    }
}

fn of_recipe(generator: &'static Generator, text: &str) -> Call {
    match Recipe::parse(generator, text) {
        Ok(recipe) => recipe.build(),
        Err(error) => panic!("the recipe of a study: {error}"),
    }
}
