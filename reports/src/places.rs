//! Where random values stand in the distribution that they should have.
//!
//! A value is put through the distribution function that a right backend would have (with a random part where it steps), and
//! what comes out is uniform on [0, 1]. The log keeps how many values fall into each of fifty equal parts: enough for a
//! quantile plot, the same size however many values there were, and the same in any order.

use serde::{Deserialize, Serialize};

/// Number of parts.
const BINS: usize = 50;

/// A histogram of values that should be uniform on [0, 1].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// How many of the values are independent of each other, at least: the number of calls that they come from.
    pub independent: u64,
    /// Values in each part, lowest first; empty where there is none yet.
    pub counts: Vec<u64>,
}

/// One point of a quantile plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// The share of values that are at most [`Quantile::observed`]: what a uniform value would be there.
    pub expected: f64,
    /// The upper end of a part.
    pub observed: f64,
}

impl Places {
    /// Counts values; what is not in [0, 1] counts as the nearer end, NaN as 0.
    pub fn add(&mut self, values: &[f64]) {
        self.counts.resize(BINS, 0);
        for value in values {
            // A cast of a float to an integer saturates, and takes NaN to 0.
            let bin = (value * BINS as f64) as usize;
            self.counts[bin.min(BINS - 1)] += 1;
        }
    }

    /// Number of values.
    pub fn values(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The points of a quantile plot, lowest first; none where there is no value.
    pub fn quantiles(&self) -> Vec<Quantile> {
        let (all, parts) = (self.values() as f64, self.counts.len() as f64);
        let mut below = 0;
        let point = |(i, count): (usize, &u64)| {
            below += count;
            Quantile { expected: below as f64 / all, observed: (i + 1) as f64 / parts }
        };
        if all > 0.0 { self.counts.iter().enumerate().map(point).collect() } else { Vec::new() }
    }

    /// How far from the diagonal the points of a right backend stay, all of them with probability 0.99.
    ///
    /// `sqrt(ln(2 / 0.01) / 2 n)` (Dvoretzky, Kiefer, Wolfowitz; Massart 1990) for n independent values. Columns that share
    /// permutations only add what is not independent, so n is the number of calls.
    pub fn band(&self) -> f64 {
        (200_f64.ln() / (2.0 * self.independent.max(1) as f64)).sqrt().min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(values: &[f64]) -> Places {
        let mut places = Places { independent: values.len() as u64, ..Places::default() };
        places.add(values);
        places
    }

    #[test]
    fn every_value_is_counted_in_its_part() {
        let places = places(&[0.0, 0.019, 0.02, 0.5, 1.0, 7.0, -1.0, f64::NAN]);
        assert_eq!((places.counts.len(), places.values()), (BINS, 8));
        assert_eq!((places.counts[0], places.counts[1], places.counts[25]), (4, 1, 1));
        assert_eq!(places.counts[49], 2);
        assert_eq!(Places::default().quantiles(), []);
    }

    #[test]
    fn uniform_values_stay_in_the_band_and_squeezed_ones_leave_it() {
        let distance = |places: &Places| {
            let far = places.quantiles().into_iter().map(|q| (q.expected - q.observed).abs());
            far.fold(0.0, f64::max)
        };
        let even: Vec<f64> = (0..200).map(|i| (f64::from(i) + 0.5) / 200.0).collect();
        let even = places(&even);
        assert!(
            distance(&even) < 1e-12 && even.band() < 0.12,
            "{} {}",
            distance(&even),
            even.band()
        );
        let squeezed: Vec<f64> = (0..200).map(|i| 0.7 * f64::from(i) / 200.0).collect();
        let squeezed = places(&squeezed);
        assert!(distance(&squeezed) > squeezed.band());
    }
}
