//! The permutation null: moments in closed form, and permutations counted in exact integers.
//!
//! The host permutes the rows of the weights and leaves the values, so with the lag `y = W z` the permuted statistic is linear in it:
//! `I_pi = k sum_i z_i y_pi(i)` with `k = n/(S0 D)`, and with row sums `r`, `a_i = z_i^2`, `k = (n-1)/(2 S0 D)`:
//! `C_pi = k (sum_i a_i r_pi(i) - 2 sum_i z_i y_pi(i) + const)`. One lag per feature serves every permutation.
//!
//! # Exact counting
//! `pval_sim` counts `statistic >= observed`, where ties are common and rounding would decide them. So the vectors are
//! rounded once to 32-bit integers and everything after is exact: the same count on any device, in any order. Each
//! product of vectors `sum_i u_i v_pi(i)` is a *channel*: Moran has (z, y - mean y), Geary (-2z, y - mean y) and (a - mean a, r - mean r);
//! what centring takes off does not depend on pi. Before, z is scaled by a power of two so that `D` is in [1, 4).
//! Scales are powers of two, `2^alpha |u| <= L` and `2^beta |v| <= L` in the Euclidean norm with `L = 2^31 - 2^16` and the
//! exponents as large as possible, so by Cauchy and Schwarz a channel is below 2^62 for every permutation and two fit an i64.
//! With two channels the finer one is coarsened, half on u and half on v (the odd bit on v), until both have one `alpha + beta = t`.
//! Elements round to the nearest integer, ties to even; a channel with a zero vector is left out.
//! Then `statistic_pi - observed = k 2^-t (G_pi - G_id)`.
//!
//! [`Permuted::resolution`] bounds what this rounding can move: only permutations whose exact statistic is that close to
//! the observed one can be counted differently.

use rayon::prelude::*;

use super::quantized::{LANES, WIDE};
use super::score::{PARALLEL_FROM, Work, centred};
use super::tile::Tile;
use super::{Mode, Rng, Task};
use crate::rng::{Permutations, SPATIAL_AUTOCORR, numpy};
use crate::sum::sum;

/// Permuted statistics, feature by feature.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Permuted {
    /// The statistic under each permutation; NaN throughout where the statistic is undefined.
    pub sims: Vec<Vec<f64>>,
    /// How many permutations reach the statistic or exceed it, ties counted, in exact arithmetic on rounded vectors.
    pub at_least: Vec<usize>,
    /// A bound, in units of the statistic, on the error of any difference between a permuted and the observed statistic.
    ///
    /// Without the error of another implementation, its count must lie between the numbers of permutations that
    /// exceed the statistic by more than this and that fall short of it by less than this.
    pub resolution: Vec<f64>,
}

/// Mean and variance of a permuted statistic over all n! permutations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NullMoments {
    /// The mean: 0 for Moran, near 1 for Geary.
    pub mean: f64,
    /// The variance.
    pub variance: f64,
}

/// Bytes of integer vectors held at a time, and permutation entries drawn at a time.
const TILE_BYTES: usize = 1 << 28;
const BLOCK_ENTRIES: usize = 1 << 22;

impl Task<'_> {
    /// The exact moments of the permuted statistic of each feature (NaN where it is undefined), for any `n_perms`.
    ///
    /// With sums of squares and products about the mean, `SS(v) = sum (v - mean)^2` and `SP(v, q)`:
    /// Moran has mean 0 and variance `k^2 SS(y) D/(n-1)`, Geary mean `k (n sum_j c_j a_j + S0 D)/n` and variance
    /// `k^2 (SS(a) SS(r) + 4 SS(z) SS(y) - 4 SP(a, z) SP(r, y))/(n-1)`.
    pub fn null_moments(&self) -> Vec<NullMoments> {
        self.each_feature(|k, Work { values, scratch }| {
            self.features.columns.fill(k, values);
            match centred(values, scratch) {
                Some(d) if self.moments.s0 != 0.0 => self.moments_of(d, scratch),
                Some(_) | None => NullMoments { mean: f64::NAN, variance: f64::NAN },
            }
        })
    }

    /// For each permutation, whether it takes every row of the weights for one that is equal to it, entry by entry.
    ///
    /// The permuted statistic then consists of the very terms of the observed one, in the same order: whoever computes
    /// both alike finds a tie, whatever the rounding. Empty without permutations.
    pub fn unmoved(&self) -> Vec<bool> {
        let (n, n_perms) = (self.n(), self.n_perms.unwrap_or(0));
        let row = |i: &u32| self.graph.row(*i as usize).map(|(j, w)| (j, w.to_bits()));
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_by(|a, b| row(a).cmp(row(b)));
        // Equal rows have one number.
        let (mut kind, mut kinds) = (vec![0u32; n], 0);
        for pair in order.windows(2) {
            kinds += u32::from(row(&pair[0]).ne(row(&pair[1])));
            kind[pair[1] as usize] = kinds;
        }
        let mut stream = Stream::new(self, n_perms);
        let mut images = vec![0; n];
        (0..n_perms)
            .map(|p| {
                stream.fill(p, &mut images, false);
                images.iter().zip(&kind).all(|(&image, own)| kind[image as usize] == *own)
            })
            .collect()
    }

    fn moments_of(&self, d: f64, z: &[f64]) -> NullMoments {
        let n = self.n();
        let k = self.mode.factor(n, self.moments.s0, d);
        let mut y = vec![0.0; n];
        self.graph.lag(z, &mut y);
        let y = about_mean(&y);
        let products = |u: &[f64], v: &[f64]| sum(n, |i| u[i] * v[i]);
        let per_draw = k * k / (n as f64 - 1.0);
        match self.mode {
            Mode::Moran => NullMoments { mean: 0.0, variance: per_draw * d * products(&y, &y) },
            Mode::Geary => {
                let a = squares(z);
                let fixed = products(&self.moments.columns, &a);
                let (a, r) = (about_mean(&a), about_mean(&self.moments.rows));
                let variance = products(&a, &a) * products(&r, &r) + 4.0 * d * products(&y, &y)
                    - 4.0 * products(&a, z) * products(&r, &y);
                let mean = k * (fixed + self.moments.s0 * d / n as f64);
                NullMoments { mean, variance: per_draw * variance }
            }
        }
    }

    pub(super) fn permuted(&self, score: &[f64], n_perms: usize) -> Permuted {
        // Of a channel: up to 4 bytes per cell for u, 4 for v, and a part of the number of the cell.
        let vectors = 9
            * self.n().max(1)
            * match self.mode {
                Mode::Moran => 1,
                Mode::Geary => 2,
            };
        let mut permuted = Permuted {
            sims: vec![vec![]; score.len()],
            at_least: vec![0; score.len()],
            resolution: vec![f64::NAN; score.len()],
        };
        // Features with like numbers of entries stand side by side: a cell costs work if one of them has an entry.
        let mut order: Vec<usize> = (0..score.len()).collect();
        order.sort_by_key(|&k| self.features.columns.stored(k));
        for features in order.chunks((TILE_BYTES / vectors).max(1).next_multiple_of(WIDE)) {
            let mut tiles = self.tiles(features, score);
            self.count(&mut tiles, n_perms);
            tiles.into_iter().for_each(|tile| tile.tell(&mut permuted));
        }
        permuted
    }

    /// Runs all permutations over some features, a block of permutations at a time.
    fn count(&self, tiles: &mut [Tile], n_perms: usize) {
        let n = self.n();
        let block = (BLOCK_ENTRIES / n.max(1)).clamp(1, n_perms).next_multiple_of(LANES);
        let work = (tiles.len() * WIDE).saturating_mul(n).saturating_mul(n_perms);
        let parallel = work >= PARALLEL_FROM;
        let mut stream = Stream::new(self, n_perms);
        let mut images = vec![0; block * n];
        let mut groups = vec![[0; LANES]; block / LANES * n];
        for first in (0..n_perms).step_by(block) {
            let perms = block.min(n_perms - first);
            stream.fill(first, &mut images[..perms * n], parallel);
            by_cell(&images, n, &mut groups);
            let groups = &groups[..perms.div_ceil(LANES) * n];
            if parallel {
                tiles.par_iter_mut().for_each(|tile| {
                    let sums = groups.par_chunks_exact(n).map(|group| tile.sums(group)).collect();
                    tile.push(sums, perms);
                });
            } else {
                for tile in &mut *tiles {
                    let sums =
                        groups.chunks_exact(n.max(1)).map(|group| tile.sums(group)).collect();
                    tile.push(sums, perms);
                }
            }
        }
    }
}

/// Of `images`, one permutation after another, groups of [`LANES`] with the images of one cell side by side.
///
/// Half a line of memory then serves a tile for a whole group. Behind the last permutation stands what was there before.
fn by_cell(images: &[u32], n: usize, groups: &mut [[u32; LANES]]) {
    let groups = groups.par_chunks_mut(n.max(1)).zip(images.par_chunks(n.max(1) * LANES));
    groups.for_each(|(group, images)| {
        for (lane, images) in images.chunks(n).enumerate() {
            group.iter_mut().zip(images).for_each(|(cell, image)| cell[lane] = *image);
        }
    });
}

fn squares(z: &[f64]) -> Vec<f64> {
    z.iter().map(|z| z * z).collect()
}

/// `v - mean(v)`.
fn about_mean(v: &[f64]) -> Vec<f64> {
    let mean = sum(v.len(), |i| v[i]) / v.len() as f64;
    let mut centred = vec![0.0; v.len()];
    centred.iter_mut().zip(v).for_each(|(c, v)| *c = v - mean);
    centred
}

/// Permutations in order, from either stream.
enum Stream {
    Concord(Permutations),
    Numpy { n: usize, seed: u64, chunk: usize, rng: numpy::Generator },
}

impl Stream {
    fn new(task: &Task<'_>, n_perms: usize) -> Stream {
        let (n, seed) = (task.n(), task.seed);
        match task.rng {
            Rng::Concord => Stream::Concord(Permutations::new(SPATIAL_AUTOCORR, seed, n)),
            Rng::Numpy { n_jobs } => {
                let chunk = n_perms.div_ceil(n_jobs);
                Stream::Numpy { n, seed, chunk, rng: numpy::Generator::new(seed) }
            }
        }
    }

    /// Writes the permutations from `first` on, one after another; each call goes on where the last one stopped.
    fn fill(&mut self, first: usize, images: &mut [u32], parallel: bool) {
        match self {
            Stream::Concord(permutations) => {
                let n = permutations.len().max(1);
                let one =
                    |(p, out): (usize, &mut [u32])| permutations.fill((first + p) as u64, out);
                if parallel {
                    images.par_chunks_exact_mut(n).enumerate().for_each(one);
                } else {
                    images.chunks_exact_mut(n).enumerate().for_each(one);
                }
            }
            Stream::Numpy { n, seed, chunk, rng } => {
                for (p, out) in images.chunks_exact_mut((*n).max(1)).enumerate() {
                    let p = first + p;
                    if p.is_multiple_of(*chunk) {
                        *rng = numpy::Generator::new(seed.wrapping_add((p / *chunk) as u64));
                    }
                    rng.permutation(out);
                }
            }
        }
    }
}
