//! Counting pairs many at a time.
//!
//! A row of ranks (numbers of levels that a pair lies beyond) is computed as bytes, sixteen pairs at a time, and
//! the bytes are counted by [`Histogram`]. Both are plain loops, which the compiler turns into the vectors of the
//! function they are inlined into; [`Width`](super::width::Width) says which.

use std::ops::Range;

use super::cells::{Cells, LANES};
use super::histogram::{Adder, GROUP, Histogram};
use super::tally::Counting;

/// Levels that a [`Histogram`] has counters for, beside one for the pairs beyond all.
const MOST_LEVELS: usize = 63;
/// Cells of a label that are met before the next row: what is read again stays in the first cache.
const TILE: usize = 1024;
/// Bytes that are collected before they are counted.
const FLUSH: usize = 4096;
/// Below this many pairs, emptying the counters costs more than they save.
const FEW: usize = 1 << 11;

/// Gives ranks of a row, [`LANES`] at a time.
pub(super) trait Rank: Sync {
    /// The rank of the pair of `own` with each position.
    fn rank(&self, own: [f32; 2], x: &[[f32; LANES]], y: &[[f32; LANES]], out: &mut [[u8; LANES]]);
}

/// Ranks by one look into a table and one addition.
///
/// The bits of positive floats are ordered as the floats are. Their distance `off` from the first level is cut into a cell
/// (its leading bits) and a rest of `shift` bits. If no cell holds two levels, the rank is the number of levels below
/// the cell, plus 1 if the rest exceeds that of the level in it. An entry holds that number above the
/// `shift` bits and in them `mask - rest`, so that adding the rest of a pair carries over exactly if it is greater.
pub(super) struct Table {
    first: u32,
    /// Distance of what lies beyond all levels.
    span: u32,
    shift: u32,
    mask: u32,
    entries: Box<[u32; Table::CELLS]>,
}

impl Table {
    const CELLS: usize = 4096;

    /// `None` if there are too many levels, two of them fall into one cell, or one is not positive.
    pub(super) fn new(levels: &[f32]) -> Option<Table> {
        let (&first, &last) = levels.first().zip(levels.last())?;
        if first <= 0.0 || levels.len() > MOST_LEVELS {
            return None;
        }
        let off: Vec<u32> = levels.iter().map(|level| level.to_bits() - first.to_bits()).collect();
        let span = last.to_bits() - first.to_bits() + 1;
        let shift = (span / Table::CELLS as u32).checked_ilog2().map_or(0, |log| log + 1);
        let mask = (1 << shift) - 1;
        if off.windows(2).any(|pair| pair[0] >> shift == pair[1] >> shift) {
            return None;
        }
        let mut entries = Box::new([0; Table::CELLS]);
        let mut below = 0;
        for (cell, entry) in (0..).zip(entries.iter_mut()) {
            *entry = (below as u32) << shift;
            if let Some(off) = off.get(below).filter(|off| *off >> shift == cell) {
                *entry += mask - (off & mask);
                below += 1;
            }
        }
        Some(Table { first: first.to_bits(), span, shift, mask, entries })
    }
}

impl Rank for Table {
    #[inline(always)]
    fn rank(&self, own: [f32; 2], x: &[[f32; LANES]], y: &[[f32; LANES]], out: &mut [[u8; LANES]]) {
        let shift = self.shift % u32::BITS;
        for ((x, y), out) in x.iter().zip(y).zip(out) {
            for lane in 0..LANES {
                let (dx, dy) = (own[0] - x[lane], own[1] - y[lane]);
                // One instruction in a function for AVX2 or AVX-512.
                let d2 = dy.mul_add(dy, dx * dx);
                let off = (d2.to_bits().max(self.first) - self.first).min(self.span);
                let entry = self.entries[(off >> shift) as usize % Table::CELLS];
                out[lane] = ((entry + (off & self.mask)) >> shift) as u8;
            }
        }
    }
}

/// Counts with a [`Rank`], inside a function compiled for its vectors.
pub(super) struct Vectors<'a, R, A, E, P> {
    pub(super) rank: R,
    pub(super) adder: A,
    /// Enters a function compiled for the vectors.
    pub(super) enter: E,
    /// For the few pairs of small labels.
    pub(super) portable: &'a P,
}

impl<R: Rank, A: Adder, E: Fn(Unit<'_, R, A>) + Sync, P: Counting> Counting
    for Vectors<'_, R, A, E, P>
{
    fn count(&self, cells: &Cells, rows: Range<usize>, b: usize, places: &mut [u64]) {
        if rows.len() * cells.labels[b].len() < FEW {
            return self.portable.count(cells, rows, b, places);
        }
        (self.enter)(Unit { rank: &self.rank, adder: self.adder, cells, rows, b, places });
    }
}

/// The work of one call of [`Counting::count`].
pub(super) struct Unit<'a, R, A> {
    rank: &'a R,
    adder: A,
    cells: &'a Cells,
    rows: Range<usize>,
    b: usize,
    places: &'a mut [u64],
}

impl<R: Rank, A: Adder> pulp::NullaryFnOnce for Unit<'_, R, A> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let columns = self.cells.labels[self.b].clone();
        let (x, y) = (self.cells.x.as_chunks().0, self.cells.y.as_chunks().0);
        let mut histogram = Histogram::new(self.adder);
        let mut ranks = [[0; LANES]; TILE / LANES];
        let (mut bytes, mut filled) = ([0; FLUSH + TILE], 0);
        for tile in columns.clone().step_by(TILE) {
            let end = columns.end.min(tile + TILE);
            for row in self.rows.clone() {
                // Partners need not begin with a vector; the ranks in front of them are not counted.
                let start = self.cells.partners(row, self.b).start.max(tile);
                if start >= end {
                    continue;
                }
                let vectors = start / LANES..end.div_ceil(LANES);
                let ranks = &mut ranks[..vectors.len()];
                self.rank.rank(self.cells.at(row), &x[vectors.clone()], &y[vectors], ranks);
                let new = &ranks.as_flattened()[start % LANES..][..end - start];
                bytes[filled..][..new.len()].copy_from_slice(new);
                filled += new.len();
                if filled >= FLUSH {
                    histogram.add(&bytes[..FLUSH]);
                    bytes.copy_within(FLUSH..filled, 0);
                    filled -= FLUSH;
                }
            }
        }
        // Pairs beyond all levels change nothing, so they may fill the last group.
        let beyond = self.places.len() - 1;
        bytes[filled..filled.next_multiple_of(GROUP)].fill(beyond as u8);
        let padding = filled.next_multiple_of(GROUP) - filled;
        histogram.add(&bytes[..filled.next_multiple_of(GROUP)]);
        let counts = histogram.counts();
        self.places.iter_mut().zip(counts).for_each(|(place, count)| *place += count);
        self.places[beyond] -= padding as u64;
    }
}
