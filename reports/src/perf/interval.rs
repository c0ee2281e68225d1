//! Medians and their intervals.

use rand_core::Rng;
use rand_pcg::Pcg64;

/// Resamples of a bootstrap. The ends of a 95 % interval are then the 50th from either side, whose own standard error is a
/// seventh of that count.
const RESAMPLES: usize = 2000;

/// An estimate and the interval that holds it with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub at: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Half of its width.
    pub fn half_width(self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// The farther end from 0.
    pub fn farthest(self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    /// Estimate and ends, each put through a rising function.
    pub fn map(self, f: impl Fn(f64) -> f64) -> Interval {
        Interval { at: f(self.at), low: f(self.low), high: f(self.high) }
    }

    /// The interval of the negated quantity.
    pub fn negated(self) -> Interval {
        Interval { at: -self.at, low: -self.high, high: -self.low }
    }
}

/// The median; `None` of nothing. Of an even number it is the mean of the two in the middle.
pub(in crate::perf) fn median(values: &[f64]) -> Option<f64> {
    median_of(&mut values.to_vec())
}

/// The median of values whose order does not matter.
fn median_of(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    let odd = !values.len().is_multiple_of(2);
    if values.is_empty() {
        return None;
    }
    let (below, above, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let before = below.iter().copied().max_by(f64::total_cmp);
    Some(before.filter(|_| !odd).map_or(*above, |before| (before + *above) / 2.0))
}

/// The value below which a share of the sorted values lies.
pub(in crate::perf) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((share * last as f64).round() as usize).copied()
}

/// Draws positions with replacement; the same for the same seed.
pub(in crate::perf) struct Resampler(Pcg64);

impl Resampler {
    pub(in crate::perf) fn new(seed: u64) -> Resampler {
        // The stream is arbitrary; PCG wants it odd and makes it so.
        Resampler(Pcg64::new(u128::from(seed), 0xc0_c0))
    }

    /// As many values as there are, drawn with replacement.
    pub(super) fn resample(&mut self, values: &[f64], into: &mut Vec<f64>) {
        into.clear();
        let n = values.len() as u128;
        into.extend(values.iter().map(|_| {
            // Lemire's multiply-shift; its bias is below n / 2^64.
            let at = (u128::from(self.0.next_u64()) * n) >> 64;
            values[at as usize]
        }));
    }

    /// What a statistic comes to in [`RESAMPLES`] resamples of several groups, sorted; where it is undefined it is left out.
    pub(in crate::perf) fn distribution(
        &mut self,
        groups: &[Vec<f64>],
        statistic: impl Fn(&[Vec<f64>]) -> Option<f64>,
    ) -> Vec<f64> {
        let mut drawn: Vec<Vec<f64>> = groups.to_vec();
        let once = |_| {
            for (values, into) in groups.iter().zip(&mut drawn) {
                self.resample(values, into);
            }
            statistic(&drawn)
        };
        let mut found: Vec<f64> = (0..RESAMPLES).filter_map(once).collect();
        found.sort_by(f64::total_cmp);
        found
    }

    /// The share of resamples in which a statistic was defined.
    pub(super) fn share(found: &[f64]) -> f64 {
        found.len() as f64 / RESAMPLES as f64
    }
}

/// The median and its interval: the percentiles of the medians of resamples (Efron's bootstrap).
///
/// Of n values the percentile interval of a median is a little wide for small n, never narrow by much; the test of the
/// verdicts measures what that comes to.
pub(super) fn of_median(values: &[f64], seed: u64) -> Option<Interval> {
    of_median_at(values, seed, 0.95)
}

/// As [`of_median`], with another confidence.
pub(in crate::perf) fn of_median_at(
    values: &[f64],
    seed: u64,
    confidence: f64,
) -> Option<Interval> {
    let tail = (1.0 - confidence) / 2.0;
    let (mut resampler, mut drawn) = (Resampler::new(seed), Vec::new());
    let once = |_| {
        resampler.resample(values, &mut drawn);
        median_of(&mut drawn)
    };
    let mut found: Vec<f64> = (0..RESAMPLES).filter_map(once).collect();
    found.sort_by(f64::total_cmp);
    Some(Interval {
        at: median(values)?,
        low: quantile(&found, tail)?,
        high: quantile(&found, 1.0 - tail)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_even_and_nothing() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn the_interval_of_a_median_covers_it_about_as_often_as_it_says() {
        let mut rng = Pcg64::new(7, 1);
        let mut normal =
            || (0..12).map(|_| rng.next_u64() as f64 / u64::MAX as f64).sum::<f64>() - 6.0;
        let covers = (0..400).filter(|&seed| {
            let values: Vec<f64> = (0..20).map(|_| normal()).collect();
            let interval = of_median(&values, seed).unwrap();
            interval.low <= 0.0 && 0.0 <= interval.high
        });
        // 95 % of 400 is 380; three standard deviations of the count are 13, and the percentile interval of a median of
        // 20 is known to cover 1 to 2 % more or less than it says.
        let covered = covers.count();
        assert!((359..=398).contains(&covered), "{covered}");
    }
}
