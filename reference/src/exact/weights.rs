//! The weights of a graph over a ring, and the sums over them that variances consist of.

use std::collections::BTreeMap;
use std::ops::Range;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, Zero};

use super::Ball;
use super::ring::{Ring, square, sum};
use crate::graph::Graph;
use crate::spatial_autocorr::Task;

/// Weights `w_ij` times one common number, duplicates added up.
pub(super) struct Weights<R> {
    pub(super) n: usize,
    pub(super) entries: BTreeMap<(usize, usize), R>,
}

/// Bits of all weights together up to which integers are used.
const BUDGET: u64 = 1 << 22;

/// Whether every stored weight is finite; nothing is defined otherwise.
pub(super) fn finite(task: &Task<'_>) -> bool {
    task.raw_graph.weights.iter().all(|w| w.is_finite())
}

impl Weights<BigInt> {
    /// The weights as integers; `None` if normalisation makes them longer than is worth the wait.
    ///
    /// Row i divided by its sum of magnitudes `s_i` is, times the least common multiple L of all sums, row i times
    /// the integer `L/s_i`. A row of zeros stays as it is.
    pub(super) fn integers(task: &Task<'_>) -> Option<Weights<BigInt>> {
        let graph = &task.raw_graph;
        let mut weights = BigInt::proportional(&graph.weights);
        if task.transformation {
            let longest = BUDGET / weights.len().max(1) as u64;
            let rows = || (0..graph.len()).map(|i| graph.indptr[i]..graph.indptr[i + 1]);
            let total = |row: Range<usize>| weights[row].iter().map(Signed::abs).sum::<BigInt>();
            let totals: Vec<BigInt> = rows().map(total).collect();
            let mut common = BigInt::from(1);
            for total in totals.iter().filter(|total| !total.is_zero()) {
                // The remainder first: two numbers of very different length are slow to reduce otherwise.
                let shared = (&common % total).gcd(total);
                common *= total / shared;
                if common.bits() > longest {
                    return None;
                }
            }
            for (row, total) in rows().zip(&totals).filter(|(_, total)| !total.is_zero()) {
                let factor = &common / total;
                weights[row].iter_mut().for_each(|w| *w *= &factor);
            }
        }
        Some(Weights::new(graph, weights))
    }
}

impl Weights<Ball> {
    /// The weights as balls.
    pub(super) fn balls(task: &Task<'_>) -> Weights<Ball> {
        let graph = &task.raw_graph;
        let mut weights = Ball::proportional(&graph.weights);
        if task.transformation {
            let magnitudes: Vec<f64> = graph.weights.iter().map(|w| w.abs()).collect();
            let magnitudes = Ball::proportional(&magnitudes);
            for i in 0..graph.len() {
                let row = graph.indptr[i]..graph.indptr[i + 1];
                if graph.weights[row.clone()].iter().any(|w| *w != 0.0) {
                    let total = sum(magnitudes[row.clone()].iter().copied());
                    weights[row].iter_mut().for_each(|w| *w = w.divided_by(total));
                }
            }
        }
        Weights::new(graph, weights)
    }
}

impl<R: Ring> Weights<R> {
    fn new(graph: &Graph, weights: Vec<R>) -> Weights<R> {
        let mut entries: BTreeMap<(usize, usize), R> = BTreeMap::new();
        let mut weights = weights.into_iter();
        for i in 0..graph.len() {
            for ((j, _), w) in graph.row(i).zip(weights.by_ref()) {
                let entry = entries.entry((i, j)).or_insert_with(|| R::from(0));
                *entry = entry.clone() + w;
            }
        }
        Weights { n: graph.len(), entries }
    }

    fn at(&self, i: usize, j: usize) -> R {
        self.entries.get(&(i, j)).cloned().unwrap_or_else(|| R::from(0))
    }

    /// `sum_ij w_ij term(i, j)`.
    pub(super) fn weighted(&self, term: impl Fn(usize, usize) -> R) -> R {
        sum(self.entries.iter().map(|((i, j), w)| w.clone() * term(*i, *j)))
    }

    /// `S0`.
    pub(super) fn s0(&self) -> R {
        sum(self.entries.values().cloned())
    }

    /// `2 S1 = sum_ij (w_ij + w_ji)^2`.
    pub(super) fn twice_s1(&self) -> R {
        sum(self.entries.iter().map(|(&(i, j), w)| {
            let both = square(&(w.clone() + self.at(j, i)));
            // A pair stored one way only stands for both of its terms.
            if self.entries.contains_key(&(j, i)) { both } else { R::from(2) * both }
        }))
    }

    /// `S2 = sum_i (r_i + c_i)^2`.
    pub(super) fn s2(&self) -> R {
        sum(self.row_sums().into_iter().zip(self.column_sums()).map(|(r, c)| square(&(r + c))))
    }

    /// `r_i = sum_j w_ij`.
    pub(super) fn row_sums(&self) -> Vec<R> {
        self.marginal(|(i, _), w| (i, w.clone()))
    }

    /// `c_j = sum_i w_ij`.
    pub(super) fn column_sums(&self) -> Vec<R> {
        self.marginal(|(_, j), w| (j, w.clone()))
    }

    /// `y_i = sum_j w_ij z_j`.
    pub(super) fn lag(&self, z: &[R]) -> Vec<R> {
        self.marginal(|(i, j), w| (i, w.clone() * z[j].clone()))
    }

    fn marginal(&self, term: impl Fn((usize, usize), &R) -> (usize, R)) -> Vec<R> {
        let mut sums = vec![R::from(0); self.n];
        for (at, w) in &self.entries {
            let (i, term) = term(*at, w);
            sums[i] = sums[i].clone() + term;
        }
        sums
    }
}
