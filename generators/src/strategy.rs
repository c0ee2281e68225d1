//! Recipes for proptest: drawn at random, shrunk one knob at a time.
//!
//! proptest's own combinators shrink the numbers behind a value and rebuild it, which takes hundreds of calls when one
//! choice decides what the next may be. A recipe is already a list of choices, so the value tree lowers one knob after
//! another and keeps what still fails: about one call per knob.

use std::collections::BTreeSet;

use proptest::arbitrary::any;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::{Generator, Random, Recipe};

/// Recipes of a function: each knob at a random level, edge levels rarely, always valid.
pub fn recipes(generator: &'static Generator) -> impl Strategy<Tree = Shrink, Value = Recipe> {
    Recipes { generator }
}

#[derive(Debug)]
struct Recipes {
    generator: &'static Generator,
}

impl Strategy for Recipes {
    type Tree = Shrink;
    type Value = Recipe;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Recipes> {
        let bits = any::<u64>().new_tree(runner)?.current();
        Ok(Shrink::new(draw(self.generator, bits)))
    }
}

/// The recipe that some random bits choose.
fn draw(generator: &'static Generator, bits: u64) -> Recipe {
    let mut random = Random::new(bits, generator.function);
    let recipe = Recipe::simplest(generator, random.bits() >> 32);
    // Some edges want to be alone, and all of them are clearest so.
    match if random.below(16) == 0 { lone_edge(&recipe, &mut random) } else { None } {
        Some(lone) => lone,
        None => repair(raise(recipe, &mut random), &mut random),
    }
}

/// The simplest recipe with one knob at an edge level.
fn lone_edge(simplest: &Recipe, random: &mut Random) -> Option<Recipe> {
    let knobs = simplest.generator().knobs.iter();
    let edges: Vec<Recipe> =
        knobs.flat_map(|k| k.edges.iter().filter_map(|edge| simplest.with(k.name, edge))).collect();
    edges.get(random.below(edges.len())).cloned()
}

/// The recipe with each knob at a random level.
fn raise(mut recipe: Recipe, random: &mut Random) -> Recipe {
    for (at, knob) in recipe.generator().knobs.iter().enumerate() {
        let level = random.below(knob.ordinary());
        // An edge hides most of what else a recipe tries, so one in eight of them is enough.
        if !knob.is_edge(level) || random.below(8) == 0 {
            recipe = recipe.at(at, level);
        }
    }
    recipe
}

/// The recipe with knobs set back until the rest makes sense: one whose levels are the reason, if there is one.
fn repair(mut recipe: Recipe, random: &mut Random) -> Recipe {
    while !recipe.is_valid() {
        let mut raised: Vec<usize> =
            (0..recipe.levels().len()).filter(|&knob| recipe.levels()[knob] > 0).collect();
        let reasons: Vec<usize> =
            raised.iter().copied().filter(|&knob| recipe.at(knob, 0).is_valid()).collect();
        if !reasons.is_empty() {
            raised = reasons;
        }
        recipe = recipe.at(raised[random.below(raised.len())], 0);
    }
    recipe
}

/// A failing recipe on its way to the simplest one that still fails.
///
/// [`ValueTree::simplify`] says that the current recipe fails and proposes one with one knob lowered;
/// [`ValueTree::complicate`] says that the proposal passes, undoes it and proposes the next. No recipe is
/// proposed twice. At the end no single knob can be lowered, and the seed is 0 if that fails too.
#[derive(Clone, Debug)]
pub struct Shrink {
    failing: Recipe,
    proposal: Option<Recipe>,
    proposed: BTreeSet<Recipe>,
    /// The knob to lower first.
    cursor: usize,
}

impl Shrink {
    /// Starts at a recipe.
    pub fn new(recipe: Recipe) -> Shrink {
        Shrink { failing: recipe, proposal: None, proposed: BTreeSet::new(), cursor: 0 }
    }

    /// Moves to the next recipe worth a call; `false` if there is none.
    fn propose(&mut self) -> bool {
        let next = self.lower_a_knob().or_else(|| self.drop_the_seed());
        self.proposed.extend(next.clone());
        self.proposal = next;
        self.proposal.is_some()
    }

    fn lower_a_knob(&mut self) -> Option<Recipe> {
        let (start, knobs) = (self.cursor, self.failing.generator().knobs.len());
        // Start where the last success was: what comes before it has been answered for now.
        (0..knobs).map(|step| (start + step) % knobs).find_map(|knob| {
            let recipe = self.failing.lowered(knob).find(|r| !self.proposed.contains(r))?;
            self.cursor = knob;
            Some(recipe)
        })
    }

    fn drop_the_seed(&self) -> Option<Recipe> {
        let unseeded = self.failing.seeded(0);
        (self.failing.seed != 0 && !self.proposed.contains(&unseeded)).then_some(unseeded)
    }
}

impl ValueTree for Shrink {
    type Value = Recipe;

    fn current(&self) -> Recipe {
        self.proposal.as_ref().unwrap_or(&self.failing).clone()
    }

    fn simplify(&mut self) -> bool {
        if let Some(recipe) = self.proposal.take() {
            self.failing = recipe;
        }
        self.propose()
    }

    fn complicate(&mut self) -> bool {
        self.proposal.is_some() && self.propose()
    }
}
