//! How small an error each check sees: the smallest perturbation of a correct answer that turns it red.
//!
//! An allowance that is too wide passes everything and nobody notices. Here the reference's own answer is
//! changed in one element, by more and more, until the judge objects. A check that never objects is blind.

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::{Backend, Buffer, Call, Dense, Reply, Value};
use generators::{Generator, Random};
use reports::Verdict;

use crate::Profile;
use crate::contract;
use crate::judge::{Peers, judge};

/// Elements tried in each column of each answer.
const ELEMENTS: usize = 2;

/// What was found for one column (or array) of a function's answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sensitivity {
    /// The smallest relative change that was objected to, per element tried, ascending.
    pub seen: Vec<f64>,
    /// The check that objected, and how often.
    pub by: BTreeMap<String, usize>,
    /// Elements where not even a change by the whole value was objected to.
    pub blind: usize,
    /// Elements where a number in the place of NaN, or NaN in the place of a number, was not objected to.
    pub nan_blind: usize,
    /// Elements tried.
    pub tried: usize,
}

impl Sensitivity {
    /// The quantile `q` of the changes seen.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let last = self.seen.len().checked_sub(1)?;
        self.seen.get((q * last as f64).round() as usize).copied()
    }
}

/// Audits the checks of one function over its must-pass recipes; by column name.
pub fn audit(generator: &'static Generator, seed: u64) -> BTreeMap<String, Sensitivity> {
    let reference = reference::backend();
    let mut found: BTreeMap<String, Sensitivity> = BTreeMap::new();
    for recipe in generators::plan::pairwise(generator, seed) {
        let call = Arc::new(recipe.build());
        if let Ok(reply) = reference.run(&call) {
            probe(&call, &reply, &mut Random::new(recipe.seed, "audit"), &mut found);
        }
    }
    found.values_mut().for_each(|s| s.seen.sort_by(f64::total_cmp));
    found
}

fn probe(
    call: &Call,
    reply: &Reply,
    random: &mut Random,
    found: &mut BTreeMap<String, Sensitivity>,
) {
    for place in places(reply) {
        for _ in 0..ELEMENTS.min(place.len) {
            let element = random.below(place.len);
            let sensitivity = found.entry(place.name.clone()).or_default();
            sensitivity.tried += 1;
            let objection = |change: &dyn Fn(f64) -> f64| {
                let mut wrong = reply.clone();
                place.change(&mut wrong, element, change);
                objection(call, reply, wrong)
            };
            if place.is_nan(reply, element) {
                sensitivity.nan_blind += usize::from(objection(&|_| 0.25).is_none());
                continue;
            }
            sensitivity.nan_blind += usize::from(objection(&|_| f64::NAN).is_none());
            let by_power = |k: i32| {
                let relative = f64::EPSILON * f64::from(k).exp2();
                objection(&|x| if x == 0.0 { relative } else { x * (1.0 + relative) })
                    .map(|by| (relative, by))
            };
            // From one unit in the last place to the whole value, by factors of two; what is seen stays seen.
            let mut smallest = by_power(53);
            let (mut unseen, mut seen) = (-1, 53);
            while smallest.is_some() && seen - unseen > 1 {
                let middle = (unseen + seen) / 2;
                match by_power(middle) {
                    Some(found) => (seen, smallest) = (middle, Some(found)),
                    None => unseen = middle,
                }
            }
            match smallest {
                Some((relative, by)) => {
                    sensitivity.seen.push(relative);
                    *sensitivity.by.entry(by).or_default() += 1;
                }
                None => sensitivity.blind += 1,
            }
        }
    }
}

/// The check that objects to a wrong answer, if one does.
fn objection(call: &Call, right: &Reply, wrong: Reply) -> Option<String> {
    let contract = contract(&call.function)?;
    let peers = Peers { host: Profile::FLOAT64, backend: Profile::FLOAT64, same_stream: true };
    let judgement = judge(contract, call, peers, &Ok(right.clone()), &Ok(wrong));
    if judgement.verdict == Verdict::Pass { None } else { judgement.failed_check() }
}

/// A column of floats somewhere in an answer.
struct Place {
    name: String,
    path: String,
    steps: Vec<usize>,
    len: usize,
}

impl Place {
    fn dense<'a>(&self, reply: &'a Reply) -> Option<&'a Dense> {
        let mut value = reply.data.get(&self.path)?;
        for &step in &self.steps {
            value = match value {
                Value::Frame(frame) => frame.columns.get(step)?,
                Value::Tuple(items) | Value::List(items) => items.get(step)?,
                _ => return None,
            };
        }
        match value {
            Value::Dense(dense) => Some(dense),
            _ => None,
        }
    }

    fn is_nan(&self, reply: &Reply, element: usize) -> bool {
        self.dense(reply).and_then(|d| d.data.f64_at(element)).is_some_and(f64::is_nan)
    }

    fn change(&self, reply: &mut Reply, element: usize, change: &dyn Fn(f64) -> f64) {
        let Some(mut value) = reply.data.get_mut(&self.path) else { return };
        for &step in &self.steps {
            value = match value {
                Value::Frame(frame) => &mut frame.columns[step],
                Value::Tuple(items) | Value::List(items) => &mut items[step],
                _ => return,
            };
        }
        match value {
            Value::Dense(Dense { data: Buffer::F64(values), .. }) => {
                values[element] = change(values[element])
            }
            Value::Dense(Dense { data: Buffer::F32(values), .. }) => {
                let old = values[element];
                let new = change(f64::from(old)) as f32;
                // A change below the dtype's resolution is no change; the next float is the smallest there is.
                values[element] = if new == old { old.next_up() } else { new };
            }
            _ => {}
        }
    }
}

/// Every column of floats of an answer, named without the slot's position (`result` or `uns`).
fn places(reply: &Reply) -> Vec<Place> {
    let mut out = Vec::new();
    for (path, value) in reply.data.leaves() {
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        collect(&path, &name, value, &mut Vec::new(), &mut out);
    }
    out
}

fn collect(path: &str, name: &str, value: &Value, steps: &mut Vec<usize>, out: &mut Vec<Place>) {
    let mut deeper = |step: usize, name: &str, value: &Value| {
        steps.push(step);
        collect(path, name, value, steps, out);
        steps.pop();
    };
    match value {
        Value::Frame(frame) => {
            // A table of clusters by clusters is one thing; a table of named statistics is many.
            let named = frame.column_index.levels.len() == 1;
            let last = frame.columns.len().saturating_sub(1);
            for (i, (column, values)) in frame.column_names().iter().zip(&frame.columns).enumerate()
            {
                // Of alike columns the first and the last stand for all.
                if named || i == 0 || i == last {
                    deeper(i, if named { column } else { name }, values);
                }
            }
        }
        Value::Tuple(items) | Value::List(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, item)| deeper(i, ["occ", "interval"].get(i).unwrap_or(&name), item));
        }
        Value::Dense(dense) if dense.dtype().is_float() && !dense.data.is_empty() => {
            out.push(Place {
                name: name
                    .split("_fdr")
                    .next()
                    .map_or(name, |raw| if raw == name { name } else { "corrected" })
                    .to_owned(),
                path: path.to_owned(),
                steps: steps.clone(),
                len: dense.data.len(),
            })
        }
        _ => {}
    }
}
