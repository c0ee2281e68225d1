//! Sums of products under permutations, in integers: exact, of eight features side by side.
//!
//! A permutation sends a cell to a row of eight integers, so that one access serves eight features, and products and
//! sums are whole vectors. Feature by feature, each product would be an access of its own.

use crate::sum::{Terms, sums};

/// Features side by side.
pub(super) const WIDE: usize = 8;

/// A number of each feature.
pub(super) type Row<T> = [T; WIDE];

/// The norm that the integers of one vector may have. With the rounding, at most sqrt(n)/2 <= 2^15 more,
/// two channels of two vectors stay below 2 (2^31 - 2^15)^2 < 2^63.
const NORM: f64 = ((1u64 << 31) - (1 << 16)) as f64;

/// Permutations that are summed over at a time: more sums of eight features than these crowd the registers of AVX-512 with what leads to them.
pub(super) const LANES: usize = 8;

/// `sum over channels of sum_i u_i v_pi(i)` for some permutations, exactly; `images[i]` has the images of `i` under each.
pub(super) fn statistics(channels: &[Channel], images: &[[u32; LANES]]) -> [Row<i64>; LANES] {
    #[cfg(target_arch = "x86_64")]
    {
        use pulp::x86::{V3, V4};
        if let Some(simd) = V4::try_new() {
            return simd.vectorize(Statistics { products: simd, channels, images });
        }
        if let Some(simd) = V3::try_new() {
            return simd.vectorize(Statistics { products: simd, channels, images });
        }
    }
    pulp::Arch::new().dispatch(Statistics { products: Loops, channels, images })
}

/// How products of eight features are added up.
///
/// Left to itself the compiler takes them one by one; so a processor's own vectors implement it.
pub(super) trait Products: Copy {
    /// Eight integers, widened.
    type Wide: Copy;

    /// The integers, widened.
    fn widen(self, row: &Row<i32>) -> Self::Wide;

    /// `sums + u v`, where u is widened from 32 bits; what does not fit 64 bits wraps.
    fn add(self, sums: Self::Wide, u: Self::Wide, v: &Row<i32>) -> Self::Wide;

    /// As an array.
    fn store(self, wide: Self::Wide) -> Row<i64>;
}

/// [`Products`] by plain loops.
#[derive(Clone, Copy)]
struct Loops;

impl Products for Loops {
    type Wide = Row<i64>;

    #[inline(always)]
    fn widen(self, row: &Row<i32>) -> Row<i64> {
        let mut wide = [0; WIDE];
        for lane in 0..WIDE {
            wide[lane] = i64::from(row[lane]);
        }
        wide
    }

    #[inline(always)]
    fn add(self, mut sums: Row<i64>, u: Row<i64>, v: &Row<i32>) -> Row<i64> {
        for lane in 0..WIDE {
            sums[lane] = sums[lane].wrapping_add(u[lane].wrapping_mul(i64::from(v[lane])));
        }
        sums
    }

    #[inline(always)]
    fn store(self, wide: Row<i64>) -> Row<i64> {
        wide
    }
}

/// [`statistics`], compiled for some vectors.
struct Statistics<'a, P> {
    products: P,
    channels: &'a [Channel],
    images: &'a [[u32; LANES]],
}

impl<P: Products> pulp::NullaryFnOnce for Statistics<'_, P> {
    type Output = [Row<i64>; LANES];

    #[inline(always)]
    fn call(self) -> [Row<i64>; LANES] {
        let Statistics { products, channels, images } = self;
        let mut sums = [products.widen(&[0; WIDE]); LANES];
        for Channel { cells, excess, v, .. } in channels {
            for (&cell, excess) in cells.iter().zip(excess) {
                let (images, excess) = (&images[cell as usize], products.widen(excess));
                for lane in 0..LANES {
                    sums[lane] = products.add(sums[lane], excess, &v[images[lane] as usize]);
                }
            }
        }
        let mut total = [0i64; WIDE];
        channels.iter().for_each(|channel| add(&mut total, &channel.base));
        let mut statistics = [total; LANES];
        for lane in 0..LANES {
            add(&mut statistics[lane], &products.store(sums[lane]));
        }
        statistics
    }
}

/// [`statistics`] for the permutation that moves nothing.
#[inline(always)]
pub(super) fn observed(channels: &[Channel]) -> Row<i64> {
    let mut sums = [0i64; WIDE];
    for channel in channels {
        add(&mut sums, &channel.base);
        for (&cell, excess) in channel.cells.iter().zip(&channel.excess) {
            sums = Loops.add(sums, Loops.widen(excess), &channel.v[cell as usize]);
        }
    }
    sums
}

/// Two vectors of integers for each feature, whose products under permutations are added up.
///
/// With any `b`, best the most frequent element of u, that of the zeros of a sparse feature,
/// `sum_i u_i v_pi(i) = b sum_i v_i + sum_i (u_i - b) v_pi(i)`: only cells where the element of some feature is another cost
/// work. The sum fits 64 bits though its parts may not, so they wrap.
pub(super) struct Channel {
    /// Cells where `u_i` of some feature is not its `b`.
    cells: Vec<u32>,
    /// Their `u_i - b`.
    excess: Vec<Row<i32>>,
    v: Vec<Row<i32>>,
    /// `b sum_i v_i`.
    base: Row<i64>,
}

impl Channel {
    #[inline(always)]
    fn new(u: Vec<Row<i32>>, v: Vec<Row<i32>>) -> Channel {
        let b = frequent(&u);
        let mut sums = [0i64; WIDE];
        // Where all rows of the weights have one sum, what Geary permutes is all alike, and no permutation changes the product.
        if let Some(alike) = v.first().filter(|first| v.iter().all(|v| v == *first)) {
            u.iter().for_each(|u| add(&mut sums, &u.map(i64::from)));
            let base = product(alike, &sums);
            return Channel { cells: vec![], excess: vec![], v, base };
        }
        v.iter().for_each(|v| add(&mut sums, &v.map(i64::from)));
        // Every cell is written down and then kept or not: a branch would be guessed wrong for many.
        let (mut excess, mut cells, mut kept) = (u, vec![0; v.len()], 0);
        for cell in 0..excess.len() {
            let mut row = excess[cell];
            let mut others = 0;
            for lane in 0..WIDE {
                row[lane] -= b[lane];
                others |= row[lane];
            }
            (excess[kept], cells[kept]) = (row, cell as u32);
            kept += usize::from(others != 0);
        }
        cells.truncate(kept);
        cells.shrink_to_fit();
        excess.truncate(kept);
        excess.shrink_to_fit();
        let base = product(&b, &sums);
        Channel { cells, excess, v, base }
    }
}

#[inline(always)]
fn product(factors: &Row<i32>, sums: &Row<i64>) -> Row<i64> {
    let mut product = [0i64; WIDE];
    for lane in 0..WIDE {
        product[lane] = i64::from(factors[lane]).wrapping_mul(sums[lane]);
    }
    product
}

#[inline(always)]
fn add(sums: &mut Row<i64>, terms: &Row<i64>) {
    for lane in 0..WIDE {
        sums[lane] = sums[lane].wrapping_add(terms[lane]);
    }
}

/// Of each feature the element that more than half of its vector consists of, if there is one (Boyer and Moore's vote, of
/// every eighth), or 0 if what another element exceeds it by would not fit 32 bits.
#[inline(always)]
fn frequent(u: &[Row<i32>]) -> Row<i32> {
    let (mut candidates, mut votes) = ([0i32; WIDE], [0i32; WIDE]);
    for row in u.iter().step_by(8) {
        for lane in 0..WIDE {
            let other = row[lane] != candidates[lane];
            let replaced = other && votes[lane] == 0;
            candidates[lane] = if replaced { row[lane] } else { candidates[lane] };
            votes[lane] += if other && !replaced { -1 } else { 1 };
        }
    }
    let (mut least, mut most) = ([0i32; WIDE], [0i32; WIDE]);
    for row in u {
        for lane in 0..WIDE {
            least[lane] = least[lane].min(row[lane]);
            most[lane] = most[lane].max(row[lane]);
        }
    }
    for lane in 0..WIDE {
        let fits = |end: i32| end.checked_sub(candidates[lane]).is_some();
        if !(fits(least[lane]) && fits(most[lane])) {
            candidates[lane] = 0;
        }
    }
    candidates
}

/// Two vectors of each feature, and the powers of two by which they become integers.
pub(super) struct Pair<U, V> {
    n: usize,
    u: U,
    v: V,
    scales: Scales,
    /// `sum |u_i|`, `sum |v_i|`.
    magnitudes: [Row<f64>; 2],
}

/// Of each feature the exponents for u and v, and whether neither vector is zero; else both are taken as zeros.
pub(super) struct Scales {
    exponents: [Row<i32>; 2],
    present: Row<bool>,
}

impl Scales {
    /// Coarsens the finer of two pairs, until the products of both have the same scale, which is returned.
    pub(super) fn common(pairs: &mut [&mut Scales]) -> Row<i32> {
        let mut common = [0; WIDE];
        for (lane, common) in common.iter_mut().enumerate() {
            let sum = |pair: &Scales| pair.exponents[0][lane] + pair.exponents[1][lane];
            let present = pairs.iter().filter(|pair| pair.present[lane]);
            *common = present.map(|pair| sum(pair)).min().unwrap_or(0);
            for pair in pairs.iter_mut().filter(|pair| pair.present[lane]) {
                let spare = sum(pair) - *common;
                pair.exponents[0][lane] -= spare / 2;
                pair.exponents[1][lane] -= spare - spare / 2;
            }
        }
        common
    }
}

impl<U: Fn(usize) -> Row<f64>, V: Fn(usize) -> Row<f64>> Pair<U, V> {
    /// The vectors of `n` rows with the largest scales that each may have.
    #[inline(always)]
    pub(super) fn new(n: usize, u: U, v: V) -> Pair<U, V> {
        let mut largest = [[0.0; WIDE]; 2];
        for i in 0..n {
            let (u, v) = (u(i), v(i));
            for lane in 0..WIDE {
                raise(&mut largest[0][lane], u[lane]);
                raise(&mut largest[1][lane], v[lane]);
            }
        }
        // Squares of what is scaled by a power of two: those of tiny weights would vanish.
        let (mut shrink, mut grow) = ([[0.0; WIDE]; 2], [[0.0; WIDE]; 2]);
        for (side, largest) in largest.iter().enumerate() {
            for lane in 0..WIDE {
                let scale = exponent(largest[lane]);
                (shrink[side][lane], grow[side][lane]) = (exp2(-scale), exp2(scale));
            }
        }
        let sizes = Sizes { u: &u, v: &v, shrink };
        let [in_u, in_v, size_u, size_v] = sums(n, sizes);
        let mut scales = Scales { exponents: [[0; WIDE]; 2], present: [false; WIDE] };
        for lane in 0..WIDE {
            let norms = [in_u[lane].sqrt() * grow[0][lane], in_v[lane].sqrt() * grow[1][lane]];
            if norms[0] > 0.0 && norms[1] > 0.0 {
                scales.present[lane] = true;
                scales.exponents[0][lane] = largest_scale(norms[0]);
                scales.exponents[1][lane] = largest_scale(norms[1]);
            }
        }
        Pair { n, u, v, scales, magnitudes: [size_u, size_v] }
    }

    /// The scales, to be made [common](Scales::common).
    pub(super) fn scales(&mut self) -> &mut Scales {
        &mut self.scales
    }

    /// The vectors as integers, and a bound for every pi on what `sum u_i v_pi(i)` of the floats loses by that.
    #[inline(always)]
    pub(super) fn channel(self) -> (Channel, Row<f64>) {
        let Pair { n, u, v, scales: Scales { exponents, present }, magnitudes } = self;
        let (mut factors, mut bound) = ([[0.0; WIDE]; 2], [0.0; WIDE]);
        for lane in (0..WIDE).filter(|&lane| present[lane]) {
            let (alpha, beta) = (exponents[0][lane], exponents[1][lane]);
            (factors[0][lane], factors[1][lane]) = (exp2(alpha), exp2(beta));
            bound[lane] = 0.5 * exp2(-alpha) * magnitudes[1][lane]
                + 0.5 * exp2(-beta) * magnitudes[0][lane]
                + 0.25 * n as f64 * exp2(-alpha - beta);
        }
        (Channel::new(rounded(n, u, &factors[0]), rounded(n, v, &factors[1])), bound)
    }
}

/// Squares of the scaled elements of two vectors, and their magnitudes.
struct Sizes<'a, U, V> {
    u: &'a U,
    v: &'a V,
    shrink: [Row<f64>; 2],
}

impl<U, V> Terms<WIDE, 4> for Sizes<'_, U, V>
where
    U: Fn(usize) -> Row<f64>,
    V: Fn(usize) -> Row<f64>,
{
    #[inline(always)]
    fn at(&mut self, i: usize) -> [Row<f64>; 4] {
        let (u, v, mut terms) = ((self.u)(i), (self.v)(i), [[0.0; WIDE]; 4]);
        for lane in 0..WIDE {
            terms[0][lane] = (u[lane] * self.shrink[0][lane]).powi(2);
            terms[1][lane] = (v[lane] * self.shrink[1][lane]).powi(2);
            terms[2][lane] = u[lane].abs();
            terms[3][lane] = v[lane].abs();
        }
        terms
    }
}

#[inline(always)]
fn raise(largest: &mut f64, x: f64) {
    *largest = if x.abs() > *largest { x.abs() } else { *largest };
}

/// `factor x` as integers.
#[inline(always)]
fn rounded(n: usize, x: impl Fn(usize) -> Row<f64>, factor: &Row<f64>) -> Vec<Row<i32>> {
    // Added to a number below 2^51 in magnitude it leaves the nearest integer, ties to even, in the low bits.
    const SHIFT: f64 = 1.5 * (1u64 << 52) as f64;
    let integers = |i: usize| {
        let (x, mut row) = (x(i), [0; WIDE]);
        for lane in 0..WIDE {
            row[lane] = (x[lane] * factor[lane] + SHIFT).to_bits() as i32;
        }
        row
    };
    (0..n).map(integers).collect()
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
        let v = [7, -3, i32::MAX, -i32::MAX, 11];
        // Of the last the most frequent element cannot be taken off: what is left would not fit.
        let vectors = [
            [5, 5, -2, 5, 9],
            [1, 2, 3, 4, 5],
            [0; 5],
            [-i32::MAX, i32::MAX, 0, 1, i32::MAX],
            [i32::MAX, -2, i32::MAX, i32::MAX, i32::MAX],
        ];
        let side_by_side = |of: &dyn Fn(usize, usize) -> i32| -> Vec<Row<i32>> {
            (0..5).map(|i| std::array::from_fn(|lane| of(lane, i))).collect()
        };
        let u = side_by_side(&|lane, i| vectors[lane % 5][i]);
        let channel = [Channel::new(u, side_by_side(&|lane, i| v[(i + lane / 5) % 5]))];
        let sums = statistics(&channel, &images);
        for lane in 0..WIDE {
            let expected = |pi: [usize; 5]| -> i128 {
                let v = |i: usize| i128::from(v[(i + lane / 5) % 5]);
                vectors[lane % 5].iter().zip(pi).map(|(u, i)| i128::from(*u) * v(i)).sum()
            };
            assert_eq!(i128::from(sums[0][lane]), expected(permutation), "{lane}");
            assert_eq!(i128::from(sums[1][lane]), expected(identity), "{lane}");
            assert_eq!(i128::from(observed(&channel)[lane]), expected(identity), "{lane}");
        }
        assert_eq!(sums[6..], sums[..2]);
    }

    #[test]
    fn every_width_of_vectors_gives_the_same_sums() {
        use pulp::NullaryFnOnce;
        let spread = |i: usize| (i as u32).wrapping_mul(2_654_435_761) as i32;
        let rows = |salt: usize| -> Vec<Row<i32>> {
            (0..300).map(|i| std::array::from_fn(|lane| spread(i * 8 + lane + salt) >> 1)).collect()
        };
        let channels = [Channel::new(rows(1), rows(50_000)), Channel::new(rows(7), rows(90_000))];
        let images: Vec<[u32; LANES]> =
            (0..300).map(|i| std::array::from_fn(|p| (i * 7 + p * 31) as u32 % 300)).collect();
        let (channels, images) = (&channels[..], &images[..]);
        let expected = Statistics { products: Loops, channels, images }.call();
        assert_eq!(statistics(channels, images), expected);
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            let narrow = simd.vectorize(Statistics { products: simd, channels, images });
            assert_eq!(narrow, expected);
        }
    }

    #[test]
    fn integers_are_the_nearest_ties_to_even() {
        let largest = ((1u64 << 31) - (1 << 16)) as f64;
        let x = [0.5, 1.5, -0.5, -1.5, 2.4999999, -largest, largest, -0.0];
        let expected = x.map(|x| x.round_ties_even() as i32);
        assert_eq!(rounded(1, |_| x, &[1.0; WIDE]), [expected]);
    }

    #[test]
    fn cells_whose_elements_are_all_frequent_cost_nothing() {
        let u: Vec<Row<i32>> = (0..40).map(|i| [if i % 8 == 3 { 7 } else { -2 }; WIDE]).collect();
        let channel = |v: Vec<Row<i32>>| Channel::new(Vec::clone(&u), v);
        assert_eq!(channel((0..40).map(|i| [i; WIDE]).collect()).cells, [3, 11, 19, 27, 35]);
        // Five of 7 and 35 of -2, each three times.
        let alike = channel(vec![[3; WIDE]; 40]);
        assert_eq!((alike.cells.len(), alike.base), (0, [-105; WIDE]));
    }
}
