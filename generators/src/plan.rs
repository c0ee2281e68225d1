//! The few recipes that together meet every pair of levels.
//!
//! Most bugs need one or two conditions at once (Kuhn, Wallace, Gallo 2004), so a plan that meets every pair
//! of levels once finds most of what all combinations would, at a millionth of the cost. A pair counts as met only
//! where the recipe can show it: a recipe with an edge level ([`crate::Knob::edges`]) shows the pairs of that level only.

use std::collections::BTreeSet;

use crate::{Generator, Random, Recipe};

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
    let mut missing: BTreeSet<Pair> = wanted(generator);
    let mut random = Random::new(seed, generator.function);
    let mut plan = vec![simplest];
    for pair in shown(&plan[0]) {
        missing.remove(&pair);
    }
    while let Some(&pair) = missing.first() {
        let best = (0..TRIES)
            .filter_map(|_| extend(generator, pair, &missing, &mut random))
            .max_by_key(|recipe| shown(recipe).iter().filter(|p| missing.contains(p)).count());
        missing.remove(&pair);
        if let Some(recipe) = best {
            for pair in shown(&recipe) {
                missing.remove(&pair);
            }
            plan.push(recipe);
        }
    }
    for recipe in &mut plan {
        recipe.seed = seed_of(recipe, seed);
    }
    plan
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
        |knob: usize| (0..generator.knobs[knob].levels.len()).map(move |level| (knob, level));
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
        .flat_map(|knob| (1..generator.knobs[knob].levels.len()).map(move |level| (knob, level)))
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
    missing: &BTreeSet<Pair>,
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
                missing.contains(&if other < here { (other, here) } else { (here, other) })
            };
            // Beside an edge, only the pairs with the edge are shown.
            let partners = if has_edge { &fixed[..2] } else { &fixed[..] };
            partners.iter().filter(|p| new(p)).count()
        };
        let best = (0..generator.knobs[knob].levels.len())
            .filter(|&level| !generator.knobs[knob].is_edge(level))
            .filter(|&level| recipe.at(knob, level).is_valid())
            // `max_by_key` keeps the last of equals; reversed, that is the simplest level.
            .rev()
            .max_by_key(|&level| meets(level))
            .unwrap_or(recipe.levels()[knob]);
        recipe = recipe.at(knob, best);
        fixed.push((knob, best));
    }
    Some(recipe)
}
