//! How far two correct implementations of Moran's I and Geary's C may be apart on a given input.
//!
//! Notation of spec A.1.4 and of the CUDA notes 4.1-4.3: u the unit roundoff, `g(q) = q u / (1 - q u)` the bound for a
//! chain of q roundings, z the centred values, D = sum z^2, t = r + c the sum of row and column sums of W,
//! k' the longest row. Sums are allowed any order: a chain over all n rows and k' edges of a row. Each bound
//! is for one side; what two sides may differ by is the sum of theirs. A side in a coarser class of arithmetic has the
//! same bounds with its own u, and what its inputs lose when they are taken in.

use reference::graph::{Graph, Moments};
use reference::spatial_autocorr::{Mode, Task, centred, geary_numerator, moran_numerator};

use crate::profile::{Profile, U32, U64};

/// What of the bounds depends on the graph and not on the feature.
pub(crate) struct GraphBounds {
    /// `g(n + k' + 8)` of both sides: a sum over all edges in any order.
    chain: f64,
    /// `g(n + 8)` of each side: a sum over all cells in any order.
    cells: [f64; 2],
    /// Relative error of S0, both sides: rounding against cancellation, `g(n + k') sum|w| / |S0|`.
    s0: f64,
    /// Rounding of weights and S0, both sides: relative to sums of magnitudes.
    weights: f64,
    /// Quotients and products at the end, both sides: 4u each.
    last: f64,
    /// Bound on the difference of the two variances; infinite if there is no telling.
    pub(crate) variance: f64,
    /// `||t - mean t||`.
    tilt: f64,
    /// The largest row sum and the largest column sum of |W|.
    largest: [f64; 2],
}

/// Bounds for one feature.
pub(crate) struct FeatureBounds {
    /// Values are all equal, or one is not finite: the statistic is NaN, exactly.
    pub(crate) undefined: bool,
    /// Bound on the difference of the two statistics; infinite if the input leaves no digit.
    pub(crate) score: f64,
    /// Bound on the difference of any permuted statistic.
    pub(crate) permuted: f64,
}

fn chain(roundings: f64, u: f64) -> f64 {
    let x = roundings * u;
    if x < 0.5 { x / (1.0 - x) } else { f64::INFINITY }
}

impl GraphBounds {
    pub(crate) fn new(task: &Task<'_>, peers: [Profile; 2]) -> GraphBounds {
        let n = task.n() as f64;
        let longest = task.graph.longest_row() as f64;
        let magnitudes = magnitudes(&task.graph);
        let s0 = task.moments.s0.abs();
        let in_f32 = |p: Profile| p.graph_in_f32 && task.raw_graph.dtype == dispatch::Dtype::F32;
        let weights = peers.map(|p| {
            if !in_f32(p) {
                return p.cast() + chain(longest + 2.0, p.unit());
            }
            // squidpy divides each float32 row by its float32 sum (k' + 1 roundings) and adds S0 up by rows
            // and then pairwise (blocks of 128 in 8 chains).
            let normalised = if task.transformation { longest + 2.0 } else { 0.0 };
            chain(normalised + longest + 20.0 + n.max(2.0).log2(), U32)
        });
        let variance = peers.iter().map(|&p| {
            let (roundings, u) = if in_f32(p) {
                (2.0 * n.max(2.0).log2() + 3.0 * longest + 32.0, U32)
            } else {
                (n + 2.0 * longest + 24.0, p.unit())
            };
            // Weights enter squared, and those of S0 below the line as well.
            variance_error(task, &magnitudes, chain(roundings, u) + 4.0 * p.cast(), u)
        });
        let t: Vec<f64> =
            task.moments.rows.iter().zip(&task.moments.columns).map(|(r, c)| r + c).collect();
        let mean = t.iter().sum::<f64>() / n;
        let both = |bound: &dyn Fn(Profile) -> f64| peers.iter().map(|p| bound(*p)).sum::<f64>();
        GraphBounds {
            chain: both(&|p| chain(n + longest + 8.0, p.unit())),
            cells: peers.map(|p| chain(n + 8.0, p.unit())),
            s0: both(&|p| chain(n + longest, p.unit())) * magnitudes.s0 / s0,
            weights: weights.iter().sum(),
            last: both(&|p| 4.0 * p.unit()),
            variance: variance.sum(),
            tilt: t.iter().map(|t| (t - mean).powi(2)).sum::<f64>().sqrt(),
            largest: [&magnitudes.rows, &magnitudes.columns]
                .map(|sums| sums.iter().fold(0.0_f64, |m, s| m.max(*s))),
        }
    }
}

/// The moments of |W|: what rounding errors scale with where weights of both signs cancel.
fn magnitudes(graph: &Graph) -> Moments {
    let mut graph = graph.clone();
    graph.weights.iter_mut().for_each(|w| *w = w.abs());
    graph.moments()
}

/// Error of the variance: every sum in it is wrong by `relative` of its magnitudes (4.3).
fn variance_error(task: &Task<'_>, of: &Moments, relative: f64, u: f64) -> f64 {
    let (n, s0) = (task.n() as f64, task.moments.s0.abs());
    // S0 enters squared, in the numerator and below the line.
    let cancelled = of.s0 / s0;
    let size = match task.mode {
        Mode::Moran => {
            (n * n * of.s1 + n * of.s2 + 3.0 * of.s0 * of.s0) / ((n - 1.0) * (n + 1.0) * s0 * s0)
        }
        Mode::Geary => {
            ((2.0 * of.s1 + of.s2) * (n - 1.0) + 4.0 * of.s0 * of.s0) / (2.0 * (n + 1.0) * s0 * s0)
        }
    };
    let subtracted = match task.mode {
        Mode::Moran => 4.0 * u / (n - 1.0).powi(2),
        Mode::Geary => 0.0,
    };
    let error = relative * size * (1.0 + 2.0 * cancelled) + subtracted;
    if error.is_nan() { f64::INFINITY } else { error }
}

impl FeatureBounds {
    /// Bounds for the values `x` of one feature; `z` is scratch of the same length.
    pub(crate) fn new(
        task: &Task<'_>,
        graph: &GraphBounds,
        peers: [Profile; 2],
        sparse: bool,
        x: &[f64],
        z: &mut [f64],
    ) -> FeatureBounds {
        let Some(d) = centred(x, z) else {
            let constant = x.iter().all(|v| *v == x[0]) || x.iter().any(|v| !v.is_finite());
            // Not constant and yet no D: it is beyond the range of float64, and anything may happen.
            return FeatureBounds {
                undefined: constant,
                score: f64::INFINITY,
                permuted: f64::INFINITY,
            };
        };
        let n = task.n() as f64;
        let s0 = task.moments.s0.abs();
        let norm = d.sqrt();
        let squares: f64 = x.iter().map(|v| v * v).sum();
        // The mean of each side is wrong by at most its shift (first-order bound of any summation order).
        let mean_magnitude = x.iter().map(|v| v.abs()).sum::<f64>() / n;
        let shifts = graph.cells.map(|cells| cells * mean_magnitude);
        // Inputs rounded by a factor 1 + u move x, and its projection z, by at most u ||x|| in norm.
        let casts = peers.map(|p| p.cast() * squares.sqrt());
        let expanded = |p: &Profile| {
            if !(p.expanded_geary && sparse && task.mode == Mode::Geary) {
                return 0.0;
            }
            // sum x^2 - 2 m sum x + n m^2: each term is wrong by g(n) of itself.
            let mean = x.iter().sum::<f64>() / n;
            chain(n + 8.0, U64) * (squares + 3.0 * n * mean * mean) / d
        };
        let centred = graph.cells.iter().zip(&shifts).zip(&casts);
        let denominator = centred
            .map(|((cells, shift), cast)| {
                cells + n * shift * shift / d + 2.0 * cast / norm + cast * cast / d
            })
            .chain(peers.iter().map(expanded))
            .chain(peers.iter().map(|p| n * p.underflow() / d))
            .sum::<f64>();
        // Of the sums of |W|, for any order of the rows, so also after a permutation:
        // |sum w u_i v_j| <= sqrt(max r max c) ||u|| ||v|| (Schur), sum w (u_i - u_j)^2 <= 2 (max r + max c) ||u||^2.
        let [rows, columns] = graph.largest;
        let spread = match task.mode {
            Mode::Moran => (rows * columns).sqrt(),
            Mode::Geary => 2.0 * (rows + columns),
        };
        let shifted = |shift: f64| shift * norm * graph.tilt + shift * shift * s0;
        // A product of a weight and two values: lost twice, once in units of the weight.
        let edges = task.graph.weights.len() as f64;
        let lost = peers.map(|p| edges * (1.0 + rows.max(columns)) * p.underflow());
        let lost = lost.iter().sum::<f64>();
        let taken_in = casts.map(|cast| spread * (2.0 * norm + cast) * cast).iter().sum::<f64>();
        let (scale, numerator, magnitude, moved) = match task.mode {
            Mode::Moran => {
                let magnitude = absolute_cross_product(&task.graph, z);
                let moved = shifts.map(shifted).iter().sum::<f64>() + taken_in + lost;
                (n / s0 / d, moran_numerator(&task.graph, z), magnitude, moved)
            }
            Mode::Geary => {
                let magnitude = absolute_squares(&task.graph, x);
                (
                    (n - 1.0) / (2.0 * s0) / d,
                    geary_numerator(&task.graph, x),
                    magnitude,
                    taken_in + lost,
                )
            }
        };
        let score = (scale * numerator).abs();
        let permuted_magnitude = spread * d;
        let value = x.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let overflows = peers.iter().any(|p| {
            let [of_sums, of_inputs] = p.largest();
            squares.max(permuted_magnitude) > of_sums || value > of_inputs
        });
        let bound = |magnitude: f64, score: f64| {
            let error = scale * (graph.chain * magnitude + moved + graph.weights * magnitude)
                + score * (denominator + graph.s0 + graph.weights + graph.last);
            if denominator < 0.5 && !error.is_nan() && !overflows { error } else { f64::INFINITY }
        };
        FeatureBounds {
            undefined: false,
            score: bound(magnitude, score),
            permuted: bound(permuted_magnitude.max(magnitude), scale * permuted_magnitude),
        }
    }
}

fn absolute_cross_product(graph: &Graph, z: &[f64]) -> f64 {
    (0..graph.len())
        .map(|i| z[i].abs() * graph.row(i).map(|(j, w)| (w * z[j]).abs()).sum::<f64>())
        .sum()
}

fn absolute_squares(graph: &Graph, x: &[f64]) -> f64 {
    (0..graph.len())
        .map(|i| graph.row(i).map(|(j, w)| w.abs() * (x[i] - x[j]).powi(2)).sum::<f64>())
        .sum()
}
