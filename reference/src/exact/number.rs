//! A number as the oracle knows it: exactly, or to within a bound.

use num_bigint::{BigInt, BigUint};
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

use super::Ball;

/// A real number that is known exactly or to within a bound.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// This number.
    Ratio(BigRational),
    /// A number in this ball.
    Ball(Ball),
}

impl Number {
    /// A fraction of integers; `None` if the denominator is 0.
    pub fn ratio(numerator: impl Into<BigInt>, denominator: impl Into<BigInt>) -> Option<Number> {
        let denominator = denominator.into();
        let defined = !denominator.is_zero();
        defined.then(|| Number::Ratio(BigRational::new(numerator.into(), denominator)))
    }

    /// The nearest `f64`, ties to even; for a ball that of its centre. Infinite beyond the range of `f64`.
    pub fn nearest(&self) -> f64 {
        match self {
            Number::Ratio(ratio) => nearest(ratio),
            Number::Ball(ball) => ball.centre(),
        }
    }

    /// A bound on the error of [`Number::nearest`]: 0 if that is the number itself.
    pub fn error(&self) -> f64 {
        self.distance(self.nearest())[1]
    }

    /// Between what bounds the distance of an answer from the number lies: equal bounds of 0 for the number itself,
    /// infinite ones for an answer that is not finite.
    pub fn distance(&self, answer: f64) -> [f64; 2] {
        let Some(finite) = BigRational::from_float(answer) else { return [f64::INFINITY; 2] };
        match self {
            Number::Ratio(ratio) => {
                let distance = (finite - ratio).abs();
                match nearest(&distance) {
                    0.0 if distance.is_zero() => [0.0; 2],
                    rounded => [rounded.next_down().max(0.0), rounded.next_up()],
                }
            }
            Number::Ball(ball) => (Ball::from(answer) - *ball).magnitude(),
        }
    }

    /// Whether an answer is further away than allowed; `None` if the bounds of the number do not tell.
    ///
    /// Of an exactly known number the comparison is exact. An allowance of NaN tells nothing.
    pub fn differs(&self, answer: f64, allowance: f64) -> Option<bool> {
        let rationals = [answer, allowance].map(BigRational::from_float);
        if let (Number::Ratio(ratio), [Some(answer), Some(allowance)]) = (self, rationals) {
            return Some((answer - ratio).abs() > allowance);
        }
        match self.distance(answer) {
            [least, _] if least > allowance => Some(true),
            [_, most] if most <= allowance => Some(false),
            // A distance of infinity is beyond any allowance, even an infinite one.
            [f64::INFINITY, _] if !allowance.is_nan() => Some(true),
            _ => None,
        }
    }

    /// Whether the number may be another, exactly known one.
    pub fn may_be(&self, ratio: &BigRational) -> bool {
        match self {
            Number::Ratio(own) => own == ratio,
            Number::Ball(ball) => ball.contains(ratio),
        }
    }
}

/// The nearest `f64` of a fraction, ties to even.
pub(super) fn nearest(ratio: &BigRational) -> f64 {
    let (numerator, denominator) = (ratio.numer().magnitude(), ratio.denom().magnitude());
    if numerator.is_zero() {
        return 0.0;
    }
    // As a quotient of 66 or 67 bits whose last bit stands for all that follow, times 2^-shift.
    let shift = 66 + denominator.bits() as i64 - numerator.bits() as i64;
    let scaled = |value: &BigUint, by: i64| if by > 0 { value << by as u64 } else { value.clone() };
    let (above, below) = (scaled(numerator, shift), scaled(denominator, -shift));
    let quotient = &above / &below;
    let sticky = &quotient * &below != above;
    let digits = quotient.to_u128().unwrap_or(u128::MAX) | u128::from(sticky);
    let magnitude = rounded(digits, -shift);
    if ratio.is_negative() { -magnitude } else { magnitude }
}

/// `digits * 2^exponent` for digits of at least 55 bits.
fn rounded(digits: u128, exponent: i64) -> f64 {
    let length = i64::from(u128::BITS - digits.leading_zeros());
    // The last bit of an f64 of this size: 53 bits, fewer where it is subnormal.
    let last = (exponent + length - 53).max(-1074);
    let drop = last - exponent;
    if drop > length {
        return 0.0;
    }
    let (floor, rest, half) = (digits >> drop, digits & ((1 << drop) - 1), 1u128 << (drop - 1));
    let up = rest > half || rest == half && floor & 1 == 1;
    // At most 2^53, so the product is exact or overflows.
    libm::ldexp((floor + u128::from(up)) as f64, last.min(2000) as i32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratio(numerator: i64, denominator: i64) -> Number {
        Number::ratio(numerator, denominator).unwrap()
    }

    fn power(exponent: i32) -> BigRational {
        let two = BigInt::from(2);
        match exponent {
            0.. => BigRational::from(two.pow(exponent as u32)),
            _ => BigRational::new(1.into(), two.pow(exponent.unsigned_abs())),
        }
    }

    #[test]
    fn fractions_round_as_divisions_of_floats_do() {
        for (a, b) in [(1, 3), (-2, 7), (1, 10), (9, 3), (0, 5), (i64::from(u32::MAX), 641)] {
            assert_eq!(ratio(a, b).nearest(), a as f64 / b as f64, "{a}/{b}");
        }
        assert_eq!(Number::ratio(1, 0), None);
    }

    #[test]
    fn ties_subnormals_and_overflow() {
        let nearest_of = |ratio: BigRational| Number::Ratio(ratio).nearest();
        let odd = BigRational::from(BigInt::from((1i64 << 53) + 1));
        assert_eq!(nearest_of(odd.clone()), 2f64.powi(53));
        assert_eq!(nearest_of(odd + power(-200)), 2f64.powi(53) + 2.0);
        assert_eq!(nearest_of(power(-1074)), 5e-324);
        assert_eq!(nearest_of(power(-1075)), 0.0);
        assert_eq!(nearest_of(power(-1075) + power(-1200)), 5e-324);
        assert_eq!(nearest_of(power(-3000)), 0.0);
        assert_eq!(nearest_of(power(-1022) - power(-1075)), f64::MIN_POSITIVE);
        assert_eq!(nearest_of(power(1024)), f64::INFINITY);
        assert_eq!(nearest_of(power(1024) - power(970) - power(900)), f64::MAX);
        assert_eq!(nearest_of(-power(5000)), f64::NEG_INFINITY);
    }

    #[test]
    fn errors_are_tight() {
        assert_eq!(ratio(3, 8).error(), 0.0);
        // 1/3 - fl(1/3) = 1/3 2^-54.
        let third = ratio(1, 3).error();
        assert!(third >= 2f64.powi(-54) / 3.0 && third < 2f64.powi(-54) / 2.99);
        assert_eq!(ratio(1, 2).distance(0.5), [0.0, 0.0]);
        assert_eq!(ratio(1, 2).distance(f64::NAN), [f64::INFINITY; 2]);
        let [low, high] = ratio(1, 2).distance(-0.25);
        assert!(low < 0.75 && 0.75 < high && high - low < 1e-15);
    }

    proptest! {
        #[test]
        fn a_float_is_its_own_nearest(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            if let Some(ratio) = BigRational::from_float(value) {
                // Both zeros are one rational.
                prop_assert_eq!(nearest(&ratio), value);
            }
        }

        #[test]
        fn products_round_as_floats_do(a in -1e9f64..1e9, b in 1e-9f64..1e9) {
            let exact = |v| BigRational::from_float(v).unwrap();
            prop_assert_eq!(nearest(&(exact(a) * exact(b))), a * b);
            prop_assert_eq!(nearest(&(exact(a) / exact(b))), a / b);
        }
    }
}
