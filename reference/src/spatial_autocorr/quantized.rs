//! Sums of products under permutations, in integers: exact, and only as long as a feature has entries.

use crate::sum::sum;

/// The norm that the integers of one vector may have. With the rounding, at most sqrt(n)/2 <= 2^15 more,
/// two channels of two vectors stay below 2 (2^31 - 2^15)^2 < 2^63.
const NORM: f64 = ((1u64 << 31) - (1 << 16)) as f64;

/// `sum over channels of sum_i u_i v_pi(i)`, exactly.
pub(super) fn statistic(channels: &[Channel], permutation: &[u32]) -> i64 {
    channels.iter().map(|channel| channel.sum(permutation)).fold(0, i64::wrapping_add)
}

/// Two vectors of integers whose products under permutations are added up.
///
/// With `b` the most frequent element of u, that of the zeros of a sparse feature,
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
    fn new(u: &[i32], v: Vec<i32>) -> Channel {
        let b = candidate(u);
        let others = || u.iter().zip(0..).filter(|(u, _)| **u != b);
        Channel {
            cells: others().map(|(_, cell)| cell).collect(),
            excess: others().map(|(u, _)| i64::from(*u) - i64::from(b)).collect(),
            base: v.iter().map(|v| i64::from(*v) * i64::from(b)).fold(0, i64::wrapping_add),
            v,
        }
    }

    fn sum(&self, permutation: &[u32]) -> i64 {
        let images = self.cells.iter().map(|&cell| permutation[cell as usize]);
        let terms = self.excess.iter().zip(images);
        terms.fold(self.base, |sum, (excess, image)| {
            sum.wrapping_add(excess.wrapping_mul(i64::from(self.v[image as usize])))
        })
    }
}

/// The element that more than half of a vector consist of, if there is one (Boyer and Moore's vote).
fn candidate(u: &[i32]) -> i32 {
    let vote = |(candidate, votes): (i32, usize), &u: &i32| match (votes, u == candidate) {
        (0, _) => (u, 1),
        (votes, true) => (candidate, votes + 1),
        (votes, false) => (candidate, votes - 1),
    };
    u.iter().fold((0, 0), vote).0
}

/// Channels as integers: `sum u_i v_pi(i)` of the floats is 2^-exponent times that of the integers, within `bound`, for every pi.
pub(super) struct Quantized {
    pub(super) channels: Vec<Channel>,
    pub(super) exponent: i32,
    pub(super) bound: f64,
}

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
        let rounded = |v: &[f64], scale: i32| -> Vec<i32> {
            v.iter().map(|x| (x * exp2(scale)).round_ties_even() as i32).collect()
        };
        quantized.channels.push(Channel::new(&rounded(&u, alpha), rounded(&v, beta)));
    }
    quantized
}

/// The Euclidean norm; scaled by a power of two, so that the squares of tiny weights do not vanish.
fn norm(v: &[f64]) -> f64 {
    let largest = v.iter().fold(0.0, |a, x| if x.abs() > a { x.abs() } else { a });
    let scale = exponent(largest);
    sum(v.len(), |i| (v[i] * exp2(-scale)).powi(2)).sqrt() * exp2(scale)
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
        let permutation = [4u32, 2, 0, 1, 3];
        let v = vec![7, -3, i32::MAX, i32::MIN, 11];
        for u in [[5, 5, -2, 5, 9], [1, 2, 3, 4, 5], [0; 5], [i32::MIN, i32::MAX, 0, 1, i32::MAX]] {
            let plain = u.iter().zip(permutation);
            let plain = plain.map(|(u, i)| i128::from(*u) * i128::from(v[i as usize]));
            let expected: i128 = plain.sum();
            let channel = Channel::new(&u, v.clone());
            assert_eq!(i128::from(statistic(&[channel], &permutation)), expected, "{u:?}");
        }
        assert_eq!(Channel::new(&[5, 5, -2, 5, 9], vec![0; 5]).cells, [2, 4]);
    }
}
