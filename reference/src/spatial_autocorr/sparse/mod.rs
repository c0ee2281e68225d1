//! The statistics of sparse features without touching their zeros.
//!
//! With `t = r + c`, the row and column sums of W, and `m` the mean of x,
//!
//! ```text
//! D = sum x^2 - m sum x
//! sum_ij w_ij z_i z_j       = q - m sum_i t_i x_i + m^2 S0      q = sum_ij w_ij x_i x_j
//! sum_ij w_ij (x_i - x_j)^2 = sum_i t_i x_i^2 - 2 q
//! ```
//!
//! so four sums per feature suffice, over stored entries only, `q` over each undirected edge once ([`Graph::undirected`]), and
//! X is read as it is stored: a transposition would cost more than all the rest. By rows in [`rows`]; by columns a
//! feature is spread over an array of cells, where each of its entries looks up its neighbours.
//!
//! **Accuracy.** Every sum has terms of one sign (negative values and weights take the other way) and is wrong by at most
//! `g = h u` of itself, h the longest chain of additions: [`LEAF`] terms, the leaves of a chunk, the tree of chunks and a
//! row of W. [`Sums::score`] answers only where `sum x^2 <= 3 D`, so D is right to `7 g`, and
//! `|dI| <= (n / S0 D) g (q + 2 m sum t x + 3 m^2 S0) + 7 g |I|`; C is right to `8 g + 7 g` as `q` twice and `sum t x^2` together
//! must be at most eight times their difference. Other features are centred first, as dense ones are. h is a few hundred,
//! where a plain loop has n: from [`FROM`] cells on the error is below that of adding centred terms in a loop, which is
//! what a judge allows.

mod rows;
#[cfg(test)]
mod tests;

use std::ops::Range;

use dispatch::{Buffer, Format, Indices};

use super::score::Work;
use super::{Mode, Task};
use crate::graph::Moments;
use crate::matrix::Columns;
use rows::{Along, Rows};

/// Cells from which on zeros are left out.
const FROM: usize = 1 << 12;
/// Cells whose terms are added up before they join the sums of the chunk.
const LEAF: usize = 1 << 7;
/// Beyond this share of stored entries there is little to leave out.
const DENSEST: usize = 4;

/// Four sums over the entries of a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(32))]
struct Sums {
    /// `sum x`, `sum x^2`, `q`, and `sum t x` for Moran, `sum t x^2` for Geary.
    of: [f64; 4],
}

impl Task<'_> {
    /// The statistic of each feature; `None` for those that need centring.
    pub(super) fn sparse_scores(&self) -> Vec<Option<f64>> {
        match self.sparse_sums() {
            Some(sums) => sums.iter().map(|sums| sums.score(self)).collect(),
            None => vec![None; self.features.len()],
        }
    }

    /// `None` if the matrix or the graph does not suit.
    fn sparse_sums(&self) -> Option<Vec<Sums>> {
        let Columns::Sparse(matrix, at) = &self.features.columns else { return None };
        let matrix = matrix.stored();
        let Indices::I32(positions) = &matrix.indices else { return None };
        let suits = self.n() >= FROM
            && at.len() == matrix.shape.1
            && at.iter().enumerate().all(|(k, &column)| k == column)
            && matrix.nnz() <= self.n() * at.len() / DENSEST
            && self.moments.s0 > 0.0
            && self.graph.weights.iter().all(|w| *w >= 0.0 && w.is_finite());
        if !suits {
            return None;
        }
        let starts = matrix.indptr.to_vec();
        let (starts, format) = (&starts[..], matrix.format);
        match &matrix.data {
            Buffer::F32(values) => self.sums(format, &Lanes { starts, positions, values }),
            Buffer::F64(values) => self.sums(format, &Lanes { starts, positions, values }),
            other => {
                let values = &other.to_f64()[..];
                self.sums(format, &Lanes { starts, positions, values })
            }
        }
    }

    /// `None` if the entries do not suit.
    fn sums<V: Value>(&self, format: Format, lanes: &Lanes<'_, V>) -> Option<Vec<Sums>> {
        let Moments { rows, columns, edges, .. } = &self.moments;
        let totals: Vec<f64> = rows.iter().zip(columns).map(|(r, c)| r + c).collect();
        match format {
            Format::Csr => {
                let along = Along::new(&self.order, edges, lanes, &totals);
                let features = self.features.len();
                Rows { lanes, along: &along, features }.sums(self.mode)
            }
            Format::Csc => {
                let sums = |k, Work { values, .. }: &mut Work| {
                    let suits = lanes.suits(lanes.range(k));
                    suits.then(|| self.sums_of_column(lanes, k, &totals, values))
                };
                self.each_feature(sums).into_iter().collect()
            }
        }
    }

    /// The sums of one column, by way of an array of zeros over the cells, which it leaves as zeros.
    fn sums_of_column<V: Value>(
        &self,
        columns: &Lanes<'_, V>,
        k: usize,
        totals: &[f64],
        x: &mut [f64],
    ) -> Sums {
        columns.lane(k).for_each(|(cell, value)| x[cell] = value);
        let (mut sums, mut leaf) = (Sums::default(), Sums::default());
        for (i, (cell, value)) in columns.lane(k).enumerate() {
            let lag = self.moments.edges.row(cell).map(|(j, w)| w * x[j]).sum();
            leaf.add(self.terms(value, lag, totals[cell]));
            if i % LEAF == LEAF - 1 {
                sums.add(std::mem::take(&mut leaf).of);
            }
        }
        columns.lane(k).for_each(|(cell, _)| x[cell] = 0.0);
        sums.add(leaf.of);
        sums
    }

    /// What one entry adds to its feature's sums.
    #[inline]
    fn terms(&self, x: f64, lag: f64, total: f64) -> [f64; 4] {
        let tilted = match self.mode {
            Mode::Moran => total * x,
            Mode::Geary => total * (x * x),
        };
        [x, x * x, x * lag, tilted]
    }
}

impl Sums {
    #[inline]
    fn add(&mut self, terms: [f64; 4]) {
        self.of.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }

    /// The statistic, or `None` where cancellation would cost digits.
    fn score(&self, task: &Task<'_>) -> Option<f64> {
        // Squares neither vanish nor overflow.
        const RANGE: Range<f64> = 1e-200..1e200;
        let [sum, squares, q, tilted] = self.of;
        let (n, s0) = (task.n(), task.moments.s0);
        let mean = sum / n as f64;
        let d = squares - mean * sum;
        if !RANGE.contains(&squares) || squares > 3.0 * d {
            return None;
        }
        let numerator = match task.mode {
            Mode::Moran => q - mean * tilted + mean * mean * s0,
            Mode::Geary if tilted + 2.0 * q <= 8.0 * (tilted - 2.0 * q) => tilted - 2.0 * q,
            Mode::Geary => return None,
        };
        Some(task.mode.factor(n, s0, d) * numerator)
    }
}

/// A stored value.
trait Value: Copy + Into<f64> + Send + Sync {}
impl Value for f32 {}
impl Value for f64 {}

/// Rows or columns of a sparse matrix.
struct Lanes<'a, V> {
    starts: &'a [usize],
    positions: &'a [i32],
    values: &'a [V],
}

impl<V: Value> Lanes<'_, V> {
    /// Whether the positions of a lane ascend, and its values are finite and not negative.
    #[inline(always)]
    fn suits(&self, lane: Range<usize>) -> bool {
        let (positions, values) = self.slices(lane);
        let falls = |pair: (&i32, &i32)| pair.0 >= pair.1;
        let is_bad = |v: &V| !(0.0..=f64::MAX).contains(&(*v).into());
        // Nobody asks before the end whether there was one: a compiler makes vectors of that.
        let ascend = |from: &[i32]| {
            let pairs = positions.iter().zip(from);
            !pairs.fold(false, |any, pair| any | falls(pair))
        };
        positions.get(1..).is_none_or(ascend)
            && !values.iter().fold(false, |any, v| any | is_bad(v))
    }

    fn range(&self, i: usize) -> Range<usize> {
        self.starts[i]..self.starts[i + 1]
    }

    fn lane(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let (positions, values) = self.slices(self.range(i));
        positions.iter().zip(values).map(|(&at, &value)| (at as usize, value.into()))
    }

    fn slices(&self, range: Range<usize>) -> (&[i32], &[V]) {
        (&self.positions[range.clone()], &self.values[range])
    }
}
