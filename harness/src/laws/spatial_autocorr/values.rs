//! Laws about other values on the same graph, or the same values held elsewhere.

use std::collections::BTreeSet;

use dispatch::{Call, Fault, Order, Value};
use generators::Random;
use generators::parts::expression::{Storage, store};
use reference::spatial_autocorr::Task;

use super::{FUNCTION, both, columns, graph, plain, rows_agree, same_rows, table, task};
use crate::compare::Checks;
use crate::laws::twist::{elements, flag, map_numbers, shuffled, text, with_params, with_slot};
use crate::laws::{Answered, Claim, Law};

pub(super) const M2: Law = Law {
    id: "M2",
    function: FUNCTION,
    statement: "Some of the features in another order have the rows that they had among all.",
    claim: Claim::Twist { twist: some_features, holds: subset_agrees },
};

fn some_features(call: &Call, random: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let labels = task.features.labels.labels();
    let mut seen = BTreeSet::new();
    let distinct: Vec<usize> = (0..labels.len()).filter(|&k| seen.insert(&labels[k])).collect();
    let kept = 1 + random.below(distinct.len());
    let order = shuffled(distinct.len(), random);
    let chosen = order.iter().take(kept).map(|&i| distinct[i]);
    let names = match task.features.labels.levels.as_slice() {
        [Value::Dense(positions)] => {
            let positions = positions.to_f64();
            chosen.map(|k| Value::Int(positions[k] as i64)).collect()
        }
        _ => chosen.map(|k| Value::Text(labels[k].clone())).collect(),
    };
    (!distinct.is_empty()).then(|| with_params(call, [("genes", Value::List(names))]))
}

fn subset_agrees(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    let place = |name: &String| before.features.iter().position(|other| other == name);
    let from: Vec<usize> = after.features.iter().filter_map(place).collect();
    rows_agree(&before, &after, &from, checks);
    Ok(())
}

pub(super) const M3: Law = Law {
    id: "M3",
    function: FUNCTION,
    statement: "Values a x + b with a != 0, a power of two of either sign, give the same rows.",
    claim: Claim::Twist { twist: affine, holds: same_rows },
};

fn affine(call: &Call, random: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let paths = slots(call, &task);
    let factors = [-1.0, 2.0, -0.5, 4.0];
    let start = random.below(factors.len());
    // A sparse matrix cannot be shifted without filling it.
    let dense = paths.iter().all(|path| matches!(call.data.get(path), Some(Value::Dense(_))));
    let shift = if dense { [0.0, 64.0, -1024.0][random.below(3)] } else { 0.0 };
    let tried = (0..2 * factors.len()).map(|k| {
        (factors[(start + k) % factors.len()], if k < factors.len() { shift } else { 0.0 })
    });
    tried.into_iter().find_map(|(a, b)| {
        let mut twisted = call.clone();
        for path in &paths {
            let value = call.data.get(path)?;
            if !stored(value)?.into_iter().all(|x| adds_exactly(a * x, b)) {
                return None;
            }
            twisted = with_slot(&twisted, path, map_numbers(value, |x| a * x + b)?);
        }
        Some(twisted)
    })
}

/// All stored numbers.
fn stored(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Dense(d) => Some(d.data.to_f64()),
        Value::Sparse(s) => Some(s.data.to_f64()),
        _ => None,
    }
}

/// Whether x + b is not rounded (Knuth's two-sum), or nothing can be rounded.
fn adds_exactly(x: f64, b: f64) -> bool {
    let sum = x + b;
    let of_b = sum - x;
    !x.is_finite() || (x - (sum - of_b)) + (b - of_b) == 0.0
}

/// The slots that the values of the features stand in, each once.
fn slots(call: &Call, task: &Task<'_>) -> BTreeSet<String> {
    let layer = call.param("layer").and_then(Value::as_text);
    let one = |path: String| BTreeSet::from([path]);
    match (text(call, "attr", "X"), layer) {
        ("obs", _) => {
            task.features.labels.labels().into_iter().map(|name| format!("obs/{name}")).collect()
        }
        ("obsm", layer) => one(format!("obsm/{}", layer.unwrap_or("None"))),
        _ if flag(call, "use_raw", false) => one("raw/X".to_owned()),
        (_, Some(layer)) => one(format!("layers/{layer}")),
        (_, None) => one("X".to_owned()),
    }
}

pub(super) const M13: Law = Law {
    id: "M13",
    function: FUNCTION,
    statement: "A feature that stands there twice, and its negative, have equal rows.",
    claim: Claim::Twist { twist: thrice, holds: copies_and_negatives },
};

fn thrice(call: &Call, _: &mut Random) -> Option<Call> {
    let (_, weights) = graph(call)?;
    let mut columns = columns(&task(call)?);
    let negative: Vec<Vec<f64>> = columns.iter().map(|x| x.iter().map(|x| -x).collect()).collect();
    columns.extend(columns.clone());
    columns.extend(negative);
    Some(plain(call, &columns, weights.clone()))
}

fn copies_and_negatives(
    _: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(table) = table(after, checks)? else { return Ok(()) };
    let once = table.features.len() / 3;
    let from: Vec<usize> = (0..3 * once).map(|k| k % once).collect();
    rows_agree(&table, &table, &from, checks);
    Ok(())
}

pub(super) const M16: Law = Law {
    id: "M16",
    function: FUNCTION,
    statement: "The same values held in another way or place (dense, CSR, CSC; X, layer) give the same rows.",
    claim: Claim::Twist { twist: elsewhere, holds: same_rows },
};

fn elsewhere(call: &Call, random: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let paths = slots(call, &task);
    let attr = text(call, "attr", "X");
    let Some(path) = paths.first().filter(|_| attr != "obs") else {
        return plain_on_same_graph(call, &task);
    };
    let value = call.data.get(path)?;
    if attr == "X" && path != "raw/X" && random.below(3) == 0 {
        let moved = with_slot(call, "layers/elsewhere", value.clone());
        return Some(with_params(&moved, [("layer", "elsewhere".into())]));
    }
    let (rows, columns, values) = elements(value)?;
    let (now, dtype) = match value {
        Value::Dense(d) if d.order == Order::F => (Storage::F, d.dtype()),
        Value::Dense(d) => (Storage::C, d.dtype()),
        Value::Sparse(s) if s.format == dispatch::Format::Csc => (Storage::Csc, s.data.dtype()),
        Value::Sparse(s) => (Storage::Csr, s.data.dtype()),
        _ => return None,
    };
    let ways: &[Storage] = match attr {
        "X" => &[Storage::C, Storage::F, Storage::Csr, Storage::Csc],
        _ => &[Storage::C, Storage::F],
    };
    let others: Vec<Storage> = ways.iter().copied().filter(|way| *way != now).collect();
    let way = others[random.below(others.len())];
    Some(with_slot(call, path, store(&values, (rows, columns), way, dtype)))
}

fn plain_on_same_graph(call: &Call, task: &Task<'_>) -> Option<Call> {
    let (_, weights) = graph(call)?;
    Some(plain(call, &columns(task), weights.clone()))
}
