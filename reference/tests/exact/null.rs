//! Permutation nulls: closed forms against all permutations, single permutations against the reference.

use proptest::prelude::*;
use reference::exact::{Null, Number, enumerate_null, null_moments, permuted_scores};
use reference::rng::{Permutations, SPATIAL_AUTOCORR};
use reference::spatial_autocorr::Task;

use crate::autocorr::cells;
use crate::{Cells, U, cases, mode, params};

/// The number of permutations of 8 cells.
const ALL_OF_8: u64 = 40_320;

fn images(seed: u64, permutation: u64, n: usize) -> Vec<usize> {
    let stream = Permutations::new(SPATIAL_AUTOCORR, seed, n);
    (0..n).map(|i| stream.at(permutation, i) as usize).collect()
}

#[test]
fn eight_cells_are_enumerated() {
    // Two lines of four: asymmetric weights, an empty row, floats.
    let edges = vec![(0, 1, 1.0), (1, 2, 0.3), (2, 3, 2.0), (4, 5, 1.0), (5, 4, 1.0), (6, 7, 0.7)];
    let genes = vec![(0..8).map(|i| (i as f64 * 1.1).sin()).collect()];
    let data = Cells { genes, edges, ..Cells::default() }.dataset();
    for moran in [true, false] {
        let task = Task::read(&data, &params(&[("mode", mode(moran))])).unwrap();
        for null in [Null::Rows, Null::Labels] {
            let all = enumerate_null(&task, null, ALL_OF_8).unwrap()[0].clone().unwrap();
            assert_eq!(all.tally.total, ALL_OF_8);
            assert!(all.tally.ties >= 1, "the observed one");
            assert_eq!(Some(all.moments), null_moments(&task, null)[0]);
        }
        let refused = enumerate_null(&task, Null::Rows, ALL_OF_8 - 1).unwrap_err();
        assert_eq!(refused.to_string(), "enumerate 40320 arrangements: the limit is 40319");
    }
}

#[test]
fn labels_have_no_closed_form_with_loops_or_three_cells() {
    let moments = |n: usize, to: usize| {
        let genes = vec![(0..n).map(|i| (i * i) as f64).collect()];
        let data = Cells { genes, edges: vec![(0, to, 1.0)], ..Cells::default() }.dataset();
        let task = Task::read(&data, &params(&[])).unwrap();
        [Null::Rows, Null::Labels].map(|null| null_moments(&task, null)[0].is_some())
    };
    assert_eq!(
        [moments(4, 1), moments(4, 0), moments(3, 1)],
        [[true, true], [true, false], [true, false]]
    );
}

#[test]
fn ranks_of_many_seeds_follow_the_enumeration() {
    let edges = vec![(0, 1, 1.0), (1, 0, 1.0), (1, 2, 1.0), (2, 3, 1.0), (3, 4, 2.0), (4, 5, 1.0)];
    // No two permutations tie but those of the same order, so no rounding decides a rank.
    let genes = vec![vec![0.31, 1.13, 0.97, 2.23, 2.89, 3.71]];
    let data = Cells { genes, edges, ..Cells::default() }.dataset();
    let (n_perms, seeds) = (9u32, 4000);
    for moran in [true, false] {
        let run = |seed: i64| {
            let given = [("mode", mode(moran)), ("n_perms", 9.into()), ("seed", seed.into())];
            let task = Task::read(&data, &params(&given)).unwrap();
            let at_least = task.statistics().permuted.unwrap().at_least[0];
            at_least.min(n_perms as usize - at_least)
        };
        let task = Task::read(&data, &params(&[("mode", mode(moran))])).unwrap();
        let all = enumerate_null(&task, Null::Rows, 720).unwrap()[0].clone().unwrap();
        assert_eq!(all.tally.ties, 1);
        let expected = all.tally.rank_probabilities(n_perms);
        let mut found = vec![0; expected.len()];
        (0..seeds).for_each(|seed| found[run(seed)] += 1);
        for (found, p) in found.iter().zip(&expected) {
            // Five standard deviations of a binomial count, and one for its discreteness.
            let sd = (seeds as f64 * p * (1.0 - p)).sqrt();
            assert!((f64::from(*found) - seeds as f64 * p).abs() <= 5.0 * sd + 1.0, "{found} {p}");
        }
    }
}

/// What a relative error of one rounding of every vector is worth in the variance of the row null: with norms of
/// the vectors that it is made of, `(|a||r| + 2|z| ||W||z||)^2 k^2/(n-1)`, which also bounds the shift of the mean.
fn magnitude(task: &Task<'_>, x: &[f64]) -> f64 {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let norm = |v: Vec<f64>| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let z: Vec<f64> = x.iter().map(|x| x - mean).collect();
    let lag = (0..x.len()).map(|i| task.graph.row(i).map(|(j, w)| w * z[j].abs()).sum()).collect();
    let squares = norm(z.iter().map(|z| z * z).collect());
    let z = norm(z);
    let k = task.mode.factor(x.len(), task.moments.s0, z * z);
    (squares * norm(task.moments.rows.clone()) + 2.0 * z * norm(lag)).powi(2) * k * k / (n - 1.0)
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn closed_forms_are_those_of_all_permutations(cells in cells(5), moran in any::<bool>(), transformation in any::<bool>()) {
        let data = cells.dataset();
        let given = [("mode", mode(moran)), ("transformation", transformation.into())];
        let task = Task::read(&data, &params(&given)).unwrap();
        for null in [Null::Rows, Null::Labels] {
            let closed = null_moments(&task, null);
            for (all, closed) in enumerate_null(&task, null, 120).unwrap().into_iter().zip(closed) {
                if let Some(closed) = closed {
                    prop_assert_eq!(all.unwrap().moments, closed);
                }
            }
        }
    }

    #[test]
    fn moments_of_the_reference_are_within_bounds(cells in cells(12), moran in any::<bool>(), transformation in any::<bool>()) {
        let data = cells.dataset();
        let given = [("mode", mode(moran)), ("transformation", transformation.into())];
        let task = Task::read(&data, &params(&given)).unwrap();
        let reference = task.null_moments();
        for (k, exact) in null_moments(&task, Null::Rows).into_iter().enumerate() {
            let Some(exact) = exact else {
                prop_assert!(reference[k].variance.is_nan());
                continue;
            };
            // As for the score: 128 u on each of the four vectors of a product, twice for what is second order.
            let allowed = 1024.0 * U * magnitude(&task, &cells.genes[k]);
            prop_assert!(exact.variance.distance(reference[k].variance)[1] <= allowed, "{exact:?} {:?}", reference[k]);
            // Nothing cancels in the mean, which is 0 or near 1.
            let allowed = 512.0 * U * exact.mean.nearest();
            prop_assert!(exact.mean.distance(reference[k].mean)[1] <= allowed);
        }
    }

    // The counts of the reference lie where its resolution says, whatever ties.
    #[test]
    fn counts_of_the_reference_are_within_its_resolution(cells in cells(9), moran in any::<bool>(), seed in 0u32..1000) {
        let data = cells.dataset();
        let given = [("mode", mode(moran)), ("n_perms", 20.into()), ("seed", i64::from(seed).into())];
        let task = Task::read(&data, &params(&given)).unwrap();
        let permuted = task.statistics().permuted.unwrap();
        let n = cells.n();
        let identity: Vec<usize> = (0..n).collect();
        let observed = permuted_scores(&task, Null::Rows, &identity);
        let all: Vec<Vec<Option<Number>>> =
            (0..20).map(|p| permuted_scores(&task, Null::Rows, &images(seed.into(), p, n))).collect();
        for k in 0..2 {
            let Some(Number::Ratio(observed)) = &observed[k] else { continue };
            let excess = |scores: &Vec<Option<Number>>| match &scores[k] {
                Some(Number::Ratio(score)) => Number::Ratio(score - observed).nearest(),
                other => panic!("{other:?}"),
            };
            let count = |from: f64| all.iter().filter(|scores| excess(scores) >= from).count();
            let resolution = permuted.resolution[k];
            let [low, high] = [count(resolution.next_up()), count(-resolution)];
            prop_assert!(low <= permuted.at_least[k] && permuted.at_least[k] <= high);
            // Exact ties are counted wherever rounding leaves them ties; and nothing is far from the truth.
            for (scores, sim) in all.iter().zip(&permuted.sims[k]) {
                let allowed = resolution + 1e-9 * (1.0 + excess(scores).abs());
                prop_assert!(scores[k].as_ref().unwrap().distance(*sim)[1] <= allowed);
            }
        }
    }
}
