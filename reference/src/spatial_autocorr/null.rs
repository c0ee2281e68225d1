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

use super::quantized::{Channel, LANES, Quantized, exp2, exponent, observed, quantize, statistics};
use super::score::{PARALLEL_FROM, Work, centred};
use super::{Mode, Rng, Task};
use crate::rng::{Permutations, SPATIAL_AUTOCORR, numpy};
use crate::sum::{depth, sum};

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

/// One feature, ready to be permuted.
struct Feature {
    score: f64,
    channels: Vec<Channel>,
    /// What one unit of the integers is worth, in units of the statistic.
    unit: f64,
    observed: i64,
    resolution: f64,
    sims: Vec<f64>,
    at_least: usize,
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
        // Of a channel: up to 12 bytes per cell for u, 4 for v.
        let vectors = 8
            * self.n().max(1)
            * match self.mode {
                Mode::Moran => 2,
                Mode::Geary => 4,
            };
        let tile = (TILE_BYTES / vectors).max(1);
        let mut permuted = Permuted::default();
        for first in (0..score.len()).step_by(tile) {
            let features = first..score.len().min(first + tile);
            let mut features = self.quantized(features, score);
            self.count(&mut features, n_perms);
            for feature in features {
                permuted.sims.push(feature.sims);
                permuted.at_least.push(feature.at_least);
                permuted.resolution.push(feature.resolution);
            }
        }
        permuted
    }

    fn quantized(&self, features: std::ops::Range<usize>, score: &[f64]) -> Vec<Feature> {
        let one = |work: &mut Work, k: usize| {
            self.features.columns.fill(k, &mut work.values);
            let task = self;
            // By the vectors that the processor has: without them each element is rounded by a call.
            pulp::Arch::new().dispatch(Prepare { task, score: score[k], work })
        };
        if features.len() * (self.n() + self.graph.weights.len()) < PARALLEL_FROM {
            let mut work = Work::new(self.n());
            features.map(|k| one(&mut work, k)).collect()
        } else {
            features.into_par_iter().map_init(|| Work::new(self.n()), one).collect()
        }
    }

    #[inline(always)]
    fn feature(&self, score: f64, Work { values, scratch: z }: &mut Work) -> Feature {
        let undefined = Feature {
            score: f64::NAN,
            channels: vec![],
            unit: 0.0,
            observed: 0,
            resolution: f64::NAN,
            sims: vec![],
            at_least: 0,
        };
        let Some(d) = centred(values, z).filter(|_| score.is_finite()) else { return undefined };
        // A shift rounds down, so that D lands in [1, 4) from either side.
        let scale = exp2(-(exponent(d) >> 1));
        z.iter_mut().for_each(|z| *z *= scale);
        let n = self.n();
        let d = sum(n, |i| z[i] * z[i]);
        let (y, magnitude) = self.lag_and_magnitude(z);
        let y = about_mean(&y);
        let pairs = match self.mode {
            Mode::Moran => vec![(z.clone(), y)],
            Mode::Geary => vec![
                (z.iter().map(|z| -2.0 * z).collect(), y),
                (about_mean(&squares(z)), about_mean(&self.moments.rows)),
            ],
        };
        let k = self.mode.factor(n, self.moments.s0, d);
        let Quantized { channels, exponent, bound } = quantize(pairs);
        Feature {
            score,
            observed: observed(&channels),
            unit: k * exp2(-exponent),
            resolution: 2.0 * k.abs() * (bound + self.lag_error(z, &magnitude)),
            channels,
            sims: vec![],
            at_least: 0,
        }
    }

    /// `W z`, each row in stored order, and `|W||z|`.
    #[inline(always)]
    fn lag_and_magnitude(&self, z: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (mut y, mut magnitude) = (vec![0.0; self.n()], vec![0.0; self.n()]);
        for i in 0..self.n() {
            let (mut lag, mut size) = (0.0, 0.0);
            for (j, w) in self.graph.row(i) {
                let term = w * z[j];
                lag += term;
                size += term.abs();
            }
            (y[i], magnitude[i]) = (lag, size);
        }
        (y, magnitude)
    }

    /// A bound on the rounding error of `sum_i u_i v_pi(i)` that the vectors carry before they become integers, over all pi.
    ///
    /// An element of the lag errs by at most `(longest row + 1) u (|W||z|)_i`, of the mean by a tree's depth, of z and a by a
    /// few u; Cauchy and Schwarz turn that into norms.
    #[inline(always)]
    fn lag_error(&self, z: &[f64], magnitude: &[f64]) -> f64 {
        let n = self.n();
        let roundings = (self.graph.longest_row() as u32 + depth(n) + 8) as f64;
        let norm = |term: &dyn Fn(usize) -> f64| sum(n, |i| term(i).powi(2)).sqrt();
        let lag = norm(&|i| z[i]) * norm(&|i| magnitude[i]);
        let u = f64::EPSILON / 2.0;
        match self.mode {
            Mode::Moran => roundings * u * lag,
            Mode::Geary => {
                let weight = |i: usize| self.graph.row(i).map(|(_, w)| w.abs()).sum::<f64>();
                roundings * u * (2.0 * lag + norm(&|i| z[i] * z[i]) * norm(&weight))
            }
        }
    }

    /// Runs all permutations over some features, a block of permutations at a time.
    fn count(&self, features: &mut [Feature], n_perms: usize) {
        let n = self.n();
        let block = (BLOCK_ENTRIES / n.max(1)).clamp(1, n_perms).next_multiple_of(LANES);
        let work = features.len().saturating_mul(n).saturating_mul(n_perms);
        let parallel = work >= PARALLEL_FROM;
        let mut stream = Stream::new(self, n_perms);
        let mut images = vec![0; block * n];
        let mut groups = vec![[0; LANES]; block / LANES * n];
        for first in (0..n_perms).step_by(block) {
            let perms = block.min(n_perms - first);
            stream.fill(first, &mut images[..perms * n], parallel);
            by_cell(&images, n, &mut groups);
            let groups = &groups[..perms.div_ceil(LANES) * n];
            let simd = pulp::Arch::new();
            let permute = |feature: &mut Feature| {
                simd.dispatch(Permute { feature, groups, n, perms });
            };
            if parallel {
                features.par_iter_mut().for_each(permute);
            } else {
                features.iter_mut().for_each(permute);
            }
        }
    }
}

/// Of `images`, one permutation after another, groups of [`LANES`] with the images of one cell side by side.
///
/// A line of memory then serves a feature for a whole group. Behind the last permutation stands what was there before.
fn by_cell(images: &[u32], n: usize, groups: &mut [[u32; LANES]]) {
    let groups = groups.par_chunks_mut(n.max(1)).zip(images.par_chunks(n.max(1) * LANES));
    groups.for_each(|(group, images)| {
        for (lane, images) in images.chunks(n).enumerate() {
            group.iter_mut().zip(images).for_each(|(cell, image)| cell[lane] = *image);
        }
    });
}

/// [`Task::feature`], to be compiled for each kind of vectors.
struct Prepare<'a> {
    task: &'a Task<'a>,
    score: f64,
    work: &'a mut Work,
}

impl pulp::NullaryFnOnce for Prepare<'_> {
    type Output = Feature;

    #[inline(always)]
    fn call(self) -> Feature {
        self.task.feature(self.score, self.work)
    }
}

/// Some permutations of a feature, compiled for each kind of vectors.
struct Permute<'a> {
    feature: &'a mut Feature,
    groups: &'a [[u32; LANES]],
    n: usize,
    perms: usize,
}

impl pulp::NullaryFnOnce for Permute<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Permute { feature, groups, n, perms } = self;
        let mut left = perms;
        for group in groups.chunks_exact(n.max(1)) {
            let sums = statistics(&feature.channels, group);
            let now = left.min(LANES);
            sums[..now].iter().for_each(|sum| feature.push(*sum));
            left -= now;
        }
    }
}

impl Feature {
    fn push(&mut self, permuted: i64) {
        // Negative total weight turns the order around.
        let reaches =
            if self.unit >= 0.0 { permuted >= self.observed } else { permuted <= self.observed };
        let excess = (i128::from(permuted) - i128::from(self.observed)) as f64;
        self.at_least += usize::from(reaches && !self.score.is_nan());
        self.sims.push(self.score + self.unit * excess);
    }
}

#[inline(always)]
fn squares(z: &[f64]) -> Vec<f64> {
    z.iter().map(|z| z * z).collect()
}

/// `v - mean(v)`.
#[inline(always)]
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
