//! Moran's I, Geary's C, their expected values and variances under normality.
//!
//! With `Z_i = n x_i - sum_j x_j = n z_i`, which stays in the ring:
//!
//! ```text
//! I = n sum_ij w_ij Z_i Z_j / (S0 sum_i Z_i^2)     C = (n-1) n^2 sum_ij w_ij (x_i - x_j)^2 / (2 S0 sum_i Z_i^2)
//! ```

use num_bigint::BigInt;

use super::ring::{Ring, square, sum};
use super::weights::{Weights, finite};
use super::{Ball, Number};
use crate::spatial_autocorr::{Mode, Task};

/// What a call of `spatial_autocorr` should find.
#[derive(Clone, Debug, PartialEq)]
pub struct SpatialAutocorr {
    /// I or C by feature; `None` where it is undefined: a constant or infinite feature, weights that are infinite or add
    /// up to 0.
    pub score: Vec<Option<Number>>,
    /// `-1/(n-1)` or 1; `None` for a single cell.
    pub expected: Option<Number>,
    /// `Var_N`, one for all features; `None` without total weight.
    pub variance: Option<Number>,
}

/// Scores, expected value and variance of a call, whose p-values follow from them.
pub fn spatial_autocorr(task: &Task<'_>) -> SpatialAutocorr {
    let n = task.n() as i64;
    let expected = match task.mode {
        Mode::Moran => Number::ratio(-1, n - 1),
        Mode::Geary => Number::ratio(1, 1),
    };
    let (score, variance) = over_ring(task, Scores);
    SpatialAutocorr { score, expected, variance: variance.filter(|_| n > 1) }
}

/// A computation that is the same over any ring.
pub(super) trait Question {
    type Answer;
    fn ask<R: Ring>(&self, task: &Task<'_>, weights: &Weights<R>) -> Self::Answer;
    /// The answer where weights are not finite.
    fn undefined(&self, task: &Task<'_>) -> Self::Answer;
}

/// Asks over integers if they are affordable, else over balls.
pub(super) fn over_ring<Q: Question>(task: &Task<'_>, question: Q) -> Q::Answer {
    if !finite(task) {
        return question.undefined(task);
    }
    match Weights::integers(task) {
        Some(weights) => question.ask::<BigInt>(task, &weights),
        None => question.ask::<Ball>(task, &Weights::balls(task)),
    }
}

struct Scores;

impl Question for Scores {
    type Answer = (Vec<Option<Number>>, Option<Number>);

    fn ask<R: Ring>(&self, task: &Task<'_>, weights: &Weights<R>) -> Self::Answer {
        let identity = |i: usize| i;
        let score = |feature: Option<Feature<R>>| {
            let feature = feature?;
            let numerator =
                weights.weighted(|i, j| feature.term(task.mode, identity(i), identity(j)));
            let (factor, denominator) = feature.factor(task.mode, weights.s0());
            (factor * numerator).over(denominator)
        };
        (features(task).map(score).collect(), variance(task.mode, weights))
    }

    fn undefined(&self, task: &Task<'_>) -> Self::Answer {
        (vec![None; task.features.len()], None)
    }
}

/// A feature that varies.
pub(super) struct Feature<R> {
    pub(super) x: Vec<R>,
    /// `n x - sum x`.
    pub(super) z: Vec<R>,
    /// `sum Z^2`.
    pub(super) squares: R,
}

/// The features of a call; `None` for one that is constant or not finite.
pub(super) fn features<R: Ring>(task: &Task<'_>) -> impl Iterator<Item = Option<Feature<R>>> {
    (0..task.features.len()).map(|k| {
        let mut values = vec![0.0; task.n()];
        task.features.columns.fill(k, &mut values);
        let varies = values.windows(2).any(|w| w[0] != w[1]);
        (varies && values.iter().all(|v| v.is_finite())).then(|| Feature::new(&values))
    })
}

impl<R: Ring> Feature<R> {
    fn new(values: &[f64]) -> Feature<R> {
        let x = R::proportional(values);
        let (n, total) = (R::from(x.len() as i64), sum(x.iter().cloned()));
        let z: Vec<R> = x.iter().map(|x| n.clone() * x.clone() - total.clone()).collect();
        Feature { squares: sum(z.iter().map(square)), x, z }
    }

    /// What the weight of an edge is multiplied by, for the values of cells i and j at its ends.
    pub(super) fn term(&self, mode: Mode, i: usize, j: usize) -> R {
        match mode {
            Mode::Moran => self.z[i].clone() * self.z[j].clone(),
            Mode::Geary => square(&(self.x[i].clone() - self.x[j].clone())),
        }
    }

    /// Numerator and denominator of what the sum over edges is multiplied by.
    pub(super) fn factor(&self, mode: Mode, s0: R) -> (R, R) {
        let n = self.x.len() as i64;
        let scale = s0 * self.squares.clone();
        match mode {
            Mode::Moran => (R::from(n), scale),
            // In two factors, since n^3 leaves 64 bits from two million cells on.
            Mode::Geary => (R::from((n - 1) * n) * R::from(n), R::from(2) * scale),
        }
    }
}

/// `Var_N` of Cliff and Ord, over one denominator.
fn variance<R: Ring>(mode: Mode, weights: &Weights<R>) -> Option<Number> {
    let integer = |value: i64| R::from(value);
    let n = weights.n as i64;
    let (twice_s1, s2, s0_squared) = (weights.twice_s1(), weights.s2(), square(&weights.s0()));
    match mode {
        // (n^2 S1 - n S2 + 3 S0^2) / ((n-1)(n+1) S0^2) - 1/(n-1)^2, times 2 (n-1)^2 (n+1) S0^2.
        Mode::Moran => {
            let moments =
                integer(n * n) * twice_s1 - integer(2 * n) * s2 + integer(6) * s0_squared.clone();
            let numerator = integer(n - 1) * moments - integer(2 * (n + 1)) * s0_squared.clone();
            let denominator = integer(2 * (n - 1)) * integer((n - 1) * (n + 1)) * s0_squared;
            numerator.over(denominator)
        }
        Mode::Geary => {
            let numerator = integer(n - 1) * (twice_s1 + s2) - integer(4) * s0_squared.clone();
            numerator.over(integer(2 * (n + 1)) * s0_squared)
        }
    }
}

#[cfg(test)]
mod tests {
    use dispatch::{Dataset, Dense, Frame, Index, Params, Value};
    use proptest::prelude::*;

    use super::*;

    fn data(values: &[f64], weights: &[f64]) -> Dataset {
        let n = values.len();
        let index = |n: usize| Index::text((0..n).map(|i| i.to_string()));
        let mut data = Dataset::new();
        data.set("X", Dense::new(vec![n, 1], values.to_vec()).into());
        data.set("obs", Frame::new(index(n), [] as [(&str, Value); 0]).into());
        data.set("var", Frame::new(index(1), [] as [(&str, Value); 0]).into());
        data.set("obsp/spatial_connectivities", Dense::new(vec![n, n], weights.to_vec()).into());
        data
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        // The same formulas over both rings: the balls hold the fractions and are narrow.
        #[test]
        fn balls_hold_the_fractions(
            values in prop::collection::vec(-1e3f64..1e3, 6),
            weights in prop::collection::vec(prop_oneof![Just(0.0), 0.1f64..9.0], 36),
            offset in prop_oneof![Just(0.0), Just(1e6)],
            moran in any::<bool>(),
            transformation in any::<bool>(),
        ) {
            let values: Vec<f64> = values.iter().map(|v| v + offset).collect();
            let data = data(&values, &weights);
            let mode = if moran { "moran" } else { "geary" };
            let params = [("mode", mode.into()), ("transformation", transformation.into())];
            let params: Params = params.map(|(name, value)| (name.to_owned(), value)).into();
            let task = Task::read(&data, &params).unwrap();
            let (score, variance) = Scores.ask(&task, &Weights::integers(&task).unwrap());
            let (near_score, near_variance) = Scores.ask(&task, &Weights::balls(&task));
            for (exact, near) in [(&score[0], &near_score[0]), (&variance, &near_variance)] {
                match (exact, near) {
                    (Some(Number::Ratio(exact)), Some(near)) => {
                        prop_assert!(near.may_be(exact));
                        let Number::Ball(ball) = near else { panic!("{near:?}") };
                        // Some 100 operations of 2^-102 on numbers up to (1e9 / 1e3)^2 times the result.
                        prop_assert!(ball.radius() < 1e-15, "{ball:?}");
                    }
                    // Without edges the integers know and the balls say that they do not.
                    (None, Some(Number::Ball(ball))) => prop_assert!(ball.radius().is_infinite()),
                    (exact, near) => prop_assert!(exact.is_none() && near.is_none()),
                }
            }
        }
    }
}
