//! What is left out where a tile or a loop ends. Sizes are scaled to those that plans reach.

use super::{Class, Mutant, exceeding, means, of, permuted, right, with_counts, with_tables};
use crate::mutants::change::identity;

const SIZES: Mutant = of(Class::Sizes);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ligrec-last-cell",
        mistake: "leaves the last cell out of the sums",
        origin: "`i < n - 1`; one cell in many",
        check: "means: value",
        run: |data, params| {
            super::with_task(data, params, |task| {
                let last = task.labels.len() as u32 - 1;
                drop_cells(task, |cell| cell == last);
            })
        },
        ..SIZES
    },
    Mutant {
        name: "ligrec-last-cell-block",
        mistake: "leaves the cells after the last full block of 32 out of the sums",
        origin: "a grid of n / 32 blocks; tests have a multiple of the block",
        check: "means: value",
        run: |data, params| {
            super::with_task(data, params, |task| {
                let n = task.labels.len() as u32;
                drop_cells(task, |cell| n >= 32 && cell >= n / 32 * 32);
            })
        },
        ..SIZES
    },
    Mutant {
        name: "ligrec-last-permutation-tile",
        mistake: "leaves the permutations after the last full tile of 32 out",
        origin: "a grid of N / 32 blocks; 1000 permutations have 8 left over",
        check: "pvalues: value",
        run: |data, params| {
            with_counts(data, params, |task, observed| {
                let all = task.n_perms;
                task.n_perms = if all >= 32 { all / 32 * 32 } else { all };
                let counts = task.exceedances(observed, None).strict;
                task.n_perms = all;
                counts
            })
        },
        ..SIZES
    },
    Mutant {
        name: "ligrec-last-interaction",
        mistake: "leaves the last interaction at 0",
        origin: "`i < m - 1`; one row in many",
        check: "means: value",
        run: |data, params| {
            with_tables(data, params, |task| {
                let observed = task.observed();
                let counts = task.exceedances(&observed, None).strict;
                let mut tables = task.tables(&observed, &counts);
                let from = tables.means.len() - task.pairs.len();
                tables.means[from..].fill(0.0);
                tables
            })
        },
        ..SIZES
    },
    Mutant {
        name: "ligrec-last-pair-tile",
        mistake: "leaves the pairs of clusters after the last full tile of 16 at 0",
        origin: "a grid of k^2 / 16 blocks; tests have a multiple of the tile, or fewer",
        check: "means: value",
        run: |data, params| {
            with_tables(data, params, |task| {
                let observed = task.observed();
                let counts = task.exceedances(&observed, None).strict;
                let mut tables = task.tables(&observed, &counts);
                let width = task.pairs.len();
                for (at, mean) in tables.means.iter_mut().enumerate() {
                    if width >= 16 && at % width >= width / 16 * 16 {
                        *mean = 0.0;
                    }
                }
                tables
            })
        },
        ..SIZES
    },
    Mutant {
        name: "ligrec-labels-in-3-bits",
        mistake: "keeps labels in 3 bits: the ninth cluster is taken for the first",
        origin: "8-bit labels, scaled to what plans reach; tests have few clusters",
        check: "means: value",
        run: |data, params| {
            super::with_task(data, params, |task| {
                if task.k() > 8 {
                    task.labels.iter_mut().for_each(|label| *label &= 7);
                }
            })
        },
        ..SIZES
    },
    Mutant {
        name: "ligrec-short-permutations",
        mistake: "permutes the first 512 cells only",
        origin: "shared memory for 512 labels; permutations of small data are right",
        check: "pvalues: value",
        run: |data, params| {
            if data.n_obs() <= 512 {
                return right(data, params);
            }
            with_counts(data, params, |task, _| {
                let observed = means(task, &task.labels);
                exceeding(task, &observed, |p| {
                    let (all, mut labels) = (permuted(task, p), task.labels.clone());
                    identity(512).iter().for_each(|&i| labels[i as usize] = all[i as usize]);
                    means(task, &labels)
                })
            })
        },
        ..SIZES
    },
];

/// The values of some cells taken for 0.
fn drop_cells(task: &mut reference::ligrec::Task, drop: impl Fn(u32) -> bool) {
    for column in &mut task.columns {
        let kept = column.cells.iter().zip(&column.values).filter(|(cell, _)| !drop(**cell));
        let (cells, values) = kept.map(|(cell, value)| (*cell, *value)).unzip();
        (column.cells, column.values) = (cells, values);
    }
}
