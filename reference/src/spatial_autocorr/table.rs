//! From statistics to the table that the host returns.

use dispatch::{Dense, Frame};

use super::{Mode, Statistics, Task};
use crate::stats::upper_tail;
use crate::sum::sum;

/// A named column, one number per feature.
pub type Column = (String, Vec<f64>);

impl Statistics {
    /// The table: columns in the host's order, corrected p-values last, rows sorted by the statistic.
    pub fn table(&self, task: &Task<'_>) -> Frame {
        let mut columns = self.columns(task);
        columns.extend(task.corrected(&columns));
        task.sorted(columns)
    }

    /// The columns before correction: statistic, `pval_norm`, `var_norm`, and with permutations `pval_z_sim`, `pval_sim`,
    /// `var_sim`; in the order of the features.
    pub fn columns(&self, task: &Task<'_>) -> Vec<Column> {
        let features = self.score.len();
        let tails = if task.two_tailed { 2.0 } else { 1.0 };
        let p_norm = |&score: &f64| tails * tail(score - self.expected, self.variance);
        let mut columns = vec![
            (task.mode.column().to_owned(), self.score.clone()),
            ("pval_norm".to_owned(), self.score.iter().map(p_norm).collect()),
            ("var_norm".to_owned(), vec![self.variance; features]),
        ];
        if let Some(permuted) = &self.permuted {
            let null: Vec<(f64, f64)> =
                self.score.iter().zip(&permuted.sims).map(|(s, sims)| shift(*s, sims)).collect();
            let p_z = null.iter().map(|&(excess, variance)| tail(excess, variance)).collect();
            let counts = self.score.iter().zip(&permuted.at_least);
            let n_perms = task.n_perms.unwrap_or(0);
            let p_sim = counts.map(|(s, &count)| folded_rank(*s, count, n_perms)).collect();
            columns.push(("pval_z_sim".to_owned(), p_z));
            columns.push(("pval_sim".to_owned(), p_sim));
            columns
                .push(("var_sim".to_owned(), null.iter().map(|(_, variance)| *variance).collect()));
        }
        columns
    }
}

impl Task<'_> {
    /// The corrected form of each p-value column, named as the host names it; nothing for `corr_method=None`.
    pub fn corrected(&self, columns: &[Column]) -> Vec<Column> {
        let Some((correction, label)) = &self.correction else { return Vec::new() };
        let p_values = columns.iter().filter(|(name, _)| name.contains("pval"));
        p_values.map(|(name, p)| (format!("{name}_{label}"), correction.adjust(p))).collect()
    }

    /// A frame of the columns with rows sorted by the first one: I falling, C rising, NaN last, ties in order.
    pub fn sorted(&self, columns: Vec<Column>) -> Frame {
        let mut order: Vec<usize> = (0..self.features.len()).collect();
        if let Some((_, score)) = columns.first() {
            let key = |&i: &usize| match self.mode {
                Mode::Moran => -score[i],
                Mode::Geary => score[i],
            };
            order.sort_by(|a, b| {
                let (a, b) = (key(a), key(b));
                // 0.0 and -0.0 are a tie.
                a.is_nan()
                    .cmp(&b.is_nan())
                    .then(a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal))
            });
        }
        let columns = columns.into_iter().map(|(name, values)| {
            let sorted: Vec<f64> = order.iter().map(|&i| values[i]).collect();
            (name, Dense::vector(sorted).into())
        });
        let columns: Vec<(String, dispatch::Value)> = columns.collect();
        Frame::new(
            dispatch::Index {
                names: self.features.labels.names.clone(),
                levels: self.features.labels.levels.iter().map(|l| l.take_rows(&order)).collect(),
            },
            columns,
        )
    }
}

/// The normal tail on the side of the excess: at most 1/2, NaN for 0/0.
fn tail(excess: f64, variance: f64) -> f64 {
    upper_tail((excess / variance.sqrt()).abs())
}

/// (statistic - mean of the permutations, their population variance).
///
/// Taken from the differences to the statistic, so that permutations that all equal it give exactly (0, 0).
fn shift(score: f64, sims: &[f64]) -> (f64, f64) {
    let n = sims.len();
    let mean = sum(n, |p| sims[p] - score) / n as f64;
    let variance = sum(n, |p| (sims[p] - score - mean).powi(2)) / n as f64;
    (-mean, variance)
}

/// `(L + 1)/(N + 1)`, L the smaller of the counts at or above and below.
fn folded_rank(score: f64, at_least: usize, n_perms: usize) -> f64 {
    if score.is_nan() {
        return f64::NAN;
    }
    let folded = at_least.min(n_perms.saturating_sub(at_least));
    (folded + 1) as f64 / (n_perms + 1) as f64
}
