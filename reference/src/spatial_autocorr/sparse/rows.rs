//! The sums of a matrix that is stored by rows: the rows of a cell's neighbours are added up into a lag of all features, then
//! each entry of its own row adds to its feature's sums.

use std::iter;
use std::ops::Range;

use prefetch_index::prefetch_index;
use rayon::prelude::*;

use super::{LEAF, Lanes, Sums, Value};
use crate::graph::Graph;
use crate::spatial_autocorr::Mode;
use crate::sum::sum;

/// Cells whose sums one thread adds up; fixed, so that the result does not depend on the number of threads.
const CHUNK: usize = 1 << 11;
/// A row is asked for when its first cell is so many cells away: its first lines take longer to come than a cell takes.
const AHEAD: usize = 2;
/// Bytes that come at once.
const LINE: usize = 64;

/// The cells in an order in which neighbours are near each other, so that a row is fetched once for all cells next to its
/// own. Everything about them lies in that order too.
pub(super) struct Along {
    /// Each undirected edge once, between places in the order.
    edges: Graph,
    /// Where the row of each is.
    rows: Vec<Range<usize>>,
    /// What the values of each are tilted by.
    totals: Vec<f64>,
}

impl Along {
    /// Edges without direction between cells, in `order`.
    pub(super) fn new<V: Value>(
        order: &[u32],
        edges: &Graph,
        lanes: &Lanes<'_, V>,
        totals: &[f64],
    ) -> Along {
        Along {
            edges: edges.along(order),
            rows: order.iter().map(|&cell| lanes.range(cell as usize)).collect(),
            totals: order.iter().map(|&cell| totals[cell as usize]).collect(),
        }
    }
}

/// A matrix by rows, and a graph.
pub(super) struct Rows<'a, V> {
    pub(super) lanes: &'a Lanes<'a, V>,
    pub(super) along: &'a Along,
    pub(super) features: usize,
}

impl<V: Value> Rows<'_, V> {
    /// The sums of each feature; `None` if the entries do not suit.
    pub(super) fn sums(&self, mode: Mode) -> Option<Vec<Sums>> {
        let simd = pulp::Arch::new();
        let cells = self.along.rows.len();
        let chunk = |c: usize| {
            let places = c * CHUNK..cells.min((c + 1) * CHUNK);
            match mode {
                Mode::Moran => simd.dispatch(Chunk { rows: self, places, power: |x| x }),
                Mode::Geary => simd.dispatch(Chunk { rows: self, places, power: |x| x * x }),
            }
        };
        let chunks: Option<Vec<Vec<Sums>>> =
            (0..cells.div_ceil(CHUNK)).into_par_iter().map(chunk).collect();
        let chunks = chunks?;
        let total = |k: usize, which: usize| sum(chunks.len(), |c| chunks[c][k].of[which]);
        let of = |k: usize| Sums { of: [0, 1, 2, 3].map(|which| total(k, which)) };
        Some((0..self.features).map(of).collect())
    }
}

/// Some cells, compiled for each kind of vectors that a processor may have.
struct Chunk<'a, V, P> {
    rows: &'a Rows<'a, V>,
    places: Range<usize>,
    /// The power of x that is tilted.
    power: P,
}

impl<V: Value, P: Fn(f64) -> f64> pulp::NullaryFnOnce for Chunk<'_, V, P> {
    type Output = Option<Vec<Sums>>;

    #[inline(always)]
    fn call(self) -> Option<Vec<Sums>> {
        let Chunk { rows: Rows { lanes, along, features }, places, power } = self;
        let Along { edges, rows, totals } = along;
        let mut lag = vec![0.0; *features];
        let mut leaf = vec![Sums::default(); *features];
        let mut sums = leaf.clone();
        // The last place whose row was asked for: a search meets cells in their order.
        let mut asked = 0;
        for start in places.clone().step_by(LEAF) {
            for i in start..places.end.min(start + LEAF) {
                let ahead = (i + AHEAD).min(rows.len() - 1);
                for j in iter::once(ahead).chain(edges.row(ahead).map(|(j, _)| j)) {
                    if j > asked {
                        asked = j;
                        lanes.fetch(rows[j].clone());
                    }
                }
                // Here and not before all else, since a row comes from memory but once.
                if !lanes.suits(rows[i].clone()) {
                    return None;
                }
                lag.fill(0.0);
                for (j, weight) in edges.row(i) {
                    lanes.each(rows[j].clone(), weight, |column, term| lag[column] += term);
                }
                lanes.each(rows[i].clone(), 1.0, |column, x| {
                    leaf[column].add([x, x * x, x * lag[column], totals[i] * power(x)]);
                });
            }
            for (sums, leaf) in sums.iter_mut().zip(&mut leaf) {
                sums.add(std::mem::take(leaf).of);
            }
        }
        Some(sums)
    }
}

impl<V: Value> Lanes<'_, V> {
    /// Does something with each column and `factor x`, four in a turn: their products are a vector, and counting would be a
    /// third of the few instructions that an entry takes.
    #[inline(always)]
    fn each(&self, range: Range<usize>, factor: f64, mut entry: impl FnMut(usize, f64)) {
        let (positions, values) = self.slices(range);
        let ((positions, few), (values, rest)) =
            (positions.as_chunks::<4>(), values.as_chunks::<4>());
        for (positions, values) in positions.iter().zip(values) {
            let terms = values.map(|x| factor * x.into());
            for (&at, term) in positions.iter().zip(terms) {
                entry(at as usize, term);
            }
        }
        for (&at, &x) in few.iter().zip(rest) {
            entry(at as usize, factor * x.into());
        }
    }

    /// Asks for what will be read soon.
    #[inline(always)]
    fn fetch(&self, range: Range<usize>) {
        for k in range.clone().step_by(LINE / size_of::<i32>()) {
            prefetch_index(self.positions, k);
        }
        for k in range.step_by(LINE / size_of::<V>()) {
            prefetch_index(self.values, k);
        }
    }
}
