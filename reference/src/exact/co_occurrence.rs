//! Pairs of cells within distances, pair by pair, by the canonical predicate and in real numbers.
//!
//! The *canonical* predicate is what the host's machine code evaluates: `fma(dy, dy, fl32(dx dx)) <= fl32(t^2)` with
//! differences in float32. The *real* one asks what it stands for: `(x_i - x_j)^2 + (y_i - y_j)^2 <= t^2` of the float32
//! positions and distances as they are. Where the two counts agree, so does every float32 evaluation worth the name;
//! where they differ, rounding decided.

use num_bigint::{BigInt, BigUint};
use num_rational::BigRational;
use num_traits::Zero;

use super::Number;
use super::ring::{integers, square};
use crate::co_occurrence::Task;

/// What a call of `co_occurrence` should find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoOccurrence {
    /// By the canonical predicate.
    pub canonical: Pairs,
    /// In real numbers.
    pub real: Pairs,
}

/// Ordered pairs of different cells by clusters and distance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    /// Number of clusters.
    pub k: usize,
    /// Number of distances.
    pub bins: usize,
    /// `N[a,b,r]` at `(a * k + b) * bins + r`.
    pub n: Vec<u64>,
}

/// Counts all pairs both ways.
pub fn co_occurrence(task: &Task) -> CoOccurrence {
    let canonical = |i: usize, j: usize| {
        let (dx, dy) = (task.x[i] - task.x[j], task.y[i] - task.y[j]);
        let squared = dy.mul_add(dy, dx * dx);
        task.thresholds.iter().map(move |t| squared <= *t)
    };
    let lattice = Lattice::new(task);
    CoOccurrence {
        canonical: Pairs::count(task, canonical),
        real: Pairs::count(task, |i, j| lattice.within(i, j)),
    }
}

impl Pairs {
    /// Counts pairs; `within` says for each distance whether two cells lie in it.
    fn count<W: Iterator<Item = bool>>(task: &Task, within: impl Fn(usize, usize) -> W) -> Pairs {
        let (k, bins) = (task.k, task.thresholds.len());
        let mut n = vec![0; k * k * bins];
        let label = |i: usize| task.labels[i] as usize;
        for i in 0..task.labels.len() {
            for j in 0..i {
                for (r, _) in within(i, j).enumerate().filter(|(_, within)| *within) {
                    n[(label(i) * k + label(j)) * bins + r] += 1;
                    n[(label(j) * k + label(i)) * bins + r] += 1;
                }
            }
        }
        Pairs { k, bins, n }
    }

    /// `N[a,b,r]`.
    pub fn at(&self, a: usize, b: usize, r: usize) -> u64 {
        self.n[(a * self.k + b) * self.bins + r]
    }

    /// `occ[i,c,r] = N[c,i,r] Tot[r] / (R[c,r] R[i,r])` at `(i * k + c) * bins + r`, and 0 where a row total `R` is.
    pub fn ratios(&self) -> Vec<Number> {
        let mut ratios = Vec::with_capacity(self.n.len());
        for i in 0..self.k {
            for c in 0..self.k {
                ratios.extend((0..self.bins).map(|r| Number::Ratio(self.ratio(i, c, r))));
            }
        }
        ratios
    }

    fn ratio(&self, i: usize, c: usize, r: usize) -> BigRational {
        let near = |b: usize| (0..self.k).map(|a| self.at(a, b, r)).sum::<u64>();
        let total: u64 = (0..self.k).map(near).sum();
        let product = |a: u64, b: u64| BigInt::from(BigUint::from(a) * b);
        let apart = product(near(c), near(i));
        match apart.is_zero() {
            true => BigRational::zero(),
            false => BigRational::new(product(self.at(c, i, r), total), apart),
        }
    }
}

/// Positions and distances as integers at one scale.
struct Lattice {
    x: Vec<BigInt>,
    y: Vec<BigInt>,
    thresholds: Vec<Threshold>,
}

enum Threshold {
    Squared(BigInt),
    /// An infinite distance, within which everything lies, or NaN, within which nothing does.
    Always(bool),
}

impl Lattice {
    fn new(task: &Task) -> Lattice {
        let distances = &task.interval[task.interval.len() - task.thresholds.len()..];
        let finite = |v: &f32| if v.is_finite() { f64::from(*v) } else { 0.0 };
        let all: Vec<f64> =
            [&task.x, &task.y, distances].into_iter().flatten().map(finite).collect();
        let mut all = integers(&all).0.into_iter();
        let x = all.by_ref().take(task.x.len()).collect();
        let y = all.by_ref().take(task.y.len()).collect();
        let threshold = |(distance, integer): (&f32, BigInt)| match distance.is_finite() {
            true => Threshold::Squared(square(&integer)),
            false => Threshold::Always(!distance.is_nan()),
        };
        Lattice { x, y, thresholds: distances.iter().zip(all).map(threshold).collect() }
    }

    fn within(&self, i: usize, j: usize) -> impl Iterator<Item = bool> {
        let [dx, dy] = [&self.x, &self.y].map(|v| &v[i] - &v[j]);
        let squared = square(&dx) + square(&dy);
        self.thresholds.iter().map(move |threshold| match threshold {
            Threshold::Squared(threshold) => squared <= *threshold,
            Threshold::Always(within) => *within,
        })
    }
}
