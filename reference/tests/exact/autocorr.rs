//! Scores and variances.

use proptest::prelude::*;
use reference::exact::{Number, spatial_autocorr};
use reference::spatial_autocorr::{Mode, Task};

use crate::{Cells, Edge, U, cases, fraction, mode, params};

/// Features over 3 to 12 cells: small integers, floats, floats with a large mean; edges of any weight but negative.
pub(crate) fn cells(most: usize) -> impl Strategy<Value = Cells> {
    let value = prop_oneof![
        prop::array::uniform2(0i8..4).prop_map(|v| v.map(f64::from)),
        prop::array::uniform2(-1e3f64..1e3),
        prop::array::uniform2(-1f64..1.0).prop_map(|v| v.map(|v| 1e6 + v)),
    ];
    let weight = prop_oneof![Just(1.0), (1u8..5).prop_map(f64::from), 0.01f64..10.0];
    (3..=most, weight)
        .prop_flat_map(move |(n, _)| {
            let edge =
                (0..n, 0..n, prop_oneof![Just(1.0), (1u8..5).prop_map(f64::from), 0.01f64..10.0]);
            (prop::collection::vec(value.clone(), n), prop::collection::vec(edge, 1..3 * n))
        })
        .prop_map(|(values, edges)| Cells {
            genes: (0..2).map(|g| values.iter().map(|v| v[g]).collect()).collect(),
            edges,
            ..Cells::default()
        })
}

fn check(edges: &[Edge], transformation: bool, moran: bool, expected: [Option<Number>; 2]) {
    let cells =
        Cells { genes: vec![vec![1.0, 2.0, 4.0]], edges: edges.to_vec(), ..Cells::default() };
    let data = cells.dataset();
    let given = [("mode", mode(moran)), ("transformation", transformation.into())];
    let oracle = spatial_autocorr(&Task::read(&data, &params(&given)).unwrap());
    assert_eq!([oracle.score[0].clone(), oracle.variance], expected, "moran {moran}");
}

#[test]
fn a_path_of_three_cells_by_hand() {
    // x = 1, 2, 4; 3z = -4, -1, 5, 9 D = 42. Edges 0-1 of weight 1 and 1-2 of weight 3, both ways: S0 = 8,
    // S1 = 2^2 + 6^2 = 40, r = c = 1, 4, 3, S2 = 4 (1 + 16 + 9) = 104.
    let edges = [(0, 1, 1.0), (1, 0, 1.0), (1, 2, 3.0), (2, 1, 3.0)];
    // I = 3/8 * 2 (4 - 15)/42; Var = (9 40 - 3 104 + 3 64)/(8 64) - 1/4.
    check(&edges, false, true, [Some(fraction(-11, 56)), Some(fraction(7, 32))]);
    // C = 2 * 2 (1 + 12)/(2 * 8 * 42/9); Var = ((80 + 104) 2 - 4 64)/(8 64).
    check(&edges, false, false, [Some(fraction(39, 56)), Some(fraction(7, 32))]);
    // Normalised: w01 = 1, w10 = 1/4, w12 = 3/4, w21 = 1, S0 = 3: sum w z z = ((5/4) 4 - (7/4) 5)/9.
    let score = fraction(-15, 4 * 42);
    // S1 = (5/4)^2 + (7/4)^2 = 37/8, c = 1/4, 2, 3/4, S2 = (5/4)^2 + 9 + (7/4)^2 = 109/8.
    // Var = (9 37/8 - 3 109/8 + 27)/(8 9) - 1/4 = (6/8 + 27)/72 - 1/4.
    check(&edges, true, true, [Some(score), Some(fraction(13, 96))]);
}

#[test]
fn what_is_undefined_is_none() {
    check(&[], true, true, [None, None]);
    check(&[(0, 1, 1.0), (1, 0, -1.0)], false, false, [None, None]);
    check(&[(0, 1, f64::INFINITY)], false, true, [None, None]);
    let genes =
        vec![vec![0.1; 4], vec![1.0, f64::NAN, 2.0, 3.0], vec![0.1, 0.1, 0.1, 0.1f64.next_up()]];
    let cells = Cells { genes, edges: vec![(0, 3, 1.0)], ..Cells::default() };
    let data = cells.dataset();
    let oracle = spatial_autocorr(&Task::read(&data, &params(&[])).unwrap());
    // One cell stands out: z = -1, -1, -1, 3, times 1/4 ulp. I = 4 (-3)/12.
    assert_eq!(oracle.score, [None, None, Some(fraction(-1, 1))]);
    assert_eq!(oracle.expected, Some(fraction(-1, 3)));
}

#[test]
fn large_graphs_of_unrelated_weights_are_bounded() {
    // 600 rows whose sums have no common factor: more digits than the budget, so balls.
    let n = 600;
    let weight = |i: usize, j: usize| ((i * 37 + j) as f64).sin().abs() + 0.1;
    let edges = (0..n).flat_map(|i| [1, 7, 30].map(|d| (i, (i + d) % n, weight(i, d)))).collect();
    let genes = vec![(0..n).map(|i| 1e3 + (i as f64 * 0.1).cos()).collect()];
    let data = Cells { genes, edges, ..Cells::default() }.dataset();
    for moran in [true, false] {
        let task = Task::read(&data, &params(&[("mode", mode(moran))])).unwrap();
        let oracle = spatial_autocorr(&task);
        let (score, variance) = (oracle.score[0].clone().unwrap(), oracle.variance.unwrap());
        for (number, reference) in
            [(&score, task.statistics().score[0]), (&variance, task.statistics().variance)]
        {
            assert!(matches!(number, Number::Ball(ball) if ball.radius() < 1e-20), "{number:?}");
            // No cancellation to speak of: 100 roundings of a number of order one.
            assert!(number.distance(reference)[1] < 100.0 * U, "{number:?} {reference}");
        }
    }
}

/// Bounds on the errors of the reference's score and variance, for rows of up to 36 entries and sums of one leaf.
///
/// A row or column adds at most 36 weights, each normalised by a sum of 36: 73 u; the tree adds 13 u; a product a few.
/// So sums over edges, S0 included, err by at most 96 u of their magnitudes, squares of sums by 192 u. The mean is off by a
/// common shift of 16 u of the root mean square of z once it has been corrected, which moves sum w z z by
/// (r + c) |z| times that.
fn bounds(task: &Task<'_>, x: &[f64], score: f64) -> [f64; 2] {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let z: Vec<f64> = x.iter().map(|x| x - mean).collect();
    let d = z.iter().map(|z| z * z).sum::<f64>();
    let moments = &task.moments;
    let factor = task.mode.factor(x.len(), moments.s0, d);
    let edges = (0..x.len()).flat_map(|i| task.graph.row(i).map(move |(j, w)| (i, j, w)));
    let (s0_squared, s1, s2) = (moments.s0 * moments.s0, moments.s1, moments.s2);
    match task.mode {
        Mode::Moran => {
            let magnitude: f64 = edges.map(|(i, j, w)| (w * z[i] * z[j]).abs()).sum();
            let ends = moments.rows.iter().zip(&moments.columns).zip(&z);
            let shifted: f64 = ends.map(|((r, c), z)| (r + c) * z.abs()).sum();
            let variance = (n * n * s1 + n * s2 + 3.0 * s0_squared) / ((n * n - 1.0) * s0_squared);
            let shift = 16.0 * U * (d / n).sqrt();
            [
                256.0 * U * (factor * magnitude + score.abs()) + 2.0 * factor * shift * shifted,
                512.0 * U * (variance + 1.0),
            ]
        }
        Mode::Geary => {
            let variance =
                ((2.0 * s1 + s2) * (n - 1.0) + 4.0 * s0_squared) / (2.0 * (n + 1.0) * s0_squared);
            [256.0 * U * score, 512.0 * U * variance]
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_reference_is_within_its_bounds(cells in cells(12), moran in any::<bool>(), transformation in any::<bool>()) {
        let data = cells.dataset();
        let given = [("mode", mode(moran)), ("transformation", transformation.into())];
        let task = Task::read(&data, &params(&given)).unwrap();
        let (oracle, statistics) = (spatial_autocorr(&task), task.statistics());
        for (k, score) in oracle.score.iter().enumerate() {
            let reference = statistics.score[k];
            let Some(score) = score else {
                prop_assert!(reference.is_nan());
                continue;
            };
            prop_assert!(matches!(score, Number::Ratio(_)));
            let [allowed, of_variance] = bounds(&task, &cells.genes[k], score.nearest());
            prop_assert!(score.distance(reference)[1] <= allowed, "{score:?} {reference} {allowed}");
            let variance = oracle.variance.as_ref().unwrap();
            prop_assert!(variance.distance(statistics.variance)[1] <= of_variance);
        }
        prop_assert_eq!(oracle.expected.unwrap().nearest(), statistics.expected);
    }
}
