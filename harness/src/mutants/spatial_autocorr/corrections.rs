//! Right p-values, wrong corrections for many tests.

use dispatch::{Dataset, Fault, Params};
use reference::spatial_autocorr::Task;
use reference::stats::Correction;

use super::{Class, Column, Mutant, of};
use crate::mutants::change::keep_columns;

const CORRECTIONS: Mutant = of(Class::PValues);
const BH: &str = "pval_norm_fdr_bh: value from its own p-values";
const BONFERRONI: &str = "pval_norm_bonferroni: value from its own p-values";

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "autocorr-fdr-over-all-genes",
        spec: "A9",
        mistake: "corrects for the number of genes in the data, not of those asked for",
        origin: "`adata.n_vars` for the length of the column; no upstream test corrects a subset",
        check: BH,
        run: |data, params| {
            let all = data.n_vars();
            corrected(data, params, |_, method, _, p| {
                let mut padded = p.to_vec();
                padded.resize(all.max(p.len()), 1.0);
                let mut adjusted = method.adjust(&padded);
                adjusted.truncate(p.len());
                adjusted
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "autocorr-fdr-of-another-column",
        spec: "A9",
        mistake: "corrects `pval_norm` in the place of `pval_sim`",
        origin: "columns by position; no upstream test compares corrected values",
        check: "pval_sim_fdr_bh: value from its own p-values",
        run: |data, params| {
            corrected(data, params, |columns, method, name, p| {
                let norm = columns.iter().find(|(n, _)| name == "pval_sim" && n == "pval_norm");
                method.adjust(norm.map_or(p, |(_, p)| p))
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "autocorr-fdr-of-pval-norm-only",
        spec: "A9",
        mistake: "corrects the first p-value column only",
        origin: "without permutations there is only one",
        check: "columns: form",
        run: |data, params| {
            super::with_table(data, params, |_, table| {
                keep_columns(&table, |name| {
                    !name.starts_with("pval_sim_") && !name.starts_with("pval_z_sim_")
                })
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "autocorr-nan-poisons-fdr",
        spec: "A9",
        mistake: "answers NaN for all genes where the p-value of one is NaN",
        origin: "squidpy 1.8.3 itself, through statsmodels; upstream compares NaN with NaN, or has no constant gene",
        check: BH,
        run: |data, params| {
            corrected(data, params, |_, method, _, p| match p.iter().any(|p| p.is_nan()) {
                true => vec![f64::NAN; p.len()],
                false => method.adjust(p),
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "autocorr-nan-counts-as-test",
        spec: "A9",
        mistake: "counts genes without a p-value among the tests",
        origin: "m taken from the length of the column; no test has a constant gene",
        check: BH,
        run: |data, params| {
            corrected(data, params, |_, method, _, p| {
                let ones: Vec<f64> = p.iter().map(|&p| if p.is_nan() { 1.0 } else { p }).collect();
                let adjusted = method.adjust(&ones).into_iter().zip(p);
                adjusted.map(|(q, p)| if p.is_nan() { f64::NAN } else { q }).collect()
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "autocorr-fdr-step-down",
        spec: "A9",
        mistake: "makes the corrected values monotone from the smallest up",
        origin: "a running maximum for a running minimum from the end",
        check: BH,
        run: |data, params| {
            by_rank(data, params, |raw| {
                for i in 1..raw.len() {
                    raw[i] = raw[i].max(raw[i - 1]);
                }
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "autocorr-fdr-not-monotone",
        mistake: "does not make the corrected values monotone",
        origin: "m p / rank and no more; well separated p-values do not need it",
        check: BH,
        run: |data, params| by_rank(data, params, |_| ()),
        ..CORRECTIONS
    },
    Mutant {
        name: "autocorr-fdr-in-row-order",
        mistake: "takes the order of the rows for that of the p-values",
        origin: "the table is sorted by the statistic, which sorts `pval_norm` as long as all is on one side",
        check: BH,
        run: |data, params| {
            corrected(data, params, |columns, method, _, p| {
                if method != Correction::BenjaminiHochberg || p.iter().any(|p| p.is_nan()) {
                    return method.adjust(p);
                }
                let mut order: Vec<usize> = (0..p.len()).collect();
                order.sort_by(|&a, &b| columns[0].1[b].total_cmp(&columns[0].1[a]));
                step_up(p, &order)
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "autocorr-bonferroni-not-capped",
        mistake: "lets corrected values exceed 1",
        origin: "m p and no more; no upstream test passes this method",
        check: BONFERRONI,
        run: |data, params| {
            corrected(data, params, |_, method, _, p| match method {
                Correction::Bonferroni => p.iter().map(|q| q * p.len() as f64).collect(),
                _ => method.adjust(p),
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "autocorr-ignores-corr-method",
        spec: "A9",
        mistake: "corrects by Benjamini-Hochberg, whatever `corr_method` says, under the name asked for",
        origin: "no upstream test passes another method",
        check: BONFERRONI,
        run: |data, params| {
            corrected(data, params, |_, _, _, p| Correction::BenjaminiHochberg.adjust(p))
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "autocorr-corrects-for-none",
        mistake: "corrects by the default where `corr_method=None` asks for nothing",
        origin: "None taken for \"not given\"",
        check: "columns: form",
        run: |data, params| {
            let mut params = params.clone();
            params.retain(|name, value| name != "corr_method" || *value != dispatch::Value::None);
            super::right(data, &params)
        },
        ..CORRECTIONS
    },
];

/// Everything right but the corrected columns: `adjust(columns, method, name, p)` for each p-value column.
fn corrected(
    data: &Dataset,
    params: &Params,
    adjust: impl Fn(&[Column], Correction, &str, &[f64]) -> Vec<f64>,
) -> Result<dispatch::Reply, Fault> {
    let task = Task::read(data, params)?;
    let mut columns = task.statistics().columns(&task);
    if let Some((method, label)) = &task.correction {
        let p_values = columns.iter().filter(|(name, _)| name.contains("pval"));
        let adjusted: Vec<Column> = p_values
            .map(|(name, p)| (format!("{name}_{label}"), adjust(&columns, *method, name, p)))
            .collect();
        columns.extend(adjusted);
    }
    Ok(task.reply(task.sorted(columns)))
}

/// Benjamini-Hochberg with another step after `m p / rank`; NaN and other methods as they should be.
fn by_rank(
    data: &Dataset,
    params: &Params,
    monotone: impl Fn(&mut [f64]),
) -> Result<dispatch::Reply, Fault> {
    corrected(data, params, |_, method, _, p| {
        if method != Correction::BenjaminiHochberg || p.iter().any(|p| p.is_nan()) {
            return method.adjust(p);
        }
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
        let mut raw: Vec<f64> =
            order.iter().enumerate().map(|(rank, &i)| scaled(p[i], rank, p.len())).collect();
        monotone(&mut raw);
        let mut adjusted = vec![0.0; p.len()];
        order.iter().zip(raw).for_each(|(&i, q)| adjusted[i] = q.min(1.0));
        adjusted
    })
}

fn scaled(p: f64, rank: usize, m: usize) -> f64 {
    p * m as f64 / (rank + 1) as f64
}

/// Benjamini-Hochberg with the ranks of a given order.
fn step_up(p: &[f64], order: &[usize]) -> Vec<f64> {
    let (mut adjusted, mut least) = (vec![0.0; p.len()], 1.0_f64);
    for (rank, &i) in order.iter().enumerate().rev() {
        least = least.min(scaled(p[i], rank, p.len()));
        adjusted[i] = least;
    }
    adjusted
}
