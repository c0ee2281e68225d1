//! Laws about cells, clusters and values.

use std::collections::BTreeMap;

use dispatch::{Call, Categorical, Fault, Strings, Value};
use generators::Random;

use super::{
    FUNCTION, Tables, both, by_name, definition_agrees, join, labels, matrix, means_scale, p_agree,
    same_means, tables, task, uncorrected, with_interactions,
};
use crate::compare::{Allowance, Checks};
use crate::laws::twist::{cells_shuffled, map_numbers, shuffled, with_params, with_slot};
use crate::laws::{Answered, Claim, Law};
use crate::profile::U64;

pub(super) const L2: Law = Law {
    id: "L2",
    function: FUNCTION,
    statement: "Values times a power of two scale the means and leave the p-values.",
    claim: Claim::Twist { twist: doubled, holds: means_double },
};

/// Doubled rather than halved, so that integers stay integers; u8 holds counts below 128.
const FACTOR: f64 = 2.0;

fn doubled(call: &Call, _: &mut Random) -> Option<Call> {
    let (path, value) = matrix(call)?;
    task(call)?;
    Some(with_slot(call, path, map_numbers(value, |x| FACTOR * x)?))
}

fn means_double(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    let joined = by_name(&before, &after);
    means_scale(&before, &after, &joined, FACTOR, checks);
    definition_agrees(&before, &after, &joined, checks);
    p_agree(&before, &after, &joined, checks);
    Ok(())
}

pub(super) const L3: Law = Law {
    id: "L3",
    function: FUNCTION,
    statement: "The same cells in another order have the same means and undefined p-values.",
    claim: Claim::Twist { twist: cells_shuffled, holds: same_means },
};

pub(super) const L4: Law = Law {
    id: "L4",
    function: FUNCTION,
    statement: "Renaming clusters renames columns, which stand in the order of their names as text.",
    claim: Claim::Twist { twist: renamed, holds: names_follow },
};

/// Category i of k becomes the number 3 (k - i): the order turns around, and `12` stands before `3`.
fn new_names(column: &Categorical) -> BTreeMap<String, String> {
    let names = column.names();
    let k = names.len();
    names.into_iter().enumerate().map(|(i, name)| (name, (3 * (k - i)).to_string())).collect()
}

fn renamed(call: &Call, _: &mut Random) -> Option<Call> {
    let (path, column) = labels(call)?;
    task(call)?;
    let new = new_names(column);
    let categories = column.names().into_iter().map(|name| new[&name].clone());
    let renamed =
        Categorical { categories: Box::new(Strings::new(categories).into()), ..column.clone() };
    let clusters = rename_all(call.param("clusters").unwrap_or(&Value::None), &new);
    (new.len() == column.names().len()).then_some(())?;
    Some(with_params(&with_slot(call, &path, renamed.into()), [("clusters", clusters)]))
}

fn rename_all(clusters: &Value, new: &BTreeMap<String, String>) -> Value {
    let each = |items: &[Value]| items.iter().map(|item| rename_all(item, new)).collect();
    match clusters {
        Value::Text(name) => new.get(name).unwrap_or(name).as_str().into(),
        Value::List(items) => Value::List(each(items)),
        Value::Tuple(items) => Value::Tuple(each(items)),
        other => other.clone(),
    }
}

fn names_follow(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let new = labels(before.call).map(|(_, column)| new_names(column)).unwrap_or_default();
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    let rename = |name: &str| new.get(name).cloned().unwrap_or_default();
    let joined =
        join(&before, &after, |[s, t, c, d]| [s.to_owned(), t.to_owned(), rename(c), rename(d)]);
    means_scale(&before, &after, &joined, 1.0, checks);
    definition_agrees(&before, &after, &joined, checks);
    Ok(())
}

pub(super) const L5: Law = Law {
    id: "L5",
    function: FUNCTION,
    statement: "Asking for fewer clusters leaves the means of the pairs that remain.",
    claim: Claim::Twist { twist: fewer_clusters, holds: same_means },
};

fn fewer_clusters(call: &Call, random: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let order = shuffled(task.k(), random);
    let name = |at: usize| Value::Text(task.clusters[order[at]].clone());
    let pair = |a, b| Value::Tuple(vec![name(a), name(b)]);
    let clusters = match task.k() {
        0 | 1 => return None,
        // squidpy takes a list of two names for names, and of two pairs for pairs.
        2 => vec![pair(0, 1), pair(1, 1)],
        _ => vec![name(0), name(1)],
    };
    Some(with_params(call, [("clusters", Value::List(clusters))]))
}

pub(super) const L14: Law = Law {
    id: "L14",
    function: FUNCTION,
    statement: "The means of a gene over the clusters, weighted by size, make up its mean over all cells.",
    claim: Claim::Twist { twist: genes_with_themselves, holds: means_make_up_the_mean },
};

/// Every gene with itself, every pair of the same clusters.
fn genes_with_themselves(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let rows: Vec<[&str; 2]> = task.genes.iter().map(|g| [g.as_str(), g.as_str()]).collect();
    let names = task.clusters.iter().map(|name| Value::Text(name.clone())).collect();
    let twisted = uncorrected(&with_interactions(call, &rows)?);
    (task.k() > 1).then(|| with_params(&twisted, [("clusters", Value::List(names))]))
}

fn means_make_up_the_mean(
    _: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(tables) = tables(after, checks)? else { return Ok(()) };
    let genes = tables.task.columns.len();
    let (mut expected, mut actual) = (vec![0.0; genes], vec![0.0; genes]);
    for (gene, column) in tables.task.columns.iter().enumerate() {
        expected[gene] = column.values.iter().sum();
    }
    for entry in 0..tables.means.len() {
        let (gene, cluster) = diagonal(&tables, entry);
        if let Some(cluster) = cluster {
            actual[gene] += tables.observed.sizes[cluster] as f64 * tables.means[entry];
        }
    }
    let terms = (tables.task.labels.len() + tables.task.k() + 8) as f64;
    let allowed = |gene: usize| {
        let values = &tables.task.columns[gene].values;
        // A mean that is not positive reads 0, and an infinity leaves nothing to add up.
        let positive = values.iter().all(|v| *v > 0.0 && v.is_finite());
        // All terms are positive: two sums over all cells in any order, and a few operations a cluster.
        let slack = 2.0 * terms * U64 * expected[gene];
        if positive { Allowance::Within(slack) } else { Allowance::Undefined }
    };
    let at = |gene: usize| tables.task.genes[gene].clone();
    checks.numbers("weighted means", "means", &expected, &actual, at, allowed);
    Ok(())
}

/// The gene of an entry, and its cluster if it is the same on both sides.
fn diagonal(tables: &Tables, entry: usize) -> (usize, Option<usize>) {
    let width = tables.task.pairs.len();
    let [c, d] = tables.task.pairs[entry % width];
    (tables.task.interactions[entry / width][0] as usize, (c == d).then_some(c as usize))
}
