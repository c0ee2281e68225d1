//! How often permuted labels exceed the observed statistic.
//!
//! Permutations are drawn in blocks. Of each block first every gene's sums by cluster, then every
//! interaction's comparisons are computed; both parts are split among threads by what they write,
//! so the result is the same for any number of threads.
//!
//! A gene's sums cost one addition per entry and permutation. Side by side for all permutations of a block, an
//! entry meets its cell's labels in one piece of memory, and its additions go to sums of different permutations: none
//! waits for another, as they would in a loop over cells that adds to a few clusters again and again.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::fixed::Words;
use super::shuffles::{LANES, Label, PARALLEL, Shuffles};
use super::{Observed, Task};

/// Numbers of permutations, one per interaction and pair of clusters, row-major; 0 where undefined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceedances {
    /// `T_p > T_0`, exactly.
    pub strict: Vec<u32>,
    /// `T_p > T_0 + eta`: the least that a backend within `eta` may count.
    pub low: Vec<u32>,
    /// `T_p >= T_0 - eta`: the most, without the identical ones; see [`Task::exceedances`].
    pub high: Vec<u32>,
    /// `T_p = T_0`, exactly.
    pub ties: Vec<u32>,
}

impl Task {
    /// Compares every permutation with the observed statistic.
    ///
    /// With `relative` also counts the interval of a backend whose `T_p - T_0` is off by at most `eta = relative *
    /// (mu[s,c] + mu[t,d])` (design: `relative = 4u (h + 2)`, h the depth of its additions), where for a gene
    /// with negative values its largest magnitude stands for the mean. Without, the interval is the exact count.
    ///
    /// A permutation is *identical* if both its sums are the observed ones and float64 adds up the values of both genes
    /// exactly ([`Fixed::adds_exactly`](super::Fixed::adds_exactly)). Whatever a backend computes from a sum, it computes the
    /// same twice, so only `>=` for `>` would count such a permutation: it is in no interval. Equal statistics of different
    /// sums may be told apart by rounding and stay in it.
    pub fn exceedances(&self, observed: &Observed, relative: Option<f64>) -> Exceedances {
        let counts = match &observed.fixed.words {
            Words::Narrow(words) => Run::new(self, observed, words, relative).counts(),
            Words::Wide(words) => Run::new(self, observed, words, relative).counts(),
        };
        let part = |i: usize| counts.iter().map(|count| count[i]).collect();
        Exceedances { strict: part(0), low: part(1), high: part(2), ties: part(3) }
    }
}

/// Counts of strict, low, high and ties.
type Tally = [u32; 4];

/// An integer that sums of values fit.
trait Word: Copy + Default + std::ops::AddAssign + Into<i128> + Send + Sync {
    /// The difference to an observed sum, rounded to float64.
    fn beyond(self, observed: i128) -> f64;
}

impl Word for i64 {
    fn beyond(self, observed: i128) -> f64 {
        // Both are sums of the same words, below 2^62.
        (self - observed as i64) as f64
    }
}

impl Word for i128 {
    fn beyond(self, observed: i128) -> f64 {
        (self - observed) as f64
    }
}

struct Run<'a, W> {
    task: &'a Task,
    observed: &'a Observed,
    words: &'a [Vec<W>],
    k: usize,
    defined: Vec<bool>,
    /// `eta` in units of the scale, by entry.
    eta: Option<Vec<f64>>,
    /// Genes with an infinite value.
    infinite: Vec<bool>,
    /// Genes whose sums float64 gives without rounding.
    adds_exactly: Vec<bool>,
}

/// Sums of one block at `(gene * k + cluster) * lanes + lane`.
struct Block<W> {
    lanes: usize,
    sums: Vec<W>,
    /// `(S - M) / n`, in units of the scale.
    differences: Vec<f64>,
    /// 1: holds inf, 2: holds -inf; empty if no gene does.
    infinities: Vec<u8>,
}

impl<'a, W: Word> Run<'a, W> {
    fn new(
        task: &'a Task,
        observed: &'a Observed,
        words: &'a [Vec<W>],
        relative: Option<f64>,
    ) -> Run<'a, W> {
        let eta = relative.map(|relative| {
            let magnitudes = magnitudes(task, observed);
            // Rounded to the scale, each of two sums on either side is half a unit per cell off.
            let rounded = if observed.fixed.exact { 0.0 } else { 2.0 };
            task.entries(|s, t| relative * (magnitudes[s] + magnitudes[t]) + rounded, task.k())
        });
        let infinite = |c: &super::Column| c.values.iter().any(|v| v.is_infinite());
        Run {
            task,
            observed,
            words,
            k: task.k(),
            defined: task.defined(observed),
            eta,
            infinite: task.columns.iter().map(infinite).collect(),
            adds_exactly: (0..words.len()).map(|gene| observed.fixed.adds_exactly(gene)).collect(),
        }
    }

    fn counts(&self) -> Vec<Tally> {
        if !self.defined.contains(&true) {
            return vec![Tally::default(); self.defined.len()];
        }
        // Labels are most of what is read; most often a byte holds one.
        if self.k <= 1 << u8::BITS { self.counts_by::<u8>() } else { self.counts_by::<u32>() }
    }

    fn counts_by<L: Label>(&self) -> Vec<Tally> {
        let mut counts = vec![Tally::default(); self.defined.len()];
        let mut shuffles = Shuffles::<L>::new(self.task);
        let mut first = 0;
        while first < self.task.n_perms {
            let lanes = LANES.min(self.task.n_perms - first);
            let block = self.sums(shuffles.next(first, lanes), lanes);
            let add = |(i, row): (usize, &mut [Tally])| {
                let width = self.task.pairs.len();
                for (j, count) in row.iter_mut().enumerate() {
                    if self.defined[i * width + j] {
                        let more = self.compare(&block, i, j);
                        count.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                    }
                }
            };
            let width = self.task.pairs.len();
            if counts.len() * lanes < PARALLEL {
                counts.chunks_mut(width).enumerate().for_each(add);
            } else {
                counts.par_chunks_mut(width).enumerate().for_each(add);
            }
            first += lanes;
        }
        counts
    }

    /// Sums under the permuted labels of each cell.
    fn sums<L: Label>(&self, labels: &[[L; LANES]], lanes: usize) -> Block<W> {
        let k = self.k;
        let width = k * lanes;
        let entries = self.task.columns.len() * width;
        let any = self.infinite.contains(&true);
        let mut block = Block {
            lanes,
            sums: vec![W::default(); entries],
            differences: vec![0.0; entries],
            infinities: vec![0; if any { entries } else { 0 }],
        };
        type Gene<'b, W> = (usize, (&'b mut [W], &'b mut [f64]));
        let of_gene = |rows: &mut L::Rows<W>, (gene, (sums, differences)): Gene<'_, W>| {
            let by_cluster = self.sums_of_gene(gene, labels, rows);
            for (c, of_cluster) in by_cluster.iter().enumerate() {
                let (observed, size) = (self.observed.sums[gene * k + c], self.observed.sizes[c]);
                let at = c * lanes..(c + 1) * lanes;
                sums[at.clone()].copy_from_slice(&of_cluster[..lanes]);
                for (difference, sum) in differences[at].iter_mut().zip(of_cluster) {
                    *difference = sum.beyond(observed) / size as f64;
                }
            }
        };
        let stored: usize = self.words.iter().map(Vec::len).sum();
        if stored * lanes < PARALLEL {
            let genes = block.sums.chunks_mut(width).zip(block.differences.chunks_mut(width));
            let mut rows = L::rows(k);
            genes.enumerate().for_each(|gene| of_gene(&mut rows, gene));
        } else {
            let genes =
                block.sums.par_chunks_mut(width).zip(block.differences.par_chunks_mut(width));
            genes.enumerate().for_each_init(|| L::rows(k), of_gene);
        }
        if any {
            self.mark_infinities(&mut block, labels);
        }
        block
    }

    /// The sums of a gene by cluster and permutation.
    fn sums_of_gene<'r, L: Label>(
        &self,
        gene: usize,
        labels: &[[L; LANES]],
        rows: &'r mut L::Rows<W>,
    ) -> &'r [[W; LANES]] {
        L::below(rows, self.k).fill([W::default(); LANES]);
        for (cell, &word) in self.task.columns[gene].cells.iter().zip(&self.words[gene]) {
            for (lane, label) in labels[*cell as usize].iter().enumerate() {
                label.row(rows)[lane] += word;
            }
        }
        L::below(rows, self.k)
    }

    fn mark_infinities<L: Label>(&self, block: &mut Block<W>, labels: &[[L; LANES]]) {
        let width = self.k * block.lanes;
        for (gene, column) in
            self.task.columns.iter().enumerate().filter(|(g, _)| self.infinite[*g])
        {
            let values = column.cells.iter().zip(&column.values);
            for (&cell, &value) in values.filter(|(_, value)| value.is_infinite()) {
                for (lane, label) in labels[cell as usize][..block.lanes].iter().enumerate() {
                    let at = gene * width + label.index() * block.lanes + lane;
                    block.infinities[at] |= if value > 0.0 { 1 } else { 2 };
                }
            }
        }
    }

    /// The counts of interaction `i` and pair `j` in a block.
    fn compare(&self, block: &Block<W>, i: usize, j: usize) -> Tally {
        let ([s, t], [c, d]) = (self.task.interactions[i], self.task.pairs[j]);
        let sides = [s as usize * self.k + c as usize, t as usize * self.k + d as usize];
        let eta = self.eta.as_ref().map(|eta| eta[i * self.task.pairs.len() + j]);
        if self.infinite[s as usize] || self.infinite[t as usize] {
            return self.compare_infinite(block, sides, eta.unwrap_or(0.0));
        }
        let (strict, ties) = self.strict(block, sides);
        let Some(eta) = eta else { return [strict, strict, strict, ties] };
        let comparable = self.adds_exactly[s as usize] && self.adds_exactly[t as usize];
        let [a, b] = sides.map(|side| block.side(side));
        let (mut low, mut high, mut identical, mut coarse) = (0, 0, 0, false);
        for (a, b) in a.iter().zip(b) {
            low += u32::from(a + b > eta);
            high += u32::from(a + b >= -eta);
            identical += u32::from(*a == 0.0 && *b == 0.0);
            coarse |= doubt(*a, *b) > eta;
        }
        let mut counts = [strict, low, high, ties];
        if coarse {
            counts = Tally::default();
            for lane in 0..block.lanes {
                count(&mut counts, self.order(block, sides, lane), block.sum(sides, lane), eta);
            }
        }
        if comparable {
            // Each of them has been counted, since 0 >= -eta.
            counts[2] = counts[2].saturating_sub(identical);
        }
        counts
    }

    /// Number of lanes where `T_p > T_0`, and where they are equal, all finite.
    fn strict(&self, block: &Block<W>, sides: [usize; 2]) -> (u32, u32) {
        let [a, b] = sides.map(|side| block.side(side));
        let (mut above, mut doubtful) = (0, 0);
        for (a, b) in a.iter().zip(b) {
            let (sum, doubt) = (a + b, doubt(*a, *b));
            above += u32::from(sum > doubt);
            doubtful += u32::from(sum.abs() <= doubt);
        }
        if doubtful == 0 {
            return (above, 0);
        }
        let orders = (0..block.lanes).map(|lane| self.order(block, sides, lane));
        orders.fold((0, 0), |(above, ties), order| {
            (above + u32::from(order.is_gt()), ties + u32::from(order.is_eq()))
        })
    }

    /// How `T_p` compares with `T_0`, both finite.
    fn order(&self, block: &Block<W>, sides: [usize; 2], lane: usize) -> Ordering {
        let [a, b] = sides.map(|side| block.side(side)[lane]);
        if (a + b).abs() > doubt(a, b) {
            return if a + b > 0.0 { Ordering::Greater } else { Ordering::Less };
        }
        let [s, t] = sides.map(|side| {
            let sum: i128 = block.sums[side * block.lanes + lane].into();
            sum - self.observed.sums[side]
        });
        let [m, n] = sides.map(|side| i128::from(self.observed.sizes[side % self.k]));
        (s * n + t * m).cmp(&0)
    }

    /// As [`Run::compare`] where infinities may meet: `inf > x`, not `inf > inf`, and NaN exceeds nothing.
    fn compare_infinite(&self, block: &Block<W>, sides: [usize; 2], eta: f64) -> Tally {
        let base_is_infinite = sides.iter().any(|side| self.observed.means[*side].is_infinite());
        let mut counts = Tally::default();
        for lane in 0..block.lanes {
            let at = sides.map(|side| block.infinities[side * block.lanes + lane]);
            match (at[0] | at[1], base_is_infinite) {
                (0, false) => {
                    let order = self.order(block, sides, lane);
                    count(&mut counts, order, block.sum(sides, lane), eta);
                }
                (1, false) => counts[..3].iter_mut().for_each(|count| *count += 1),
                _ => {}
            }
        }
        counts
    }
}

impl<W> Block<W> {
    fn side(&self, side: usize) -> &[f64] {
        &self.differences[side * self.lanes..][..self.lanes]
    }

    /// `T_p - T_0` to float64.
    fn sum(&self, sides: [usize; 2], lane: usize) -> f64 {
        self.side(sides[0])[lane] + self.side(sides[1])[lane]
    }
}

/// The sign of `a + b` is right if its magnitude is above this.
///
/// A difference of two exact sums by a size is off by at most 2u of itself in float64, the sum of two such by u
/// more; this is 4u.
fn doubt(a: f64, b: f64) -> f64 {
    2.0 * f64::EPSILON * (a.abs() + b.abs())
}

/// Adds one comparison to the counts; low <= strict <= high whatever `eta`.
fn count(counts: &mut Tally, order: Ordering, difference: f64, eta: f64) {
    counts[0] += u32::from(order.is_gt());
    counts[1] += u32::from(order.is_gt() && difference > eta);
    counts[2] += u32::from(order.is_ge() || difference >= -eta);
    counts[3] += u32::from(order.is_eq());
}

/// What the rounding errors of a mean scale with, in units of the scale: the mean itself, or where values cancel
/// the largest magnitude of the gene.
fn magnitudes(task: &Task, observed: &Observed) -> Vec<f64> {
    let k = task.k();
    let negative = |c: &super::Column| c.values.iter().any(|v| *v < 0.0);
    let largest = |c: &super::Column| {
        let magnitudes = c.values.iter().map(|v| v.abs());
        magnitudes.fold(0.0, |most, v| if v > most { v } else { most })
    };
    let bound: Vec<Option<f64>> =
        task.columns.iter().map(|c| negative(c).then(|| largest(c))).collect();
    let magnitude =
        |(at, mean): (usize, &f64)| observed.fixed.units(bound[at / k].unwrap_or(*mean));
    observed.means.iter().enumerate().map(magnitude).collect()
}
