//! One fixed order of additions, so that a sum has one value.
//!
//! A float sum depends on the order of its additions. Every long sum of the reference runs over this tree,
//! whatever the number of threads; a GPU can follow it with one warp per leaf. Leaves of 256 terms are summed in
//! 32 interleaved chains of 8, the chains by halving (lane l takes l + 16, then l + 8, ... 1), and leaves in
//! adjacent pairs, level by level, an odd last one rising unchanged.

const LANES: usize = 32;
const LEAF: usize = 256;

/// The sum of `term(0) .. term(n - 1)`; 0 for none.
///
/// The error is at most [`depth`]`(n)` roundings of the sum of magnitudes. Inlined, so that it is compiled for the vectors of its caller.
#[inline(always)]
pub fn sum(n: usize, term: impl Fn(usize) -> f64) -> f64 {
    // A binary counter of finished subtrees: `subtrees[k]` holds 2^k leaves when bit k of `leaves` is set.
    let (mut subtrees, mut leaves) = ([0.0; usize::BITS as usize], 0usize);
    for start in (0..n).step_by(LEAF) {
        let mut total = leaf(start, n.min(start + LEAF), &term);
        let level = leaves.trailing_ones() as usize;
        subtrees[..level].iter().for_each(|left| total += left);
        subtrees[level] = total;
        leaves += 1;
    }
    let set = (0..usize::BITS as usize).filter(|level| leaves >> level & 1 == 1);
    set.map(|level| subtrees[level]).reduce(|right, left| left + right).unwrap_or(0.0)
}

#[inline(always)]
fn leaf(start: usize, end: usize, term: &impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    for row in (start..end).step_by(LANES) {
        if row + LANES <= end {
            lanes.iter_mut().enumerate().for_each(|(lane, sum)| *sum += term(row + lane));
        } else {
            lanes.iter_mut().zip(row..end).for_each(|(sum, i)| *sum += term(i));
        }
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        let (low, high) = lanes.split_at_mut(width);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
    }
    lanes[0]
}

/// The longest chain of additions in [`sum`] of `n` terms: 8 in a lane, 5 across lanes, and the tree of leaves.
pub fn depth(n: usize) -> u32 {
    let leaves = n.div_ceil(LEAF).max(1);
    8 + 5 + leaves.next_power_of_two().trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_sum_exactly_at_every_length() {
        for n in [0, 1, 31, 32, 33, 255, 256, 257, 512, 769, 1793, 5000] {
            assert_eq!(sum(n, |i| (i + 1) as f64), (n * (n + 1) / 2) as f64, "n={n}");
        }
    }

    #[test]
    fn order_is_the_documented_one() {
        // 1 absorbs 2^-54 when they meet alone, but not two of them: values chosen so that the order shows.
        let e = 2f64.powi(-54);
        let at = |big: usize, small: [usize; 2]| {
            sum(64, |i| {
                if i == big {
                    1.0
                } else if small.contains(&i) {
                    e
                } else {
                    0.0
                }
            })
        };
        // Lanes 16 and 48 are one chain: their sum 2^-53 is a tie, rounded to even, like each alone.
        assert_eq!(at(0, [16, 48]), 1.0);
        let three = |terms: [(usize, f64); 3]| {
            let value = |i| terms.iter().find(|(at, _)| *at == i).map_or(0.0, |(_, v)| *v);
            sum(1024, value)
        };
        // Leaves 2 and 3 meet each other before they meet leaf 0.
        let u = 2f64.powi(-53);
        assert_eq!(three([(0, 1.0), (512, u), (768, u)]), 1.0 + 2.0 * u);
        // Leaf 1 meets leaf 0 first and is absorbed.
        assert_eq!(three([(0, 1.0), (256, u), (512, u)]), 1.0);
    }

    #[test]
    fn depth_counts_additions() {
        assert_eq!([depth(0), depth(256), depth(257), depth(1024)], [13, 13, 14, 15]);
    }
}
