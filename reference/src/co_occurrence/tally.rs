//! Counting unordered pairs of cells by their labels and the number of levels they lie beyond.
//!
//! A block of rows of one label meets every later cell, label by label. Totals are integers added in any order, so
//! neither the number of threads nor who counts a block shows in the result.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::cells::{Block, Cells};

/// Below this many pairs of cells, threads cost more than they save.
const PARALLEL: usize = 1 << 17;

/// A way to count pairs; all ways count the same.
pub(super) trait Counting: Sync {
    /// Adds the pairs of `rows` with their [partners](Cells::partners) of label `b` to `places`, one counter per
    /// number of levels.
    fn count(&self, cells: &Cells, rows: Range<usize>, b: usize, places: &mut [u64]);
}

/// Pair by pair, by a function that gives the number of levels a pair lies beyond.
pub(super) struct Portable<F>(pub(super) F);

impl<F: Fn([f32; 2], [f32; 2]) -> usize + Sync> Counting for Portable<F> {
    fn count(&self, cells: &Cells, rows: Range<usize>, b: usize, places: &mut [u64]) {
        for row in rows {
            let (own, partners) = (cells.at(row), cells.partners(row, b));
            for (&x, &y) in cells.x[partners.clone()].iter().zip(&cells.y[partners]) {
                places[(self.0)(own, [x, y])] += 1;
            }
        }
    }
}

/// Unordered pairs by labels a <= b and number of levels: `(a * k + b) * slots + levels`.
pub(super) fn tally(cells: &Cells, slots: usize, counting: &impl Counting) -> Vec<u64> {
    let k = cells.k();
    let mut totals: Vec<AtomicU64> = Vec::new();
    totals.resize_with(k * k * slots, AtomicU64::default);
    let count = |Block { label, rows }: &Block| {
        let mut local = vec![0u64; (k - label) * slots];
        for (b, places) in (*label..k).zip(local.chunks_exact_mut(slots)) {
            counting.count(cells, rows.clone(), b, places);
        }
        for (total, n) in totals[(label * k + label) * slots..].iter().zip(&local) {
            total.fetch_add(*n, Ordering::Relaxed);
        }
    };
    let blocks = cells.blocks();
    if cells.pairs() < PARALLEL {
        blocks.iter().for_each(count);
    } else {
        blocks.par_iter().for_each(count);
    }
    totals.into_iter().map(AtomicU64::into_inner).collect()
}
