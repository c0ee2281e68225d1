//! Counting pairs of cells by cluster and distance.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::Task;

/// Rows of one label that are counted together.
const BLOCK: usize = 64;
/// Below this many pairs of cells, threads cost more than they save.
const PARALLEL: usize = 1 << 17;
/// Entries of the table that guesses where a distance belongs.
const GUESSES: u32 = 1 << 10;
/// More steps than this take longer than a binary search.
const STEPS: usize = 8;

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
        let levels = Levels::new(&self.thresholds);
        let ladder = Ladder::new(&levels.values);
        self.count(&levels, |a, b| ladder.below(squared_distance(a, b)))
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
        let count = |widen: f64| {
            let doubtful: Vec<f64> = (levels.values.iter().map(|&t| f64::from(t)))
                .map(|t| t * (1.0 + widen * DOUBT) + widen * UNDERFLOW)
                .collect();
            self.count(&levels, |a, b| {
                let (d2, exact) = wide_squared_distance(a, b);
                match exact {
                    true => levels.values.partition_point(|&t| f64::from(t) < d2),
                    false => doubtful.partition_point(|&t| t < d2),
                }
            })
        };
        Band { low: count(-1.0), high: count(1.0) }
    }

    /// Counts pairs; `place` gives the number of levels that a pair lies beyond.
    fn count(&self, levels: &Levels, place: impl Fn([f32; 2], [f32; 2]) -> usize + Sync) -> Counts {
        let slots = levels.values.len() + 1;
        let places = tally(&Cells::new(self), slots, place);
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

/// The distinct thresholds in ascending order, and where each asked one stands.
struct Levels {
    values: Vec<f32>,
    /// By threshold; `None` for NaN, within which nothing lies.
    of: Vec<Option<usize>>,
}

impl Levels {
    fn new(thresholds: &[f32]) -> Levels {
        let mut values: Vec<f32> = thresholds.iter().copied().filter(|t| !t.is_nan()).collect();
        values.sort_by(f32::total_cmp);
        values.dedup();
        let of = |t: &f32| values.binary_search_by(|v| v.total_cmp(t)).ok();
        Levels { of: thresholds.iter().map(of).collect(), values }
    }
}

/// Finds how many levels lie below a value: a guess from the leading bits, never too high, then a few steps.
///
/// Without branches, since no processor predicts where the next pair falls.
struct Ladder {
    /// Ascending, and infinity.
    levels: Vec<f32>,
    /// By the leading bits of a value: the number of levels below all values with these bits.
    guess: Vec<u32>,
    /// Bits of the first level.
    first: u32,
    shift: u32,
    /// Most levels with the same leading bits.
    steps: usize,
}

impl Ladder {
    fn new(levels: &[f32]) -> Ladder {
        // The bits of non-negative floats are ordered as the floats are.
        // Zero stands with the first positive level; between the two there are no other levels.
        let first = levels.iter().find(|t| **t > 0.0).map_or(0, |t| t.to_bits());
        let span = levels.last().map_or(0, |t| t.to_bits()) - first;
        let shift = (span / GUESSES).checked_ilog2().map_or(0, |log| log + 1);
        let mut in_cell = vec![0u32; (span >> shift) as usize + 1];
        for level in levels {
            in_cell[(level.to_bits().saturating_sub(first) >> shift) as usize] += 1;
        }
        let mut sum = 0;
        let below = in_cell.iter().map(|n| {
            sum += n;
            sum - n
        });
        Ladder {
            guess: below.collect(),
            levels: levels.iter().copied().chain([f32::INFINITY]).collect(),
            first,
            shift,
            steps: in_cell.iter().max().map_or(0, |most| *most as usize),
        }
    }

    #[inline]
    fn below(&self, value: f32) -> usize {
        if self.steps > STEPS {
            return self.levels.partition_point(|level| *level < value);
        }
        let cell = value.to_bits().saturating_sub(self.first) >> self.shift;
        let mut at = self.guess[(cell as usize).min(self.guess.len() - 1)] as usize;
        for _ in 0..self.steps {
            at += usize::from(value > self.levels[at]);
        }
        at
    }
}

/// Positions sorted by label.
struct Cells {
    at: Vec<[f32; 2]>,
    /// Start of each label, and the end.
    start: Vec<usize>,
}

impl Cells {
    fn new(task: &Task) -> Cells {
        let mut start = vec![0; task.k + 1];
        for &label in &task.labels {
            start[label as usize + 1] += 1;
        }
        for label in 0..task.k {
            start[label + 1] += start[label];
        }
        let (mut next, mut at) = (start.clone(), vec![[0.0; 2]; task.labels.len()]);
        for ((&label, &x), &y) in task.labels.iter().zip(&task.x).zip(&task.y) {
            let slot = &mut next[label as usize];
            at[*slot] = [x, y];
            *slot += 1;
        }
        Cells { at, start }
    }

    /// Blocks of rows, each of one label.
    fn blocks(&self) -> Vec<(usize, Range<usize>)> {
        let labels = self.start.windows(2).enumerate();
        labels
            .flat_map(|(a, ends)| {
                let (start, end) = (ends[0], ends[1]);
                let rows = (start..end).step_by(BLOCK);
                rows.map(move |row| (a, row..end.min(row + BLOCK)))
            })
            .collect()
    }
}

/// Unordered pairs by labels a <= b and place: `(a * k + b) * slots + place`.
fn tally(
    cells: &Cells,
    slots: usize,
    place: impl Fn([f32; 2], [f32; 2]) -> usize + Sync,
) -> Vec<u64> {
    let k = cells.start.len() - 1;
    // Integer sums: whatever the order of the additions, the totals are the same.
    let mut totals: Vec<AtomicU64> = Vec::new();
    totals.resize_with(k * k * slots, AtomicU64::default);
    let count = |(a, rows): &(usize, Range<usize>)| {
        let mut local = vec![0u64; (k - a) * slots];
        for i in rows.clone() {
            let own = cells.at[i];
            for (b, places) in (*a..k).zip(local.chunks_exact_mut(slots)) {
                for other in &cells.at[cells.start[b].max(i + 1)..cells.start[b + 1]] {
                    places[place(own, *other)] += 1;
                }
            }
        }
        for (total, n) in totals[(a * k + a) * slots..].iter().zip(&local) {
            total.fetch_add(*n, Ordering::Relaxed);
        }
    };
    let (blocks, n) = (cells.blocks(), cells.at.len());
    if n * n / 2 < PARALLEL {
        blocks.iter().for_each(count);
    } else {
        blocks.par_iter().for_each(count);
    }
    totals.into_iter().map(AtomicU64::into_inner).collect()
}
