//! The laws of ligand-receptor interactions.
//!
//! Rows and columns of each answer are checked against the names the call asks for; then entries are
//! joined by the names of their genes and clusters. p-values are compared where two calls draw the same
//! permutations and no sum of values is rounded, so that no tie hangs on the order of additions.

mod cells;
mod genes;
mod pvalues;

use std::collections::BTreeMap;

use dispatch::{Call, Categorical, Fault, Map, Value};
use reference::ligrec::{Observed, Task};

use super::twist::{flag, text, with_params};
use super::{Answered, Law};
use crate::compare::{Allowance, Checks};
use crate::contracts::ligrec::{Bounds, Parts, exact, flat};
use crate::profile::U64;

const FUNCTION: &str = "ligrec";

/// All of them.
pub(super) const LAWS: &[Law] = &[
    genes::L1,
    cells::L2,
    cells::L3,
    cells::L4,
    cells::L5,
    pvalues::L6,
    pvalues::L7,
    pvalues::L8,
    pvalues::L9,
    genes::L10,
    genes::L11,
    pvalues::L12,
    genes::L13,
    cells::L14,
    genes::L15,
    genes::L16,
];

/// Source, target, first and second cluster of an entry.
type Names<'a> = [&'a str; 4];

/// An answer, read, and what rounding may have done to it.
struct Tables {
    task: Task,
    observed: Observed,
    bounds: Bounds,
    /// Whether no sum of values is rounded.
    exact: bool,
    means: Vec<f64>,
    pvalues: Vec<f64>,
}

/// The tables of an answer; `None`, with a failed check, if they do not have the rows and columns asked for.
fn tables(answered: &Answered<'_>, checks: &mut Checks) -> Result<Option<Tables>, Fault> {
    let task = Task::read(&answered.call.data, &answered.call.params)?;
    let Some(parts) = Parts::of(answered.reply) else {
        checks.equal("form", "", "means, pvalues and metadata", "something else");
        return Ok(None);
    };
    let rows: Vec<String> = row_names(&task).iter().map(|[s, t]| format!("{s} | {t}")).collect();
    let name = |c: u32| task.clusters[c as usize].as_str();
    let columns: Vec<String> =
        task.pairs.iter().map(|[c, d]| format!("{} | {}", name(*c), name(*d))).collect();
    for (slot, frame) in [("means", parts.means), ("pvalues", parts.pvalues)] {
        let right_rows = checks.texts("rows", slot, &rows, &frame.index.labels());
        if !(right_rows && checks.texts("columns", slot, &columns, &frame.column_names())) {
            return Ok(None);
        }
    }
    let observed = task.observed();
    Ok(Some(Tables {
        bounds: Bounds::new(&task, &observed, [crate::Profile::FLOAT64; 2]),
        exact: exact(&task, &observed),
        observed,
        means: flat(parts.means),
        pvalues: flat(parts.pvalues),
        task,
    }))
}

fn both(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<Option<(Tables, Tables)>, Fault> {
    let Some(first) = tables(before, checks)? else { return Ok(None) };
    Ok(tables(after, checks)?.map(|second| (first, second)))
}

/// Source and target of each row.
fn row_names(task: &Task) -> Vec<[&str; 2]> {
    let name = |gene: u32| task.genes[gene as usize].as_str();
    task.interactions.iter().map(|[s, t]| [name(*s), name(*t)]).collect()
}

impl Tables {
    fn names(&self, entry: usize) -> Names<'_> {
        let width = self.task.pairs.len();
        let ([s, t], [c, d]) =
            (self.task.interactions[entry / width], self.task.pairs[entry % width]);
        let (genes, clusters) = (&self.task.genes, &self.task.clusters);
        [&genes[s as usize], &genes[t as usize], &clusters[c as usize], &clusters[d as usize]]
    }

    fn at(&self, entry: usize) -> String {
        self.names(entry).join(" ")
    }
}

/// Pairs of entries of two answers that a law joins: those of the second with the first's they should equal.
type Joined = Vec<(usize, usize)>;

/// Joins each entry of `before` with the entry of `after` whose names `rename` gives, where there is one.
fn join<'a>(
    before: &'a Tables,
    after: &Tables,
    rename: impl Fn(Names<'a>) -> [String; 4],
) -> Joined {
    let places: BTreeMap<[String; 4], usize> =
        (0..after.means.len()).map(|i| (after.names(i).map(str::to_owned), i)).collect();
    let joined = |i: usize| Some((i, *places.get(&rename(before.names(i)))?));
    (0..before.means.len()).filter_map(joined).collect()
}

/// Joins entries of the same names.
fn by_name(before: &Tables, after: &Tables) -> Joined {
    join(before, after, |names| names.map(str::to_owned))
}

/// Asks that joined means are equal up to a factor.
fn means_scale(before: &Tables, after: &Tables, joined: &Joined, factor: f64, checks: &mut Checks) {
    let expected: Vec<f64> = joined.iter().map(|(i, _)| factor * before.means[*i]).collect();
    let actual: Vec<f64> = joined.iter().map(|(_, j)| after.means[*j]).collect();
    let allowed = |k: usize| {
        let (i, j) = joined[k];
        let near_zero = before.bounds.near_zero[i] || after.bounds.near_zero[j];
        // A bound holds for two sides.
        let slack = (before.bounds.means[i] * factor + after.bounds.means[j]) / 2.0;
        if near_zero || !slack.is_finite() {
            Allowance::Undefined
        } else {
            Allowance::Within(slack)
        }
    };
    let at = |k: usize| after.at(joined[k].1);
    checks.numbers("means", "means", &expected, &actual, at, allowed);
}

/// Asks that joined p-values are undefined in both answers or in neither.
fn definition_agrees(before: &Tables, after: &Tables, joined: &Joined, checks: &mut Checks) {
    let undefined = |p: f64| f64::from(u8::from(p.is_nan()));
    let expected: Vec<f64> = joined.iter().map(|(i, _)| undefined(before.pvalues[*i])).collect();
    let actual: Vec<f64> = joined.iter().map(|(_, j)| undefined(after.pvalues[*j])).collect();
    let allowed = |k: usize| match before.bounds.doubtful[joined[k].0]
        || after.bounds.doubtful[joined[k].1]
    {
        true => Allowance::Undefined,
        false => Allowance::Exact,
    };
    let at = |k: usize| after.at(joined[k].1);
    checks.numbers("undefined p-values", "pvalues", &expected, &actual, at, allowed);
}

/// Asks that joined p-values, drawn with the same permutations, are equal where both are defined.
fn p_agree(before: &Tables, after: &Tables, joined: &Joined, checks: &mut Checks) {
    if !(before.exact && after.exact) {
        return;
    }
    let expected: Vec<f64> = joined.iter().map(|(i, _)| before.pvalues[*i]).collect();
    let actual: Vec<f64> = joined.iter().map(|(_, j)| after.pvalues[*j]).collect();
    // A corrected p-value takes up to m operations on numbers at most 1, perhaps in another order.
    let m = before.task.interactions.len().max(before.task.pairs.len()) as f64;
    let corrected = before.task.correction.is_some();
    let room = Allowance::Within(if corrected { (m + 16.0) * 4.0 * U64 } else { 0.0 });
    let allowed = |k: usize| match expected[k].is_nan() || actual[k].is_nan() {
        true => Allowance::Undefined,
        false => room,
    };
    let at = |k: usize| after.at(joined[k].1);
    checks.numbers("p-values", "pvalues", &expected, &actual, at, allowed);
}

/// Holds if means and the pattern of undefined p-values agree by name.
fn same_means(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    if let Some((before, after)) = both(before, after, checks)? {
        let joined = by_name(&before, &after);
        means_scale(&before, &after, &joined, 1.0, checks);
        definition_agrees(&before, &after, &joined, checks);
    }
    Ok(())
}

/// Holds if means and p-values agree by name.
fn same_tables(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    if let Some((before, after)) = both(before, after, checks)? {
        let joined = by_name(&before, &after);
        means_scale(&before, &after, &joined, 1.0, checks);
        definition_agrees(&before, &after, &joined, checks);
        p_agree(&before, &after, &joined, checks);
    }
    Ok(())
}

fn task(call: &Call) -> Option<Task> {
    Task::read(&call.data, &call.params).ok()
}

/// Where the expression values stand.
fn matrix(call: &Call) -> Option<(&'static str, &Value)> {
    let path = if flag(call, "use_raw", true) { "raw/X" } else { "X" };
    Some((path, call.data.get(path)?))
}

fn labels(call: &Call) -> Option<(String, &Categorical)> {
    let path = format!("obs/{}", text(call, "cluster_key", ""));
    match call.data.get(&path)? {
        Value::Categorical(column) => Some((path, column)),
        _ => None,
    }
}

/// The call with other interactions; `None` if a name would be read as a complex.
fn with_interactions<S: AsRef<str>>(call: &Call, rows: &[[S; 2]]) -> Option<Call> {
    let column = |side: usize| -> Vec<Value> {
        rows.iter().map(|row| Value::Text(row[side].as_ref().to_owned())).collect()
    };
    let plain = rows.iter().flatten().all(|name| !name.as_ref().contains('_'));
    // A dict is the one form that is never read as another.
    let table = Map::from([
        ("source".to_owned(), Value::List(column(0))),
        ("target".to_owned(), Value::List(column(1))),
    ]);
    (plain && !rows.is_empty()).then(|| with_params(call, [("interactions", table.into())]))
}

/// The call without correction for many tests.
fn uncorrected(call: &Call) -> Call {
    with_params(call, [("corr_method", Value::None)])
}
