//! Mistakes in `ligrec`, and the stages of the reference between which they are made.

mod corrections;
mod genes;
mod inputs;
mod means;
mod numerics;
mod permutations;
mod pvalues;
mod refusals;
mod sizes;
mod structure;

use dispatch::{Dataset, Fault, Params, Reply};
use reference::ligrec::{Observed, Stream, Tables, Task};
use reference::rng::{LIGREC, Permutations};

use super::{Class, Mutant};

/// All of them.
pub(super) const MUTANTS: &[&[Mutant]] = &[
    means::MUTANTS,
    permutations::MUTANTS,
    pvalues::MUTANTS,
    corrections::MUTANTS,
    genes::MUTANTS,
    inputs::MUTANTS,
    numerics::MUTANTS,
    sizes::MUTANTS,
    structure::MUTANTS,
    refusals::MUTANTS,
];

const fn of(class: Class) -> Mutant {
    Mutant::of("ligrec", class)
}

type Answer = Result<Reply, Fault>;

/// The reference.
pub(super) fn right(data: &Dataset, params: &Params) -> Answer {
    with_task(data, params, |_| ())
}

/// Everything right after the call is read otherwise.
fn with_task(data: &Dataset, params: &Params, change: impl FnOnce(&mut Task)) -> Answer {
    with_tables(data, params, |task| {
        change(task);
        let observed = task.observed();
        let counts = task.exceedances(&observed, None).strict;
        task.tables(&observed, &counts)
    })
}

/// Everything right but the tables.
pub(super) fn with_tables(
    data: &Dataset,
    params: &Params,
    tables: impl FnOnce(&mut Task) -> Tables,
) -> Answer {
    let mut task = Task::read(data, params)?;
    let tables = tables(&mut task);
    Ok(task.reply(tables))
}

/// Everything right but what is made of the means, `mean(mu_s, mu_t)` of each entry.
fn with_means(
    data: &Dataset,
    params: &Params,
    mean: impl Fn(&Task, &Observed, [usize; 2]) -> f64,
) -> Answer {
    with_tables(data, params, |task| {
        let observed = task.observed();
        let counts = task.exceedances(&observed, None).strict;
        let tables = task.tables(&observed, &counts);
        let means = sides(task).into_iter().map(|sides| mean(task, &observed, sides)).collect();
        Tables { means, ..tables }
    })
}

/// Everything right but the means of genes in clusters, at `gene * k + cluster`.
fn with_observed(
    data: &Dataset,
    params: &Params,
    change: impl FnOnce(&Task, &mut Observed),
) -> Answer {
    with_tables(data, params, |task| {
        let right = task.observed();
        let counts = task.exceedances(&right, None).strict;
        let mut observed = right;
        change(task, &mut observed);
        task.tables(&observed, &counts)
    })
}

/// Everything right but the p-values: `p(task, entry, exceedances)`, before correction.
fn with_p(data: &Dataset, params: &Params, p: impl Fn(&Task, u32) -> f64) -> Answer {
    with_pvalues(data, params, |task, observed| {
        let counts = task.exceedances(observed, None).strict;
        let defined = task.defined(observed);
        let one =
            |(count, defined): (&u32, &bool)| if *defined { p(task, *count) } else { f64::NAN };
        counts.iter().zip(&defined).map(one).collect()
    })
}

/// Everything right but the p-values before correction, NaN where undefined.
fn with_pvalues(
    data: &Dataset,
    params: &Params,
    pvalues: impl FnOnce(&Task, &Observed) -> Vec<f64>,
) -> Answer {
    with_tables(data, params, |task| {
        let observed = task.observed();
        let zeros = vec![0; task.interactions.len() * task.pairs.len()];
        let means = task.tables(&observed, &zeros).means;
        let pvalues = pvalues(task, &observed);
        Tables { means, pvalues: task.corrected(pvalues) }
    })
}

/// Everything right but the counts of exceedances.
fn with_counts(
    data: &Dataset,
    params: &Params,
    counts: impl FnOnce(&mut Task, &Observed) -> Vec<u32>,
) -> Answer {
    with_tables(data, params, |task| {
        let observed = task.observed();
        let counts = counts(task, &observed);
        task.tables(&observed, &counts)
    })
}

/// For each entry of the tables the places `gene * k + cluster` of its two sides.
fn sides(task: &Task) -> Vec<[usize; 2]> {
    let k = task.k();
    let mut out = Vec::with_capacity(task.interactions.len() * task.pairs.len());
    for [s, t] in &task.interactions {
        for [c, d] in &task.pairs {
            out.push([*s as usize * k + *c as usize, *t as usize * k + *d as usize]);
        }
    }
    out
}

/// The labels under permutation `p` of the call.
fn permuted(task: &Task, p: usize) -> Vec<u32> {
    let seed = match task.stream {
        Stream::Concord { seed } => seed,
        Stream::Numpy { seed, .. } => u64::from(seed),
    };
    drawn(task, seed, p).iter().map(|&i| task.labels[i as usize]).collect()
}

/// Permutation `p` of a seed.
fn drawn(task: &Task, seed: u64, p: usize) -> Vec<u32> {
    let mut images = vec![0; task.labels.len()];
    Permutations::new(LIGREC, seed, images.len()).fill(p as u64, &mut images);
    images
}

/// Means in float64 under some labels, as the host adds and divides.
fn means(task: &Task, labels: &[u32]) -> Vec<f64> {
    means_by(task, labels, |sum, size| sum / size)
}

/// Means under some labels by a division of one's own.
fn means_by(task: &Task, labels: &[u32], divide: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let k = task.k();
    let mut sizes = vec![0.0; k];
    labels.iter().for_each(|&label| sizes[label as usize] += 1.0);
    let mut out = vec![0.0; task.columns.len() * k];
    for (gene, column) in task.columns.iter().enumerate() {
        for (cell, value) in column.cells.iter().zip(&column.values) {
            out[gene * k + labels[*cell as usize] as usize] += value;
        }
        for cluster in 0..k {
            out[gene * k + cluster] = divide(out[gene * k + cluster], sizes[cluster]);
        }
    }
    out
}

/// Exceedances by plain loops: `T_p > T_0` with the means of permutation p and the observed ones.
fn exceeding(task: &Task, observed: &[f64], means_of: impl Fn(usize) -> Vec<f64>) -> Vec<u32> {
    let sides = sides(task);
    let mut counts = vec![0; sides.len()];
    for p in 0..task.n_perms {
        let means = means_of(p);
        for (count, [s, t]) in counts.iter_mut().zip(&sides) {
            *count += u32::from(means[*s] + means[*t] > observed[*s] + observed[*t]);
        }
    }
    counts
}
