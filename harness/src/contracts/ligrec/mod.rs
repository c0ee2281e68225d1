//! How answers of `ligrec` are judged.
//!
//! Rows and columns are part of the contract, in order. Means have a bound from the length of their
//! sums. Where rounding decides which component of a complex is the smallest either may stand for it (`ties`). Which p-values are undefined must agree exactly, except where a share or a mean stands within
//! rounding of its limit. With the same permutations a p-value must lie between those of the least and
//! the most comparisons that rounding may turn (`Exceedances`), which is one value on integer data.

use dispatch::{Call, Fault, Frame, Map, Reply, Value, text_of};
use reference::ligrec::{Observed, Task};

mod ties;

use super::frames::numbers;
use crate::compare::{Allowance, Checks, shorten};
use crate::contract::{Answers, Contract};
use crate::profile::{Profile, U64};
use crate::show::place;

/// The contract.
pub(super) const CONTRACT: Contract = Contract {
    function: "ligrec",
    semantic: &[
        "cluster_key",
        "interactions",
        "complex_policy",
        "threshold",
        "corr_method",
        "corr_axis",
        "use_raw",
        "gene_symbols",
        "clusters",
        "n_perms",
        "seed",
        "alpha",
    ],
    rests_on: &[("pvalues: value", &["means: value", "pvalues: undefined where they should be"])],
    judge,
    host_undefined,
};

fn judge(call: &Call, answers: &Answers<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let (Some(expected), Some(actual)) = (Parts::of(answers.expected), Parts::of(answers.actual))
    else {
        checks.equal("answer: form", "", "means, pvalues and metadata", &shape(answers.actual));
        return Ok(());
    };
    let peers = [answers.host, answers.backend];
    let (task, instead) = ties::read(call, peers, expected.means, actual.means)?;
    let instead = instead.as_ref().and_then(Parts::of);
    let expected = instead.as_ref().unwrap_or(&expected);
    for (name, e, a) in
        [("means", expected.means, actual.means), ("pvalues", expected.pvalues, actual.pvalues)]
    {
        let rows =
            checks.texts(&format!("{name} rows: form"), name, &e.index.labels(), &a.index.labels());
        let columns = checks.texts(
            &format!("{name} columns: form"),
            name,
            &e.column_names(),
            &a.column_names(),
        );
        if !(rows && columns) {
            return Ok(());
        }
        let floats = a.columns.iter().all(|c| matches!(c, Value::Dense(d) if d.dtype().is_float()));
        checks.holds(&format!("{name} dtypes: form"), name, floats, "floats", || {
            "other dtypes".to_owned()
        });
    }
    metadata(expected.metadata, actual.metadata, checks);

    let observed = task.observed();
    let bounds = Bounds::new(&task, &observed, peers);
    let width = task.pairs.len();
    let at = |i: usize| place(i, &[task.interactions.len(), width]);
    let (e, a) = (flat(expected.means), flat(actual.means));
    if e.len() != bounds.means.len() {
        // Two versions of a host may both take two pairs for (sources, targets). What rounding may do to the answer to a call
        // that was read otherwise is not known, so it is nothing.
        checks.numbers("means: value", "means", &e, &a, |i| i.to_string(), |_| Allowance::Exact);
        checks.skip("p-values were not compared, because both sides read the call in another way");
        return Ok(());
    }
    checks.numbers("means: value", "means", &e, &a, at, |i| bounds.mean(i));
    let (e, a) = (flat(expected.pvalues), flat(actual.pvalues));
    let undefined = |values: &[f64]| {
        values.iter().map(|p| f64::from(u8::from(p.is_nan()))).collect::<Vec<f64>>()
    };
    let certain =
        |i: usize| if bounds.doubtful[i] { Allowance::Undefined } else { Allowance::Exact };
    checks.numbers(
        "pvalues: undefined where they should be",
        "pvalues",
        &undefined(&e),
        &undefined(&a),
        at,
        certain,
    );
    if !answers.same_stream {
        checks
            .skip("p-values were not compared, because the two sides draw different permutations");
        return Ok(());
    }
    let allowed = if e.iter().zip(&a).all(|(e, a)| e.to_bits() == a.to_bits()) {
        vec![Allowance::Exact; e.len()]
    } else {
        p_allowed(&task, &observed, peers)
    };
    let allowed =
        |i: usize| if e[i].is_nan() || a[i].is_nan() { Allowance::Undefined } else { allowed[i] };
    checks.numbers("pvalues: value", "pvalues", &e, &a, at, allowed);
    Ok(())
}

/// The three tables of an answer.
pub(crate) struct Parts<'a> {
    pub(crate) means: &'a Frame,
    pub(crate) pvalues: &'a Frame,
    pub(crate) metadata: &'a Frame,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(reply: &'a Reply) -> Option<Parts<'a>> {
        let root = reply.data.root();
        let map = match root.get("result").or_else(|| root.get("uns"))? {
            Value::Map(map) if map.contains_key("means") => map,
            Value::Map(group) => match group.values().next()? {
                Value::Map(map) => map,
                _ => return None,
            },
            _ => return None,
        };
        let frame = |map: &'a Map, name: &str| match map.get(name) {
            Some(Value::Frame(frame)) => Some(frame),
            _ => None,
        };
        Some(Parts {
            means: frame(map, "means")?,
            pvalues: frame(map, "pvalues")?,
            metadata: frame(map, "metadata")?,
        })
    }
}

fn shape(reply: &Reply) -> String {
    let leaves = reply.data.leaves();
    shorten(
        &leaves
            .iter()
            .map(|(p, v)| format!("{p}: {}", v.type_name()))
            .collect::<Vec<_>>()
            .join(", "),
        100,
    )
}

/// All numbers of a table, row by row.
pub(crate) fn flat(frame: &Frame) -> Vec<f64> {
    let columns: Vec<Vec<f64>> = (frame.columns.iter())
        .map(|c| match c {
            Value::Dense(d) => d.to_f64(),
            _ => vec![f64::NAN; frame.index.len()],
        })
        .collect();
    (0..frame.index.len()).flat_map(|i| columns.iter().map(move |c| c[i])).collect()
}

/// Metadata columns are carried through unchanged; their order is not part of the contract.
fn metadata(expected: &Frame, actual: &Frame, checks: &mut Checks) {
    let sorted = |frame: &Frame| {
        let mut names = frame.column_names();
        names.sort();
        names
    };
    checks.texts(
        "metadata rows: form",
        "metadata",
        &expected.index.labels(),
        &actual.index.labels(),
    );
    if !checks.texts("metadata columns: form", "metadata", &sorted(expected), &sorted(actual)) {
        return;
    }
    for name in sorted(expected) {
        let texts = |frame: &Frame| match numbers(frame, &name) {
            Some(values) => values.into_iter().map(crate::compare::number).collect(),
            None => frame.column(&name).map(text_of).unwrap_or_default(),
        };
        checks.texts(
            "metadata: value",
            &format!("metadata[{name}]"),
            &texts(expected),
            &texts(actual),
        );
    }
}

/// How far means may be apart, and where rounding decides what is defined.
pub(crate) struct Bounds {
    /// Bound for each entry of the table of means.
    pub(crate) means: Vec<f64>,
    /// Entries of which one mean is infinite, or NaN where infinities meet: rounding changes nothing there.
    infinite: Vec<bool>,
    /// Entries where a mean within rounding of 0 decides whether the table holds 0.
    pub(crate) near_zero: Vec<bool>,
    /// Entries where that or a share within rounding of the threshold decides whether there is a p-value.
    pub(crate) doubtful: Vec<bool>,
}

impl Bounds {
    pub(crate) fn new(task: &Task, observed: &Observed, peers: [Profile; 2]) -> Bounds {
        let k = task.k();
        let mut magnitude = vec![0.0; observed.means.len()];
        for (gene, column) in task.columns.iter().enumerate() {
            for (cell, value) in column.cells.iter().zip(&column.values) {
                magnitude[gene * k + task.labels[*cell as usize] as usize] += value.abs();
            }
        }
        // By gene and cluster, for each side: what its values lost when they were taken in, a sum of n_c terms in any order
        // (n_c u), its quotient, and the half-sum of two means (4u). Integers that float64 holds exactly are added up
        // without rounding.
        let bound: Vec<f64> = (0..magnitude.len())
            .map(|i| {
                let size = observed.sizes[i % k] as f64;
                let relative = |p: Profile| {
                    let adds = !exact(task, observed) || p.unit() != U64;
                    p.cast() + if adds { size + 4.0 } else { 4.0 } * p.unit()
                };
                peers.iter().map(|p| relative(*p)).sum::<f64>() * magnitude[i] / size
            })
            .collect();
        // An infinite value leaves no doubt about the sign of its mean, nor about the mean.
        let near_zero = |i: usize| {
            bound[i] > 0.0
                && observed.means[i].is_finite()
                && observed.means[i].abs() <= bound[i]
                && !(exact(task, observed) && peers.iter().all(|p| p.unit() == U64))
        };
        let unit = peers[0].unit().max(peers[1].unit());
        let near_threshold = |i: usize| {
            let (share, size) = (observed.shares[i], observed.sizes[i % k] as f64);
            // n/d is exactly what it seems if multiplying back leaves no remainder; then every way to compare agrees.
            let exact = share.mul_add(size, -(observed.expressing[i] as f64)) == 0.0;
            !exact && (share - task.threshold).abs() <= 4.0 * unit * task.threshold
        };
        Bounds {
            means: entries(task, |s, t| bound[s] + bound[t]),
            infinite: entries(task, |s, t| !(observed.means[s] + observed.means[t]).is_finite()),
            near_zero: entries(task, |s, t| near_zero(s) || near_zero(t)),
            doubtful: entries(task, |s, t| {
                near_zero(s) || near_zero(t) || near_threshold(s) || near_threshold(t)
            }),
        }
    }

    fn mean(&self, i: usize) -> Allowance {
        match (self.near_zero[i], self.infinite[i]) {
            (true, _) => Allowance::Undefined,
            (false, true) => Allowance::Exact,
            (false, false) if self.means[i].is_finite() => Allowance::Within(self.means[i]),
            (false, false) => Allowance::Undefined,
        }
    }
}

/// Whether every sum of values is exact in float64, in any order.
pub(crate) fn exact(task: &Task, observed: &Observed) -> bool {
    let total = |gene: usize| observed.fixed.total(gene).unsigned_abs() < 1 << 53;
    observed.fixed.exact && (0..task.columns.len()).all(total)
}

/// One value per interaction and pair of clusters, from the places (gene, cluster) of its two sides.
fn entries<T>(task: &Task, value: impl Fn(usize, usize) -> T) -> Vec<T> {
    let k = task.k();
    let mut out = Vec::with_capacity(task.interactions.len() * task.pairs.len());
    for [s, t] in &task.interactions {
        for [c, d] in &task.pairs {
            out.push(value(*s as usize * k + *c as usize, *t as usize * k + *d as usize));
        }
    }
    out
}

/// The p-values that remain possible if comparisons may err by rounding; correction is monotone in each of them.
fn p_allowed(task: &Task, observed: &Observed, peers: [Profile; 2]) -> Vec<Allowance> {
    let largest = observed.sizes.iter().copied().max().unwrap_or(0) as f64;
    // Two means on either side of the comparison, each a sum over a cluster in any order.
    let relative = |p: &Profile| p.cast() + 2.0 * p.unit() * (largest + 2.0);
    let exceedances = task.exceedances(observed, Some(peers.iter().map(relative).sum()));
    let low = task.tables(observed, &exceedances.low).pvalues;
    let high = task.tables(observed, &exceedances.high).pvalues;
    let m = task.interactions.len().max(task.pairs.len()) as f64;
    // A corrected p-value is at most 1 and takes at most m sums, products or quotients of numbers at most 1.
    let unit = peers[1].unit();
    let rounding = match (&task.correction, unit == U64) {
        (None, true) => 0.0,
        // The quotient K/N itself.
        (None, false) => unit,
        (Some(_), _) => (m + 16.0) * 2.0 * unit,
    };
    low.iter()
        .zip(&high)
        .map(|(low, high)| Allowance::Between(low - rounding, high + rounding))
        .collect()
}

/// Inputs on which squidpy 1.8.3 stops for reasons that are no judgement of the input.
fn host_undefined(call: &Call) -> Option<String> {
    let key = call.param("cluster_key").and_then(Value::as_text)?;
    let Value::Categorical(column) = call.data.get(&format!("obs/{key}"))? else { return None };
    if column.codes.contains(&-1) {
        return Some(
            "cells without a label: squidpy stops with a TypeError on the missing value".to_owned(),
        );
    }
    // A call that is refused before it comes to computing is refused there too.
    Task::read(&call.data, &call.params).ok()?;
    if call.param("clusters").and_then(Value::len) == Some(1) {
        return Some(
            "one cluster: squidpy stops with an error of numba's type inference".to_owned(),
        );
    }
    if call.param("interactions").is_some_and(are_two_pairs) {
        return Some("a list of two pairs: squidpy reads it as (sources, targets)".to_owned());
    }
    let number = |name: &str| call.param(name).and_then(Value::as_f64);
    if let (Some(jobs), Some(perms)) = (number("n_jobs"), number("n_perms")) {
        let step = (perms / jobs).ceil();
        if (perms / step).ceil() != jobs {
            return Some(
                "permutations that do not fill the jobs: squidpy stops with an AssertionError"
                    .to_owned(),
            );
        }
    }
    None
}

/// Whether an argument is a list of exactly two pairs, or an array of two rows.
fn are_two_pairs(interactions: &Value) -> bool {
    match interactions {
        Value::List(items) => {
            items.len() == 2
                && items.iter().all(|item| matches!(item, Value::Tuple(pair) if pair.len() == 2))
        }
        Value::Strings(array) => array.shape == [2, 2],
        _ => false,
    }
}
