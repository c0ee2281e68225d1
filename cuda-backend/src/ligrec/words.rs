//! The values of the genes as integers at the common scale, in the form that kernels read.

use bytemuck::Pod;
use reference::ligrec::{Fixed, Task};

/// Magnitude that the sum of a gene may have in 64 bits; a difference of two such sums still fits.
const NARROW: u128 = 1 << 61;

/// Integers of all genes, one after the other, in the width that every sum over cells fits.
pub(super) enum Words {
    Narrow(Vec<i64>),
    Wide(Vec<i128>),
}

impl Words {
    pub(super) fn of(task: &Task, fixed: &Fixed) -> Words {
        let integer = |value: &f64| nearest(*value, fixed.exponent);
        let wide: Vec<i128> = task.columns.iter().flat_map(|c| &c.values).map(integer).collect();
        let fits = task.columns.iter().all(|column| {
            let magnitudes = column.values.iter().map(|v| integer(v).unsigned_abs());
            magnitudes.fold(0u128, |sum, m| sum.saturating_add(m)) <= NARROW
        });
        match fits {
            true => Words::Narrow(wide.iter().map(|w| *w as i64).collect()),
            false => Words::Wide(wide),
        }
    }
}

/// The integer nearest to `value / 2^exponent`, ties to even; 0 for what is not finite.
///
/// `exponent` is one of [`Fixed`], so the integer fits.
pub(super) fn nearest(value: f64, exponent: i32) -> i128 {
    if !value.is_finite() || value == 0.0 {
        return 0;
    }
    let bits = value.to_bits();
    let field = (bits >> 52 & 0x7ff) as i32;
    let digits = bits & ((1 << 52) - 1) | u64::from(field > 0) << 52;
    let shift = field.max(1) - 1075 - exponent;
    let magnitude = match shift {
        // Trailing zeros of the digits may stand where the exponent would shift them out and in again.
        0.. => i128::from(digits) << shift,
        -64..0 => {
            let digits = u128::from(digits);
            let (floor, rest) = (digits >> -shift, digits & ((1 << -shift) - 1));
            let half = 1 << (-shift - 1);
            (floor + u128::from(rest > half || rest == half && floor % 2 == 1)) as i128
        }
        _ => 0,
    };
    if value < 0.0 { -magnitude } else { magnitude }
}

/// A signed integer that kernels add up.
pub(super) trait Word: Pod + Into<i128> {
    /// The kernels of this width: sums, and comparisons.
    const KERNELS: [&str; 2];
}

impl Word for i64 {
    const KERNELS: [&str; 2] = ["ligrec_sums_narrow", "ligrec_exceed_narrow"];
}

impl Word for i128 {
    const KERNELS: [&str; 2] = ["ligrec_sums_wide", "ligrec_exceed_wide"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_the_nearest_ties_to_even() {
        for (value, expected) in [(2.5, 2), (3.5, 4), (-2.5, -2), (2.75, 3), (0.5, 0), (0.75, 1)] {
            assert_eq!(nearest(value, 0), expected, "{value}");
        }
        assert_eq!([nearest(1.5, -1), nearest(6.0, 1), nearest(1.0, 70)], [3, 3, 0]);
        assert_eq!([nearest(5e-324, -1074), nearest(f64::INFINITY, 0)], [1, 0]);
        assert_eq!(nearest(2f64.powi(100), 0), 1 << 100);
    }
}
