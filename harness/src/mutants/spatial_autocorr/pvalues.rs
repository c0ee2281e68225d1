//! Right statistics and permutations, wrong p-values.

use reference::spatial_autocorr::{Statistics, Task};
use reference::stats::upper_tail;

use super::{Class, Mutant, of, with_column};

const PVALUES: Mutant = of(Class::PValues);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "autocorr-p-without-plus-one",
        spec: "A4",
        mistake: "takes L/N for the rank p-value, not (L + 1)/(N + 1)",
        origin: "a p-value of 0 from permutations; tests that only ask for a number between 0 and 1 let it pass",
        check: "pval_sim: value",
        run: |data, params| ranks(data, params, |l, n| l.min(n - l) / n),
        ..PVALUES
    },
    Mutant {
        name: "autocorr-p-plus-one-over-n",
        spec: "A4",
        mistake: "takes (L + 1)/N",
        origin: "half of the correction; 1/20 for 1/21 in a test of 20 permutations",
        check: "pval_sim: value",
        run: |data, params| ranks(data, params, |l, n| (l.min(n - l) + 1.0) / n),
        ..PVALUES
    },
    Mutant {
        name: "autocorr-p-not-folded",
        spec: "A4",
        mistake: "does not take the smaller of the two counts",
        origin: "right for genes with positive autocorrelation, which are the ones looked at",
        check: "pval_sim: value",
        run: |data, params| ranks(data, params, |l, n| (l + 1.0) / (n + 1.0)),
        ..PVALUES
    },
    Mutant {
        name: "autocorr-p-strict",
        spec: "A4",
        mistake: "counts permutations above the statistic, not those at it",
        origin: "`>` for `>=`; continuous data do not tie",
        check: "pval_sim: value",
        run: |data, params| {
            with_column(data, params, "pval_sim", |task, statistics, p| {
                let Some(permuted) = &statistics.permuted else { return };
                let n = task.n_perms.unwrap_or(0);
                for (k, p) in p.iter_mut().enumerate().filter(|(_, p)| !p.is_nan()) {
                    let above =
                        permuted.sims[k].iter().filter(|s| **s > statistics.score[k]).count();
                    *p = (above.min(n - above) + 1) as f64 / (n + 1) as f64;
                }
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "autocorr-sample-variance",
        spec: "A6",
        mistake: "divides by N - 1 in `var_sim`, not by N",
        origin: "ddof=1, pandas' default; hardly visible with many permutations",
        check: "var_sim: value",
        run: |data, params| {
            with_column(data, params, "var_sim", |task, _, v| {
                let n = task.n_perms.unwrap_or(0) as f64;
                v.iter_mut().for_each(|v| *v *= n / (n - 1.0));
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "autocorr-deviation-for-variance",
        mistake: "answers the standard deviation of the permutations in `var_sim`",
        origin: "`std` for `var`; upstream tests compare the column with itself",
        check: "var_sim: value",
        run: |data, params| {
            with_column(data, params, "var_sim", |_, _, v| v.iter_mut().for_each(|v| *v = v.sqrt()))
        },
        ..PVALUES
    },
    Mutant {
        name: "autocorr-two-tailed-doubles-rank",
        spec: "A6",
        mistake: "doubles `pval_sim` for `two_tailed`",
        origin: "the flag means `pval_norm` only; no upstream test toggles it",
        check: "pval_sim: value",
        run: |data, params| doubled(data, params, "pval_sim"),
        ..PVALUES
    },
    Mutant {
        name: "autocorr-two-tailed-doubles-z",
        spec: "A6",
        mistake: "doubles `pval_z_sim` for `two_tailed`",
        origin: "the flag means `pval_norm` only; no upstream test toggles it",
        check: "pval_z_sim: value",
        run: |data, params| doubled(data, params, "pval_z_sim"),
        ..PVALUES
    },
    Mutant {
        name: "autocorr-two-tailed-ignored",
        mistake: "never doubles `pval_norm`",
        origin: "a dropped argument; no upstream test toggles it",
        check: "pval_norm: value",
        run: |data, params| {
            let by = [("two_tailed", false.into())];
            super::right(data, &crate::mutants::change::replaced(params, by))
        },
        ..PVALUES
    },
    Mutant {
        name: "autocorr-upper-tail-only",
        mistake: "takes the upper tail for `pval_norm`, whichever side the statistic is on",
        origin: "the usual one-sided p-value; right for genes with positive autocorrelation",
        check: "pval_norm: value",
        run: |data, params| {
            with_column(data, params, "pval_norm", |task, s, p| {
                let tails = if task.two_tailed { 2.0 } else { 1.0 };
                let sd = s.variance.sqrt();
                for (p, score) in p.iter_mut().zip(&s.score) {
                    *p = tails * upper_tail((score - s.expected) / sd);
                }
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "autocorr-z-upper-tail-only",
        mistake: "takes the upper tail for `pval_z_sim`, whichever side the statistic is on",
        origin: "the usual one-sided p-value; right for genes with positive autocorrelation",
        check: "pval_z_sim: value",
        run: |data, params| {
            z_tail(data, params, |_, score, mean, variance| {
                upper_tail((score - mean) / variance.sqrt())
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "autocorr-z-by-normal-variance",
        mistake: "divides by the variance under normality in `pval_z_sim`, not by that of the permutations",
        origin: "one variance for two columns; the two are alike for shuffled values",
        check: "pval_z_sim: value",
        run: |data, params| {
            z_tail(data, params, |s, score, mean, _| {
                upper_tail((score - mean).abs() / s.variance.sqrt())
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "autocorr-z-by-normal-mean",
        mistake: "subtracts the expected value under normality in `pval_z_sim`, not the mean of the permutations",
        origin: "the means are -1/(n-1) and about 0, hardly apart with many cells",
        check: "pval_z_sim: value",
        run: |data, params| {
            z_tail(data, params, |s, score, _, variance| {
                upper_tail((score - s.expected).abs() / variance.sqrt())
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "autocorr-p-clipped",
        spec: "A+",
        mistake: "does not let `pval_norm` fall below 1e-16",
        origin: "a guard before a logarithm; any absolute tolerance lets it pass",
        check: "pval_norm: value",
        run: |data, params| {
            with_column(data, params, "pval_norm", |_, _, p| {
                p.iter_mut().filter(|p| **p < 1e-16).for_each(|p| *p = 1e-16);
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "autocorr-constant-gene-significant",
        spec: "A9",
        mistake: "gives a gene without variance the smallest rank p-value",
        origin: "squidpy 1.8.3 itself: NaN is never reached, L = 0; no test has a constant gene",
        check: "pval_sim: value",
        run: |data, params| {
            with_column(data, params, "pval_sim", |task, _, p| {
                let least = 1.0 / (task.n_perms.unwrap_or(0) + 1) as f64;
                p.iter_mut().filter(|p| p.is_nan()).for_each(|p| *p = least);
            })
        },
        ..PVALUES
    },
];

/// `pval_sim` by another formula of L, the number of permutations at the statistic or above, and N.
fn ranks(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    p_value: impl Fn(f64, f64) -> f64,
) -> super::Answer {
    with_column(data, params, "pval_sim", |task, statistics, p| {
        let Some(permuted) = &statistics.permuted else { return };
        let n = task.n_perms.unwrap_or(0) as f64;
        for (p, count) in p.iter_mut().zip(&permuted.at_least).filter(|(p, _)| !p.is_nan()) {
            *p = p_value(*count as f64, n);
        }
    })
}

fn doubled(data: &dispatch::Dataset, params: &dispatch::Params, column: &str) -> super::Answer {
    with_column(data, params, column, |task: &Task<'_>, _, p| {
        let tails = if task.two_tailed { 2.0 } else { 1.0 };
        p.iter_mut().for_each(|p| *p *= tails);
    })
}

/// `pval_z_sim` by another formula of the score and of mean and variance of its permutations.
fn z_tail(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    p_value: impl Fn(&Statistics, f64, f64, f64) -> f64,
) -> super::Answer {
    with_column(data, params, "pval_z_sim", |_, statistics, p| {
        let Some(permuted) = &statistics.permuted else { return };
        for (k, p) in p.iter_mut().enumerate() {
            let sims = &permuted.sims[k];
            let mean = sims.iter().sum::<f64>() / sims.len() as f64;
            let variance = sims.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / sims.len() as f64;
            *p = p_value(statistics, statistics.score[k], mean, variance);
        }
    })
}
