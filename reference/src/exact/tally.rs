//! How many arrangements exceed what was observed, and what p-values that makes likely.

use num_bigint::BigUint;
use num_rational::BigRational;
use num_traits::Zero;

use super::number::nearest;

/// Numbers of arrangements, by how their statistic compares with the observed one; the observed one is among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Above.
    pub above: u64,
    /// Equal.
    pub ties: u64,
    /// All.
    pub total: u64,
}

impl Tally {
    /// Adds one arrangement.
    pub(super) fn add(&mut self, order: std::cmp::Ordering) {
        self.above += u64::from(order.is_gt());
        self.ties += u64::from(order.is_eq());
        self.total += 1;
    }

    /// `ligrec`: the p-value that `#{T_p > T_0}/N` tends to, `above/total`.
    ///
    /// # Panics
    /// When there are no arrangements.
    pub fn limit(&self) -> BigRational {
        BigRational::new(self.above.into(), self.total.into())
    }

    /// `ligrec`: the probability of each p-value `K/N`, `K ~ Bin(N, above/total)`, for K = 0 .. N; each rounded to nearest.
    pub fn exceedance_probabilities(&self, n_perms: u32) -> Vec<f64> {
        let (ways, all) = binomial(self.above, self.total, n_perms);
        ways.into_iter().map(|ways| probability(ways, &all)).collect()
    }

    /// `spatial_autocorr`: the probability of each `pval_sim = (K + 1)/(N + 1)`, `K = min(L, N - L)`,
    /// `L ~ Bin(N, (above + ties)/total)`, for K = 0 .. floor(N/2); each rounded to nearest.
    pub fn rank_probabilities(&self, n_perms: u32) -> Vec<f64> {
        let (ways, all) = binomial(self.above + self.ties, self.total, n_perms);
        let n = ways.len() - 1;
        let folded = (0..=n / 2).map(|k| match n - k {
            mirrored if mirrored == k => ways[k].clone(),
            mirrored => &ways[k] + &ways[mirrored],
        });
        folded.map(|ways| probability(ways, &all)).collect()
    }
}

/// Of `total^trials` outcomes how many have k hits, for k = 0 .. trials; and that power.
fn binomial(hits: u64, total: u64, trials: u32) -> (Vec<BigUint>, BigUint) {
    let (hits, misses) = (BigUint::from(hits), BigUint::from(total.saturating_sub(hits)));
    let mut choose = BigUint::from(1u32);
    let ways = (0..=trials).map(|k| {
        let ways = &choose * hits.pow(k) * misses.pow(trials - k);
        choose = &choose * (trials - k) / (k + 1);
        ways
    });
    (ways.collect(), BigUint::from(total).pow(trials))
}

fn probability(ways: BigUint, all: &BigUint) -> f64 {
    match all.is_zero() {
        true => f64::NAN,
        false => nearest(&BigRational::new_raw(ways.into(), all.clone().into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_by_hand() {
        // Above with 1/4, at least with 3/4.
        let tally = Tally { above: 6, ties: 12, total: 24 };
        assert_eq!(tally.limit(), BigRational::new(1.into(), 4.into()));
        assert_eq!(tally.exceedance_probabilities(2), [9.0 / 16.0, 6.0 / 16.0, 1.0 / 16.0]);
        // L = 0 or 2 folds to 0, L = 1 stays.
        assert_eq!(tally.rank_probabilities(2), [10.0 / 16.0, 6.0 / 16.0]);
        assert_eq!(tally.rank_probabilities(1), [1.0]);
    }

    #[test]
    fn probabilities_add_up() {
        let tally = Tally { above: 77, ties: 3, total: 40_320 };
        for n in [1, 99, 500] {
            for all in [tally.exceedance_probabilities(n), tally.rank_probabilities(n)] {
                // At most 501 terms, each rounded by u of itself and added with u of at most 1.
                assert!((all.iter().sum::<f64>() - 1.0).abs() < 502.0 * f64::EPSILON / 2.0);
            }
        }
    }
}
