//! The statistics themselves, and their moments under normality.

use rayon::prelude::*;

use super::{Permuted, Task};
use crate::graph::{Graph, Moments};
use crate::sum::sum;

/// Which statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Moran's I.
    Moran,
    /// Geary's C.
    Geary,
}

impl Mode {
    /// The column of the statistic: `I` or `C`.
    pub fn column(self) -> &'static str {
        match self {
            Mode::Moran => "I",
            Mode::Geary => "C",
        }
    }

    /// Where the table is stored.
    pub fn slot(self) -> &'static str {
        match self {
            Mode::Moran => "uns/moranI",
            Mode::Geary => "uns/gearyC",
        }
    }

    /// The expected value under normality for `n` cells.
    pub fn expected(self, n: usize) -> f64 {
        match self {
            Mode::Moran => -1.0 / (n as f64 - 1.0),
            Mode::Geary => 1.0,
        }
    }

    /// The variance under normality; NaN for a graph without weight.
    pub fn variance(self, moments: &Moments) -> f64 {
        let (n, s0_squared) = (moments.rows.len() as f64, moments.s0 * moments.s0);
        let (s1, s2) = (moments.s1, moments.s2);
        if moments.s0 == 0.0 {
            return f64::NAN;
        }
        match self {
            Mode::Moran => {
                (n * n * s1 - n * s2 + 3.0 * s0_squared) / ((n - 1.0) * (n + 1.0) * s0_squared)
                    - 1.0 / (n - 1.0).powi(2)
            }
            Mode::Geary => {
                ((2.0 * s1 + s2) * (n - 1.0) - 4.0 * s0_squared) / (2.0 * (n + 1.0) * s0_squared)
            }
        }
    }

    /// What the permuted part of the numerator is multiplied by: `n/(S0 D)` or `(n-1)/(2 S0 D)`.
    pub fn factor(self, n: usize, s0: f64, d: f64) -> f64 {
        match self {
            Mode::Moran => n as f64 / s0 / d,
            Mode::Geary => (n as f64 - 1.0) / (2.0 * s0) / d,
        }
    }
}

/// What was computed, before p-values. Fields are open, so that a caller can change one and run the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// I or C of each feature, in the order of the task; NaN where it is undefined.
    pub score: Vec<f64>,
    /// The expected value under normality.
    pub expected: f64,
    /// The variance under normality, the same for all features.
    pub variance: f64,
    /// The permutations, if any were asked for.
    pub permuted: Option<Permuted>,
}

impl Task<'_> {
    /// Computes the statistics of all features.
    pub fn statistics(&self) -> Statistics {
        let sparse = self.sparse_scores();
        let rest: Vec<usize> = (0..sparse.len()).filter(|&k| sparse[k].is_none()).collect();
        // Permutations need all columns, and then they are at hand.
        let few = self.n_perms.is_none() && (1..=sparse.len() / FEW).contains(&rest.len());
        let columns = match few {
            true => &self.features.columns.cut(&rest),
            false => &self.features.columns,
        };
        let centred = self.each(rest.len(), |i, work| {
            columns.fill(if few { i } else { rest[i] }, &mut work.values);
            self.score(&work.values, &mut work.scratch)
        });
        let mut centred = centred.into_iter();
        let score: Vec<f64> =
            sparse.into_iter().filter_map(|score| score.or_else(|| centred.next())).collect();
        let permuted = self.n_perms.map(|n_perms| self.permuted(&score, n_perms));
        Statistics {
            score,
            expected: self.mode.expected(self.n()),
            variance: self.mode.variance(&self.moments),
            permuted,
        }
    }

    /// `f` of each feature, in order, on all threads if there is work for them.
    pub(super) fn each_feature<T: Send>(&self, f: impl Fn(usize, &mut Work) -> T + Sync) -> Vec<T> {
        self.each(self.features.len(), f)
    }

    /// `f` of each number below `features`.
    fn each<T: Send>(&self, features: usize, f: impl Fn(usize, &mut Work) -> T + Sync) -> Vec<T> {
        let n = self.n();
        if features.saturating_mul(n + self.graph.weights.len()) < PARALLEL_FROM {
            let mut work = Work::new(n);
            (0..features).map(|k| f(k, &mut work)).collect()
        } else {
            (0..features).into_par_iter().map_init(|| Work::new(n), |work, k| f(k, work)).collect()
        }
    }

    fn score(&self, x: &[f64], z: &mut [f64]) -> f64 {
        let Some(d) = centred(x, z) else { return f64::NAN };
        let numerator = match self.mode {
            Mode::Moran => moran_numerator(&self.graph, z),
            Mode::Geary => geary_numerator(&self.graph, x),
        };
        // S0 = 0 is an empty graph, or one whose weights cancel: 0/0 or x/0, undefined either way.
        if self.moments.s0 == 0.0 {
            return f64::NAN;
        }
        self.mode.factor(self.n(), self.moments.s0, d) * numerator
    }
}

/// Writes `z = x - mean(x)` and returns `D = sum z^2`; `None` if x is constant, not finite, or D is out of range.
///
/// The mean of the first difference is taken off as well: what it leaves is of the order of `u |z|`, not
/// `u |mean|`, so a large mean costs no digits beyond those that x itself has lost.
#[inline(always)]
pub fn centred(x: &[f64], z: &mut [f64]) -> Option<f64> {
    let (n, first) = (x.len(), *x.first()?);
    if x.iter().all(|&v| v == first) {
        return None;
    }
    let mean = sum(n, |i| x[i]) / n as f64;
    let rest = sum(n, |i| x[i] - mean) / n as f64;
    z.iter_mut().zip(x).for_each(|(z, x)| *z = (x - mean) - rest);
    let d = sum(n, |i| z[i] * z[i]);
    (d > 0.0 && d.is_finite()).then_some(d)
}

/// `sum_ij w_ij z_i z_j`: each row in stored order, rows over the fixed tree.
pub fn moran_numerator(graph: &Graph, z: &[f64]) -> f64 {
    sum(graph.len(), |i| z[i] * graph.row(i).map(|(j, w)| w * z[j]).sum::<f64>())
}

/// `sum_ij w_ij (x_i - x_j)^2`: each row in stored order, rows over the fixed tree.
pub fn geary_numerator(graph: &Graph, x: &[f64]) -> f64 {
    sum(graph.len(), |i| graph.row(i).map(|(j, w)| w * (x[i] - x[j]).powi(2)).sum::<f64>())
}

/// Two vectors over cells that a thread reuses from feature to feature.
pub(super) struct Work {
    pub(super) values: Vec<f64>,
    pub(super) scratch: Vec<f64>,
}

impl Work {
    pub(super) fn new(n: usize) -> Work {
        Work { values: vec![0.0; n], scratch: vec![0.0; n] }
    }
}

/// Features that need centring are cut out of the matrix if at most one in so many does.
const FEW: usize = 4;

/// Below this many elementary steps a call stays on its thread: waking others costs more.
pub(super) const PARALLEL_FROM: usize = 1 << 17;
