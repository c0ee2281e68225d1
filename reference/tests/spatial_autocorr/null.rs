//! The permutation null against enumeration, brute force and its own bound.

use approx::assert_relative_eq;
use dispatch::Dataset;
use reference::graph::Graph;
use reference::rng::{Permutations, SPATIAL_AUTOCORR};
use reference::spatial_autocorr::{Mode, Task, centred, geary_numerator, moran_numerator};

use crate::values::random_edges;
use crate::{column, dataset, params, table};

fn task<'a>(data: &'a Dataset, mode: &str, transformation: bool, n_perms: i64) -> Task<'a> {
    let given = [
        ("mode", mode.into()),
        ("transformation", transformation.into()),
        ("n_perms", n_perms.into()),
        ("seed", 11.into()),
    ];
    Task::read(data, &params(&given)).unwrap()
}

/// Row i of the new graph is row `pi[i]` of the old one.
fn rows_permuted(graph: &Graph, pi: &[usize]) -> Graph {
    let (mut indptr, mut indices, mut weights) = (vec![0], vec![], vec![]);
    for &i in pi {
        for (j, w) in graph.row(i) {
            indices.push(j as u32);
            weights.push(w);
        }
        indptr.push(indices.len());
    }
    Graph { indptr, indices, weights, dtype: graph.dtype }
}

/// The statistic of feature `k` with permuted rows, from its definition.
fn by_definition(task: &Task<'_>, k: usize, pi: &[usize]) -> f64 {
    let n = task.n();
    let (mut x, mut z) = (vec![0.0; n], vec![0.0; n]);
    task.features.columns.fill(k, &mut x);
    let d = centred(&x, &mut z).unwrap();
    let graph = rows_permuted(&task.graph, pi);
    let numerator = match task.mode {
        Mode::Moran => moran_numerator(&graph, &z),
        Mode::Geary => geary_numerator(&graph, &x),
    };
    task.mode.factor(n, task.moments.s0, d) * numerator
}

fn all_permutations(n: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for i in 0..n {
        let insert = |pi: Vec<usize>| {
            (0..=i).map(move |at| {
                let mut longer = pi.clone();
                longer.insert(at, i);
                longer
            })
        };
        all = all.into_iter().flat_map(insert).collect();
    }
    all
}

#[test]
fn moments_are_those_of_all_720_permutations() {
    // An asymmetric graph with a loop and an empty row: no simplification applies.
    let edges =
        [(0, 1, 1.0), (0, 2, 2.0), (1, 1, 1.5), (2, 0, 1.0), (2, 5, 3.0), (3, 4, 1.0), (5, 3, 0.5)];
    let data = dataset(&[vec![1.0, 4.0, -2.0, 0.5, 3.0, 7.0]], &edges);
    for mode in ["moran", "geary"] {
        for transformation in [false, true] {
            let task = task(&data, mode, transformation, 1);
            let all: Vec<f64> =
                all_permutations(6).iter().map(|pi| by_definition(&task, 0, pi)).collect();
            assert_eq!(all.len(), 720);
            let mean = all.iter().sum::<f64>() / 720.0;
            let variance = all.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 720.0;
            let exact = task.null_moments()[0];
            // 720 terms of order one added in sequence: 720 u.
            assert_relative_eq!(exact.mean, mean, epsilon = 1e-13, max_relative = 1e-13);
            assert_relative_eq!(exact.variance, variance, max_relative = 2e-13);
        }
    }
}

#[test]
fn permuted_statistics_are_those_of_the_definition() {
    let n = 30;
    let genes = vec![
        (0..n).map(|i| (i as f64 * 0.7).sin()).collect(),
        // A large mean and a tiny spread.
        (0..n).map(|i| 1e6 + (i as f64 * 1.3).cos()).collect(),
        (0..n).map(|i| 1e-120 * (i % 5) as f64).collect(),
    ];
    // Edges leave some rows empty, so that row sums differ even when normalised.
    let edges: Vec<_> = random_edges(n, 70, 2).into_iter().filter(|(i, _, _)| i % 7 != 3).collect();
    let data = dataset(&genes, &edges);
    for mode in ["moran", "geary"] {
        for transformation in [false, true] {
            let task = task(&data, mode, transformation, 40);
            let permuted = task.statistics().permuted.unwrap();
            let stream = Permutations::new(SPATIAL_AUTOCORR, 11, n);
            for k in 0..genes.len() {
                for (p, sim) in permuted.sims[k].iter().enumerate() {
                    let pi: Vec<usize> = (0..n).map(|i| stream.at(p as u64, i) as usize).collect();
                    let expected = by_definition(&task, k, &pi);
                    // The definition errs by u per operation and, at a mean of 1e6, by u 1e6 in each z.
                    let allowed = permuted.resolution[k] + 1e-13 + if k == 1 { 1e-9 } else { 0.0 };
                    crate::assert_close(*sim, expected, allowed);
                }
                assert!(permuted.resolution[k] < 1e-7, "{}", permuted.resolution[k]);
            }
        }
    }
}

#[test]
fn ranks_count_ties_exactly() {
    // Integers throughout: a binary graph, a 0/1 gene scaled so that its mean is an integer. Ties are the rule.
    let n = 20usize;
    let edges: Vec<_> = random_edges(n, 50, 4).into_iter().map(|(i, j, _)| (i, j, 1.0)).collect();
    let ones = 3;
    let x: Vec<f64> = (0..n).map(|i| if i < ones { n as f64 } else { 0.0 }).collect();
    let data = dataset(&[x], &edges);
    let z: Vec<i64> =
        (0..n).map(|i| if i < ones { (n - ones) as i64 } else { -(ones as i64) }).collect();
    for n_perms in [1i64, 2, 200] {
        let task = task(&data, "moran", false, n_perms);
        let lag: Vec<i64> =
            (0..n).map(|i| task.graph.row(i).map(|(j, w)| w as i64 * z[j]).sum()).collect();
        let stream = Permutations::new(SPATIAL_AUTOCORR, 11, n);
        let statistic =
            |image: &dyn Fn(usize) -> usize| -> i64 { (0..n).map(|i| z[i] * lag[image(i)]).sum() };
        let observed = statistic(&|i| i);
        let permuted: Vec<i64> =
            (0..n_perms as u64).map(|p| statistic(&|i| stream.at(p, i) as usize)).collect();
        let at_least = permuted.iter().filter(|&&s| s >= observed).count();
        let ties = permuted.iter().filter(|&&s| s == observed).count();
        assert!(n_perms < 200 || ties > 0, "the case has no ties");
        assert_eq!(task.statistics().permuted.unwrap().at_least, [at_least]);
        let folded = at_least.min(n_perms as usize - at_least);
        let p = (folded + 1) as f64 / (n_perms + 1) as f64;
        let given =
            [("transformation", false.into()), ("n_perms", n_perms.into()), ("seed", 11.into())];
        assert_eq!(column(&table(&data, &given), "pval_sim", &["g0"]), [p]);
    }
}

#[test]
fn var_sim_is_near_the_exact_variance() {
    // The sample variance of N draws has a relative sd of sqrt((K-1)/N), K = 3 for near normal draws; 5 sd.
    let (n, n_perms) = (60, 4000);
    let x = (0..n).map(|i| (i as f64 * 0.4).sin() + 0.1 * (i % 4) as f64).collect();
    let data = dataset(&[x], &random_edges(n, 300, 8));
    for mode in ["moran", "geary"] {
        let task = task(&data, mode, true, n_perms);
        let exact = task.null_moments()[0];
        let sims = &task.statistics().permuted.unwrap().sims[0];
        let mean = sims.iter().sum::<f64>() / n_perms as f64;
        let variance = sims.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / n_perms as f64;
        let sd = (exact.variance / n_perms as f64).sqrt();
        assert!((mean - exact.mean).abs() < 5.0 * sd, "{mode} {mean} {}", exact.mean);
        assert!((variance / exact.variance - 1.0).abs() < 5.0 * (2.0 / n_perms as f64).sqrt());
    }
}

#[test]
fn numpy_chunks_start_from_seed_plus_chunk() {
    let data = dataset(&[(0..25).map(|i| (i * i % 13) as f64).collect()], &random_edges(25, 80, 6));
    let sims = |seed: i64, n_jobs: i64, n_perms: i64| {
        let given = [
            ("rng", "numpy".into()),
            ("seed", seed.into()),
            ("n_jobs", n_jobs.into()),
            ("n_perms", n_perms.into()),
        ];
        let task = Task::read(&data, &params(&given)).unwrap();
        task.statistics().permuted.unwrap().sims.remove(0)
    };
    // Seven permutations on two jobs: chunks of four and three.
    let split = sims(42, 2, 7);
    assert_eq!(split[..4], sims(42, 1, 4));
    assert_eq!(split[4..], sims(43, 1, 3));
    assert_ne!(split[4..], sims(42, 1, 7)[4..]);
}
