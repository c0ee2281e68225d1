//! Between which numbers Moran's I lies on a graph, whatever the values.
//!
//! `z'Wz` depends on the symmetric part of W only, and `z` is orthogonal to the ones. So `z'Wz / z'z` is a Rayleigh
//! quotient of `A = H (W + W')/2 H` with `H = 1 - 11'/n`, and lies between the outermost eigenvalues of `A`. They are
//! enclosed by bisection: `t` is above all of them exactly if `t - A` has a Cholesky factor.

use reference::graph::Graph;
use reference::spatial_autocorr::{Mode, Task};

use crate::profile::U64;

/// Most cells for which a factor is computed: one takes n^3/6 multiplications, and some fifty are needed.
const MOST: usize = 64;
/// Steps of a bisection. What is left of the interval only makes the bounds wider.
const STEPS: usize = 24;

/// The least and the largest value of I on the graph of a task; `None` for Geary's C, without weights, and on large graphs.
pub(super) fn limits(task: &Task<'_>) -> Option<(f64, f64)> {
    let (n, s0) = (task.n(), task.moments.s0);
    if task.mode != Mode::Moran || !(2..=MOST).contains(&n) || s0 == 0.0 || !s0.is_finite() {
        return None;
    }
    let a = centred_weights(&task.graph, n);
    let (low, high) = (-largest(&a.iter().map(|x| -x).collect::<Vec<f64>>(), n), largest(&a, n));
    let scale = n as f64 / s0;
    Some(if scale > 0.0 { (scale * low, scale * high) } else { (scale * high, scale * low) })
}

/// `H (W + W')/2 H`, row-major.
fn centred_weights(graph: &Graph, n: usize) -> Vec<f64> {
    let mut a = vec![0.0; n * n];
    for i in 0..n {
        for at in graph.indptr[i]..graph.indptr[i + 1] {
            let (j, half) = (graph.indices[at] as usize, graph.weights[at] / 2.0);
            a[i * n + j] += half;
            a[j * n + i] += half;
        }
    }
    let means: Vec<f64> = a.chunks(n).map(|row| row.iter().sum::<f64>() / n as f64).collect();
    let mean = means.iter().sum::<f64>() / n as f64;
    for (at, x) in a.iter_mut().enumerate() {
        *x += mean - means[at / n] - means[at % n];
    }
    a
}

/// A number that no eigenvalue of a symmetric matrix exceeds, and not much more.
fn largest(a: &[f64], n: usize) -> f64 {
    let norm = a.chunks(n).map(|row| row.iter().map(|x| x.abs()).sum()).fold(0.0, f64::max);
    let (mut low, mut high) = (-norm, norm);
    for _ in 0..STEPS {
        let middle = low + (high - low) / 2.0;
        if has_factor(a, n, middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    // A factor that was computed is the exact one of a matrix that differs from `t - A` by at most n (n + 1) u times its
    // largest diagonal element (Higham, Accuracy and Stability, theorem 10.3), at most 2 norm; centring rounded each
    // element of a row a few times before.
    high + (2.0 * (n * (n + 1)) as f64 + 8.0 * n as f64) * U64 * norm
}

/// Whether `t - A` is positive definite: whether each pivot of its Cholesky factor is above 0.
fn has_factor(a: &[f64], n: usize, t: f64) -> bool {
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let (row_i, row_j) = (&factor[i * n..i * n + j], &factor[j * n..j * n + j]);
            let known: f64 = row_i.iter().zip(row_j).map(|(x, y)| x * y).sum();
            let rest = if i == j { t } else { 0.0 } - a[i * n + j] - known;
            factor[i * n + j] = if i > j {
                rest / factor[j * n + j]
            } else if rest > 0.0 {
                rest.sqrt()
            } else {
                return false;
            };
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eigenvalues of a tridiagonal matrix with `b` beside a diagonal of 0 are `2 b cos(k pi / (n + 1))`.
    #[test]
    fn the_largest_eigenvalue_of_a_path_is_enclosed_closely() {
        for n in [2, 5, 17, 64] {
            let beside = |at: usize| (at / n).abs_diff(at % n) == 1;
            let path: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(beside(at)))).collect();
            let exact = 2.0 * (std::f64::consts::PI / (n + 1) as f64).cos();
            let found = largest(&path, n);
            assert!(found >= exact && found - exact < 1e-6, "{n}: {found} for {exact}");
        }
    }
}
