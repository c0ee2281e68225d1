//! Pairs counted that should not be, and the other way round.

use super::{Class, Mutant, distance, of, pairs, with_counts, with_pairs, with_task};

const COUNTS: Mutant = of(Class::Formula);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "cooc-strict-threshold",
        spec: "B1",
        mistake: "counts pairs nearer than a threshold, not those at it",
        origin: "`d < t` for `d <= t`; random coordinates never show it",
        check: "occ: value",
        // The float just below admits exactly the pairs that are strictly nearer.
        run: |data, params| {
            with_task(data, params, |task| {
                task.thresholds.iter_mut().filter(|t| **t > 0.0).for_each(|t| *t = t.next_down());
            })
        },
        ..COUNTS
    },
    Mutant {
        name: "cooc-root-before-compare",
        spec: "B1",
        mistake: "takes the root of the squared distance before it compares",
        origin: "`sqrt(d2) <= t` rounds where `d2 <= t^2` does; random coordinates never show it",
        check: "occ: value",
        run: |data, params| {
            let given = reference::co_occurrence::Task::read(data, params)?.interval;
            with_counts(data, params, |task, counts| {
                for r in 0..task.thresholds.len() {
                    let at = |i, j, _| i != j && distance(task, i, j).sqrt() <= given[r + 1];
                    let n = pairs(task, at);
                    (r..n.len()).step_by(counts.bins).for_each(|cell| counts.n[cell] = n[cell]);
                }
            })
        },
        ..COUNTS
    },
    Mutant {
        name: "cooc-annuli",
        spec: "B2",
        mistake: "counts pairs between two thresholds, not all within the larger",
        origin: "squidpy itself before PR #816; tests of one threshold do not see it",
        check: "occ: value",
        run: |data, params| {
            with_counts(data, params, |_, counts| {
                for bins in counts.n.chunks_mut(counts.bins.max(1)) {
                    for r in (1..bins.len()).rev() {
                        bins[r] = bins[r].abs_diff(bins[r - 1]);
                    }
                }
            })
        },
        ..COUNTS
    },
    Mutant {
        name: "cooc-self-pairs",
        spec: "B4",
        mistake: "counts each cell as its own neighbour",
        origin: "a missing `i != j`; hardly visible with many cells",
        check: "occ: value",
        run: |data, params| {
            with_counts(data, params, |task, counts| {
                counts.n = pairs(task, |i, j, t| distance(task, i, j) <= t)
            })
        },
        ..COUNTS
    },
    Mutant {
        name: "cooc-diagonal-counted-once",
        spec: "B5",
        mistake: "counts pairs within a cluster once, those between clusters twice",
        origin: "a loop over i < j that mirrors the table and forgets its diagonal; ratios off it look right",
        check: "occ: value",
        run: |data, params| {
            with_counts(data, params, |_, counts| {
                for a in 0..counts.k {
                    let at = (a * counts.k + a) * counts.bins;
                    counts.n[at..at + counts.bins].iter_mut().for_each(|n| *n /= 2);
                }
            })
        },
        ..COUNTS
    },
    Mutant {
        name: "cooc-upper-triangle",
        spec: "B+",
        mistake: "fills the table of pairs of clusters above its diagonal only",
        origin: "a loop over a <= b without the mirror image",
        check: "occ: value",
        run: |data, params| {
            with_counts(data, params, |_, counts| {
                let (k, bins) = (counts.k, counts.bins);
                for (cell, n) in counts.n.iter_mut().enumerate() {
                    let (a, b) = (cell / bins / k, cell / bins % k);
                    *n = if a > b { 0 } else { *n };
                }
            })
        },
        ..COUNTS
    },
    Mutant {
        name: "cooc-coincident-not-counted",
        mistake: "does not count cells in one place",
        origin: "`d > 0` to leave out a cell itself; random coordinates never coincide",
        check: "occ: value",
        run: |data, params| {
            with_pairs(data, params, |task, i, j, t| {
                let d = distance(task, i, j);
                d > 0.0 && d <= t
            })
        },
        ..COUNTS
    },
    Mutant {
        name: "cooc-manhattan",
        mistake: "adds the differences of the coordinates up",
        origin: "another metric; on a lattice at distance 1 it is the same",
        check: "occ: value",
        run: |data, params| {
            with_pairs(data, params, |task, i, j, t| {
                let d = (task.x[i] - task.x[j]).abs() + (task.y[i] - task.y[j]).abs();
                d * d <= t
            })
        },
        ..COUNTS
    },
    Mutant {
        name: "cooc-thresholds-not-squared",
        mistake: "compares squared distances with the thresholds themselves",
        origin: "a root saved on one side; right for a threshold of 1",
        check: "occ: value",
        run: |data, params| {
            with_task(data, params, |task| task.thresholds = task.interval[1..].to_vec())
        },
        ..COUNTS
    },
    Mutant {
        name: "cooc-within-tiles",
        mistake: "counts pairs within a tile of 16 cells only",
        origin: "the inner loop over the tile in shared memory; small data are one tile",
        check: "occ: value",
        run: |data, params| {
            with_pairs(data, params, |task, i, j, t| i / 16 == j / 16 && distance(task, i, j) <= t)
        },
        ..COUNTS
    },
];
