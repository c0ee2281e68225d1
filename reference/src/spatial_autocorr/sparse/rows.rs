//! The sums of a matrix that is stored by rows: the rows of a cell's neighbours are added up into a lag of all features, then
//! each entry of its own row adds to its feature's sums.

use rayon::prelude::*;

use super::{LEAF, Lanes, Sums, Value};
use crate::graph::Graph;
use crate::spatial_autocorr::Mode;
use crate::sum::sum;

/// Cells whose sums one thread adds up; fixed, so that the result does not depend on the number of threads.
const CHUNK: usize = 1 << 11;

/// A matrix by rows, and a graph.
pub(super) struct Rows<'a, V> {
    pub(super) lanes: &'a Lanes<'a, V>,
    /// Each undirected edge once.
    pub(super) edges: &'a Graph,
    /// All cells. A row is fetched once for all cells next to its own, if these are met soon after each other.
    pub(super) order: &'a [u32],
    /// What a cell's values are tilted by.
    pub(super) totals: &'a [f64],
    pub(super) features: usize,
}

impl<V: Value> Rows<'_, V> {
    /// The sums of each feature.
    pub(super) fn sums(&self, mode: Mode) -> Vec<Sums> {
        let simd = pulp::Arch::new();
        let chunk = |cells| match mode {
            Mode::Moran => simd.dispatch(Chunk { rows: self, cells, power: |x| x }),
            Mode::Geary => simd.dispatch(Chunk { rows: self, cells, power: |x| x * x }),
        };
        let chunks: Vec<Vec<Sums>> = self.order.par_chunks(CHUNK).map(chunk).collect();
        let total = |k: usize, which: usize| sum(chunks.len(), |c| chunks[c][k].of[which]);
        let of = |k: usize| Sums { of: [0, 1, 2, 3].map(|which| total(k, which)) };
        (0..self.features).map(of).collect()
    }
}

/// Some cells, compiled for each kind of vectors that a processor may have.
struct Chunk<'a, V, P> {
    rows: &'a Rows<'a, V>,
    cells: &'a [u32],
    /// The power of x that is tilted.
    power: P,
}

impl<V: Value, P: Fn(f64) -> f64> pulp::NullaryFnOnce for Chunk<'_, V, P> {
    type Output = Vec<Sums>;

    #[inline(always)]
    fn call(self) -> Vec<Sums> {
        let Chunk { rows: Rows { lanes, edges, totals, features, .. }, cells, power } = self;
        let mut lag = vec![0.0; *features];
        let mut leaf = vec![Sums::default(); *features];
        let mut sums = leaf.clone();
        for cells in cells.chunks(LEAF) {
            for &cell in cells {
                let (cell, total) = (cell as usize, totals[cell as usize]);
                lag.fill(0.0);
                for (neighbour, weight) in edges.row(cell) {
                    for (column, x) in lanes.lane(neighbour) {
                        lag[column] += weight * x;
                    }
                }
                for (column, x) in lanes.lane(cell) {
                    leaf[column].add([x, x * x, x * lag[column], total * power(x)]);
                }
            }
            for (sums, leaf) in sums.iter_mut().zip(&mut leaf) {
                sums.add(std::mem::take(leaf).of);
            }
        }
        sums
    }
}
