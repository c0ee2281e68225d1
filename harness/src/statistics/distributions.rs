//! The few distributions that the tests of random columns need, and nothing else.
//!
//! Counts have finite support, so their probabilities are built outward from the mode by ratios of
//! neighbours and normalised by their sum: no special function, every term positive, a relative error of at most four
//! roundings per step from the mode (1e-11 for a million of them). The two continuous ones are the normal, through
//! [`reference::stats::upper_tail`], and the gamma, by the series and the continued fraction of Abramowitz and Stegun
//! 6.5.29 and 6.5.31. `statrs` was measured 1e-10 off in the normal tail and would bring a matrix library along for
//! three functions; `puruspe` has neither exact counts nor Smirnov's formula. Constants in the tests are SciPy's.

use reference::stats::{density, upper_tail};

/// Probabilities of the integers from `first` on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Counts {
    first: u64,
    probability: Vec<f64>,
}

impl Counts {
    /// How many of `n` independent trials of probability `p` succeed.
    pub(super) fn binomial(n: u64, p: f64) -> Counts {
        if p <= 0.0 {
            return Counts::certain(0);
        }
        if p >= 1.0 {
            return Counts::certain(n);
        }
        let odds = p / (1.0 - p);
        let mode = (((n + 1) as f64) * p).floor().min(n as f64) as u64;
        Counts::outward(0, n, mode, |k| (n - k) as f64 / (k + 1) as f64 * odds)
    }

    /// How many of `draws` are special, drawn without replacement from `total` of which `special` are.
    pub(super) fn hypergeometric(total: u64, special: u64, draws: u64) -> Counts {
        let low = (special + draws).saturating_sub(total);
        let high = special.min(draws);
        let mode = (u128::from(special + 1) * u128::from(draws + 1) / u128::from(total + 2)) as u64;
        Counts::outward(low, high, mode.clamp(low, high), |k| {
            let up = (special - k) as f64 * (draws - k) as f64;
            up / ((k + 1) as f64 * (total + k + 1 - special - draws) as f64)
        })
    }

    fn certain(value: u64) -> Counts {
        Counts { first: value, probability: vec![1.0] }
    }

    /// From the mode both ways; `ratio(k)` is the probability of k + 1 over that of k.
    fn outward(low: u64, high: u64, mode: u64, ratio: impl Fn(u64) -> f64) -> Counts {
        let mut probability = vec![0.0; (high - low + 1) as usize];
        let at = |k: u64| (k - low) as usize;
        probability[at(mode)] = 1.0;
        for k in mode..high {
            probability[at(k + 1)] = probability[at(k)] * ratio(k);
        }
        for k in (low..mode).rev() {
            probability[at(k)] = probability[at(k + 1)] / ratio(k);
        }
        let total: f64 = probability.iter().sum();
        probability.iter_mut().for_each(|p| *p /= total);
        Counts { first: low, probability }
    }

    /// The distribution of the smaller of a count and what is left of `n`.
    pub(super) fn folded(&self, n: u64) -> Counts {
        let mut probability = vec![0.0; (n / 2 + 1) as usize];
        for (k, p) in (self.first..).zip(&self.probability) {
            probability[k.min(n.saturating_sub(k)) as usize] += p;
        }
        Counts { first: 0, probability }
    }

    /// The probability of k.
    pub(super) fn at(&self, k: u64) -> f64 {
        let i = k.checked_sub(self.first).and_then(|i| usize::try_from(i).ok());
        i.and_then(|i| self.probability.get(i)).copied().unwrap_or(0.0)
    }

    /// The probability of k or less, summed from the far end.
    pub(super) fn at_most(&self, k: u64) -> f64 {
        (self.first..).zip(&self.probability).take_while(|(i, _)| *i <= k).map(|(_, p)| p).sum()
    }

    /// The probability of k or more, summed from the far end.
    pub(super) fn at_least(&self, k: u64) -> f64 {
        let skip = k.saturating_sub(self.first).min(self.probability.len() as u64) as usize;
        self.probability[skip..].iter().rev().sum()
    }

    /// The two-sided p-value of an observed count: twice the smaller tail, ties included.
    pub(super) fn two_sided(&self, k: u64) -> f64 {
        (2.0 * self.at_most(k).min(self.at_least(k))).min(1.0)
    }

    /// Where an observed count falls in [0, 1]: uniform if `v` is, whatever the distribution.
    pub(super) fn transform(&self, k: u64, v: f64) -> f64 {
        let below = k.checked_sub(1).map_or(0.0, |k| self.at_most(k));
        (below + v * self.at(k)).clamp(0.0, 1.0)
    }
}

/// z with `P(Z > z) = p` for a standard normal, p in (0, 1).
///
/// Newton's iteration on the logarithm of the tail, which is concave: from above it converges without overshooting.
pub fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let mut z = (-2.0 * p.ln()).sqrt();
    for _ in 0..60 {
        let tail = upper_tail(z);
        let step = (tail.ln() - p.ln()) * tail / density(z);
        z += step;
        if step.abs() <= 1e-14 * (1.0 + z.abs()) {
            break;
        }
    }
    z
}

/// The size of a standard normal that is exceeded on either side with probability p.
///
/// Every p-value is shown on this scale, so that ratios of different tests can be compared; 37 and more are 37.
pub(super) fn deviations(p: f64) -> f64 {
    if p >= 1.0 { 0.0 } else { normal_quantile((p / 2.0).max(1e-300)) }
}

/// `(P, Q)`, the lower and upper tail of the gamma distribution of shape `a` and scale 1 at `x`.
pub(super) fn gamma_tails(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    let front = (a * x.ln() - x - libm::lgamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-17 {
            k += 1.0;
            term *= x / k;
            sum += term;
        }
        let lower = (front * sum).min(1.0);
        return (lower, 1.0 - lower);
    }
    // Lentz's evaluation of 1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- ...))).
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / tiny, 1.0 / b);
    let mut h = d;
    for i in 1..100_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        let nonzero = |v: f64| if v.abs() < tiny { tiny } else { v };
        d = 1.0 / nonzero(an * d + b);
        c = nonzero(b + an / c);
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    let upper = (front * h).min(1.0);
    (1.0 - upper, upper)
}

/// The two-sided p-value of a standardised statistic whose distribution has the given skewness.
///
/// Pearson's type III, a shifted gamma: the normal tail with the third moment right, exact for the mean of normal
/// squares. Far out a normal tail would be wrong by orders of magnitude for the variance of some hundred draws.
pub(super) fn skewed_p(t: f64, skewness: f64) -> f64 {
    // Below, the tail of the gamma is the normal's within 2 % out to five deviations, and its logarithm loses digits.
    if skewness.abs() < 1e-3 {
        return (2.0 * upper_tail(t.abs())).min(1.0);
    }
    // A negative skewness is a positive one seen in the mirror.
    let (t, skewness) = (t * skewness.signum(), skewness.abs());
    let shape = 4.0 / (skewness * skewness);
    let (lower, upper) = gamma_tails(shape, shape + t * shape.sqrt());
    (2.0 * lower.min(upper)).min(1.0)
}

/// An upper bound of the p-value of Kolmogorov's statistic of values that should be uniform on [0, 1].
///
/// Twice the exact tail of the one-sided statistic (Smirnov 1944; Birnbaum and Tingey 1951), which is the exact
/// two-sided p-value up to the chance that both sides exceed: negligible where it matters.
pub(super) fn kolmogorov_p(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let gap = |(i, u): (usize, &f64)| ((i as f64 + 1.0) / n - u).max(u - i as f64 / n);
    let d = sorted.iter().enumerate().map(gap).fold(0.0, f64::max);
    (2.0 * smirnov(sorted.len(), d)).min(1.0)
}

/// `P(D+ >= d) = d sum_j C(n, j) (j/n + d)^(j-1) (1 - d - j/n)^(n-j)`, over j with a positive last base.
fn smirnov(n: usize, d: f64) -> f64 {
    if d <= 0.0 {
        return 1.0;
    }
    let size = n as f64;
    let log_factorial = |k: f64| libm::lgamma(k + 1.0);
    let term = |j: usize| {
        let j = j as f64;
        let (left, right) = (j / size + d, 1.0 - d - j / size);
        if right <= 0.0 {
            return 0.0;
        }
        let choose = log_factorial(size) - log_factorial(j) - log_factorial(size - j);
        (choose + (j - 1.0) * left.ln() + (size - j) * right.ln()).exp()
    };
    (d * (0..=n).map(term).sum::<f64>()).min(1.0)
}

/// The interval of Clopper and Pearson for a probability of which `k` successes in `n` trials are known.
pub fn clopper_pearson(k: u64, n: u64, alpha: f64) -> (f64, f64) {
    let solve = |too_small: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if too_small(middle) { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    };
    let low = match k {
        0 => 0.0,
        _ => solve(&|p| Counts::binomial(n, p).at_least(k) < alpha / 2.0),
    };
    let high = match k == n {
        true => 1.0,
        false => solve(&|p| Counts::binomial(n, p).at_most(k) > alpha / 2.0),
    };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(got: f64, expected: f64, relative: f64) {
        assert!((got / expected - 1.0).abs() <= relative, "{got} is not {expected}");
    }

    // All constants: SciPy 1.17.1.

    #[test]
    fn counts_have_the_tails_of_scipy() {
        let binomial = Counts::binomial(999, 0.0125);
        near(binomial.at_most(3), 0.001498188670709629, 1e-11);
        near(binomial.at_least(30), 1.5825727909370754e-05, 1e-11);
        near(Counts::binomial(999, 0.37).at(400), 0.003628883934261361, 1e-11);
        let drawn = Counts::hypergeometric(100_999, 1300, 999);
        near(drawn.at_most(3), 0.0010736052118959136, 1e-10);
        near(drawn.at_least(30), 2.4063322574563262e-05, 1e-10);
        assert_eq!(Counts::binomial(5, 0.0).at(0), 1.0);
        assert_eq!(Counts::binomial(5, 1.0).at_least(5), 1.0);
        assert_eq!(Counts::hypergeometric(10, 10, 4).at(4), 1.0);
        assert_eq!(Counts::hypergeometric(10, 0, 4).at(0), 1.0);
    }

    #[test]
    fn a_folded_count_adds_both_ends() {
        let folded = Counts::binomial(5, 0.3).folded(5);
        let plain = Counts::binomial(5, 0.3);
        near(folded.at(2), plain.at(2) + plain.at(3), 1e-14);
        assert_eq!(folded.at(3), 0.0);
        near(folded.at_least(0), 1.0, 1e-14);
        near(Counts::binomial(4, 0.5).folded(4).at(2), 0.375, 1e-14);
    }

    #[test]
    fn two_sided_p_values_are_valid() {
        // P(p <= a) <= a for every a: sum the probabilities of the counts with a p-value up to a.
        for counts in [Counts::binomial(19, 0.2), Counts::binomial(19, 0.45).folded(19)] {
            for a in [0.01, 0.05, 0.3] {
                let rejected: f64 =
                    (0..20).filter(|&k| counts.two_sided(k) <= a).map(|k| counts.at(k)).sum();
                assert!(rejected <= a + 1e-12, "{rejected} {a}");
            }
        }
    }

    #[test]
    fn normal_quantiles() {
        let published = [
            (0.3, 0.5244005127080409),
            (1e-3, 3.090232306167813),
            (2.5e-7, 5.026312836056685),
            (1e-12, 7.034483825301131),
            (1e-100, 21.273453560965322),
        ];
        for (p, z) in published {
            near(normal_quantile(p), z, 1e-12);
        }
        near(normal_quantile(0.7), -0.5244005127080409, 1e-12);
        assert_eq!((deviations(1.0), deviations(2.0)), (0.0, 0.0));
        assert!(deviations(0.0) > 37.0);
    }

    #[test]
    fn gamma_tails_on_both_sides_of_the_mean() {
        near(gamma_tails(0.5, 12.0).1, 9.63357008643095e-07, 1e-10);
        near(gamma_tails(499.5, 640.0).1, 3.461829519874731e-09, 1e-10);
        near(gamma_tails(499.5, 390.0).0, 5.904745158350919e-08, 1e-10);
        near(gamma_tails(40.25, 12.5).0, 3.656247181739733e-10, 1e-10);
        near(gamma_tails(3.0, 1.5).1, 0.8088468305380582, 1e-12);
        assert_eq!(gamma_tails(2.0, 0.0), (0.0, 1.0));
    }

    #[test]
    fn skewed_tails_are_pearsons() {
        near(skewed_p(5.0, 0.25), 2.0 * 9.978818666777659e-06, 1e-9);
        near(skewed_p(-4.5, 0.25), 2.0 * 3.941126382939641e-09, 1e-9);
        near(skewed_p(-5.0, -0.25), 2.0 * 9.978818666777659e-06, 1e-9);
        near(skewed_p(3.0, 0.0), 2.0 * upper_tail(3.0), 1e-14);
        // Edgeworth: a skewness s adds s (z^2 - 1) phi(z)/6 to the tail at z; at 3 that is 4.377 s of it, to first order in s.
        near(skewed_p(3.0, 2e-3), 2.0 * upper_tail(3.0) * (1.0 + 4.377 * 2e-3), 1e-4);
    }

    #[test]
    fn smirnovs_tail_is_scipys_ksone() {
        near(smirnov(64, 0.3), 6.62032399590883e-06, 1e-10);
        near(smirnov(200, 0.1), 0.017055111658647187, 1e-10);
        near(smirnov(5, 0.9), 1e-5, 1e-10);
        assert!(kolmogorov_p(&[0.5; 64]) < 1e-13);
        let even: Vec<f64> = (0..64).map(|i| (f64::from(i) + 0.5) / 64.0).collect();
        assert_eq!(kolmogorov_p(&even), 1.0);
    }

    #[test]
    fn intervals_are_clopper_and_pearsons() {
        assert_eq!(clopper_pearson(0, 1000, 0.05).0, 0.0);
        near(clopper_pearson(0, 1000, 0.05).1, 0.003682083896865672, 1e-9);
        near(clopper_pearson(7, 1000, 0.05).0, 0.002818858759620524, 1e-9);
        near(clopper_pearson(7, 1000, 0.05).1, 0.014369194978918632, 1e-9);
        assert_eq!(clopper_pearson(20, 20, 0.05).1, 1.0);
        near(clopper_pearson(20, 20, 0.05).0, 0.8315665290169146, 1e-9);
    }
}
