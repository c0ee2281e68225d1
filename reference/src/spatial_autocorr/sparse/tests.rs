//! Which entries suit, and features that are only just not centred beside exact integers.

use dispatch::{Dataset, Frame, Index, Params, Sparse, Value};

use super::super::centred;
use super::*;
use crate::rng::philox4x32_10;

/// The fewest cells whose zeros are left out: there the derived bound is nearest to that of a loop.
const N: usize = FROM;
/// So many genes with entries, among empty ones that keep the share of stored entries below a quarter.
const FULL: usize = 8;
const GENES: usize = 3 * FULL;
/// Bits of a value: every square is exact, no sum of them is.
const BITS: u32 = 26;

fn draw(i: usize, what: u32) -> [u32; 4] {
    philox4x32_10([i as u32, what, 0, 0], [7, 11])
}

/// Gene g: values within an eighth of each other in 55 to 65 cells of a hundred, so that `sum x^2` is 2.2 to 2.9 D.
fn value(i: usize, gene: usize) -> Option<i64> {
    let [chance, value, ..] = draw(i, gene as u32);
    let share = 0.55 + 0.1 * gene as f64 / (FULL - 1) as f64;
    (f64::from(chance) < share * f64::from(u32::MAX))
        .then(|| i64::from((7 << (BITS - 3)) + value % (1 << (BITS - 3))))
}

/// Three edges of each cell, weights of 1 to 8.
fn edges() -> impl Iterator<Item = (usize, usize, i64)> {
    (0..N).flat_map(|i| {
        let [a, b, c, w] = draw(i, 99);
        let edge = move |(k, j): (u32, u32)| (i, j as usize % N, i64::from(1 + (w >> (3 * k)) % 8));
        let mut all = [(0, a), (1, b), (2, c)].map(edge);
        all.sort_unstable();
        all
    })
}

fn dataset() -> Dataset {
    let (mut indptr, mut indices, mut values) = (vec![0i32], Vec::new(), Vec::new());
    for i in 0..N {
        for (gene, x) in (0..FULL).filter_map(|gene| Some((gene, value(i, gene)?))) {
            indices.push(gene as i32);
            values.push(x as f64);
        }
        indptr.push(indices.len() as i32);
    }
    let (to, weights): (Vec<i32>, Vec<f64>) = edges().map(|(_, j, w)| (j as i32, w as f64)).unzip();
    let starts: Vec<i32> = (0..=N as i32).map(|i| 3 * i).collect();
    let none = [] as [(&str, Value); 0];
    let names = |count: usize| Index::text((0..count).map(|i| format!("{i}")));
    let mut data = Dataset::new();
    data.set("X", Sparse::csr((N, GENES), indptr, indices, values).into());
    data.set("obs", Frame::new(names(N), none.clone()).into());
    data.set("var", Frame::new(names(GENES), none).into());
    data.set("obsp/spatial_connectivities", Sparse::csr((N, N), starts, to, weights).into());
    data
}

/// The statistic from integers: D and the numerator of Moran times n and n^2, below 2^110.
fn exact(mode: Mode, gene: usize) -> f64 {
    let x: Vec<i128> = (0..N).map(|i| value(i, gene).unwrap_or(0).into()).collect();
    let n = N as i128;
    let sum: i128 = x.iter().sum();
    let d = n * x.iter().map(|x| x * x).sum::<i128>() - sum * sum;
    let s0: i128 = edges().map(|(.., w)| i128::from(w)).sum();
    let z = |i: usize| n * x[i] - sum;
    match mode {
        Mode::Moran => {
            let products: i128 = edges().map(|(i, j, w)| i128::from(w) * z(i) * z(j)).sum();
            products as f64 / (s0 as f64 * d as f64)
        }
        Mode::Geary => {
            let squares: i128 = edges().map(|(i, j, w)| i128::from(w) * (x[i] - x[j]).pow(2)).sum();
            ((n - 1) * n * squares) as f64 / (2.0 * s0 as f64 * d as f64)
        }
    }
}

#[test]
fn positions_must_ascend_within_lanes_and_values_be_finite() {
    let starts = [0, 0, 2, 2, 5, 5];
    let suits = |positions: [i32; 5], values: [f32; 5]| {
        let lanes = Lanes { starts: &starts, positions: &positions, values: &values };
        (0..5).all(|lane| lanes.suits(lanes.range(lane)))
    };
    assert!(suits([0, 1, 0, 1, 2], [0.0, 1.0, f32::MAX, 1.0, 1.0]));
    // The second lane may begin above the end of the first, or below it.
    assert!(suits([0, 1, 2, 3, 4], [1.0; 5]));
    for positions in [[1, 0, 0, 1, 2], [0, 1, 2, 1, 3], [0, 1, 0, 1, 1], [1, 1, 3, 4, 5]] {
        assert!(!suits(positions, [1.0; 5]), "{positions:?}");
    }
    for value in [-1.0, f32::NAN, f32::INFINITY] {
        assert!(!suits([0, 1, 0, 1, 2], [1.0, 1.0, 1.0, 1.0, value]), "{value}");
    }
}

#[test]
fn the_least_centred_features_are_as_right_as_a_loop_over_centred_ones() {
    let data = dataset();
    for (name, mode) in [("moran", Mode::Moran), ("geary", Mode::Geary)] {
        let given = [("mode", name.into()), ("transformation", false.into())];
        let params: Params = given.map(|(name, value)| (name.to_owned(), value)).into();
        let task = Task::read(&data, &params).unwrap_or_else(|fault| panic!("{fault}"));
        let scores = task.sparse_scores();
        let mut asked = 0;
        for (gene, score) in scores.iter().enumerate().take(FULL) {
            let (mut x, mut z) = (vec![0.0; N], vec![0.0; N]);
            task.features.columns.fill(gene, &mut x);
            let d = centred(&x, &mut z).unwrap();
            let ratio = x.iter().map(|x| x * x).sum::<f64>() / d;
            assert!((2.0..3.0).contains(&ratio), "{ratio}");
            let Some(score) = score else { continue };
            asked += 1;
            let magnitude: f64 = edges()
                .map(|(i, j, w)| match mode {
                    Mode::Moran => w as f64 * (z[i] * z[j]).abs(),
                    Mode::Geary => w as f64 * (z[i] - z[j]).powi(2),
                })
                .sum();
            // A loop over n centred terms is wrong by up to n u of their magnitudes; here it is 8 u at most.
            let unit = f64::EPSILON / 2.0 * task.mode.factor(N, task.moments.s0, d) * magnitude;
            let error = (score - exact(mode, gene)).abs() / unit;
            assert!(error < N as f64, "{name} of gene {gene}: {error} u, sum x^2 = {ratio} D");
        }
        assert!(asked >= FULL / 2, "{name}: {asked} features were not centred");
    }
}
