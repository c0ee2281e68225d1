//! Mistakes in `co_occurrence`, and the stages of the reference between which they are made.

mod counts;
mod inputs;
mod intervals;
mod numerics;
mod ratios;
mod refusals;
mod sizes;
mod structure;

use dispatch::{Dataset, Dense, Fault, Params, Reply, Value};
use reference::co_occurrence::{Counts, Task};

use super::change::text;
use super::{Class, Mutant};

/// All of them.
pub(super) const MUTANTS: &[&[Mutant]] = &[
    counts::MUTANTS,
    ratios::MUTANTS,
    intervals::MUTANTS,
    inputs::MUTANTS,
    numerics::MUTANTS,
    sizes::MUTANTS,
    structure::MUTANTS,
    refusals::MUTANTS,
];

const fn of(class: Class) -> Mutant {
    Mutant::of("co_occurrence", class)
}

type Answer = Result<Reply, Fault>;

/// The reference.
pub(super) fn right(data: &Dataset, params: &Params) -> Answer {
    with_task(data, params, |_| ())
}

/// Everything right after the call is read otherwise.
pub(super) fn with_task(data: &Dataset, params: &Params, change: impl FnOnce(&mut Task)) -> Answer {
    let mut task = Task::read(data, params)?;
    change(&mut task);
    Ok(task.reply(task.counts().ratios()))
}

/// Everything right but the counts.
fn with_counts(data: &Dataset, params: &Params, change: impl FnOnce(&Task, &mut Counts)) -> Answer {
    let task = Task::read(data, params)?;
    let mut counts = task.counts();
    change(&task, &mut counts);
    Ok(task.reply(counts.ratios()))
}

/// Everything right but the ratios, `ratio(counts, R, Tot, i, c, r)` where both row sums are positive.
pub(super) fn with_ratios(
    data: &Dataset,
    params: &Params,
    empty: f64,
    ratio: impl Fn(&Counts, &Sums, [usize; 3]) -> f64,
) -> Answer {
    let task = Task::read(data, params)?;
    let counts = task.counts();
    let sums = Sums::of(&counts);
    let mut occ = Vec::with_capacity(counts.n.len());
    for i in 0..counts.k {
        for c in 0..counts.k {
            for r in 0..counts.bins {
                let defined = sums.row(&counts, i, r) > 0.0 && sums.row(&counts, c, r) > 0.0;
                occ.push(if defined { ratio(&counts, &sums, [i, c, r]) } else { empty });
            }
        }
    }
    Ok(task.reply(occ))
}

/// Marginals of counts.
pub(super) struct Sums {
    rows: Vec<u64>,
    totals: Vec<u64>,
}

impl Sums {
    fn of(counts: &Counts) -> Sums {
        let rows = counts.row_sums();
        let total = |r: usize| (0..counts.k).map(|b| rows[b * counts.bins + r]).sum();
        Sums { totals: (0..counts.bins).map(total).collect(), rows }
    }

    /// `R[b,r]`.
    pub(super) fn row(&self, counts: &Counts, b: usize, r: usize) -> f64 {
        self.rows[b * counts.bins + r] as f64
    }

    /// `Tot[r]`.
    pub(super) fn total(&self, r: usize) -> f64 {
        self.totals[r] as f64
    }
}

/// Everything right but which ordered pairs of different cells are inside: `inside(task, i, j, T_r)`.
fn with_pairs(
    data: &Dataset,
    params: &Params,
    inside: impl Fn(&Task, usize, usize, f32) -> bool,
) -> Answer {
    with_counts(data, params, |task, counts| {
        counts.n = pairs(task, |i, j, t| i != j && inside(task, i, j, t));
    })
}

/// Counts of all ordered pairs, a cell with itself included, by plain loops.
fn pairs(task: &Task, inside: impl Fn(usize, usize, f32) -> bool) -> Vec<u64> {
    let bins = task.thresholds.len();
    let mut n = vec![0; task.k * task.k * bins];
    for (i, &a) in task.labels.iter().enumerate() {
        for (j, &b) in task.labels.iter().enumerate() {
            let at = (a as usize * task.k + b as usize) * bins;
            for (n, &t) in n[at..at + bins].iter_mut().zip(&task.thresholds) {
                *n += u64::from(inside(i, j, t));
            }
        }
    }
    n
}

/// The squared distance that the reference compares.
fn distance(task: &Task, i: usize, j: usize) -> f32 {
    let at = |i: usize| [task.x[i], task.y[i]];
    reference::co_occurrence::squared_distance(at(i), at(j))
}

/// The positions as stored, row-major, and their width.
fn positions(data: &Dataset, params: &Params) -> Option<(Vec<f64>, usize)> {
    match data.get(&format!("obsm/{}", text(params, "spatial_key", "spatial"))) {
        Some(Value::Dense(Dense { shape, .. })) if shape.len() != 2 => None,
        Some(Value::Dense(dense)) => Some((dense.to_f64(), dense.shape[1])),
        _ => None,
    }
}
