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
    let mut tree = Tree::new();
    for start in (0..n).step_by(LEAF) {
        let (mut lanes, end) = ([0.0; LANES], n.min(start + LEAF));
        for row in (start..end).step_by(LANES) {
            if row + LANES <= end {
                lanes.iter_mut().enumerate().for_each(|(lane, sum)| *sum += term(row + lane));
            } else {
                lanes.iter_mut().zip(row..end).for_each(|(sum, i)| *sum += term(i));
            }
        }
        tree.push(lanes);
    }
    tree.total()
}

/// Terms of several sums, side by side.
///
/// Not a closure: a large one is not inlined, and then compiled without the vectors of its caller.
pub trait Terms<const WIDE: usize, const SUMS: usize> {
    /// The terms number `i`.
    fn at(&mut self, i: usize) -> [[f64; WIDE]; SUMS];
}

/// Sums side by side, each over the tree of [`sum`]; terms are asked for in ascending order, each once.
#[inline(always)]
pub fn sums<const WIDE: usize, const SUMS: usize>(
    n: usize,
    mut terms: impl Terms<WIDE, SUMS>,
) -> [[f64; WIDE]; SUMS] {
    let mut tree = Tree::new();
    for start in (0..n).step_by(LEAF) {
        let mut lanes = [[[0.0; WIDE]; SUMS]; LANES];
        for i in start..n.min(start + LEAF) {
            lanes[(i - start) % LANES].add(terms.at(i));
        }
        tree.push(lanes);
    }
    tree.total()
}

/// What is added up: a number, or several side by side.
trait Addend: Copy {
    const ZERO: Self;

    fn add(&mut self, other: Self);
}

impl Addend for f64 {
    const ZERO: f64 = 0.0;

    #[inline(always)]
    fn add(&mut self, other: f64) {
        *self += other;
    }
}

impl<T: Addend, const COUNT: usize> Addend for [T; COUNT] {
    const ZERO: [T; COUNT] = [T::ZERO; COUNT];

    #[inline(always)]
    fn add(&mut self, other: [T; COUNT]) {
        for k in 0..COUNT {
            self[k].add(other[k]);
        }
    }
}

/// A binary counter of finished subtrees: `subtrees[k]` holds 2^k leaves when bit k of `leaves` is set.
struct Tree<T> {
    subtrees: [T; usize::BITS as usize],
    leaves: usize,
}

impl<T: Addend> Tree<T> {
    #[inline(always)]
    fn new() -> Tree<T> {
        Tree { subtrees: [T::ZERO; usize::BITS as usize], leaves: 0 }
    }

    /// Takes the chains of the next leaf.
    #[inline(always)]
    fn push(&mut self, mut lanes: [T; LANES]) {
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            let (low, high) = lanes.split_at_mut(width);
            low.iter_mut().zip(high).for_each(|(low, high)| low.add(*high));
        }
        let (mut total, level) = (lanes[0], self.leaves.trailing_ones() as usize);
        self.subtrees[..level].iter().for_each(|left| total.add(*left));
        self.subtrees[level] = total;
        self.leaves += 1;
    }

    #[inline(always)]
    fn total(self) -> T {
        let mut set = (0..usize::BITS as usize).filter(|level| self.leaves >> level & 1 == 1);
        let mut total = set.next().map_or(T::ZERO, |level| self.subtrees[level]);
        set.for_each(|level| total.add(self.subtrees[level]));
        total
    }
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
    fn side_by_side_each_has_its_own_sum() {
        fn term(i: usize) -> f64 {
            1.0 / (i + 1) as f64
        }
        struct Both;
        impl Terms<1, 2> for Both {
            fn at(&mut self, i: usize) -> [[f64; 1]; 2] {
                [[term(i)], [-3.0 * term(i)]]
            }
        }
        for n in [0, 31, 777, 1793] {
            let [[one], [other]] = sums(n, Both);
            assert_eq!([one, other], [sum(n, term), sum(n, |i| -3.0 * term(i))]);
        }
    }

    #[test]
    fn depth_counts_additions() {
        assert_eq!([depth(0), depth(256), depth(257), depth(1024)], [13, 13, 14, 15]);
    }
}
