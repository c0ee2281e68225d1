//! The standard normal distribution.

use std::f64::consts::{PI, SQRT_2};

/// The probability that a standard normal exceeds `z`: `erfc(z/sqrt 2)/2`, relative error below 1e-12 to 37 sd.
///
/// The host takes `1 - cdf(z)` instead, which is 0 from z = 8.3 on and absolutely good to 1.1e-16.
/// NaN gives NaN.
pub fn upper_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z / SQRT_2)
}

/// The density of the standard normal at `z`: what turns an error of z into an error of p.
pub fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn tail_is_accurate_where_one_minus_cdf_is_zero() {
        // scipy.stats.norm.sf, correct to the last digits shown; erfc itself is good to a few ulp and its
        // argument to u relative, which the tail magnifies by z^2: 37^2 * 1.1e-16 = 1.5e-13.
        let published = [
            (0.0, 0.5),
            (1.959963984540054, 0.025),
            (-1.0, 0.8413447460685429),
            (10.0, 7.619853024160527e-24),
            (37.0, 5.725571222524577e-300),
        ];
        for (z, p) in published {
            assert_relative_eq!(upper_tail(z), p, max_relative = 5e-13);
        }
        assert!(upper_tail(f64::NAN).is_nan());
        assert_eq!((upper_tail(f64::INFINITY), upper_tail(f64::NEG_INFINITY)), (0.0, 1.0));
    }

    #[test]
    fn density_is_the_slope_of_the_tail() {
        let slope = (upper_tail(0.3) - upper_tail(0.3 + 1e-6)) / 1e-6;
        // Second derivative 0.3 * phi * 1e-6 / 2, about 6e-8.
        assert_relative_eq!(density(0.3 + 5e-7), slope, max_relative = 1e-9);
    }
}
