//! Real values as integers at one common scale, so that sums and comparisons of them are exact.
//!
//! Every finite float64 is an odd integer times a power of two. With `2^e` the smallest such power among the
//! values, all of them are integers times `2^e`; counts and log-normalised float32 data then fit 64-bit sums,
//! float64 data 128-bit sums. Only values more than about 80 binades apart do not fit: those are rounded to the
//! finest scale that does, at most `2^(e-1)` off, and [`Fixed::exact`] says so.

use super::Column;

/// Largest magnitude of a 64-bit sum, in bits.
const NARROW_BITS: u32 = 62;
/// Largest magnitude of `(S - M) n + (S' - M') n'` in 128 bits.
const WIDE_BITS: u32 = 126;

/// The values of some columns as integers times `2^exponent`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixed {
    /// The scale.
    pub exponent: i32,
    /// Whether every finite value is represented exactly.
    pub exact: bool,
    pub(super) words: Words,
}

/// The integers, per column and in its order of cells; an infinity is 0 here.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Words {
    /// Any sum over cells fits 62 bits.
    Narrow(Vec<Vec<i64>>),
    /// Any sum over cells, times a number of cells, fits 125 bits.
    Wide(Vec<Vec<i128>>),
}

impl Fixed {
    /// The common scale of columns over `cells` cells.
    pub fn new(columns: &[Column], cells: usize) -> Fixed {
        let (mut low, mut high) = (i32::MAX, i32::MIN);
        for (digits, exponent) in columns.iter().flat_map(|c| &c.values).map(|v| split(*v)) {
            if digits > 0 {
                low = low.min(exponent);
                high = high.max(exponent + (u64::BITS - digits.leading_zeros()) as i32);
            }
        }
        if low > high {
            (low, high) = (0, 0);
        }
        // Cells are numbered by 32 bits, and floats span 2098 binades.
        let count_bits = (usize::BITS - cells.leading_zeros()).min(32);
        let width = (high - low) as u32;
        if width + count_bits <= NARROW_BITS {
            let words = quantised(columns, low).map(|column| column.map(|q| q as i64).collect());
            return Fixed { exponent: low, exact: true, words: Words::Narrow(words.collect()) };
        }
        // A difference of two sums, times a size, twice.
        let available = WIDE_BITS - 2 * count_bits - 2;
        let exponent = low.max(high - available as i32);
        let words = quantised(columns, exponent).map(Iterator::collect).collect();
        Fixed { exponent, exact: exponent == low, words: Words::Wide(words) }
    }

    /// The sum of a column over all its cells.
    pub fn total(&self, column: usize) -> i128 {
        match &self.words {
            Words::Narrow(words) => words[column].iter().map(|&w| i128::from(w)).sum(),
            Words::Wide(words) => words[column].iter().sum(),
        }
    }

    /// Whether float64 adds up any values of a column without rounding, in whatever order.
    ///
    /// So it is if the magnitudes together make at most 2^53 of the column's own finest unit, which may be
    /// coarser than the common scale.
    pub fn adds_exactly(&self, column: usize) -> bool {
        let (bits, total) = match &self.words {
            Words::Narrow(words) => extent(words[column].iter().map(|w| w.unsigned_abs().into())),
            Words::Wide(words) => extent(words[column].iter().map(|w| w.unsigned_abs())),
        };
        self.exact && (bits == 0 || total >> bits.trailing_zeros() <= 1 << 53)
    }

    /// The sums of a column by label of the cell.
    pub(super) fn sums(&self, column: usize, cells: &[u32], labels: &[u32], k: usize) -> Vec<i128> {
        let mut sums = vec![0; k];
        let label = |cell: &u32| labels[*cell as usize] as usize;
        match &self.words {
            Words::Narrow(words) => {
                cells
                    .iter()
                    .zip(&words[column])
                    .for_each(|(c, w)| sums[label(c)] += i128::from(*w));
            }
            Words::Wide(words) => {
                cells.iter().zip(&words[column]).for_each(|(c, w)| sums[label(c)] += w);
            }
        }
        sums
    }

    /// The real number of an integer, rounded to float64.
    pub fn value(&self, integer: i128) -> f64 {
        libm::ldexp(integer as f64, self.exponent)
    }

    /// A real number in units of the scale.
    pub fn units(&self, value: f64) -> f64 {
        libm::ldexp(value, -self.exponent)
    }
}

/// All bits that occur in some integers, and their sum.
fn extent(magnitudes: impl Iterator<Item = u128>) -> (u128, u128) {
    magnitudes.fold((0, 0), |(bits, total), w| (bits | w, total + w))
}

fn quantised(
    columns: &[Column],
    exponent: i32,
) -> impl Iterator<Item = impl Iterator<Item = i128>> {
    columns.iter().map(move |column| column.values.iter().map(move |v| quantise(*v, exponent)))
}

/// The magnitude of a finite number as an odd integer times a power of two; 0 for zero, NaN and infinity.
fn split(value: f64) -> (u64, i32) {
    if !value.is_finite() || value == 0.0 {
        return (0, 0);
    }
    let bits = value.to_bits();
    let (field, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let (digits, exponent) =
        if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
    let zeros = digits.trailing_zeros();
    (digits >> zeros, exponent + zeros as i32)
}

/// The integer nearest to `value / 2^exponent`, ties to even.
fn quantise(value: f64, exponent: i32) -> i128 {
    let (digits, own) = split(value);
    // Zero, and what is not finite, has no exponent of its own to compare with the scale.
    if digits == 0 {
        return 0;
    }
    let magnitude = match own - exponent {
        up @ 0.. => i128::from(digits) << up,
        down @ -63..0 => {
            let (floor, rest) = (digits >> -down, digits & ((1 << -down) - 1));
            let half = 1 << (-down - 1);
            i128::from(floor) + i128::from(rest > half || rest == half && floor % 2 == 1)
        }
        _ => 0,
    };
    if value < 0.0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[f64]) -> Column {
        Column { cells: (0..values.len() as u32).collect(), values: values.to_vec() }
    }

    #[test]
    fn counts_and_floats_are_exact() {
        let counts = Fixed::new(&[column(&[3.0, 5.0, -4.0])], 3);
        assert_eq!((counts.exponent, counts.exact), (0, true));
        assert_eq!(counts.words, Words::Narrow(vec![vec![3, 5, -4]]));
        let halves = Fixed::new(&[column(&[1.5, 0.25])], 1000);
        assert_eq!((halves.exponent, halves.total(0)), (-2, 7));
        assert_eq!((halves.value(7), halves.units(1.75)), (1.75, 7.0));
        let doubles = Fixed::new(&[column(&[0.1, 1e6 / 3.0])], 50_000);
        assert!(doubles.exact && matches!(doubles.words, Words::Wide(_)));
        assert_eq!(doubles.value(doubles.total(0)), 0.1 + 1e6 / 3.0);
    }

    #[test]
    fn distant_values_are_rounded_and_say_so() {
        let far = Fixed::new(&[column(&[1e30, 1.0, 1e-30])], 4);
        assert!(!far.exact);
        let Words::Wide(words) = &far.words else { panic!() };
        assert_eq!((far.value(words[0][0]), far.value(words[0][1]), words[0][2]), (1e30, 1.0, 0));
        // Nothing overflows at either end.
        let extremes =
            Fixed::new(&[column(&[f64::MAX, f64::MIN_POSITIVE, 5e-324])], u32::MAX as usize);
        assert_eq!(extremes.value(extremes.total(0)), f64::MAX);
    }

    #[test]
    fn nothing_and_infinity() {
        let none = Fixed::new(&[column(&[f64::INFINITY]), column(&[])], 1);
        assert_eq!((none.exponent, none.total(0), none.total(1)), (0, 0, 0));
    }

    #[test]
    fn infinity_beside_subnormals_is_zero() {
        // Scales below 2^-127 once shifted the zero that stands for an infinity out of its word.
        let tiny = [f64::INFINITY, 5e-324, f64::NEG_INFINITY, f64::NAN, 0.0, 1e-300];
        let fixed = Fixed::new(&[column(&tiny)], 6);
        assert_eq!((fixed.exponent, fixed.exact), (-1074, true));
        let Words::Wide(words) = &fixed.words else { panic!() };
        assert_eq!((words[0][0], words[0][1], &words[0][2..5]), (0, 1, &[0, 0, 0][..]));
        assert_eq!(fixed.value(words[0][5]), 1e-300);
    }

    #[test]
    fn exact_additions_are_judged_by_each_columns_own_unit() {
        let thirds = column(&[1.0 / 3.0; 3]);
        let fixed = Fixed::new(&[thirds, column(&[1.0, -7.5, f64::INFINITY]), column(&[])], 3);
        let exactly: Vec<bool> = (0..3).map(|g| fixed.adds_exactly(g)).collect();
        assert_eq!(exactly, [false, true, true]);
        // 2^53 + 1 is no float64, and 1e30 beside 1e-30 is not even represented.
        assert!(!Fixed::new(&[column(&[2f64.powi(53), 1.0])], 2).adds_exactly(0));
        assert!(!Fixed::new(&[column(&[1e30, 1e-30])], 2).adds_exactly(0));
    }

    #[test]
    fn rounding_is_to_nearest_even() {
        for (value, expected) in [(2.5, 2), (3.5, 4), (-2.5, -2), (2.75, 3), (0.5, 0), (0.75, 1)] {
            assert_eq!(quantise(value, 0), expected, "{value}");
        }
        assert_eq!(quantise(1.0, 70), 0);
    }
}
