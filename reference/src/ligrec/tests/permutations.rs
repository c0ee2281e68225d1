//! The permutations: which are drawn, what they count, and where rounding could decide.

use super::*;

#[test]
fn p_converges_to_the_enumeration_of_all_assignments() {
    let x = [[3.0, 0.0, 1.0], [1.0, 2.0, 2.0], [0.0, 1.0, 5.0], [4.0, 0.0, 1.0]];
    let y = [[2.0, 2.0, 0.0], [1.0, 1.0, 3.0], [5.0, 0.0, 1.0], [1.0, 3.0, 2.0]];
    let cells: Vec<Vec<f64>> = x.iter().chain(&y).map(|row| row.to_vec()).collect();
    let data = dataset(&cells, &[0, 0, 0, 1, 1, 1, 2, 2], &ABC);
    const N: usize = 20_000;
    let task = read(&data, &[("n_perms", (N as i64).into())]);
    let assignments: Vec<Vec<u32>> = (0..3u32.pow(8))
        .map(|code| (0..8).map(|i| code / 3u32.pow(i) % 3).collect::<Vec<u32>>())
        .filter(|labels| [3, 3, 2] == [0, 1, 2].map(|c| labels.iter().filter(|l| **l == c).count()))
        .collect();
    assert_eq!(assignments.len(), 560);
    let exact = by_definition(&task, &|p| assignments[p as usize].clone(), 560);
    let observed = task.observed();
    let counts = task.exceedances(&observed, None).strict;
    // Hoeffding for each of 81 entries: all within sqrt(ln(2 * 81 / delta) / 2N) but for delta = 1e-9.
    let bound = ((2.0 * 81.0 / 1e-9f64).ln() / (2.0 * N as f64)).sqrt();
    assert_eq!(counts.len(), 81);
    for ((count, exact), defined) in counts.iter().zip(&exact).zip(task.defined(&observed)) {
        let difference = f64::from(*count) / N as f64 - *exact as f64 / 560.0;
        assert!(defined && difference.abs() < bound, "{count} of {N}, {exact} of 560");
    }
}

#[test]
fn infinities_exceed_finite_values_only() {
    let x = [vec![f64::INFINITY, 1.0], vec![1.0, 1.0], vec![1.0, f64::NAN], vec![2.0, 3.0]];
    let data = dataset(&x, &[0, 0, 1, 1], &["a", "b"]);
    let task = read(&data, &[("interactions", texts(&["g0", "g1"])), ("n_perms", 500.into())]);
    let observed = task.observed();
    assert_eq!(observed.means, [f64::INFINITY, 1.5, 1.0, 1.5]);
    let p = tables(&task).pvalues;
    assert_eq!(p[..3], [0.0; 3], "an infinite statistic is not exceeded");
    // b-b holds the infinity under half of the labellings: 6 sd of Bin(500, 1/2) / 500 are 0.134, and finite
    // labellings never exceed (1 + 2) / 2 twice.
    assert!((p[3] - 0.5).abs() < 0.134, "{}", p[3]);
    let both = [vec![f64::INFINITY], vec![f64::NEG_INFINITY], vec![1.0], vec![1.0]];
    let task =
        read(&dataset(&both, &[0, 0, 1, 1], &["a", "b"]), &[("interactions", texts(&["g0"]))]);
    assert!(task.observed().means[0].is_nan());
    assert_eq!(tables(&task).means, [0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn numpy_runs_are_seeded_by_their_first_permutation() {
    let x: Vec<Vec<f64>> = (0..30).map(|i| vec![f64::from(i * i % 7), f64::from(i % 4)]).collect();
    let data = dataset(&x, &(0..30).map(|i| i % 3).collect::<Vec<_>>(), &ABC);
    let strict = |n: i64, seed: i64, jobs: i64| {
        let task = read(
            &data,
            &[
                ("interactions", texts(&["g0", "g1"])),
                ("rng", "numpy".into()),
                ("n_perms", n.into()),
                ("seed", seed.into()),
                ("n_jobs", jobs.into()),
            ],
        );
        task.exceedances(&task.observed(), None).strict
    };
    let sum: Vec<u32> =
        strict(40, 5, 1).iter().zip(strict(33, 45, 1)).map(|(a, b)| a + b).collect();
    // 73 permutations on 2 jobs: 37 and 36; by hand on 40 and 33.
    assert_ne!(strict(73, 5, 2), sum);
    let sum: Vec<u32> =
        strict(37, 5, 1).iter().zip(strict(36, 42, 1)).map(|(a, b)| a + b).collect();
    assert_eq!(strict(73, 5, 2), sum);
}

#[test]
fn the_same_answer_for_any_number_of_threads() {
    // 5 genes of 900 cells by 40 permutations are above the threshold for threads.
    let value = |i: u32, g: u32| f64::from((i * 7919 + g * 104_729) % 1000) / 7.0;
    let x: Vec<Vec<f64>> = (0..900).map(|i| (0..5).map(|g| value(i, g)).collect()).collect();
    let data = dataset(&x, &(0..900).map(|i| i * i % 11 % 3).collect::<Vec<_>>(), &ABC);
    let genes = texts(&["g0", "g1", "g2", "g3", "g4"]);
    for rng in ["concord", "numpy"] {
        let task = read(
            &data,
            &[("interactions", genes.clone()), ("n_perms", 40.into()), ("rng", rng.into())],
        );
        let observed = task.observed();
        let counts = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| task.exceedances(&observed, Some(1e-12)))
        };
        let one = counts(1);
        assert!(one == counts(2) && one == counts(7), "{rng}");
    }
}

#[test]
fn a_dyadic_constant_leaves_no_doubt_and_a_rounded_one_does() {
    let labels: Vec<i32> = (0..10).map(|i| i % 3).collect();
    let interval = |value: f64| {
        let x = vec![vec![value]; labels.len()];
        let task = read(&dataset(&x, &labels, &ABC), &[("interactions", texts(&["g0"]))]);
        let exceedances = task.exceedances(&task.observed(), Some(1e-14));
        [exceedances.strict[0], exceedances.high[0], exceedances.ties[0]]
    };
    assert_eq!(interval(0.375), [0, 0, 20]);
    // The odd number of 53 bits times four cells needs 55.
    assert_eq!(interval(1.0 / 3.0), [0, 20, 20]);
}

#[test]
fn infinities_beside_the_smallest_numbers_are_compared() {
    let x = [vec![f64::INFINITY], vec![5e-324], vec![1e-320], vec![0.0]];
    let task = read(&dataset(&x, &[0, 0, 1, 1], &["a", "b"]), &[("interactions", texts(&["g0"]))]);
    let p = tables(&task).pvalues;
    assert!(p[0] == 0.0 && p[3] > 0.0, "{p:?}");
}
