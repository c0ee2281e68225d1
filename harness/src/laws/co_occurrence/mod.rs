//! The laws of co-occurrence.
//!
//! Behind the ratios stand counts of pairs, and a pair that lies on a threshold up to rounding may be counted
//! or not. So laws that move cells or thresholds are asked only where no pair is in doubt, before and after:
//! there the counts are known exactly, and ratios of equal counts agree to the last few bits.

mod clusters;
mod places;
mod thresholds;

use dispatch::{Call, Categorical, Dense, Fault, Value};
use reference::co_occurrence::{Band, Counts, Task};

use super::twist::text;
use super::{Answered, Law};
use crate::compare::{Allowance, Checks};
use crate::contracts::co_occurrence::parts;
use crate::profile::U64;
use crate::show::place;

const FUNCTION: &str = "co_occurrence";

/// All of them.
pub(super) const LAWS: &[Law] = &[
    clusters::C1,
    clusters::C2,
    clusters::C3,
    thresholds::C4,
    places::C5,
    places::C6,
    clusters::C7,
    thresholds::C8,
    places::C9,
    clusters::C10,
    clusters::C11,
    thresholds::C12,
    places::C13,
];

/// An answer, read.
struct Grid {
    task: Task,
    k: usize,
    bins: usize,
    occ: Vec<f64>,
    interval: Vec<f64>,
}

/// The arrays of an answer; `None`, with a failed check, if they are not there or have other shapes.
fn grid(answered: &Answered<'_>, checks: &mut Checks) -> Result<Option<Grid>, Fault> {
    let task = Task::read(&answered.call.data, &answered.call.params)?;
    let (k, bins) = (task.k, task.thresholds.len());
    let form = |occ: &[usize], interval: &[usize]| format!("occ {occ:?}, interval {interval:?}");
    let found = parts(&answered.reply.data);
    let shapes = found.map_or("nothing".to_owned(), |(o, i)| form(&o.shape, &i.shape));
    if !checks.equal("form", "occ", &form(&[k, k, bins], &[bins + 1]), &shapes) {
        return Ok(None);
    }
    Ok(found.map(|(occ, interval)| Grid {
        task,
        k,
        bins,
        occ: occ.to_f64(),
        interval: interval.to_f64(),
    }))
}

impl Grid {
    fn at(&self, i: usize, c: usize, r: usize) -> f64 {
        self.occ[(i * self.k + c) * self.bins + r]
    }

    /// Asks that each ratio is an expected number, give or take some roundings relative to a magnitude.
    fn is(&self, expected: &[f64], allowed: impl Fn(usize) -> Allowance, checks: &mut Checks) {
        let shape = [self.k, self.k, self.bins];
        checks.numbers("occ", "occ", expected, &self.occ, |i| place(i, &shape), allowed);
    }

    /// One number per ratio from its clusters and its threshold.
    fn each(&self, value: impl Fn(usize, usize, usize) -> f64) -> Vec<f64> {
        let per_cluster = self.k * self.bins;
        let of = |at: usize| value(at / per_cluster, at / self.bins % self.k, at % self.bins);
        (0..self.occ.len()).map(of).collect()
    }
}

/// A ratio takes two conversions to float64 and three products or quotients, whatever their order: 8u for each of two
/// answers.
fn few_bits(expected: f64) -> Allowance {
    Allowance::Within(16.0 * U64 * expected.abs())
}

fn task(call: &Call) -> Option<Task> {
    Task::read(&call.data, &call.params).ok()
}

/// The counts, if no pair is in doubt.
fn certain(band: Band) -> Option<Counts> {
    (band.low == band.high).then_some(band.low)
}

/// The counts of a call, if it names its thresholds and no pair is in doubt.
fn counts(call: &Call) -> Option<Counts> {
    certain(task(call).filter(|_| is_explicit(call))?.band())
}

/// Whether the call names its thresholds; automatic ones depend on ties of sums, which no two programs break alike.
fn is_explicit(call: &Call) -> bool {
    !matches!(call.param("interval"), None | Some(Value::Int(_)))
}

fn coordinates(call: &Call) -> Option<(String, &Dense)> {
    let path = format!("obsm/{}", text(call, "spatial_key", "spatial"));
    match call.data.get(&path)? {
        Value::Dense(dense) => Some((path, dense)),
        _ => None,
    }
}

fn labels(call: &Call) -> Option<(String, &Categorical)> {
    let path = format!("obs/{}", text(call, "cluster_key", ""));
    match call.data.get(&path)? {
        Value::Categorical(column) => Some((path, column)),
        _ => None,
    }
}

/// The names of the categories that occur, in the order of the categories.
fn used(call: &Call) -> Vec<String> {
    let Some((_, column)) = labels(call) else { return Vec::new() };
    let occurs = |(code, _): &(usize, String)| column.codes.contains(&(*code as i32));
    column.names().into_iter().enumerate().filter(occurs).map(|(_, name)| name).collect()
}

fn distances(values: &[f64]) -> Value {
    Dense::vector(values.to_vec()).into()
}

/// Asks that two answers have the same ratios, where the second's cluster `to[i]` is the first's `i`.
fn same_ratios(before: &Grid, after: &Grid, to: &[usize], checks: &mut Checks) {
    let mut expected = after.occ.clone();
    for (i, &at_i) in to.iter().enumerate() {
        for (c, &at_c) in to.iter().enumerate() {
            for r in 0..before.bins.min(after.bins) {
                expected[(at_i * after.k + at_c) * after.bins + r] = before.at(i, c, r);
            }
        }
    }
    after.is(&expected, |at| few_bits(expected[at]), checks);
}

fn unchanged(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(first) = grid(before, checks)? else { return Ok(()) };
    let Some(second) = grid(after, checks)? else { return Ok(()) };
    let (from, to) = (used(before.call), used(after.call));
    let places: Vec<usize> =
        from.iter().filter_map(|name| to.iter().position(|other| other == name)).collect();
    same_ratios(&first, &second, &places, checks);
    Ok(())
}

/// `R_c R_i / Tot`: what a ratio is multiplied by to give its count.
struct Weights {
    k: usize,
    bins: usize,
    rows: Vec<u64>,
}

impl Weights {
    fn new(counts: &Counts) -> Weights {
        Weights { k: counts.k, bins: counts.bins, rows: counts.row_sums() }
    }

    fn at(&self, i: usize, c: usize, r: usize) -> f64 {
        let row = |b: usize| self.rows[b * self.bins + r] as f64;
        let total: f64 = (0..self.k).map(row).sum();
        if total > 0.0 { row(i) * row(c) / total } else { 0.0 }
    }
}
