//! Features side by side, on their way to integers that are permuted; [`null`](super::null) says what is computed and why.

use rayon::prelude::*;

use super::quantized::{
    Channel, LANES, Pair, Row, Scales, WIDE, exp2, exponent, observed, statistics,
};
use super::score::{PARALLEL_FROM, Work, centred};
use super::{Mode, Permuted, Task};
use crate::graph::Graph;
use crate::sum::{Terms, depth, sum, sums};

/// What a thread reuses from tile to tile: a feature, and two vectors over cells of all features of a tile.
struct Bench {
    work: Work,
    z: Vec<Row<f64>>,
    lags: Vec<Row<f64>>,
}

impl Bench {
    fn new(n: usize) -> Bench {
        Bench { work: Work::new(n), z: vec![[0.0; WIDE]; n], lags: vec![[0.0; WIDE]; n] }
    }
}

/// Up to [`WIDE`] features, ready to be permuted; behind the last stand zeros.
pub(super) struct Tile {
    features: Vec<usize>,
    /// NaN where the statistic is undefined.
    score: Row<f64>,
    channels: Vec<Channel>,
    /// What one unit of the integers is worth, in units of the statistic.
    unit: Row<f64>,
    observed: Row<i64>,
    resolution: Row<f64>,
    sims: Vec<Row<f64>>,
    at_least: Row<usize>,
}

impl Task<'_> {
    /// The features in tiles, in the order given.
    pub(super) fn tiles(&self, features: &[usize], score: &[f64]) -> Vec<Tile> {
        let one = |bench: &mut Bench, features: &[usize]| {
            let task = self;
            // By the vectors that the processor has: without them each element is rounded by a call.
            pulp::Arch::new().dispatch(Prepare { task, features, score, bench })
        };
        if features.len() * (self.n() + self.graph.weights.len()) < PARALLEL_FROM {
            let mut bench = Bench::new(self.n());
            features.chunks(WIDE).map(|features| one(&mut bench, features)).collect()
        } else {
            features.par_chunks(WIDE).map_init(|| Bench::new(self.n()), one).collect()
        }
    }

    #[inline(always)]
    fn tile(&self, features: &[usize], scores: &[f64], bench: &mut Bench) -> Tile {
        let n = self.n();
        let Bench { work: Work { values, scratch }, z, lags } = bench;
        let mut score = [f64::NAN; WIDE];
        z.fill([0.0; WIDE]);
        for (lane, &k) in features.iter().enumerate().filter(|(_, k)| scores[**k].is_finite()) {
            self.features.columns.fill(k, values);
            let Some(d) = centred(values, scratch) else { continue };
            score[lane] = scores[k];
            // A shift rounds down, so that D lands in [1, 4) from either side.
            let scale = exp2(-(exponent(d) >> 1));
            z.iter_mut().zip(scratch.iter()).for_each(|(row, z)| row[lane] = z * scale);
        }
        let z = &z[..];
        let [d, in_lag, total] = sums(n, Lagging { graph: &self.graph, z, lags });
        let (y, mean) = (&lags[..], over(total, n));
        let y = |i: usize| about(y[i], mean);
        let (channels, exponent, bound, in_squares) = match self.mode {
            Mode::Moran => {
                let mut pair = Pair::new(n, |i| z[i], y);
                let exponent = Scales::common(&mut [pair.scales()]);
                let (channel, bound) = pair.channel();
                (vec![channel], exponent, bound, None)
            }
            Mode::Geary => {
                let r = &self.moments.rows;
                let in_rows = sum(n, |i| r[i]) / n as f64;
                let [total, in_squares] = sums(n, Powers { z });
                let mean = over(total, n);
                let mut products = Pair::new(n, |i| doubled(z[i]), y);
                let a = |i: usize| about(squares(z[i]), mean);
                let mut rows = Pair::new(n, a, |i| [r[i] - in_rows; WIDE]);
                let exponent = Scales::common(&mut [products.scales(), rows.scales()]);
                let ((first, mut bound), (second, more)) = (products.channel(), rows.channel());
                for lane in 0..WIDE {
                    bound[lane] += more[lane];
                }
                (vec![first, second], exponent, bound, Some(in_squares))
            }
        };
        let error = self.lag_error(d, in_lag, in_squares);
        let (mut unit, mut resolution) = ([0.0; WIDE], [f64::NAN; WIDE]);
        for lane in (0..WIDE).filter(|&lane| !score[lane].is_nan()) {
            let k = self.mode.factor(n, self.moments.s0, d[lane]);
            unit[lane] = k * exp2(-exponent[lane]);
            resolution[lane] = 2.0 * k.abs() * (bound[lane] + error[lane]);
        }
        Tile {
            features: features.to_vec(),
            score,
            observed: observed(&channels),
            channels,
            unit,
            resolution,
            sims: vec![],
            at_least: [0; WIDE],
        }
    }

    /// A bound on the rounding error of `sum_i u_i v_pi(i)` that the vectors carry before they become integers, over all pi:
    /// from `sum z_i^2`, `sum (|W||z|)_i^2` and for Geary `sum z_i^4`.
    ///
    /// An element of the lag errs by at most `(longest row + 1) u (|W||z|)_i`, of the mean by a tree's depth, of z and a by a
    /// few u; Cauchy and Schwarz turn that into norms.
    fn lag_error(
        &self,
        in_z: Row<f64>,
        in_lag: Row<f64>,
        in_squares: Option<Row<f64>>,
    ) -> Row<f64> {
        let n = self.n();
        let roundings = (self.graph.longest_row() as u32 + depth(n) + 8) as f64;
        let weight = |i: usize| self.graph.row(i).map(|(_, w)| w.abs()).sum::<f64>();
        let squares = in_squares.map(|squares| (squares, sum(n, |i| weight(i).powi(2)).sqrt()));
        let u = f64::EPSILON / 2.0;
        let mut error = [0.0; WIDE];
        for lane in 0..WIDE {
            let lag = in_z[lane].sqrt() * in_lag[lane].sqrt();
            error[lane] = match squares {
                None => roundings * u * lag,
                Some((squares, weights)) => {
                    roundings * u * (2.0 * lag + squares[lane].sqrt() * weights)
                }
            };
        }
        error
    }
}

/// [`Task::tile`], to be compiled for each kind of vectors.
struct Prepare<'a> {
    task: &'a Task<'a>,
    features: &'a [usize],
    score: &'a [f64],
    bench: &'a mut Bench,
}

impl pulp::NullaryFnOnce for Prepare<'_> {
    type Output = Tile;

    #[inline(always)]
    fn call(self) -> Tile {
        self.task.tile(self.features, self.score, self.bench)
    }
}

impl Tile {
    /// The sums of some permutations.
    pub(super) fn sums(&self, images: &[[u32; LANES]]) -> [Row<i64>; LANES] {
        statistics(&self.channels, images)
    }

    /// Takes the sums of the next `perms` permutations; behind them may stand others.
    pub(super) fn push(&mut self, sums: Vec<[Row<i64>; LANES]>, perms: usize) {
        for sums in sums.as_flattened().iter().take(perms) {
            let mut sims = [0.0; WIDE];
            for (lane, &permuted) in sums.iter().enumerate() {
                let (unit, score, observed) =
                    (self.unit[lane], self.score[lane], self.observed[lane]);
                // Negative total weight turns the order around.
                let reaches = if unit >= 0.0 { permuted >= observed } else { permuted <= observed };
                let excess = (i128::from(permuted) - i128::from(observed)) as f64;
                self.at_least[lane] += usize::from(reaches && !score.is_nan());
                sims[lane] = score + unit * excess;
            }
            self.sims.push(sims);
        }
    }

    /// Writes down what was found.
    pub(super) fn tell(self, permuted: &mut Permuted) {
        for (lane, &k) in self.features.iter().enumerate() {
            permuted.sims[k] = self.sims.iter().map(|sims| sims[lane]).collect();
            permuted.at_least[k] = self.at_least[lane];
            permuted.resolution[k] = self.resolution[lane];
        }
    }
}

/// `z_i^2`, `(|W||z|)_i^2` and the lag `(W z)_i`, which is written down; each row of W in stored order.
struct Lagging<'a> {
    graph: &'a Graph,
    z: &'a [Row<f64>],
    lags: &'a mut [Row<f64>],
}

impl Terms<WIDE, 3> for Lagging<'_> {
    #[inline(always)]
    fn at(&mut self, i: usize) -> [Row<f64>; 3] {
        let (mut lag, mut size) = ([0.0; WIDE], [0.0; WIDE]);
        for (j, w) in self.graph.row(i) {
            let z = &self.z[j];
            for lane in 0..WIDE {
                let term = w * z[lane];
                lag[lane] += term;
                size[lane] += term.abs();
            }
        }
        self.lags[i] = lag;
        [squares(self.z[i]), squares(size), lag]
    }
}

/// `z_i^2` and `z_i^4`.
struct Powers<'a> {
    z: &'a [Row<f64>],
}

impl Terms<WIDE, 2> for Powers<'_> {
    #[inline(always)]
    fn at(&mut self, i: usize) -> [Row<f64>; 2] {
        let square = squares(self.z[i]);
        [square, squares(square)]
    }
}

#[inline(always)]
fn squares(mut row: Row<f64>) -> Row<f64> {
    row.iter_mut().for_each(|x| *x *= *x);
    row
}

#[inline(always)]
fn doubled(mut row: Row<f64>) -> Row<f64> {
    row.iter_mut().for_each(|x| *x *= -2.0);
    row
}

/// `x - mean`.
#[inline(always)]
fn about(mut row: Row<f64>, mean: Row<f64>) -> Row<f64> {
    for lane in 0..WIDE {
        row[lane] -= mean[lane];
    }
    row
}

fn over(mut row: Row<f64>, n: usize) -> Row<f64> {
    row.iter_mut().for_each(|x| *x /= n as f64);
    row
}
