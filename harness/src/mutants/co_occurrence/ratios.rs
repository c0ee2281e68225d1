//! Right counts, wrong ratios.

use super::{Class, Mutant, of, with_ratios};

const RATIOS: Mutant = of(Class::Formula);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "cooc-cell-frequency",
        spec: "B7",
        mistake: "divides by the share of cells of a cluster, not by its share of pairs",
        origin: "p(i) from `value_counts`; the same at large radii and even density",
        check: "occ: value",
        run: |data, params| {
            let task = reference::co_occurrence::Task::read(data, params)?;
            let share = |i: usize| {
                let cells = task.labels.iter().filter(|l| **l as usize == i).count();
                cells as f64 / task.labels.len() as f64
            };
            with_ratios(data, params, 0.0, |n, sums, [i, c, r]| {
                n.at(c, i, r) as f64 / sums.row(n, c, r) / share(i)
            })
        },
        ..RATIOS
    },
    Mutant {
        name: "cooc-empty-is-nan",
        spec: "B+",
        mistake: "answers NaN where a cluster has no pairs",
        origin: "0/0; every cluster of a test has pairs",
        check: "occ: value",
        run: |data, params| {
            with_ratios(data, params, f64::NAN, |n, sums, [i, c, r]| {
                n.at(c, i, r) as f64 / sums.row(n, c, r) / (sums.row(n, i, r) / sums.total(r))
            })
        },
        ..RATIOS
    },
    Mutant {
        name: "cooc-empty-is-one",
        mistake: "answers 1 where a cluster has no pairs",
        origin: "\"as often as by chance\" for nothing known; every cluster of a test has pairs",
        check: "occ: value",
        run: |data, params| {
            with_ratios(data, params, 1.0, |n, sums, [i, c, r]| {
                n.at(c, i, r) as f64 / sums.row(n, c, r) / (sums.row(n, i, r) / sums.total(r))
            })
        },
        ..RATIOS
    },
    Mutant {
        name: "cooc-conditional-only",
        mistake: "answers p(i|c), not p(i|c)/p(i)",
        origin: "the second division forgotten; \"between 0 and 1\" looks like a probability",
        check: "occ: value",
        run: |data, params| {
            with_ratios(data, params, 0.0, |n, sums, [i, c, r]| {
                n.at(c, i, r) as f64 / sums.row(n, c, r)
            })
        },
        ..RATIOS
    },
    Mutant {
        name: "cooc-joint-over-conditional",
        mistake: "divides by p(c) for p(i)",
        origin: "indices of the marginal mixed up; clusters of equal size do not show it",
        check: "occ: value",
        run: |data, params| {
            with_ratios(data, params, 0.0, |n, sums, [i, c, r]| {
                n.at(c, i, r) as f64 / sums.row(n, c, r) / (sums.row(n, c, r) / sums.total(r))
            })
        },
        ..RATIOS
    },
    Mutant {
        name: "cooc-total-of-last-bin",
        mistake: "takes the pairs of the largest threshold for the total of all",
        origin: "a total computed once, outside the loop; one threshold does not show it",
        check: "occ: value",
        run: |data, params| {
            with_ratios(data, params, 0.0, |n, sums, [i, c, r]| {
                let total = sums.total(n.bins - 1);
                n.at(c, i, r) as f64 / sums.row(n, c, r) / (sums.row(n, i, r) / total)
            })
        },
        ..RATIOS
    },
    Mutant {
        name: "cooc-logarithm",
        mistake: "answers the logarithm of the ratio",
        origin: "the form in which it is plotted",
        check: "occ: value",
        run: |data, params| {
            with_ratios(data, params, 0.0, |n, sums, [i, c, r]| {
                let conditional = n.at(c, i, r) as f64 / sums.row(n, c, r);
                (conditional / (sums.row(n, i, r) / sums.total(r))).ln()
            })
        },
        ..RATIOS
    },
];
