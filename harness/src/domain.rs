//! The knobs of the generators as a report needs them, to show what was tried and what was not.

use std::collections::{BTreeMap, BTreeSet};

use generators::Generator;
use reports::{KnobLevels, Knobs};

use crate::Case;
use crate::plan::Plan;

/// The knobs of every function of which the plan has recipes or cases from a file.
pub fn knobs(plan: &Plan) -> BTreeMap<String, Knobs> {
    let mut knobs = BTreeMap::new();
    for (_, case) in &plan.cases {
        let function = case.function();
        if knobs.contains_key(function) {
            continue;
        }
        let found = match case {
            Case::Recipe(recipe) => of(recipe.generator()),
            Case::File(case) => case.knobs(),
            Case::Stored { .. } | Case::Study(_) => continue,
        };
        knobs.insert(function.to_owned(), found);
    }
    knobs
}

/// The knobs of one function.
fn of(generator: &'static Generator) -> Knobs {
    let excluded: Vec<[String; 2]> = generators::plan::excluded(generator);
    let pairs: BTreeSet<(&str, &str)> =
        excluded.iter().flat_map(|[a, b]| [(a.as_str(), b.as_str()), (b, a)]).collect();
    let text = |knob: &str, level: &str| format!("{knob}={level}");
    let lone = |name: &str, level: &str| {
        let level = text(name, level);
        // The levels other than the first of all other knobs.
        let others = generator.knobs.iter().filter(|k| k.name != name);
        let mut others =
            others.flat_map(|k| k.levels[1..k.ordinary()].iter().map(|l| text(k.name, l)));
        others.all(|other| pairs.contains(&(level.as_str(), other.as_str())))
    };
    let owned = |levels: &[&str]| levels.iter().map(|l| (*l).to_owned()).collect::<Vec<String>>();
    let knobs: Vec<KnobLevels> = (generator.knobs.iter())
        .map(|k| KnobLevels {
            name: k.name.to_owned(),
            levels: owned(k.levels),
            edges: owned(k.edges),
            lone: (k.levels[..k.ordinary()].iter().filter(|l| lone(k.name, l)))
                .map(|l| (*l).to_owned())
                .collect(),
            large: owned(k.large),
        })
        .collect();
    // What edges and lone levels imply is not said twice: the header stays small.
    let is = |pick: fn(&KnobLevels) -> &[String], text: &str| {
        let (name, level) = text.split_once('=').unwrap_or((text, ""));
        knobs.iter().any(|k| k.name == name && pick(k).iter().any(|l| l == level))
    };
    let implied = |[a, b]: &[String; 2]| {
        let both_edges = [a, b].iter().all(|t| is(|k| &k.edges, t));
        both_edges || [a, b].iter().any(|t| is(|k| &k.lone, t) || is(|k| &k.large, t))
    };
    let told: Vec<[String; 2]> = excluded.iter().filter(|pair| !implied(pair)).cloned().collect();
    Knobs { knobs, excluded: told }
}
