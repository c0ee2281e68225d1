//! Double-double numbers that know how wrong they may be.
//!
//! For inputs whose exact fractions would be too long. A ball is an unevaluated sum `high + low` of two floats and a
//! radius within which the real number lies; each operation adds its own rounding error and those it inherits, so no
//! result needs an analysis of its own. With u = 2^-53 the sums below err by at most 3u^2 and the products by less
//! than 9u^2 of the result (Joldes, Muller, Popescu: Tight and rigorous error bounds for basic building blocks of
//! double-word arithmetic, ACM TOMS 44 (2017), theorem 3.1 and section 5); 16u^2 = 2^-102 is added for either.

use std::ops::{Add, Mul, Sub};

use num_rational::BigRational;
use num_traits::Signed;

use super::number::nearest;

/// A real number within `radius` of `high + low`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ball {
    high: f64,
    low: f64,
    radius: f64,
}

/// Relative error of one operation.
const UNIT: f64 = 4.0 * f64::EPSILON * f64::EPSILON;
/// What is lost where the low part of a product is below the least float, in units of which it is a few.
pub(super) const TINY: f64 = f64::from_bits(16);
/// Radii are computed with roundings of their own, never more than a dozen at a time.
const SLACK: f64 = 1.0 + 64.0 * f64::EPSILON;

impl Ball {
    /// The `f64` nearest to the centre.
    pub fn centre(&self) -> f64 {
        self.high
    }

    /// A bound on the distance of the number from the centre `high + low`.
    pub fn radius(&self) -> f64 {
        self.radius
    }

    /// Between what bounds the magnitude of the number lies; 0 and infinity where nothing is known.
    pub fn magnitude(&self) -> [f64; 2] {
        let middle = self.high.abs();
        let reach = (self.low.abs() + self.radius) * SLACK;
        match (middle + reach).is_nan() {
            true => [0.0, f64::INFINITY],
            false => [(middle - reach).next_down().max(0.0), (middle + reach).next_up()],
        }
    }

    /// Whether a number lies in the ball.
    pub fn contains(&self, ratio: &BigRational) -> bool {
        let parts = [self.high, self.low].map(BigRational::from_float);
        let [Some(high), Some(low)] = parts else { return true };
        let distance = nearest(&(ratio - high - low).abs());
        // Nothing is known of a number with a radius of NaN.
        !(distance.next_down() > self.radius)
    }

    /// The ball with its radius replaced.
    pub(super) fn within(self, radius: f64) -> Ball {
        Ball { radius, ..self }
    }

    /// The quotient, bounded by what its product with the divisor leaves of the dividend.
    pub(super) fn divided_by(self, divisor: Ball) -> Ball {
        let [least, _] = divisor.magnitude();
        if least == 0.0 {
            return Ball { high: 0.0, low: 0.0, radius: f64::INFINITY };
        }
        let first = Ball::from(self.high / divisor.high);
        let second = (self - first * divisor).high / divisor.high;
        let (high, low) = fast_two_sum(first.high, second);
        let quotient = Ball { high, low, radius: 0.0 };
        let [_, rest] = (self - quotient * divisor).magnitude();
        quotient.within((rest / least + TINY) * SLACK)
    }

    /// A result of one operation, with the radius it inherits.
    fn rounded(high: f64, low: f64, inherited: f64) -> Ball {
        Ball { high, low, radius: (inherited + UNIT * high.abs() + TINY) * SLACK }
    }
}

impl From<f64> for Ball {
    fn from(value: f64) -> Ball {
        Ball { high: value, low: 0.0, radius: 0.0 }
    }
}

impl From<i64> for Ball {
    fn from(value: i64) -> Ball {
        let high = value as f64;
        // 64 bits fit two floats.
        Ball { high, low: (i128::from(value) - high as i128) as f64, radius: 0.0 }
    }
}

impl Add for Ball {
    type Output = Ball;
    fn add(self, other: Ball) -> Ball {
        let (high, error) = two_sum(self.high, other.high);
        let (low, rest) = two_sum(self.low, other.low);
        let (high, low) = fast_two_sum(high, error + low);
        let (high, low) = fast_two_sum(high, low + rest);
        Ball::rounded(high, low, self.radius + other.radius)
    }
}

impl Sub for Ball {
    type Output = Ball;
    fn sub(self, other: Ball) -> Ball {
        self + Ball { high: -other.high, low: -other.low, ..other }
    }
}

impl Mul for Ball {
    type Output = Ball;
    fn mul(self, other: Ball) -> Ball {
        let high = self.high * other.high;
        let error = self.high.mul_add(other.high, -high);
        let low = error + (self.high * other.low + self.low * other.high);
        let (high, low) = fast_two_sum(high, low);
        let inherited = self.high.abs() * other.radius
            + other.high.abs() * self.radius
            + self.radius * other.radius;
        Ball::rounded(high, low, inherited)
    }
}

/// Sum and its rounding error.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// As [`two_sum`], for `|a| >= |b|` or a = 0.
fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rational(value: f64) -> BigRational {
        BigRational::from_float(value).unwrap()
    }

    #[test]
    fn integers_are_exact() {
        for value in [0, 1, -7, i64::MAX, i64::MIN, (1 << 53) + 1] {
            let ball = Ball::from(value);
            assert_eq!(rational(ball.high) + rational(ball.low), rational_of(value));
        }
    }

    fn rational_of(value: i64) -> BigRational {
        BigRational::from(num_bigint::BigInt::from(value))
    }

    #[test]
    fn nothing_is_known_of_a_quotient_by_what_may_be_zero() {
        let near_zero = Ball::from(1e-40).within(1e-39);
        assert_eq!(Ball::from(1.0).divided_by(near_zero).magnitude(), [0.0, f64::INFINITY]);
        assert_eq!((Ball::from(f64::MAX) * Ball::from(4.0)).magnitude(), [0.0, f64::INFINITY]);
    }

    #[test]
    fn cancellation_shows_in_the_radius() {
        let third = Ball::from(1.0).divided_by(Ball::from(3.0));
        let zero = third * Ball::from(3.0) - Ball::from(1.0);
        assert!(zero.contains(&rational(0.0)) && zero.radius() > 0.0 && zero.radius() < 1e-30);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        // A few operations deep, against fractions: inside, and no wider than 30 digits.
        #[test]
        fn operations_contain_the_truth(values in prop::array::uniform6(-1e6f64..1e6), scale in -60i32..60) {
            let [a, b, c, d, e, f] = values.map(|v| v * 2f64.powi(scale));
            let ball = {
                let [a, b, c, d, e, f] = [a, b, c, d, e, f].map(Ball::from);
                ((a * b + c * d) * e - f * f * f).divided_by(a * a * e)
            };
            let [a, b, c, d, e, f] = [a, b, c, d, e, f].map(rational);
            if !(a.is_positive() || a.is_negative()) || !(e.is_positive() || e.is_negative()) {
                return Ok(());
            }
            let terms = nearest(&((&a * &b * &e).abs() + (&c * &d * &e).abs() + (&f * &f * &f).abs()));
            let divisor = &a * &a * &e;
            let size = terms / nearest(&divisor.abs());
            let truth = ((&a * &b + &c * &d) * &e - &f * &f * &f) / divisor;
            prop_assert!(ball.contains(&truth));
            // Ten operations of 2^-102 each on terms of this size.
            prop_assert!(ball.radius() <= 20.0 * UNIT * size, "{} of {size}", ball.radius());
            prop_assert!(!ball.contains(&(truth + rational(1e-20 * size))));
        }
    }
}
