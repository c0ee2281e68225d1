//! What the formulas are written over: integers of any size, or balls.
//!
//! The statistics do not change when all weights, or all values of a feature, are multiplied by one number. So both
//! may stand at a scale that suits: integers at the finest power of two and the least common multiple of the row sums.

use std::ops::{Add, Mul, Sub};

use num_bigint::BigInt;
use num_traits::Float;

use super::ball::TINY;
use super::{Ball, Number};

/// Numbers that add and multiply without unknown error, and divide once at the end.
pub(super) trait Ring:
    Clone + From<i64> + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    /// Finite floats times one common power of two.
    fn proportional(values: &[f64]) -> Vec<Self>;

    /// The quotient; `None` by zero.
    fn over(self, denominator: Self) -> Option<Number>;
}

impl Ring for BigInt {
    fn proportional(values: &[f64]) -> Vec<BigInt> {
        integers(values).0
    }

    fn over(self, denominator: BigInt) -> Option<Number> {
        Number::ratio(self, denominator)
    }
}

impl Ring for Ball {
    fn proportional(values: &[f64]) -> Vec<Ball> {
        // Near 1, so that no product leaves the range of floats.
        let largest =
            values.iter().fold(0.0, |most, v| if v.abs() > most { v.abs() } else { most });
        let (_, exponent) = libm::frexp(largest);
        let scaled = |v: &f64| {
            let ball = Ball::from(libm::ldexp(*v, -exponent));
            // Only what becomes subnormal is rounded.
            let normal = ball.centre() == 0.0 && *v == 0.0 || ball.centre().is_normal();
            ball.within(if normal { 0.0 } else { TINY })
        };
        values.iter().map(scaled).collect()
    }

    fn over(self, denominator: Ball) -> Option<Number> {
        Some(Number::Ball(self.divided_by(denominator)))
    }
}

/// Finite floats as integers times `2^exponent`, the finest power of two among them.
pub(super) fn integers(values: &[f64]) -> (Vec<BigInt>, i32) {
    let odd = |value: &f64| {
        let (digits, exponent, sign) = Float::integer_decode(*value);
        let zeros = digits.trailing_zeros();
        (digits > 0).then(|| (digits >> zeros, i32::from(exponent) + zeros as i32, sign))
    };
    let split: Vec<Option<(u64, i32, i8)>> = values.iter().map(odd).collect();
    let finest = split.iter().flatten().map(|(_, exponent, _)| *exponent).min().unwrap_or(0);
    let integer = |part: &Option<(u64, i32, i8)>| match part {
        Some((digits, exponent, sign)) => (BigInt::from(*digits) << (exponent - finest)) * *sign,
        None => BigInt::ZERO,
    };
    (split.iter().map(integer).collect(), finest)
}

pub(super) fn sum<R: Ring>(terms: impl IntoIterator<Item = R>) -> R {
    terms.into_iter().fold(R::from(0), |sum, term| sum + term)
}

pub(super) fn square<R: Ring>(value: &R) -> R {
    value.clone() * value.clone()
}

/// `sum_i u_i v_i`.
pub(super) fn dot<R: Ring>(u: &[R], v: &[R]) -> R {
    sum(u.iter().zip(v).map(|(u, v)| u.clone() * v.clone()))
}

/// `n sum_i u_i v_i - sum_i u_i sum_i v_i`: n times the sum of products about the means.
pub(super) fn about_means<R: Ring>(u: &[R], v: &[R]) -> R {
    let total = |v: &[R]| sum(v.iter().cloned());
    R::from(u.len() as i64) * dot(u, v) - total(u) * total(v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_integers_at_one_scale() {
        let (digits, exponent) = integers(&[0.75, -2.0, 0.0, 1e-3]);
        let real =
            |i: usize| Number::ratio(digits[i].clone(), BigInt::from(2).pow(-exponent as u32));
        let reals: Vec<f64> = (0..4).map(|i| real(i).unwrap().nearest()).collect();
        assert_eq!(reals, [0.75, -2.0, 0.0, 1e-3]);
        let (digits, _) = integers(&[f64::MAX, 5e-324]);
        assert_eq!((digits[0].bits(), digits[1].clone()), (2098, BigInt::from(1)));
        assert_eq!(integers(&[6.0, 2.0, 4.0]), (vec![3.into(), 1.into(), 2.into()], 1));
    }

    #[test]
    fn balls_keep_proportions_at_both_ends() {
        let balls = Ball::proportional(&[3e300, -1.5e300, 0.0, 1e-300]);
        assert_eq!(balls[0].centre() / balls[1].centre(), -2.0);
        assert_eq!([balls[0].radius(), balls[2].radius()], [0.0, 0.0]);
        assert!(balls[0].centre() < 1.0 && balls[3].radius() > 0.0);
        assert_eq!(Ball::proportional(&[5e-324])[0].centre(), 0.5);
    }

    #[test]
    fn products_about_means() {
        let v = |values: &[i64]| values.iter().map(|v| BigInt::from(*v)).collect::<Vec<_>>();
        // Means 2 and 4: (-1)(-3) + 0 + 1 3 = 6, times 3.
        assert_eq!(about_means(&v(&[1, 2, 3]), &v(&[1, 4, 7])), BigInt::from(18));
    }
}
