//! What can be made simpler about a call, whatever it was made from. Pure: a call in, a simpler call out.
//!
//! Names of parameters and clusters are not known here: a list can be shortened, a number lowered, a category merged
//! into another, whoever reads it. What makes no sense is refused by the host, and then the same check fails no more.

use std::collections::{BTreeMap, BTreeSet};

use dispatch::{
    Buffer, Call, Categorical, Dataset, Dense, Frame, Indices, Map, Params, Sparse, Value,
};

/// Many things of one kind, any of which may go.
pub(super) struct Parts {
    /// What was done if some went.
    pub(super) what: String,
    /// How many there are.
    pub(super) len: usize,
    /// How many must stay.
    pub(super) least: usize,
    /// The call with the things at some positions.
    #[expect(clippy::type_complexity, reason = "one closure, named here only")]
    pub(super) keep: Box<dyn Fn(&Call, &[usize]) -> Option<Call>>,
}

/// Simpler calls, best first, of which one is enough; each with what was done.
pub(super) type Choices = Vec<(String, Change)>;
type Change = Box<dyn Fn(&Call) -> Option<Call>>;
/// Finds parts of a call.
type FindParts = fn(&Call) -> Vec<Parts>;

/// Slots and items of arguments.
pub(super) const PARTS: [FindParts; 2] = [slots, arguments];
/// Numbers of arguments, clusters, values.
pub(super) const CANDIDATES: [fn(&Call) -> Vec<Choices>; 3] = [numbers, clusters, values];
/// Edges and values other than zero.
pub(super) const VALUES: [FindParts; 2] = [edges, entries];

/// The groups of an AnnData whose members stand on their own.
const GROUPS: [&str; 6] = ["layers", "obsm", "varm", "obsp", "varp", "uns"];

fn with_data(call: &Call, change: impl FnOnce(&mut Dataset)) -> Call {
    let mut data = Dataset::clone(&call.data);
    change(&mut data);
    Call::new(call.function.clone(), data, call.params.clone())
}

fn with_param(call: &Call, name: &str, value: Value) -> Call {
    let mut params: Params = call.params.clone();
    params.insert(name.to_owned(), value);
    Call::new(call.function.clone(), call.data.clone(), params)
}

/// Cells and genes of a call that is no longer a recipe.
pub(super) fn axes(call: &Call) -> Vec<Parts> {
    let subset = |call: &Call, cells: Option<&[usize]>, genes: Option<&[usize]>| {
        Some(Call::new(call.function.clone(), call.data.subset(cells, genes), call.params.clone()))
    };
    vec![
        Parts {
            what: "genes dropped again".to_owned(),
            len: call.data.n_vars(),
            least: 1,
            keep: Box::new(move |call, kept| subset(call, None, Some(kept))),
        },
        Parts {
            what: "cells dropped again".to_owned(),
            len: call.data.n_obs(),
            least: 1,
            keep: Box::new(move |call, kept| subset(call, Some(kept), None)),
        },
    ]
}

/// Everything in the AnnData but `X` and the labels of its axes.
fn slots(call: &Call) -> Vec<Parts> {
    let mut paths: Vec<String> = Vec::new();
    for group in GROUPS {
        if let Some(Value::Map(map)) = call.data.get(group) {
            paths.extend(map.keys().map(|key| format!("{group}/{key}")));
        }
    }
    for name in ["obs", "var"] {
        let columns = call.data.frame(name).map(Frame::column_names).unwrap_or_default();
        paths.extend(columns.iter().map(|column| format!("{name}/{column}")));
    }
    paths.extend(call.data.get("raw").map(|_| "raw".to_owned()));
    let (len, all) = (paths.len(), paths);
    let keep = move |call: &Call, kept: &[usize]| {
        let dropped = (0..all.len()).filter(|i| !kept.contains(i)).map(|i| all[i].as_str());
        Some(with_data(call, |data| dropped.for_each(|path| drop_slot(data, path))))
    };
    vec![Parts { what: "slots dropped".to_owned(), len, least: 0, keep: Box::new(keep) }]
}

fn drop_slot(data: &mut Dataset, path: &str) {
    let (group, name) = path.split_once('/').unwrap_or((path, ""));
    match data.get_mut(group) {
        Some(Value::Frame(frame)) => {
            let kept: Vec<(String, Value)> =
                frame.column_names().into_iter().zip(frame.columns.clone()).collect();
            let columns = kept.into_iter().filter(|(column, _)| column != name);
            *frame = Frame::new(frame.index.clone(), columns);
        }
        Some(Value::Map(map)) if !name.is_empty() => {
            map.remove(name);
            if map.is_empty() {
                data.remove(group);
            }
        }
        Some(_) | None => drop(data.remove(group)),
    }
}

/// The items of each argument that has several.
fn arguments(call: &Call) -> Vec<Parts> {
    let long = |(name, value): (&String, &Value)| {
        let (len, name) = (items(value)?, name.clone());
        let what = format!("{name} shortened");
        let keep = move |call: &Call, kept: &[usize]| {
            Some(with_param(call, &name, take(call.params.get(&name)?, kept)))
        };
        (len > 1).then(|| Parts { what, len, least: 1, keep: Box::new(keep) })
    };
    call.params.iter().filter_map(long).collect()
}

/// How many items a container has; columns of equal length are one container of rows.
fn items(value: &Value) -> Option<usize> {
    match value {
        Value::Tuple(parts) if parts.len() == 2 && parts.iter().all(is_sequence) => {
            (parts[0].len() == parts[1].len()).then(|| parts[0].len()).flatten()
        }
        Value::Map(map) => {
            let first = map.values().next()?.len()?;
            map.values().all(|v| is_sequence(v) && v.len() == Some(first)).then_some(first)
        }
        Value::Dense(d) if d.shape.is_empty() => None,
        Value::List(_)
        | Value::Tuple(_)
        | Value::Frame(_)
        | Value::Dense(_)
        | Value::Strings(_) => value.len(),
        _ => None,
    }
}

fn is_sequence(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Tuple(_) | Value::Dense(_) | Value::Strings(_))
}

fn take(value: &Value, kept: &[usize]) -> Value {
    match value {
        Value::Tuple(parts) if parts.len() == 2 && parts.iter().all(is_sequence) => {
            Value::Tuple(parts.iter().map(|part| part.take_rows(kept)).collect())
        }
        Value::Map(map) => {
            Value::Map(map.iter().map(|(k, v)| (k.clone(), v.take_rows(kept))).collect::<Map>())
        }
        other => other.take_rows(kept),
    }
}

/// Smaller numbers for each whole-number argument: permutations, intervals, seeds.
fn numbers(call: &Call) -> Vec<Choices> {
    let mut all = Vec::new();
    for (name, value) in &call.params {
        let Value::Int(n) = *value else { continue };
        let lower = [0, 1, 2, 3, 5, 10].into_iter().filter(|smaller| *smaller < n);
        let choices = lower.map(|smaller| {
            let (what, name) = (format!("{name} lowered to {smaller}"), name.clone());
            let change: Change =
                Box::new(move |call| Some(with_param(call, &name, Value::Int(smaller))));
            (what, change)
        });
        all.push(choices.collect());
    }
    all
}

/// Fewer categories for each categorical column of `obs`: the last ones become one.
fn clusters(call: &Call) -> Vec<Choices> {
    let mut all = Vec::new();
    let Some(obs) = call.data.frame("obs") else { return all };
    for (name, column) in obs.column_names().into_iter().zip(&obs.columns) {
        let Value::Categorical(column) = column else { continue };
        let categories = column.categories.len().unwrap_or(0);
        let fewer = (1..=categories).map(|n| {
            let path = format!("obs/{name}");
            let what = format!("{path} merged to {n} of {categories} categories");
            let change: Change = Box::new(move |call| {
                let Value::Categorical(column) = call.data.get(&path)? else { return None };
                let merged = merged(column, n)?;
                Some(with_data(call, |data| data.set(&path, merged.into())))
            });
            (what, change)
        });
        all.push(fewer.collect());
    }
    all
}

/// The categories in use, all from the `n`-th on as one.
fn merged(column: &Categorical, n: usize) -> Option<Categorical> {
    let used: BTreeSet<i32> = column.codes.iter().copied().filter(|c| *c >= 0).collect();
    let used: Vec<i32> = used.into_iter().collect();
    let positions: Vec<usize> = used.iter().take(n).map(|&c| c as usize).collect();
    let code = |c: &i32| match used.binary_search(c) {
        Ok(at) => at.min(n - 1) as i32,
        Err(_) => -1,
    };
    (!positions.is_empty()).then(|| Categorical {
        codes: column.codes.iter().map(code).collect(),
        categories: Box::new(column.categories.take_rows(&positions)),
        ordered: column.ordered,
    })
}

/// The paths of everything made of numbers that a function may read.
fn numeric(data: &Dataset) -> Vec<String> {
    let mut paths = vec!["X".to_owned(), "raw/X".to_owned()];
    for group in ["layers", "obsm", "obsp"] {
        if let Some(Value::Map(map)) = data.get(group) {
            paths.extend(map.keys().map(|key| format!("{group}/{key}")));
        }
    }
    let columns = data.frame("obs").map(Frame::column_names).unwrap_or_default();
    paths.extend(columns.iter().map(|column| format!("obs/{column}")));
    paths.retain(|path| matches!(data.get(path), Some(Value::Dense(_) | Value::Sparse(_))));
    paths
}

/// Numbers in the place of others.
type Numbers = fn(&[f64]) -> Vec<f64>;

/// Small whole numbers for each matrix: ones, ranks, rounded values.
fn values(call: &Call) -> Vec<Choices> {
    let simpler: [(&str, Numbers); 3] =
        [("made 0 and 1", ones), ("replaced by ranks", ranks), ("rounded", rounded)];
    let choices = |path: String| {
        let choice = |(how, numbers): (&str, Numbers)| {
            let (what, path) = (format!("values of {path} {how}"), path.clone());
            let change: Change = Box::new(move |call| {
                let changed = with_numbers(call.data.get(&path)?, numbers)?;
                Some(with_data(call, |data| data.set(&path, changed)))
            });
            (what, change)
        };
        simpler.into_iter().map(choice).collect()
    };
    numeric(&call.data).into_iter().map(choices).collect()
}

/// The array with other numbers in the same places, of the same dtype.
fn with_numbers(value: &Value, numbers: impl Fn(&[f64]) -> Vec<f64>) -> Option<Value> {
    let change = |data: &Buffer| Buffer::from_f64(data.dtype(), &numbers(&data.to_f64()));
    match value {
        Value::Dense(d) => Some(Dense { data: change(&d.data), ..d.clone() }.into()),
        Value::Sparse(s) => Some(Sparse { data: change(&s.data), ..s.clone() }.into()),
        _ => None,
    }
}

fn ones(values: &[f64]) -> Vec<f64> {
    values.iter().map(|&x| if x == 0.0 || !x.is_finite() { x } else { 1.0 }).collect()
}

fn rounded(values: &[f64]) -> Vec<f64> {
    values.iter().map(|x| x.round()).collect()
}

/// The k-th smallest positive number becomes k, the k-th largest negative one -k: the same order, the same zeros.
fn ranks(values: &[f64]) -> Vec<f64> {
    let sizes = |sign: f64| -> BTreeMap<u64, f64> {
        let of_sign = values.iter().filter(|x| x.is_finite() && **x * sign > 0.0);
        // The bits of positive floats are in the order of the floats.
        let distinct: BTreeSet<u64> = of_sign.map(|x| x.abs().to_bits()).collect();
        distinct.into_iter().zip(1..).map(|(bits, rank)| (bits, sign * f64::from(rank))).collect()
    };
    let (positive, negative) = (sizes(1.0), sizes(-1.0));
    let rank = |x: &f64| {
        let ranks = if *x < 0.0 { &negative } else { &positive };
        if x.is_finite() { ranks.get(&x.abs().to_bits()).copied().unwrap_or(*x) } else { *x }
    };
    values.iter().map(rank).collect()
}

/// The edges of each graph; both directions of an edge go together.
fn edges(call: &Call) -> Vec<Parts> {
    let Some(Value::Map(graphs)) = call.data.get("obsp") else { return Vec::new() };
    let parts = |(key, graph): (&String, &Value)| {
        let Value::Sparse(graph) = graph else { return None };
        let pairs: BTreeSet<(usize, usize)> = places(graph).into_iter().map(unordered).collect();
        let (pairs, path): (Vec<_>, String) = (pairs.into_iter().collect(), format!("obsp/{key}"));
        let (len, what) = (pairs.len(), format!("edges of {path} dropped"));
        let keep = move |call: &Call, kept: &[usize]| {
            let Value::Sparse(graph) = call.data.get(&path)? else { return None };
            let kept: BTreeSet<(usize, usize)> = kept.iter().map(|&i| pairs[i]).collect();
            let fewer = keep_entries(graph, |place| kept.contains(&unordered(place)));
            Some(with_data(call, |data| data.set(&path, fewer.into())))
        };
        Some(Parts { what, len, least: 0, keep: Box::new(keep) })
    };
    graphs.iter().filter_map(parts).collect()
}

fn unordered((i, j): (usize, usize)) -> (usize, usize) {
    (i.min(j), i.max(j))
}

/// (row or column, position in it) of each stored entry.
fn places(sparse: &Sparse) -> Vec<(usize, usize)> {
    let lane = |i: usize| sparse.lane(i).map(move |(j, _)| (i, j));
    (0..sparse.major()).flat_map(lane).collect()
}

/// The matrix without some of its stored entries; the others keep their order and dtypes.
fn keep_entries(sparse: &Sparse, keep: impl Fn((usize, usize)) -> bool) -> Sparse {
    let (mut indptr, mut source) = (vec![0], Vec::new());
    let mut entry = 0;
    for i in 0..sparse.major() {
        for (j, _) in sparse.lane(i) {
            if keep((i, j)) {
                source.push(entry);
            }
            entry += 1;
        }
        indptr.push(source.len());
    }
    Sparse {
        indptr: match &sparse.indptr {
            Indices::I32(_) => Indices::I32(indptr.iter().map(|&n| n as i32).collect()),
            Indices::I64(_) => Indices::I64(indptr.iter().map(|&n| n as i64).collect()),
        },
        indices: match &sparse.indices {
            Indices::I32(v) => Indices::I32(source.iter().map(|&k| v[k]).collect()),
            Indices::I64(v) => Indices::I64(source.iter().map(|&k| v[k]).collect()),
        },
        data: sparse.data.take(&source),
        ..sparse.clone()
    }
}

/// The values other than zero of each matrix that is no graph: a dense one becomes 0, a stored one goes.
fn entries(call: &Call) -> Vec<Parts> {
    let parts = |path: String| {
        let what = format!("values of {path} made 0");
        match call.data.get(&path)? {
            Value::Dense(d) => {
                let at: Vec<usize> = (d.data.to_f64().iter().enumerate())
                    .filter(|(_, x)| **x != 0.0)
                    .map(|(i, _)| i)
                    .collect();
                let len = at.len();
                let keep = move |call: &Call, kept: &[usize]| {
                    let kept: BTreeSet<usize> = kept.iter().map(|&k| at[k]).collect();
                    let zeroed = with_numbers(call.data.get(&path)?, |values| {
                        let each = values.iter().enumerate();
                        each.map(|(i, &x)| if kept.contains(&i) { x } else { 0.0 }).collect()
                    })?;
                    Some(with_data(call, |data| data.set(&path, zeroed)))
                };
                Some(Parts { what, len, least: 0, keep: Box::new(keep) })
            }
            Value::Sparse(s) => {
                let places = places(s);
                let len = places.len();
                let keep = move |call: &Call, kept: &[usize]| {
                    let Value::Sparse(matrix) = call.data.get(&path)? else { return None };
                    let kept: BTreeSet<(usize, usize)> = kept.iter().map(|&k| places[k]).collect();
                    let fewer = keep_entries(matrix, |place| kept.contains(&place));
                    Some(with_data(call, |data| data.set(&path, fewer.into())))
                };
                Some(Parts { what, len, least: 0, keep: Box::new(keep) })
            }
            _ => None,
        }
    };
    let paths = numeric(&call.data).into_iter().filter(|path| !path.starts_with("obsp/"));
    paths.filter_map(parts).collect()
}
