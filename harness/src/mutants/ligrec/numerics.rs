//! Sums and comparisons in too little precision, or divided otherwise on two sides of a comparison.

use super::{
    Class, Mutant, exceeding, means, means_by, of, permuted, right, with_counts, with_observed,
};
use crate::mutants::change::{each_array, in_f32};

const NUMERICS: Mutant = of(Class::Numerics);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ligrec-reciprocal-size",
        spec: "G10",
        mistake: "multiplies permuted sums by 1/n and divides the observed ones by n",
        origin: "squidpy's next version: the two differ in the last bit in one of four cases, so that ties exceed",
        check: "pvalues: value",
        run: |data, params| {
            with_counts(data, params, |task, _| {
                let observed = means(task, &task.labels);
                exceeding(task, &observed, |p| {
                    means_by(task, &permuted(task, p), |sum, size| sum * (1.0 / size))
                })
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "ligrec-permuted-in-f32",
        spec: "G10",
        mistake: "compares permuted means in float32 with observed ones in float64",
        origin: "two kernels, two precisions: a tie exceeds whenever rounding goes up",
        check: "pvalues: value",
        run: |data, params| {
            with_counts(data, params, |task, _| {
                let observed = means(task, &task.labels);
                exceeding(task, &observed, |p| {
                    let means = means(task, &permuted(task, p)).into_iter();
                    means.map(|mean| f64::from(mean as f32)).collect()
                })
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "ligrec-tolerant-comparison",
        spec: "G1",
        mistake: "counts permutations that exceed the observed mean up to one part in 1e9",
        origin: "an epsilon against rounding, which makes every tie exceed",
        check: "pvalues: value",
        run: |data, params| {
            with_counts(data, params, |task, _| {
                let observed = means(task, &task.labels);
                let lowered: Vec<f64> =
                    observed.iter().map(|mean| mean - 1e-9 * mean.abs()).collect();
                exceeding(task, &lowered, |p| means(task, &permuted(task, p)))
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "ligrec-sums-in-f32",
        mistake: "adds expression values up in float32",
        origin: "rapids-singlecell 0.18.1; a tolerance of 1e-5 lets it pass",
        check: "means: value",
        run: |data, params| {
            with_observed(data, params, |task, observed| {
                let k = task.k();
                let mut sums = vec![0f32; observed.means.len()];
                for (gene, column) in task.columns.iter().enumerate() {
                    for (cell, value) in column.cells.iter().zip(&column.values) {
                        sums[gene * k + task.labels[*cell as usize] as usize] += *value as f32;
                    }
                }
                for (at, mean) in observed.means.iter_mut().enumerate() {
                    *mean = f64::from(sums[at] / observed.sizes[at % k] as f32);
                }
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "ligrec-sums-in-8-bits",
        mistake: "adds 8-bit counts up in 8 bits",
        origin: "a sum in the dtype of its terms; X of tests is float",
        check: "means: value",
        run: |data, params| {
            let path = match crate::mutants::change::flag(params, "use_raw", true) {
                true => "raw/X",
                false => "X",
            };
            let narrow = match data.get(path) {
                Some(dispatch::Value::Dense(d)) => d.dtype() == dispatch::Dtype::U8,
                Some(dispatch::Value::Sparse(s)) => s.data.dtype() == dispatch::Dtype::U8,
                _ => false,
            };
            with_observed(data, params, |task, observed| {
                let k = task.k();
                for (at, mean) in observed.means.iter_mut().enumerate().filter(|_| narrow) {
                    let size = observed.sizes[at % k] as f64;
                    *mean = ((*mean * size).round() % 256.0) / size;
                }
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "ligrec-answers-in-f32",
        mistake: "rounds all answers to float32 on the way out",
        origin: "the dtype of the device kept; a tolerance of 1e-5 lets it pass",
        check: "means: value",
        run: |data, params| Ok(each_array(right(data, params)?, &in_f32)),
        ..NUMERICS
    },
    Mutant {
        name: "ligrec-pvalues-in-f32",
        mistake: "divides counts by N in float32",
        origin: "rapids-singlecell 0.18.1; a tolerance of 1e-5 lets it pass",
        check: "pvalues: value",
        run: |data, params| {
            super::with_p(data, params, |task, n| f64::from(n as f32 / task.n_perms as f32))
        },
        ..NUMERICS
    },
];
