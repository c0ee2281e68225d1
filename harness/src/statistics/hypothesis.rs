//! One question put to random answers: how improbable is this, if the backend is right?
//!
//! Each test ends in a p-value that is valid under the exact permutation distribution. Probabilities of a
//! permutation reaching the statistic come as [`Odds`]: known by enumeration, or known from a sample of our own, and
//! as an interval where rounding may decide ties.

use super::distributions::{Counts, kolmogorov_p, skewed_p};

/// One test of one feature or cell of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    /// The name of the check it belongs to.
    pub(super) check: &'static str,
    /// The column.
    pub(super) slot: &'static str,
    /// The feature or cell.
    pub(super) at: String,
    /// How probable something at least as far off is, if the backend is right.
    pub(super) p: f64,
    /// What was expected, in words.
    pub(super) expected: String,
    /// What was got.
    pub(super) actual: String,
    /// One value a call, uniform on [0, 1] if the backend is right; empty where a test is about all calls at once.
    pub(super) transforms: Vec<f64>,
}

/// How probable it is that a permutation counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Odds {
    /// From all permutations; an interval where rounding decides ties.
    Known {
        /// Without the ties in doubt.
        low: f64,
        /// With them.
        high: f64,
    },
    /// From a sample of our own.
    Sampled {
        /// How many counted, without the ties in doubt.
        low: u64,
        /// With them.
        high: u64,
        /// Size of the sample.
        of: u64,
    },
}

impl Odds {
    /// The probability, if it is known and no tie is in doubt.
    pub(super) fn exact(self) -> Option<f64> {
        match self {
            Odds::Known { low, high } if low == high => Some(low),
            Odds::Known { .. } | Odds::Sampled { .. } => None,
        }
    }

    /// In words.
    pub(super) fn text(self) -> String {
        let share = |low: f64, high: f64| match low == high {
            true => format!("{low:.5}"),
            false => format!("{low:.5} to {high:.5}"),
        };
        match self {
            Odds::Known { low, high } => format!("probability {}", share(low, high)),
            Odds::Sampled { low, high, of } => {
                let share = share(low as f64 / of as f64, high as f64 / of as f64);
                format!("about {share} ({of} permutations)")
            }
        }
    }

    /// The p-value of `k` of `n` permutations counting.
    ///
    /// Of an interval the most favourable odds are taken, so the p-value is valid for any of them. A sample is compared
    /// by Fisher's exact test: given the sum of both counts, ours is hypergeometric whatever the odds are.
    pub(super) fn p_value(self, k: u64, n: u64) -> f64 {
        match self {
            Odds::Known { low, high } => {
                let nearest = (k as f64 / n as f64).clamp(low, high);
                let p = |odds: f64| Counts::binomial(n, odds).two_sided(k);
                if low == high { p(low) } else { p(low).max(p(high)).max(p(nearest)) }
            }
            Odds::Sampled { low, high, of } => {
                let p = |a: u64| Counts::hypergeometric(of + n, a + k, n).two_sided(k);
                let nearest = (k as f64 / n as f64 * of as f64).round() as u64;
                if low == high {
                    p(low)
                } else {
                    p(nearest.clamp(low, high)).max(p(low)).max(p(high))
                }
            }
        }
    }

    /// The p-value of a folded count: `k` of `n` counted, or all but `k` did.
    ///
    /// With known odds the folded count has a distribution of its own. With a sample the larger p-value of the two
    /// foldings is taken: the right one is among them.
    pub(super) fn folded_p_value(self, k: u64, n: u64) -> f64 {
        match self {
            Odds::Known { low, high } => {
                let share = k as f64 / n as f64;
                let p = |odds: f64| Counts::binomial(n, odds).folded(n).two_sided(k);
                let candidates =
                    [low, high, share.clamp(low, high), (1.0 - share).clamp(low, high)];
                candidates.into_iter().map(p).fold(0.0, f64::max)
            }
            Odds::Sampled { .. } => self.p_value(k, n).max(self.p_value(n - k, n)),
        }
    }
}

/// Central moments of a permuted statistic in units of its standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    /// Skewness.
    pub(super) third: f64,
    /// Kurtosis, 3 for a normal.
    pub(super) fourth: f64,
    /// 15 for a normal.
    pub(super) sixth: f64,
}

impl Shape {
    /// The moments of some values about a mean, in units of a standard deviation.
    pub(super) fn of(values: &[f64], mean: f64, sd: f64) -> Shape {
        let moment = |power: i32| {
            values.iter().map(|v| ((v - mean) / sd).powi(power)).sum::<f64>() / values.len() as f64
        };
        Shape { third: moment(3), fourth: moment(4), sixth: moment(6) }
    }

    /// The p-value of a mean of `draws` values that is `t` standard errors off.
    pub(super) fn mean_p(self, t: f64, draws: f64) -> f64 {
        skewed_p(t, self.third / draws.sqrt())
    }

    /// The p-value of `ratio`, the average over `runs` of the population variances of `n` draws, over the variance.
    ///
    /// `E = (n-1)/n`. One run varies by `((n-1)/n)^2 (m4 - (n-3)/(n-1))/n` exactly; its third moment is that of the mean of
    /// n squares, `(m6 - 3 m4 + 2)/n^2`, up to a relative 1/n, and for n = 2, where the variance is `(s - s')^2/4`, exactly.
    pub(super) fn variance_p(self, ratio: f64, n: usize, runs: usize) -> f64 {
        let (size, runs) = (n as f64, runs as f64);
        let shrunk = (size - 1.0) / size;
        let spread = shrunk * shrunk * (self.fourth - (size - 3.0) / (size - 1.0)) / size;
        let third = match n {
            2 => {
                let cube =
                    (2.0 * self.sixth + 30.0 * self.fourth - 20.0 * self.third.powi(2)) / 64.0;
                let square = (2.0 * self.fourth + 6.0) / 16.0;
                cube - 1.5 * square + 0.25
            }
            _ => (self.sixth - 3.0 * self.fourth + 2.0) / (size * size),
        };
        let t = (ratio - shrunk) / (spread / runs).sqrt();
        if t.is_nan() { 0.0 } else { skewed_p(t, third / spread.powf(1.5) / runs.sqrt()) }
    }
}

/// The p-value of the hypothesis that values are uniform on [0, 1] (Kolmogorov).
pub(super) fn uniform_p(values: &[f64]) -> f64 {
    kolmogorov_p(values)
}

/// The p-value of the hypothesis that neighbouring uniform values have nothing to do with each other.
///
/// `12/sqrt(m) sum (u_i - 1/2)(u_{i+1} - 1/2)` over m pairs has mean 0 and variance 1, for its terms are uncorrelated; each is
/// bounded by three of its standard deviations, so the normal tail is good from some tens of pairs on.
pub(super) fn independent_p(values: &[f64]) -> f64 {
    let pairs = values.windows(2).map(|w| (w[0] - 0.5) * (w[1] - 0.5));
    let t = 12.0 * pairs.sum::<f64>() / ((values.len() - 1) as f64).sqrt();
    skewed_p(t, 0.0)
}

#[cfg(test)]
mod tests {
    use generators::Random;

    use super::*;

    #[test]
    fn an_interval_of_odds_gives_the_best_of_its_p_values() {
        let wide = Odds::Known { low: 0.1, high: 0.5 };
        assert_eq!(wide.p_value(30, 100), 1.0);
        assert_eq!(wide.p_value(2, 100), Odds::Known { low: 0.1, high: 0.1 }.p_value(2, 100));
        assert_eq!(wide.exact(), None);
        let sampled = Odds::Sampled { low: 100, high: 500, of: 1000 };
        assert!(sampled.p_value(30, 100) > 0.9);
        assert!(sampled.p_value(90, 100) < 1e-9);
    }

    #[test]
    fn either_folding_of_a_count_is_accepted() {
        let odds = Odds::Known { low: 0.9, high: 0.9 };
        assert!(odds.folded_p_value(100, 1000) > 0.9);
        assert!(odds.folded_p_value(500, 1000) < 1e-9);
        let sampled = Odds::Sampled { low: 9000, high: 9000, of: 10_000 };
        assert!(sampled.folded_p_value(100, 1000) > 0.9);
        assert!(sampled.folded_p_value(300, 1000) < 1e-9);
    }

    #[test]
    fn normal_shapes_give_chi_squared_tails() {
        let normal = Shape { third: 0.0, fourth: 3.0, sixth: 15.0 };
        // One pair: ratio = chi^2_1 / 2, so 12 is exceeded with P(chi^2_1 > 24) = Q(1/2, 12).
        let p = normal.variance_p(12.0, 2, 1);
        assert!((p / (2.0 * 9.63357008643095e-07) - 1.0).abs() < 1e-9, "{p}");
        // 1000 draws: chi^2_999 / 1000 at 1.28, by SciPy chi2.sf(1280, 999) = 3.1e-9 to two digits.
        let p = normal.variance_p(1.28, 1000, 1);
        assert!((2.0 * 2.5e-9..2.0 * 4e-9).contains(&p), "{p}");
    }

    #[test]
    fn uniform_and_independent_are_told_from_what_is_not() {
        let mut random = Random::new(1, "uniform");
        let fair: Vec<f64> = (0..64).map(|_| random.unit()).collect();
        assert!(uniform_p(&fair) > 1e-3 && independent_p(&fair) > 1e-3);
        let squeezed: Vec<f64> = fair.iter().map(|u| 0.4 * u).collect();
        assert!(uniform_p(&squeezed) < 1e-9);
        let slow: Vec<f64> = (0..64).map(|i| f64::from(i) / 64.0).collect();
        assert!(uniform_p(&slow) > 0.9 && independent_p(&slow) < 1e-9);
    }
}
