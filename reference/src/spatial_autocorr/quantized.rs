//! Sums of products under permutations, in integers: exact, and only as long as a feature has entries.

use crate::sum::sum;

/// The norm that the integers of one vector may have. With the rounding, at most sqrt(n)/2 <= 2^15 more,
/// two channels of two vectors stay below 2 (2^31 - 2^15)^2 < 2^63.
const NORM: f64 = ((1u64 << 31) - (1 << 16)) as f64;

/// Permutations that are summed over at a time.
pub(super) const LANES: usize = 16;

/// `sum over channels of sum_i u_i v_pi(i)` for some permutations, exactly; `images[i]` has the images of `i` under each.
#[inline(always)]
pub(super) fn statistics(channels: &[Channel], images: &[[u32; LANES]]) -> [i64; LANES] {
    let mut sums = [0i64; LANES];
    for channel in channels {
        channel.add(images, &mut sums);
    }
    sums
}

/// [`statistics`] for the permutation that moves nothing.
pub(super) fn observed(channels: &[Channel]) -> i64 {
    channels.iter().map(Channel::observed).fold(0, i64::wrapping_add)
}

/// Two vectors of integers whose products under permutations are added up.
///
/// With any `b`, best the most frequent element of u, that of the zeros of a sparse feature,
/// `sum_i u_i v_pi(i) = b sum_i v_i + sum_i (u_i - b) v_pi(i)`: only cells whose element is another cost work. The
/// sum fits 64 bits though its parts may not, so they wrap.
pub(super) struct Channel {
    /// Cells whose element of u is not `b`.
    cells: Vec<u32>,
    /// Their `u_i - b`.
    excess: Vec<i64>,
    v: Vec<i32>,
    /// `b sum_i v_i`.
    base: i64,
}

impl Channel {
    #[inline(always)]
    fn new(u: &[i32], v: Vec<i32>) -> Channel {
        let b = candidate(u);
        // Every cell is written down and then kept or not: a branch would be guessed wrong for many.
        let (mut cells, mut kept) = (vec![0; u.len()], 0);
        for (cell, &u) in u.iter().enumerate() {
            cells[kept] = cell as u32;
            kept += usize::from(u != b);
        }
        cells.truncate(kept);
        let b = i64::from(b);
        Channel {
            excess: cells.iter().map(|&cell| i64::from(u[cell as usize]) - b).collect(),
            base: v.iter().fold(0i64, |sum, v| sum.wrapping_add(i64::from(*v))).wrapping_mul(b),
            cells,
            v,
        }
    }

    #[inline(always)]
    fn add(&self, images: &[[u32; LANES]], sums: &mut [i64; LANES]) {
        for sum in sums.iter_mut() {
            *sum = sum.wrapping_add(self.base);
        }
        for (&cell, excess) in self.cells.iter().zip(&self.excess) {
            let images = &images[cell as usize];
            let v: [i32; LANES] = std::array::from_fn(|lane| self.v[images[lane] as usize]);
            for (sum, v) in sums.iter_mut().zip(v) {
                *sum = sum.wrapping_add(excess.wrapping_mul(i64::from(v)));
            }
        }
    }

    fn observed(&self) -> i64 {
        let terms = self.cells.iter().zip(&self.excess);
        terms.fold(self.base, |sum, (&cell, excess)| {
            sum.wrapping_add(excess.wrapping_mul(i64::from(self.v[cell as usize])))
        })
    }
}

/// The element that more than half of a vector consist of, if there is one (Boyer and Moore's vote, of every eighth).
fn candidate(u: &[i32]) -> i32 {
    let vote = |(candidate, votes): (i32, usize), &u: &i32| match (votes, u == candidate) {
        (0, _) => (u, 1),
        (votes, true) => (candidate, votes + 1),
        (votes, false) => (candidate, votes - 1),
    };
    u.iter().step_by(8).fold((0, 0), vote).0
}

/// Channels as integers: `sum u_i v_pi(i)` of the floats is 2^-exponent times that of the integers, within `bound`, for every pi.
pub(super) struct Quantized {
    pub(super) channels: Vec<Channel>,
    pub(super) exponent: i32,
    pub(super) bound: f64,
}

#[inline(always)]
pub(super) fn quantize(pairs: Vec<(Vec<f64>, Vec<f64>)>) -> Quantized {
    let scaled: Vec<_> = pairs
        .into_iter()
        .map(|(u, v)| (norm(&u), norm(&v), u, v))
        .filter(|(a, b, _, _)| *a > 0.0 && *b > 0.0)
        .map(|(a, b, u, v)| (largest_scale(a), largest_scale(b), u, v))
        .collect();
    let exponent = scaled.iter().map(|(alpha, beta, _, _)| alpha + beta).min().unwrap_or(0);
    let mut quantized = Quantized { channels: vec![], exponent, bound: 0.0 };
    for (alpha, beta, u, v) in scaled {
        let spare = alpha + beta - exponent;
        let (alpha, beta) = (alpha - spare / 2, beta - (spare - spare / 2));
        let magnitude = |v: &[f64]| sum(v.len(), |i| v[i].abs());
        quantized.bound += 0.5 * exp2(-alpha) * magnitude(&v)
            + 0.5 * exp2(-beta) * magnitude(&u)
            + 0.25 * u.len() as f64 * exp2(-exponent);
        quantized.channels.push(Channel::new(&rounded(&u, alpha), rounded(&v, beta)));
    }
    quantized
}

/// `2^scale v` as integers.
#[inline(always)]
fn rounded(v: &[f64], scale: i32) -> Vec<i32> {
    let (mut integers, factor) = (vec![0; v.len()], exp2(scale));
    integers.iter_mut().zip(v).for_each(|(i, x)| *i = (x * factor).round_ties_even() as i32);
    integers
}

/// The Euclidean norm; scaled by a power of two, so that the squares of tiny weights do not vanish.
#[inline(always)]
fn norm(v: &[f64]) -> f64 {
    let scale = exponent(largest(v));
    let shrink = exp2(-scale);
    sum(v.len(), |i| (v[i] * shrink).powi(2)).sqrt() * exp2(scale)
}

/// The largest magnitude.
#[inline(always)]
fn largest(v: &[f64]) -> f64 {
    let (rows, rest) = v.as_chunks::<32>();
    let mut lanes = [0.0; 32];
    let mut raise = |row: &[f64]| {
        for (a, x) in lanes.iter_mut().zip(row) {
            *a = if x.abs() > *a { x.abs() } else { *a };
        }
    };
    rows.iter().for_each(|row| raise(row));
    raise(rest);
    lanes.iter().fold(0.0, |a, x| if *x > a { *x } else { a })
}

/// The largest s with `2^s norm <= NORM`.
fn largest_scale(norm: f64) -> i32 {
    let s = 30 - exponent(norm);
    if norm * exp2(s) <= NORM { s } else { s - 1 }
}

/// e with `2^e <= x < 2^(e+1)`; for subnormal x the least exponent, which only costs precision.
pub(super) fn exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

/// 2^s, held within the normal range.
pub(super) fn exp2(s: i32) -> f64 {
    f64::from_bits(((s.clamp(-1022, 1023) + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_out_the_most_frequent_element_changes_no_sum() {
        let permutation = [4usize, 2, 0, 1, 3];
        let identity = [0, 1, 2, 3, 4];
        let images: Vec<[u32; LANES]> = (0..5)
            .map(|i| std::array::from_fn(|p| [permutation[i], identity[i]][p % 2] as u32))
            .collect();
        let v = vec![7, -3, i32::MAX, i32::MIN, 11];
        for u in [[5, 5, -2, 5, 9], [1, 2, 3, 4, 5], [0; 5], [i32::MIN, i32::MAX, 0, 1, i32::MAX]] {
            let expected = |pi: [usize; 5]| -> i128 {
                u.iter().zip(pi).map(|(u, i)| i128::from(*u) * i128::from(v[i])).sum()
            };
            let channel = [Channel::new(&u, v.clone())];
            let sums = statistics(&channel, &images).map(i128::from);
            assert_eq!(sums[..2], [expected(permutation), expected(identity)], "{u:?}");
            assert_eq!(sums[14..], sums[..2], "{u:?}");
            assert_eq!(i128::from(observed(&channel)), expected(identity), "{u:?}");
        }
        assert_eq!(Channel::new(&[5, 5, -2, 5, 9], vec![0; 5]).cells, [2, 4]);
    }

    #[test]
    fn the_largest_magnitude_may_stand_anywhere() {
        for at in [0, 31, 32, 70] {
            let mut v = vec![0.5; 71];
            v[at] = -3.0;
            assert_eq!(largest(&v), 3.0);
        }
    }
}
