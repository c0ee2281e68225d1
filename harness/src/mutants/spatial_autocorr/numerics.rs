//! The right formula in too little precision, or in a form that cancels.

use reference::matrix::Columns;
use reference::spatial_autocorr::{Mode, Task, centred, geary_numerator, moran_numerator};

use super::{Class, Mutant, of, right, with_score, with_statistics, with_values};
use crate::mutants::change::{each_array, in_f32};

const NUMERICS: Mutant = of(Class::Numerics);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "autocorr-one-pass-f32",
        spec: "A7",
        mistake: "takes sum x^2 - n mean^2 in float32 for the variance",
        origin: "one pass over the data; rapids-singlecell #422: infinite I for genes of low variance",
        check: "I: value",
        run: |data, params| {
            one_pass(data, params, |x| {
                let (n, mut sum, mut squares) = (x.len() as f32, 0f32, 0f32);
                for &v in x {
                    (sum, squares) = (sum + v as f32, squares + v as f32 * v as f32);
                }
                f64::from(squares - sum * sum / n)
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-one-pass-f64",
        spec: "A7",
        mistake: "takes sum x^2 - n mean^2 for the variance",
        origin: "one pass in float64 loses the squared ratio of mean to deviation; data of tests have small means",
        check: "I: value",
        run: |data, params| {
            one_pass(data, params, |x| {
                let (sum, squares): (f64, f64) =
                    x.iter().fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
                squares - sum * sum / x.len() as f64
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-mean-of-stored",
        spec: "A7",
        mistake: "divides by the number of stored values of a sparse matrix in the mean",
        origin: "the mean of a sparse column; dense tests do not run it, and full columns do not show it",
        check: "I: value",
        run: |data, params| {
            let task = Task::read(data, params)?;
            let sparse = matches!(task.features.columns, Columns::Sparse(..));
            with_score(data, params, |task, x, z, d| {
                if !sparse {
                    return super::score(task, &task.graph, x);
                }
                let stored = x.iter().filter(|v| **v != 0.0).count().max(1) as f64;
                let mean = x.iter().sum::<f64>() / stored;
                let z: Vec<f64> = x.iter().zip(z).map(|(x, _)| x - mean).collect();
                let own: f64 = z.iter().map(|z| z * z).sum();
                let numerator = match task.mode {
                    Mode::Moran => moran_numerator(&task.graph, &z),
                    Mode::Geary => geary_numerator(&task.graph, x),
                };
                task.mode.factor(task.n(), task.moments.s0, if own > 0.0 { own } else { d })
                    * numerator
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-sums-in-f32",
        spec: "A10",
        mistake: "adds the numerator up in float32, one edge after the other",
        origin: "float32 atomics, rapids-singlecell 0.18.1; a tolerance of 1e-5 lets it pass until it drifts at scale",
        check: "I: value",
        run: |data, params| {
            with_score(data, params, |task, x, z, d| {
                let mut sum = 0f32;
                for i in 0..task.n() {
                    for (j, w) in task.graph.row(i) {
                        sum += (w * match task.mode {
                            Mode::Moran => z[i] * z[j],
                            Mode::Geary => (x[i] - x[j]).powi(2),
                        }) as f32;
                    }
                }
                task.mode.factor(task.n(), task.moments.s0, d) * f64::from(sum)
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-values-in-f32",
        spec: "A7",
        mistake: "casts the values to float32",
        origin: "the default of every GPU library; values near 0 do not show it",
        check: "I: value",
        run: |data, params| {
            with_values(data, params, |_, x| {
                x.iter_mut().for_each(|x| *x = f64::from(*x as f32));
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-integers-in-f32",
        spec: "A7",
        mistake: "casts integer values to float32",
        origin: "rapids-singlecell 0.18.1; counts below 2^24 are exact in float32",
        check: "I: value",
        run: |data, params| {
            with_values(data, params, |_, x| {
                if x.iter().all(|x| x.fract() == 0.0) {
                    x.iter_mut().for_each(|x| *x = f64::from(*x as f32));
                }
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-mean-in-f32",
        mistake: "rounds the mean of a gene to float32",
        origin: "one float32 scalar in float64 code; rank p-values and I of centred data do not notice",
        check: "I: value",
        run: |data, params| {
            with_score(data, params, |task, x, _, _| {
                let mean = f64::from((x.iter().sum::<f64>() / x.len() as f64) as f32);
                let z: Vec<f64> = x.iter().map(|x| x - mean).collect();
                let d: f64 = z.iter().map(|z| z * z).sum();
                let numerator = match task.mode {
                    Mode::Moran => moran_numerator(&task.graph, &z),
                    Mode::Geary => geary_numerator(&task.graph, x),
                };
                task.mode.factor(task.n(), task.moments.s0, d) * numerator
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-variance-in-f32",
        mistake: "computes the variance under normality from float32 sums",
        origin: "squidpy itself on float32 graphs, and every GPU library; a tolerance of 1e-5 lets it pass",
        check: "var_norm: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                let mut moments = task.moments.clone();
                for sum in [&mut moments.s0, &mut moments.s1, &mut moments.s2] {
                    *sum = f64::from(*sum as f32);
                }
                s.variance = task.mode.variance(&moments);
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-answers-in-f32",
        mistake: "rounds all columns to float32 on the way out",
        origin: "the dtype of the device kept; a tolerance of 1e-5 lets it pass",
        check: "I: value",
        run: |data, params| Ok(each_array(right(data, params)?, &in_f32)),
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-adds-epsilon",
        mistake: "adds 1e-12 to the sum of squares",
        origin: "a guard against dividing by 0; values of ordinary size do not show it",
        check: "I: value",
        run: |data, params| {
            with_score(data, params, |task, x, _, d| {
                super::score(task, &task.graph, x) * d / (d + 1e-12)
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-low-variance-is-constant",
        spec: "A7",
        mistake: "takes a gene whose variance is below 1e-10 for constant",
        origin: "an absolute threshold on a number with a unit; values of ordinary size do not show it",
        check: "I: value",
        run: |data, params| {
            with_score(data, params, |task, x, _, d| match d / (x.len() as f64) < 1e-10 {
                true => f64::NAN,
                false => super::score(task, &task.graph, x),
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-squares-in-f32",
        mistake: "squares the centred values in float32",
        origin: "float32 overflows at 2^128 and vanishes below 2^-149; values of ordinary size lose 8 digits only",
        check: "I: value",
        run: |data, params| {
            with_score(data, params, |task, x, z, d| {
                let own: f64 = z.iter().map(|z| f64::from(*z as f32 * *z as f32)).sum();
                super::score(task, &task.graph, x) * d / own
            })
        },
        ..NUMERICS
    },
    Mutant {
        name: "autocorr-permuted-in-f32",
        mistake: "compares permuted statistics with the observed one in float32",
        origin: "float32 makes ties of neighbours and neighbours of ties; range checks of p-values pass",
        check: "var_sim: value",
        run: |data, params| {
            super::with_permuted(data, params, |_, scores, permuted| {
                let rounded = |x: f64| f64::from(x as f32);
                permuted.sims.iter_mut().flatten().for_each(|sim| *sim = rounded(*sim));
                let scores: Vec<f64> = scores.iter().map(|s| rounded(*s)).collect();
                super::recount(&scores, permuted);
            })
        },
        ..NUMERICS
    },
];

/// The score with another sum of squared deviations.
fn one_pass(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    squares: impl Fn(&[f64]) -> f64,
) -> super::Answer {
    with_score(data, params, |task, x, z, _| {
        let right = centred(x, &mut z.to_vec()).unwrap_or(f64::NAN);
        super::score(task, &task.graph, x) * right / squares(x)
    })
}
