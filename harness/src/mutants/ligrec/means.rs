//! Wrong means, or wrong tables of them.

use super::{Class, Mutant, of, with_means, with_observed};

const MEANS: Mutant = of(Class::Formula);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ligrec-mean-of-expressing",
        spec: "G3",
        mistake: "takes the mean over the cells that express a gene, not over all of the cluster",
        origin: "a sparse kernel that divides by what it stores; dense positive data do not show it",
        check: "means: value",
        run: |data, params| {
            with_observed(data, params, |task, observed| {
                let k = task.k();
                for i in 0..observed.means.len() {
                    if observed.expressing[i] > 0 {
                        observed.means[i] *=
                            observed.sizes[i % k] as f64 / observed.expressing[i] as f64;
                    }
                }
            })
        },
        ..MEANS
    },
    Mutant {
        name: "ligrec-sum-of-positives",
        spec: "G3",
        mistake: "adds positive values up only",
        origin: "rapids-singlecell 0.18.1, where observed and permuted means differ in this; counts are not negative",
        check: "means: value",
        run: |data, params| {
            with_observed(data, params, |task, observed| {
                let k = task.k();
                for (gene, column) in task.columns.iter().enumerate() {
                    let negative =
                        column.cells.iter().zip(&column.values).filter(|(_, v)| **v < 0.0);
                    for (cell, value) in negative {
                        let cluster = task.labels[*cell as usize] as usize;
                        observed.means[gene * k + cluster] -=
                            value / observed.sizes[cluster] as f64;
                    }
                }
            })
        },
        ..MEANS
    },
    Mutant {
        name: "ligrec-threshold-zeroes-means",
        spec: "G4",
        mistake: "sets means to 0 where a share of expressing cells is below the threshold",
        origin: "the threshold is about p-values only; at 0.01 nothing is below it",
        check: "means: value",
        run: |data, params| {
            with_means(data, params, |task, o, sides| {
                if sides.iter().all(|i| o.shares[*i] >= task.threshold) {
                    half_sum(o, sides)
                } else {
                    0.0
                }
            })
        },
        ..MEANS
    },
    Mutant {
        name: "ligrec-nan-for-zero-means",
        spec: "G7",
        mistake: "answers NaN for means where one of two is not positive",
        origin: "the rule of p-values taken for both; means there are 0, and dense expression has none",
        check: "means: value",
        run: |data, params| {
            with_means(data, params, |_, o, sides| {
                let mean = half_sum(o, sides);
                if mean == 0.0 { f64::NAN } else { mean }
            })
        },
        ..MEANS
    },
    Mutant {
        name: "ligrec-one-positive-is-enough",
        spec: "G7",
        mistake: "answers the half-sum where only one of two means is positive",
        origin: "`or` for `and`; dense expression does not show it",
        check: "means: value",
        run: |data, params| {
            with_means(data, params, |_, o, [s, t]| {
                let (s, t) = (o.means[s], o.means[t]);
                if s > 0.0 || t > 0.0 { (s + t) / 2.0 } else { 0.0 }
            })
        },
        ..MEANS
    },
    Mutant {
        name: "ligrec-negative-means-kept",
        mistake: "answers the half-sum whatever its sign",
        origin: "the condition forgotten; counts are not negative, and scaled data are not tested",
        check: "means: value",
        run: |data, params| {
            with_means(data, params, |_, o, [s, t]| {
                if o.means[s] != 0.0 && o.means[t] != 0.0 {
                    (o.means[s] + o.means[t]) / 2.0
                } else {
                    0.0
                }
            })
        },
        ..MEANS
    },
    Mutant {
        name: "ligrec-sum-of-means",
        mistake: "answers the sum of the two means",
        origin: "the statistic of the permutations, which is not halved",
        check: "means: value",
        run: |data, params| with_means(data, params, |_, o, sides| 2.0 * half_sum(o, sides)),
        ..MEANS
    },
    Mutant {
        name: "ligrec-product-of-means",
        mistake: "answers the product of the two means",
        origin: "other methods of the kind do (CellChat); rank-like checks agree",
        check: "means: value",
        run: |data, params| {
            with_means(data, params, |_, o, [s, t]| {
                if o.means[s] > 0.0 && o.means[t] > 0.0 { o.means[s] * o.means[t] } else { 0.0 }
            })
        },
        ..MEANS
    },
    Mutant {
        name: "ligrec-genes-swapped",
        spec: "G6",
        mistake: "takes the source in the second cluster and the target in the first",
        origin: "indices swapped; sorted values and full symmetric products are the same",
        check: "means: value",
        run: |data, params| {
            super::with_task(data, params, |task| {
                task.interactions.iter_mut().for_each(|i| i.reverse())
            })
        },
        ..MEANS
    },
    Mutant {
        name: "ligrec-clusters-swapped",
        spec: "G6",
        mistake: "takes cluster 2 for cluster 1",
        origin: "indices swapped; sorted values and full symmetric products are the same",
        check: "means: value",
        run: |data, params| {
            super::with_tables(data, params, |task| {
                let columns = task.pairs.clone();
                task.pairs.iter_mut().for_each(|pair| pair.reverse());
                let observed = task.observed();
                let counts = task.exceedances(&observed, None).strict;
                let tables = task.tables(&observed, &counts);
                task.pairs = columns;
                tables
            })
        },
        ..MEANS
    },
    Mutant {
        name: "ligrec-target-in-first-cluster",
        spec: "G6",
        mistake: "takes both genes in cluster 1",
        origin: "an index copied; the diagonal of the table is right",
        check: "means: value",
        run: |data, params| {
            with_means(data, params, |task, o, [s, t]| {
                half_sum(o, [s, t / task.k() * task.k() + s % task.k()])
            })
        },
        ..MEANS
    },
];

/// The half-sum of two means, 0 unless both are positive.
fn half_sum(observed: &reference::ligrec::Observed, [s, t]: [usize; 2]) -> f64 {
    let (s, t) = (observed.means[s], observed.means[t]);
    if s > 0.0 && t > 0.0 { (s + t) / 2.0 } else { 0.0 }
}
