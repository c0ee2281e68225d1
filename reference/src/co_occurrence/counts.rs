//! Counting pairs of cells by cluster and distance.

use super::Task;
use super::cells::Cells;
use super::levels::{Ladder, Levels};
use super::tally::{self, Portable};
use super::width::Width;

/// Below this many pairs of cells, a binary search for each costs less than the tables that avoid it.
const SEARCHED: usize = 1 << 12;

/// Ordered pairs of different cells within each distance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Number of clusters.
    pub k: usize,
    /// Number of distances.
    pub bins: usize,
    /// `N[a,b,r]` at `(a * k + b) * bins + r`.
    pub n: Vec<u64>,
}

/// The least and the most pairs that a float32 predicate may count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Pairs inside whatever the rounding.
    pub low: Counts,
    /// Pairs inside for some rounding.
    pub high: Counts,
}

impl Task {
    /// The counts by the canonical predicate [`squared_distance`] `<= T_r`.
    pub fn counts(&self) -> Counts {
        self.counts_by(Width::widest())
    }

    /// The counts, found with at most a given width of vectors: the same for every width.
    pub(super) fn counts_by(&self, width: Width) -> Counts {
        let levels = Levels::new(&self.thresholds);
        let cells = Cells::new(self);
        let slots = levels.values.len() + 1;
        if cells.pairs() < SEARCHED {
            let place = |a, b| levels.below(squared_distance(a, b));
            return self.cumulated(&levels, tally::tally(&cells, slots, &Portable(place)));
        }
        let ladder = Ladder::new(&levels.values);
        let place = |a, b| ladder.below(squared_distance(a, b));
        self.cumulated(&levels, width.tally(&cells, &levels, &Portable(place)))
    }

    /// The counts another float32 evaluation of the predicate may give.
    ///
    /// A pair is in doubt where `|d2/T - 1| <= 8u`, u = 2^-24, with `d2` from the float32 positions in float64:
    /// differences, squares and sum in float32 with any contraction stay within 4u (1 + O(u)), a threshold
    /// squared twice within 2u more. Pairs whose differences, squares and sum are exact in float32 (integer
    /// positions below 2^12, say) are never in doubt.
    pub fn band(&self) -> Band {
        const DOUBT: f64 = 8.0 / (1 << 24) as f64;
        // Squares and sum may each lose half the spacing of the subnormals.
        const UNDERFLOW: f64 = 4.0 * f32::MIN_POSITIVE as f64 * f32::EPSILON as f64;
        let levels = Levels::new(&self.thresholds);
        let cells = Cells::new(self);
        let count = |widen: f64| {
            let doubtful: Vec<f64> = (levels.values.iter().map(|&t| f64::from(t)))
                .map(|t| t * (1.0 + widen * DOUBT) + widen * UNDERFLOW)
                .collect();
            let place = |a, b| {
                let (d2, exact) = wide_squared_distance(a, b);
                match exact {
                    true => levels.values.partition_point(|&t| f64::from(t) < d2),
                    false => doubtful.partition_point(|&t| t < d2),
                }
            };
            let slots = levels.values.len() + 1;
            self.cumulated(&levels, tally::tally(&cells, slots, &Portable(place)))
        };
        Band { low: count(-1.0), high: count(1.0) }
    }

    /// From unordered pairs by the number of levels they lie beyond to ordered pairs within each threshold.
    fn cumulated(&self, levels: &Levels, places: Vec<u64>) -> Counts {
        let slots = levels.values.len() + 1;
        let (k, bins) = (self.k, self.thresholds.len());
        let mut n = vec![0; k * k * bins];
        let mut within = vec![0; slots];
        for a in 0..k {
            for b in a..k {
                // An unordered pair is two ordered ones, on the diagonal both in the same place.
                let weight = if a == b { 2 } else { 1 };
                let mut sum = 0;
                for (slot, total) in within.iter_mut().enumerate() {
                    sum += weight * places[(a * k + b) * slots + slot];
                    *total = sum;
                }
                for (r, level) in levels.of.iter().enumerate() {
                    let count = level.map_or(0, |level| within[level]);
                    n[(a * k + b) * bins + r] = count;
                    n[(b * k + a) * bins + r] = count;
                }
            }
        }
        Counts { k, bins, n }
    }
}

impl Counts {
    /// `N[a,b,r]`.
    pub fn at(&self, a: usize, b: usize, r: usize) -> u64 {
        self.n[(a * self.k + b) * self.bins + r]
    }

    /// `R[b,r]` at `b * bins + r`.
    pub fn row_sums(&self) -> Vec<u64> {
        let mut sums = vec![0; self.k * self.bins];
        for row in self.n.chunks_exact(sums.len().max(1)) {
            for (sum, n) in sums.iter_mut().zip(row) {
                *sum += n;
            }
        }
        sums
    }

    /// `occ[i,c,r]` at `(i * k + c) * bins + r`, evaluated in the host's order of operations.
    pub fn ratios(&self) -> Vec<f64> {
        let (k, bins) = (self.k, self.bins);
        let sums = self.row_sums();
        let totals: Vec<u64> =
            (0..bins).map(|r| (0..k).map(|b| sums[b * bins + r]).sum()).collect();
        let mut occ = vec![0.0; self.n.len()];
        for i in 0..k {
            for c in 0..k {
                for r in 0..bins {
                    let (given, of) = (sums[c * bins + r], sums[i * bins + r]);
                    if given > 0 && of > 0 {
                        let conditional = self.at(c, i, r) as f64 / given as f64;
                        occ[(i * k + c) * bins + r] = conditional / (of as f64 / totals[r] as f64);
                    }
                }
            }
        }
        occ
    }
}

/// `fma(dy, dy, dx*dx)` in float32: the canonical predicate's left side.
#[inline]
pub fn squared_distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    let square = dx * dx;
    // The float64 sum, rounded to float32, is the fused result unless it was rounded onto the middle of two
    // float32 values or lies where these are subnormal. The fallback is a library call on a plain x86-64.
    let wide = f64::from(dy) * f64::from(dy) + f64::from(square);
    if wide.to_bits() & 0x1fff_ffff == 0x1000_0000 || wide < 2.0 * f64::from(f32::MIN_POSITIVE) {
        return dy.mul_add(dy, square);
    }
    wide as f32
}

/// The squared distance in float64, and whether float32 arithmetic would be exact whatever its order.
fn wide_squared_distance(a: [f32; 2], b: [f32; 2]) -> (f64, bool) {
    let fits = |v: f64| f64::from(v as f32) == v;
    let (dx, dy) = (f64::from(a[0]) - f64::from(b[0]), f64::from(a[1]) - f64::from(b[1]));
    let (xx, yy) = (dx * dx, dy * dy);
    (xx + yy, [dx, dy, xx, yy, xx + yy].into_iter().all(fits))
}
