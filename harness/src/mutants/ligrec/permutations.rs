//! Wrong permutations: of the wrong cells, too few, the same, from another seed.

use dispatch::{Dataset, Params, Value};
use reference::ligrec::{Observed, Task};

use super::{Class, Mutant, drawn, exceeding, means, of, permuted, with_counts};
use crate::mutants::change::replaced;

const PERMUTATIONS: Mutant = of(Class::Permutations);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ligrec-permutes-all-cells",
        spec: "G5",
        mistake: "permutes the labels of all cells although `clusters` restricts them",
        origin: "cells filtered after the permutation; tests ask for all clusters",
        check: "pvalues: value",
        run: |data, params| {
            with_counts(data, params, |task, observed| over_all(data, params, task, observed))
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "ligrec-permutes-within-clusters",
        spec: "G5",
        mistake: "permutes cells within their clusters, which changes nothing",
        origin: "a segmented shuffle by the wrong key; p = 0 everywhere, \"highly significant\"",
        check: "pvalues: value",
        run: |data, params| {
            with_counts(data, params, |task, _| vec![0; task.interactions.len() * task.pairs.len()])
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "ligrec-first-permutation-is-identity",
        mistake: "counts the labels as they are as one of the permutations",
        origin: "off by one; a tie is never counted, so p is too small by up to 1/N",
        check: "pvalues: value",
        run: |data, params| {
            recounted(data, params, |task, p| match p {
                0 => task.labels.clone(),
                p => permuted(task, p - 1),
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "ligrec-permutations-all-equal",
        mistake: "draws the same permutation every time",
        origin: "a generator made anew from the seed for each draw; p is 0 or 1",
        check: "pvalues: value",
        run: |data, params| recounted(data, params, |task, _| permuted(task, 0)),
        ..PERMUTATIONS
    },
    Mutant {
        name: "ligrec-shuffles-in-place",
        mistake: "shuffles what the last permutation left",
        origin: "squidpy 1.8.3 and rapids-singlecell chain their permutations; p then depends on how work is split",
        check: "pvalues: value",
        run: |data, params| {
            recounted(data, params, |task, p| {
                let seed = seed(params);
                (0..=p).fold(task.labels.clone(), |labels, q| {
                    drawn(task, seed, q).iter().map(|&i| labels[i as usize]).collect()
                })
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "ligrec-ignores-seed",
        mistake: "draws from seed 0, whatever `seed` says",
        origin: "rapids-singlecell 0.18.1 has no seed at all; tests compare two runs of one seed",
        check: "pvalues: value",
        run: |data, params| super::right(data, &replaced(params, [("seed", Value::Int(0))])),
        ..PERMUTATIONS
    },
    Mutant {
        name: "ligrec-labels-drawn-with-replacement",
        mistake: "draws labels with replacement, so that clusters change their sizes",
        origin: "a bootstrap for a permutation; p-values remain plausible",
        check: "pvalues: value",
        run: |data, params| {
            recounted(data, params, |task, p| {
                let images = permuted(task, p);
                (0..images.len()).map(|i| images[i / 2]).collect()
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "ligrec-one-permutation-too-few",
        mistake: "leaves the last permutation out and divides by N all the same",
        origin: "`p < N - 1`; one in a thousand by default",
        check: "pvalues: value",
        run: |data, params| {
            with_counts(data, params, |task, observed| {
                task.n_perms -= 1;
                let counts = match task.n_perms {
                    0 => vec![0; task.interactions.len() * task.pairs.len()],
                    _ => task.exceedances(observed, None).strict,
                };
                task.n_perms += 1;
                counts
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "ligrec-n-perms-fixed",
        mistake: "draws 100 permutations, whatever `n_perms` says",
        origin: "a dropped argument; p-values remain plausible",
        check: "pvalues: value",
        run: |data, params| match params.get("n_perms") {
            Some(Value::Int(1..)) => {
                super::right(data, &replaced(params, [("n_perms", Value::Int(100))]))
            }
            _ => super::right(data, params),
        },
        ..PERMUTATIONS
    },
];

fn seed(params: &Params) -> u64 {
    match params.get("seed") {
        Some(Value::Int(seed)) => u64::try_from(*seed).unwrap_or(0),
        _ => 0,
    }
}

/// Everything right but the labels: `labels(task, p)` under permutation p.
fn recounted(
    data: &Dataset,
    params: &Params,
    labels: impl Fn(&Task, usize) -> Vec<u32>,
) -> super::Answer {
    with_counts(data, params, |task, _| {
        let observed = means(task, &task.labels);
        exceeding(task, &observed, |p| means(task, &labels(task, p)))
    })
}

/// Counts of the restricted pairs with the labels of all cells permuted.
fn over_all(data: &Dataset, params: &Params, task: &Task, observed: &Observed) -> Vec<u32> {
    let right = || task.exceedances(observed, None).strict;
    let Ok(all) = Task::read(data, &replaced(params, [("clusters", Value::None)])) else {
        return right();
    };
    let counts = all.exceedances(&all.observed(), None).strict;
    let name = |task: &Task, pair: &[u32; 2]| pair.map(|c| task.clusters[c as usize].clone());
    let column = |pair| all.pairs.iter().position(|p| name(&all, p) == name(task, pair));
    let Some(columns) = task.pairs.iter().map(column).collect::<Option<Vec<usize>>>() else {
        return right();
    };
    let width = all.pairs.len();
    (0..task.interactions.len())
        .flat_map(|i| columns.iter().map(move |j| i * width + j))
        .map(|at| counts[at])
        .collect()
}
