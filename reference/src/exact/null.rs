//! Permutation nulls: moments in closed form, single permutations, and all of them.
//!
//! There are two. The host permutes the *rows* of the weights: row i is row `pi(i)`, values stay. What Cliff and Ord mean,
//! and `esda` does, is to permute the *labels*: cell i has the value of cell `pi(i)`. They differ in mean and variance;
//! the host's is smaller for noise and larger for smooth features. The oracle knows both, so that a difference
//! between the two is not taken for an error of arithmetic, and is shown where it is the host's.
//!
//! Rows, in the notation of [`super::spatial_autocorr`] with `Y = W Z`, `A_i = Z_i^2`, `Q = sum Z^2`, row sums r, column
//! sums c and `P(u, v) = n sum u v - sum u sum v` (specification A.1.5, multiplied out):
//!
//! ```text
//! Moran   mean 0                                          variance n P(Y,Y) / ((n-1) S0^2 Q)
//! Geary   mean (n-1)(n sum c_j A_j + S0 Q) / (2 n S0 Q)   variance (n-1)(P(A,A)P(r,r) + 4 P(Z,Z)P(Y,Y) - 4 P(A,Z)P(r,Y)) / (4 n^2 S0^2 Q^2)
//! ```
//!
//! Labels, for graphs without loops and n >= 4: the randomisation moments of Cliff and Ord (1981), equations 2.19 to 2.25
//! with `b_2 = n sum z^4 / (sum z^2)^2`, multiplied out.

use num_bigint::BigInt;
use num_traits::Signed;

use super::ring::{Ring, about_means, dot, square, sum};
use super::spatial_autocorr::{Feature, Question, features, over_ring};
use super::weights::{Weights, finite};
use super::{Beyond, Number, Tally, arrangements};
use crate::spatial_autocorr::{Mode, Task};

/// What is permuted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Null {
    /// The rows of the weights: what the host and its backends do.
    Rows,
    /// The values of the cells: what Cliff and Ord, and `esda`, do.
    Labels,
}

/// Mean and variance of the statistic over all n! permutations.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// The mean.
    pub mean: Number,
    /// The variance, of the whole population.
    pub variance: Number,
}

/// The null of one feature, permutation by permutation.
#[derive(Clone, Debug, PartialEq)]
pub struct Enumeration {
    /// Mean and variance.
    pub moments: Moments,
    /// How the permuted statistics compare with the observed one.
    pub tally: Tally,
}

/// The moments of each feature's null; `None` where they are undefined, and for [`Null::Labels`] where the closed form
/// does not hold: loops, fewer than 4 cells.
pub fn null_moments(task: &Task<'_>, null: Null) -> Vec<Option<Moments>> {
    over_ring(task, null)
}

/// The statistic of each feature under one permutation, `images[i] = pi(i)`; `None` where it is undefined.
///
/// # Panics
/// When `images` is no permutation of the cells.
pub fn permuted_scores(task: &Task<'_>, null: Null, images: &[usize]) -> Vec<Option<Number>> {
    let mut inverse = vec![usize::MAX; task.n()];
    images.iter().enumerate().for_each(|(i, image)| inverse[*image] = i);
    assert!(!inverse.contains(&usize::MAX), "a permutation of {} cells", task.n());
    over_ring(task, One { null, images, inverse })
}

/// The whole null of each feature, by definition; `None` where the statistic is undefined.
///
/// # Errors
/// [`Beyond::Arrangements`] for more than `limit` permutations; 40 320 allows 8 cells.
pub fn enumerate_null(
    task: &Task<'_>,
    null: Null,
    limit: u64,
) -> Result<Vec<Option<Enumeration>>, Beyond> {
    let cells: Vec<u32> = (0..task.n() as u32).collect();
    arrangements::count(&cells, limit)?;
    let weights = match finite(task) {
        true => Weights::integers(task),
        false => None,
    };
    let Some(weights) = weights else { return Ok(vec![None; task.features.len()]) };
    let all = |feature: Option<Feature<BigInt>>| enumerate(task.mode, null, &weights, &feature?);
    Ok(features(task).map(all).collect())
}

fn enumerate(
    mode: Mode,
    null: Null,
    weights: &Weights<BigInt>,
    feature: &Feature<BigInt>,
) -> Option<Enumeration> {
    let s0 = weights.s0();
    let n = weights.n;
    let terms: Vec<BigInt> = (0..n * n).map(|at| feature.term(mode, at / n, at % n)).collect();
    let numerator = |pi: &[u32]| {
        let term = |((i, j), w): (&(usize, usize), &BigInt)| {
            let [i, j] = null.ends(*i, *j, |i| pi[i] as usize);
            w * &terms[i * n + j]
        };
        weights.entries.iter().map(term).sum::<BigInt>()
    };
    let cells: Vec<u32> = (0..n as u32).collect();
    // A negative total weight turns the order of the statistics around.
    let observed = numerator(&cells) * s0.signum();
    let (mut tally, mut total, mut squares) = (Tally::default(), BigInt::ZERO, BigInt::ZERO);
    arrangements::each(&cells, |pi| {
        let permuted = numerator(pi);
        tally.add((&permuted * s0.signum()).cmp(&observed));
        squares += &permuted * &permuted;
        total += permuted;
    });
    let (factor, denominator) = feature.factor(mode, s0);
    let count = BigInt::from(tally.total);
    let spread = (&count * squares - square(&total)) * square(&factor);
    let variance = spread.over(square(&(&count * &denominator)))?;
    let mean = (factor * total).over(count * denominator)?;
    Some(Enumeration { moments: Moments { mean, variance }, tally })
}

impl Null {
    /// Whose values stand at the ends of edge (i, j) under a permutation, or under its inverse where only all are wanted.
    fn ends(self, i: usize, j: usize, image: impl Fn(usize) -> usize) -> [usize; 2] {
        match self {
            Null::Rows => [image(i), j],
            Null::Labels => [image(i), image(j)],
        }
    }
}

struct One<'a> {
    null: Null,
    images: &'a [usize],
    inverse: Vec<usize>,
}

impl Question for One<'_> {
    type Answer = Vec<Option<Number>>;

    fn ask<R: Ring>(&self, task: &Task<'_>, weights: &Weights<R>) -> Self::Answer {
        // Row pi(i) comes to cell i: the edges of row i to the cell that pi takes to i.
        let image = |i: usize| match self.null {
            Null::Rows => self.inverse[i],
            Null::Labels => self.images[i],
        };
        let score = |feature: Option<Feature<R>>| {
            let feature = feature?;
            let numerator = weights.weighted(|i, j| {
                let [i, j] = self.null.ends(i, j, image);
                feature.term(task.mode, i, j)
            });
            let (factor, denominator) = feature.factor(task.mode, weights.s0());
            (factor * numerator).over(denominator)
        };
        features(task).map(score).collect()
    }

    fn undefined(&self, task: &Task<'_>) -> Self::Answer {
        vec![None; task.features.len()]
    }
}

impl Question for Null {
    type Answer = Vec<Option<Moments>>;

    fn ask<R: Ring>(&self, task: &Task<'_>, weights: &Weights<R>) -> Self::Answer {
        let loops = weights.entries.keys().any(|(i, j)| i == j);
        let moments = |feature: Option<Feature<R>>| match self {
            Null::Rows => of_rows(task.mode, weights, &feature?),
            Null::Labels if loops || weights.n < 4 => None,
            Null::Labels => of_labels(task.mode, weights, &feature?),
        };
        features(task).map(moments).collect()
    }

    fn undefined(&self, task: &Task<'_>) -> Self::Answer {
        vec![None; task.features.len()]
    }
}

fn of_rows<R: Ring>(mode: Mode, weights: &Weights<R>, feature: &Feature<R>) -> Option<Moments> {
    let integer = |value: i64| R::from(value);
    let (n, z, q) = (weights.n as i64, &feature.z, &feature.squares);
    let (s0, y) = (weights.s0(), weights.lag(z));
    let scale = s0.clone() * q.clone();
    match mode {
        Mode::Moran => {
            let spread = integer(n) * about_means(&y, &y);
            let variance = spread.over(integer(n - 1) * s0 * scale)?;
            Some(Moments { mean: integer(0).over(integer(1))?, variance })
        }
        Mode::Geary => {
            let (r, c) = (weights.row_sums(), weights.column_sums());
            let a: Vec<R> = z.iter().map(square).collect();
            let mean = integer(n - 1) * (integer(n) * dot(&c, &a) + scale.clone());
            let spread = about_means(&a, &a) * about_means(&r, &r)
                + integer(4) * about_means(z, z) * about_means(&y, &y)
                - integer(4) * about_means(&a, z) * about_means(&r, &y);
            Some(Moments {
                mean: mean.over(integer(2 * n) * scale.clone())?,
                variance: (integer(n - 1) * spread)
                    .over(integer(2 * n) * integer(2 * n) * square(&scale))?,
            })
        }
    }
}

fn of_labels<R: Ring>(mode: Mode, weights: &Weights<R>, feature: &Feature<R>) -> Option<Moments> {
    let integer = |value: i64| R::from(value);
    let n = weights.n as i64;
    let (twice_s1, s2) = (weights.twice_s1(), weights.s2());
    let s0_squared = square(&weights.s0());
    // b_2 = kurtosis / squared.
    let squared = square(&feature.squares);
    let kurtosis = integer(n) * sum(feature.z.iter().map(|z| square(&square(z))));
    // (on squared - off kurtosis): what multiplies a moment of the weights.
    let per = |on: i64, off: i64| integer(on) * squared.clone() - integer(off) * kurtosis.clone();
    let scale = s0_squared.clone() * squared.clone();
    match mode {
        Mode::Moran => {
            // Times 2 (n-1)(n-2)(n-3) S0^2 squared.
            let about_zero = integer(n) * twice_s1 * per(n * n - 3 * n + 3, n - 1)
                - integer(2 * n) * s2 * per(n, 2)
                + integer(6) * s0_squared * per(n, 2);
            let falling = integer((n - 2) * (n - 3));
            let numerator =
                integer(n - 1) * about_zero - integer(2) * falling.clone() * scale.clone();
            let denominator = integer(2 * (n - 1) * (n - 1)) * falling * scale;
            Some(Moments {
                mean: integer(-1).over(integer(n - 1))?,
                variance: numerator.over(denominator)?,
            })
        }
        Mode::Geary => {
            // Times 4 n (n-2)(n-3) S0^2 squared.
            let numerator = integer(2 * (n - 1)) * twice_s1 * per(n * n - 3 * n + 3, n - 1)
                - integer(n - 1) * s2 * per(n * n + 3 * n - 6, n * n - n + 2)
                + integer(4) * s0_squared * per(n * n - 3, (n - 1) * (n - 1));
            let denominator = integer(4 * n) * integer((n - 2) * (n - 3)) * scale;
            Some(Moments {
                mean: integer(1).over(integer(1))?,
                variance: numerator.over(denominator)?,
            })
        }
    }
}
