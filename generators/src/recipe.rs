//! One choice of levels and a seed, written as a line of text.

use std::cmp::Ordering;
use std::fmt;

use dispatch::{Call, Params, Value};

use crate::parts::labels::Labels;
use crate::{Generator, Levels, Random};

/// Why a text is not a recipe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// A word without `=`.
    #[error("read `{word}`: expected knob=level, for example `{example}`")]
    NotAnAssignment {
        /// The word.
        word: String,
        /// A word that would do.
        example: String,
    },
    /// A knob that the function does not have.
    #[error(
        "no knob `{knob}` for {function}{}; its knobs are {known}, and seed",
        did_you_mean(suggestion)
    )]
    UnknownKnob {
        /// The function.
        function: &'static str,
        /// What was written.
        knob: String,
        /// The nearest knob, if one is near.
        suggestion: Option<&'static str>,
        /// All knobs.
        known: String,
    },
    /// A level that the knob does not have.
    #[error("no level `{level}` of {knob}{}; its levels are {known}", did_you_mean(suggestion))]
    UnknownLevel {
        /// The knob.
        knob: &'static str,
        /// What was written.
        level: String,
        /// The nearest level, if one is near.
        suggestion: Option<&'static str>,
        /// All levels, simplest first.
        known: String,
    },
    /// A seed that is not a number.
    #[error("read seed `{0}`: expected a number from 0 to 18446744073709551615")]
    BadSeed(String),
    /// A knob that is set twice.
    #[error("{0} is set twice")]
    Twice(String),
    /// Levels that make no sense together.
    #[error(
        "{function} has no call for `{recipe}`: these levels exclude each other; set one of them back"
    )]
    Senseless {
        /// The function.
        function: &'static str,
        /// The text, as a recipe prints it.
        recipe: String,
    },
}

fn did_you_mean(suggestion: &Option<&'static str>) -> String {
    suggestion.map(|s| format!(", did you mean `{s}`?")).unwrap_or_default()
}

/// Which arguments are passed: all, or those that differ from the host's defaults.
///
/// All is the rule, so that a wrong number is never a drifted default in disguise; drift has cases of its own.
pub(crate) const ARGUMENTS: &[&str] = &["all", "changed"];

/// One level of each knob of a function, and a seed.
///
/// Displays as the knobs that are not at their simplest level, then the seed; [`Recipe::parse`] is the inverse.
#[derive(Clone)]
pub struct Recipe {
    generator: &'static Generator,
    levels: Vec<usize>,
    /// What the random parts of the data are drawn from.
    pub seed: u64,
}

impl Recipe {
    /// The recipe with each knob at its simplest level.
    pub fn simplest(generator: &'static Generator, seed: u64) -> Recipe {
        Recipe { generator, levels: vec![0; generator.knobs.len()], seed }
    }

    /// The function this builds calls of.
    pub fn generator(&self) -> &'static Generator {
        self.generator
    }

    /// The level of a knob.
    ///
    /// # Panics
    /// When the function has no knob of that name; [`Generator::position`] asks.
    pub fn level(&self, knob: &str) -> &'static str {
        let at = self.generator.position(knob);
        let at = at.unwrap_or_else(|| panic!("{} has no knob `{knob}`", self.generator.function));
        self.generator.knobs[at].levels[self.levels[at]]
    }

    /// The level of a knob as an enum.
    ///
    /// # Panics
    /// When there is no such knob, or its levels are not those of `L`.
    pub fn choice<L: Levels>(&self, knob: &str) -> L {
        let level = self.level(knob);
        L::named(level).unwrap_or_else(|| panic!("knob `{knob}` has a foreign level `{level}`"))
    }

    /// The level of a knob as a number.
    ///
    /// # Panics
    /// When there is no such knob, or its level is no number.
    pub fn number(&self, knob: &str) -> usize {
        let level = self.level(knob);
        level.parse().unwrap_or_else(|_| panic!("level `{level}` of knob `{knob}` is no number"))
    }

    /// Whether a knob stands at a level.
    pub fn is(&self, knob: &str, level: &str) -> bool {
        self.level(knob) == level
    }

    /// Whether a knob is at its simplest level or is the only one that is not.
    pub(crate) fn is_lone(&self, knob: &str) -> bool {
        let raised = self.levels.iter().filter(|&&level| level > 0).count();
        let at = self.generator.position(knob);
        raised <= 1 || at.is_none_or(|at| self.levels[at] == 0)
    }

    /// The level of a knob as an argument: a number, or `None` for the level `none`.
    pub(crate) fn count_or_none(&self, knob: &str) -> Value {
        self.level(knob).parse().map_or(Value::None, Value::Int)
    }

    /// The argument `seed`: given in every call, so that no answer depends on entropy.
    pub(crate) fn seed_argument(&self) -> Value {
        // Small: NumPy's RandomState takes 32 bits, and hosts add to it.
        Value::Int(self.random("argument").below(1 << 16) as i64)
    }

    /// Drops the arguments that stand at the host's defaults, if the recipe says so ([`ARGUMENTS`]).
    pub(crate) fn leave_out_defaults(&self, params: &mut Params, defaults: &[(&str, Value)]) {
        if self.is("arguments", "changed") {
            params.retain(|name, value| !defaults.iter().any(|(n, d)| n == name && d == value));
        }
    }

    /// The labels that the knobs on labels describe.
    pub(crate) fn labels(&self) -> Labels {
        Labels {
            clusters: self.number("clusters"),
            names: self.choice("names"),
            shuffled: self.is("categories", "shuffled"),
            unused: self.choice("unused"),
            sizes: self.choice("sizes"),
            missing: self.is("unlabelled", "some"),
        }
    }

    /// The random numbers of one part of the data.
    pub fn random(&self, subject: &str) -> Random {
        Random::new(self.seed, subject)
    }

    /// The same recipe with one knob at another level; `None` if there is no such knob or level, or if the levels
    /// then make no sense together.
    pub fn with(&self, knob: &str, level: &str) -> Option<Recipe> {
        let at = self.generator.position(knob)?;
        let level = self.generator.knobs[at].levels.iter().position(|l| *l == level)?;
        Some(self.at(at, level)).filter(Recipe::is_valid)
    }

    /// The same levels with another seed.
    pub fn seeded(&self, seed: u64) -> Recipe {
        Recipe { seed, ..self.clone() }
    }

    /// Reads what [`Recipe`] displays. Knobs may stand in any order; those left out are at their simplest, and the
    /// seed is then 0.
    ///
    /// # Errors
    /// Says which word is wrong and what was expected; see [`RecipeError`].
    pub fn parse(generator: &'static Generator, text: &str) -> Result<Recipe, RecipeError> {
        let mut recipe = Recipe::simplest(generator, 0);
        let mut seen: Vec<&str> = Vec::new();
        for word in text.split_whitespace() {
            let (name, level) =
                word.split_once('=').ok_or_else(|| not_an_assignment(generator, word))?;
            if seen.contains(&name) {
                return Err(RecipeError::Twice(name.to_owned()));
            }
            seen.push(name);
            if name == "seed" {
                recipe.seed = level.parse().map_err(|_| RecipeError::BadSeed(level.to_owned()))?;
            } else {
                let at = generator.position(name).ok_or_else(|| unknown_knob(generator, name))?;
                recipe.levels[at] = position_of_level(generator, at, level)?;
            }
        }
        match recipe.is_valid() {
            true => Ok(recipe),
            false => Err(RecipeError::Senseless {
                function: generator.function,
                recipe: recipe.to_string(),
            }),
        }
    }

    /// The call.
    pub fn build(&self) -> Call {
        (self.generator.build)(self)
    }

    /// Whether each knob is at its simplest level.
    pub fn is_simplest(&self) -> bool {
        self.levels.iter().all(|&level| level == 0)
    }

    /// The recipes with one knob lowered, in the order of the knobs, each to every lower level from the simplest up.
    pub fn simpler(&self) -> impl Iterator<Item = Recipe> + '_ {
        (0..self.levels.len()).flat_map(|knob| self.lowered(knob))
    }

    /// The recipes with the knob at a position lowered, from the simplest up.
    pub(crate) fn lowered(&self, knob: usize) -> impl Iterator<Item = Recipe> + '_ {
        (0..self.levels[knob]).map(move |level| self.at(knob, level)).filter(Recipe::is_valid)
    }

    /// The recipe with the knob at a position set to the level at a position, valid or not.
    pub(crate) fn at(&self, knob: usize, level: usize) -> Recipe {
        let mut recipe = self.clone();
        recipe.levels[knob] = level;
        recipe
    }

    /// The positions of the levels, in the order of the knobs.
    pub(crate) fn levels(&self) -> &[usize] {
        &self.levels
    }

    /// Whether the levels make sense together.
    pub(crate) fn is_valid(&self) -> bool {
        (self.generator.valid)(self)
    }
}

fn not_an_assignment(generator: &'static Generator, word: &str) -> RecipeError {
    let knob = generator.knobs.iter().find(|k| k.name == word).or(generator.knobs.first());
    let example = knob.map(|k| format!("{}={}", k.name, k.levels[0])).unwrap_or_default();
    RecipeError::NotAnAssignment { word: word.to_owned(), example }
}

fn unknown_knob(generator: &'static Generator, name: &str) -> RecipeError {
    let names: Vec<&'static str> = generator.knobs.iter().map(|k| k.name).collect();
    RecipeError::UnknownKnob {
        function: generator.function,
        knob: name.to_owned(),
        suggestion: nearest(name, &names),
        known: names.join(", "),
    }
}

fn position_of_level(
    generator: &'static Generator,
    at: usize,
    level: &str,
) -> Result<usize, RecipeError> {
    let knob = &generator.knobs[at];
    knob.levels.iter().position(|l| *l == level).ok_or_else(|| RecipeError::UnknownLevel {
        knob: knob.name,
        level: level.to_owned(),
        suggestion: nearest(level, knob.levels),
        known: knob.levels.join(", "),
    })
}

/// The name that takes the fewest edits, if those are at most a third of the longer word.
fn nearest(word: &str, names: &[&'static str]) -> Option<&'static str> {
    let far = |name: &str| word.chars().count().max(name.chars().count()) / 3;
    let (edits, name) = names.iter().map(|name| (edits(word, name), *name)).min()?;
    (edits <= far(name).max(1)).then_some(name)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (knob, &level) in self.generator.knobs.iter().zip(&self.levels) {
            if level > 0 {
                write!(f, "{}={} ", knob.name, knob.levels[level])?;
            }
        }
        write!(f, "seed={}", self.seed)
    }
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipe({}: {self})", self.generator.function)
    }
}

impl Ord for Recipe {
    fn cmp(&self, other: &Recipe) -> Ordering {
        let key = |r: &Recipe| (r.generator.function, r.seed);
        key(self).cmp(&key(other)).then_with(|| self.levels.cmp(&other.levels))
    }
}

impl PartialOrd for Recipe {
    fn partial_cmp(&self, other: &Recipe) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Recipe {
    fn eq(&self, other: &Recipe) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Recipe {}
