//! The few recipes that together meet every pair of levels.
//!
//! Most bugs need one or two conditions at once (Kuhn, Wallace, Gallo 2004), so a plan that meets every pair
//! of levels once finds most of what all combinations would, at a millionth of the cost. A pair counts as met only
//! where the recipe can show it: a recipe with an edge level ([`crate::Knob::edges`]) shows the pairs of that level only.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::{Generator, Random, Recipe, Rung};

/// Two levels: (knob, level) of the earlier knob, then of the later.
type Pair = ((usize, usize), (usize, usize));

/// How many orders of the knobs are tried for each recipe; the best is kept. Beyond eight the plans hardly shrink.
const TRIES: usize = 8;

/// A covering array: recipes that meet every valid pair of levels, at most one edge level in each.
///
/// The first recipe is the simplest. Greedy and deterministic. The seed of each recipe depends on `seed` and on its
/// levels, not on its place in the plan.
pub fn pairwise(generator: &'static Generator, seed: u64) -> Vec<Recipe> {
    let simplest = Recipe::simplest(generator, 0);
    let mut missing = Missing::new(generator, &wanted(generator));
    let mut random = Random::new(seed, generator.function);
    let mut plan = vec![simplest];
    for pair in shown(&plan[0]) {
        missing.remove(pair);
    }
    while let Some(pair) = missing.first() {
        let best = (0..TRIES)
            .filter_map(|_| extend(generator, pair, &missing, &mut random))
            .max_by_key(|recipe| shown(recipe).iter().filter(|p| missing.contains(**p)).count());
        missing.remove(pair);
        if let Some(recipe) = best {
            for pair in shown(&recipe) {
                missing.remove(pair);
            }
            plan.push(recipe);
        }
    }
    for recipe in &mut plan {
        recipe.seed = seed_of(recipe, seed);
    }
    plan
}

/// The pairs still to be met: a table over all levels of all knobs, because each is asked for thousands of times.
struct Missing {
    pairs: Vec<Pair>,
    /// Where the levels of each knob begin.
    start: Vec<usize>,
    levels: usize,
    is_missing: Vec<bool>,
    /// No pair before this one is missing.
    met: usize,
}

impl Missing {
    fn new(generator: &'static Generator, wanted: &BTreeSet<Pair>) -> Missing {
        let mut levels = 0;
        let start = generator.knobs.iter().map(|knob| {
            levels += knob.levels.len();
            levels - knob.levels.len()
        });
        let start: Vec<usize> = start.collect();
        let pairs = wanted.iter().copied().collect();
        let mut missing =
            Missing { pairs, start, levels, is_missing: vec![false; levels * levels], met: 0 };
        for &pair in wanted {
            let at = missing.at(pair);
            missing.is_missing[at] = true;
        }
        missing
    }

    fn at(&self, (a, b): Pair) -> usize {
        (self.start[a.0] + a.1) * self.levels + self.start[b.0] + b.1
    }

    fn contains(&self, pair: Pair) -> bool {
        self.is_missing[self.at(pair)]
    }

    fn remove(&mut self, pair: Pair) {
        let at = self.at(pair);
        self.is_missing[at] = false;
    }

    fn first(&mut self) -> Option<Pair> {
        while let Some(&pair) = self.pairs.get(self.met) {
            if self.contains(pair) {
                return Some(pair);
            }
            self.met += 1;
        }
        None
    }
}

/// The ladder of sizes ([`Generator::ladder`]), with the heavy rungs or without. Seeds as in [`pairwise`].
///
/// # Panics
/// When a rung is no recipe; a test reads them all.
pub fn ladder(generator: &'static Generator, heavy: bool, seed: u64) -> Vec<Recipe> {
    let rungs = generator.ladder.iter().filter(|rung| heavy || !rung.heavy);
    rungs
        .map(|rung| {
            let mut recipe = Recipe::parse(generator, rung.recipe)
                .unwrap_or_else(|error| panic!("rung `{}`: {error}", rung.recipe));
            recipe.seed = seed_of(&recipe, seed);
            recipe
        })
        .collect()
}

/// Whether a recipe is a heavy rung of its ladder, whatever its seed.
pub fn is_heavy(recipe: &Recipe) -> bool {
    let same = |rung: &Rung| Recipe::parse(recipe.generator(), rung.recipe) == Ok(recipe.seeded(0));
    recipe.generator().ladder.iter().any(|rung| rung.heavy && same(rung))
}

/// How many of the wanted pairs some recipes of one function meet, and how many are wanted.
pub fn coverage(recipes: &[Recipe]) -> (usize, usize) {
    let Some(first) = recipes.first() else { return (0, 0) };
    let wanted = wanted(first.generator());
    let met: BTreeSet<Pair> =
        recipes.iter().flat_map(shown).filter(|p| wanted.contains(p)).collect();
    (met.len(), wanted.len())
}

/// The pairs of levels of different knobs that no plan aims at, each as two texts `knob=level`: levels that exclude
/// each other, and two edges at once, of which one hides the other.
pub fn excluded(generator: &'static Generator) -> Vec<[String; 2]> {
    let wanted = wanted(generator);
    let all: Vec<(usize, usize)> = (generator.knobs.iter().enumerate())
        .flat_map(|(knob, k)| (0..k.levels.len()).map(move |level| (knob, level)))
        .collect();
    let text = |(knob, level): (usize, usize)| {
        format!("{}={}", generator.knobs[knob].name, generator.knobs[knob].levels[level])
    };
    let pairs =
        all.iter().flat_map(|&a| all.iter().filter(move |b| b.0 > a.0).map(move |&b| (a, b)));
    pairs.filter(|pair| !wanted.contains(pair)).map(|(a, b)| [text(a), text(b)]).collect()
}

/// A seed that depends on the levels of a recipe; 32 bits, so that recipes stay readable.
fn seed_of(recipe: &Recipe, seed: u64) -> u64 {
    Random::new(seed, &recipe.seeded(0).to_string()).bits() >> 32
}

/// Every pair that some valid recipe has, edges with plain levels only.
fn wanted(generator: &'static Generator) -> BTreeSet<Pair> {
    let levels =
        |knob: usize| (0..generator.knobs[knob].ordinary()).map(move |level| (knob, level));
    let is_edge = |(knob, level): (usize, usize)| generator.knobs[knob].is_edge(level);
    let mut out = BTreeSet::new();
    for first in 0..generator.knobs.len() {
        for second in first + 1..generator.knobs.len() {
            for a in levels(first) {
                let pairs = levels(second).filter(|&b| !(is_edge(a) && is_edge(b))).map(|b| (a, b));
                out.extend(pairs.filter(|&pair| base(generator, pair).is_some()));
            }
        }
    }
    out
}

/// A valid recipe with both levels of a pair, simplest elsewhere but for at most one knob that has to give way.
fn base(generator: &'static Generator, (a, b): Pair) -> Option<Recipe> {
    let start = Recipe::simplest(generator, 0).at(a.0, a.1).at(b.0, b.1);
    if start.is_valid() {
        return Some(start);
    }
    let others = (0..generator.knobs.len()).filter(|&knob| knob != a.0 && knob != b.0);
    others
        .flat_map(|knob| (1..generator.knobs[knob].ordinary()).map(move |level| (knob, level)))
        .filter(|&(knob, level)| !generator.knobs[knob].is_edge(level))
        .map(|(knob, level)| start.at(knob, level))
        .find(Recipe::is_valid)
}

/// The pairs that a recipe shows.
fn shown(recipe: &Recipe) -> Vec<Pair> {
    let chosen: Vec<(usize, usize)> = recipe.levels().iter().copied().enumerate().collect();
    let knobs = recipe.generator().knobs;
    let is_edge = |&(knob, level): &(usize, usize)| knobs[knob].is_edge(level);
    let edges = chosen.iter().filter(|c| is_edge(c)).count();
    let mut out = Vec::new();
    for (i, &a) in chosen.iter().enumerate() {
        for &b in &chosen[i + 1..] {
            // Every edge of the recipe must be in the pair, or it hides the pair.
            if usize::from(is_edge(&a)) + usize::from(is_edge(&b)) == edges {
                out.push((a, b));
            }
        }
    }
    out
}

/// A recipe with `pair` whose other knobs, in a random order, each take the level that meets most missing pairs.
fn extend(
    generator: &'static Generator,
    pair: Pair,
    missing: &Missing,
    random: &mut Random,
) -> Option<Recipe> {
    let mut recipe = base(generator, pair)?;
    let (a, b) = pair;
    let has_edge = [a, b].iter().any(|&(knob, level)| generator.knobs[knob].is_edge(level));
    let mut fixed = vec![a, b];
    let mut rest: Vec<usize> =
        (0..generator.knobs.len()).filter(|&knob| knob != a.0 && knob != b.0).collect();
    random.shuffle(&mut rest);
    for knob in rest {
        let meets = |level: usize| {
            let new = |&other: &(usize, usize)| {
                let here = (knob, level);
                missing.contains(if other < here { (other, here) } else { (here, other) })
            };
            // Beside an edge, only the pairs with the edge are shown.
            let partners = if has_edge { &fixed[..2] } else { &fixed[..] };
            partners.iter().filter(|p| new(p)).count()
        };
        let mut levels: Vec<usize> = (0..generator.knobs[knob].ordinary())
            .filter(|&level| !generator.knobs[knob].is_edge(level))
            .collect();
        // The sort is stable: of equals the simplest level stands first. What is valid is asked last, it takes longest.
        levels.sort_by_cached_key(|&level| Reverse(meets(level)));
        let candidates = levels.into_iter().map(|level| recipe.at(knob, level));
        if let Some(best) = candidates.into_iter().find(Recipe::is_valid) {
            recipe = best;
        }
        let best = recipe.levels()[knob];
        fixed.push((knob, best));
    }
    Some(recipe)
}
