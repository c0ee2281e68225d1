//! Counts and ratios in another precision, or in a form that cancels.

use super::{Class, Mutant, of, positions, right, with_pairs, with_ratios};
use crate::mutants::change::{each_array, in_f32};

const NUMERICS: Mutant = of(Class::Numerics);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "cooc-positions-in-f64",
        mistake: "does not round the positions to float32",
        origin: "more precise than the host; positions near the origin do not show it",
        check: "occ: value",
        run: |data, params| {
            let Some((flat, width)) = positions(data, params) else { return right(data, params) };
            with_pairs(data, params, |_, i, j, t| {
                let one = |axis: usize| flat[width * i + axis] - flat[width * j + axis];
                one(0) * one(0) + one(1) * one(1) <= f64::from(t)
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "cooc-thresholds-in-f64",
        spec: "B1",
        mistake: "squares the thresholds in float64",
        origin: "a tie on a lattice is one in float32 only; random coordinates never tie",
        check: "occ: value",
        run: |data, params| {
            let interval = reference::co_occurrence::Task::read(data, params)?.interval;
            super::with_counts(data, params, |task, counts| {
                for (r, t) in interval.iter().skip(1).map(|t| f64::from(*t)).enumerate() {
                    let at = |i, j, _| i != j && f64::from(super::distance(task, i, j)) <= t * t;
                    let n = super::pairs(task, at);
                    (r..n.len()).step_by(counts.bins).for_each(|cell| counts.n[cell] = n[cell]);
                }
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "cooc-expanded-distance",
        mistake: "takes |a|^2 - 2ab + |b|^2 in float32 for the squared distance",
        origin: "one matrix product for all pairs; far from the origin nothing is left of it",
        check: "occ: value",
        run: |data, params| {
            with_pairs(data, params, |task, i, j, t| {
                let dot = |i: usize, j: usize| task.x[i] * task.x[j] + task.y[i] * task.y[j];
                dot(i, i) - 2.0 * dot(i, j) + dot(j, j) <= t
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "cooc-tolerant-threshold",
        mistake: "counts pairs a little beyond a threshold, by one part in 1e5",
        origin: "an epsilon against rounding; random coordinates seldom show it",
        check: "occ: value",
        run: |data, params| {
            super::with_task(data, params, |task| {
                task.thresholds.iter_mut().for_each(|t| *t *= 1.00001);
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "cooc-ratios-in-f32",
        mistake: "computes the ratios in float32",
        origin: "rapids-singlecell 0.18.1; a tolerance of 1e-5 lets it pass",
        check: "occ: value",
        run: |data, params| {
            with_ratios(data, params, 0.0, |n, sums, [i, c, r]| {
                let conditional = n.at(c, i, r) as f32 / sums.row(n, c, r) as f32;
                f64::from(conditional / (sums.row(n, i, r) as f32 / sums.total(r) as f32))
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "cooc-answers-in-f32",
        mistake: "rounds all answers to float32 on the way out",
        origin: "the dtype of the device kept; a tolerance of 1e-5 lets it pass",
        check: "occ: value",
        run: |data, params| Ok(each_array(right(data, params)?, &in_f32)),
        ..NUMERICS
    },
];
