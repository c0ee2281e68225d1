//! Laws that hold for every graph and every feature.

use std::f64::consts::PI;

use proptest::prelude::*;

use crate::{Edge, allowance, assert_close, dataset, score};

/// A graph without duplicate edges, loops allowed, and a feature that is not constant.
fn case() -> impl Strategy<Value = (Vec<f64>, Vec<Edge>)> {
    (3usize..9).prop_flat_map(|n| {
        let weight = prop::sample::select(vec![0.5, 1.0, 2.0, 3.0, 0.1]);
        let edges = prop::collection::btree_map((0..n, 0..n), weight, 1..n * n)
            .prop_map(|map| map.into_iter().map(|((i, j), w)| (i, j, w)).collect());
        let values = prop::collection::vec(-20i32..20, n)
            .prop_filter("constant", |x| x.iter().any(|v| *v != x[0]))
            .prop_map(|x| x.into_iter().map(f64::from).collect());
        (values, edges)
    })
}

/// The statistic and how far off it may be.
fn measured(x: &[f64], edges: &[Edge], mode: &str, transformation: bool) -> (f64, f64) {
    let data = dataset(&[x.to_vec()], edges);
    (score(&data, mode, transformation), allowance(&data, mode, transformation))
}

fn check((a, allowed_a): (f64, f64), factor: f64, (b, allowed_b): (f64, f64)) {
    assert_close(
        a * factor,
        b,
        allowed_a * factor.abs() + allowed_b + 4.0 * f64::EPSILON * b.abs(),
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// M7: the transposed and the symmetrised graph give the same statistic, without row normalisation.
    #[test]
    fn transposing_changes_nothing((x, edges) in case()) {
        let turned: Vec<Edge> = edges.iter().map(|&(i, j, w)| (j, i, w)).collect();
        // W/2 + W^T/2, with duplicates where both directions exist.
        let halves: Vec<Edge> = edges.iter().chain(&turned).map(|&(i, j, w)| (i, j, w / 2.0)).collect();
        for mode in ["moran", "geary"] {
            let there = measured(&x, &edges, mode, false);
            check(there, 1.0, measured(&x, &turned, mode, false));
            check(there, 1.0, measured(&x, &halves, mode, false));
        }
        let moments = |edges: &[Edge]| {
            let data = dataset(std::slice::from_ref(&x), edges);
            let moments = reference::graph::Graph::read(&data, "spatial_connectivities").unwrap().moments();
            [moments.s0, moments.s1, moments.s2]
        };
        for (a, b) in moments(&edges).iter().zip(moments(&halves)) {
            // Positive sums of at most 2 * 64 terms.
            assert_close(*a, b, 128.0 * f64::EPSILON * a);
        }
    }

    /// M8: C = (n-1)/(2 S0 D) sum (r + c) z^2 - (n-1)/n I.
    #[test]
    fn geary_follows_from_moran((x, edges) in case()) {
        let n = x.len() as f64;
        let data = dataset(std::slice::from_ref(&x), &edges);
        let moments = reference::graph::Graph::read(&data, "spatial_connectivities").unwrap().moments();
        let mean = x.iter().sum::<f64>() / n;
        let d: f64 = x.iter().map(|v| (v - mean).powi(2)).sum();
        let weighted: f64 = (0..x.len())
            .map(|i| (moments.rows[i] + moments.columns[i]) * (x[i] - mean).powi(2))
            .sum();
        let first = (n - 1.0) / (2.0 * moments.s0 * d) * weighted;
        let (i, allowed_i) = measured(&x, &edges, "moran", false);
        let (c, allowed_c) = measured(&x, &edges, "geary", false);
        // The first term is a positive sum of at most 8 terms; the mean enters twice.
        let kappa = 1.0 + mean.abs() / (d / n).sqrt();
        let allowed = allowed_i + allowed_c + 64.0 * f64::EPSILON * first * kappa;
        assert_close(first - (n - 1.0) / n * i, c, allowed);
    }

    /// M11: an isolated cell at the mean multiplies I by (n+1)/n and C by n/(n-1).
    #[test]
    fn an_isolated_cell_at_the_mean_is_counted((mut x, edges) in case(), transformation in any::<bool>()) {
        // A multiple of the length makes the mean an integer, exactly.
        let n = x.len() as f64;
        x.iter_mut().for_each(|v| *v *= n);
        let mean = x.iter().sum::<f64>() / n;
        let longer: Vec<f64> = x.iter().copied().chain([mean]).collect();
        for (mode, factor) in [("moran", (n + 1.0) / n), ("geary", n / (n - 1.0))] {
            check(measured(&x, &edges, mode, transformation), factor, measured(&longer, &edges, mode, transformation));
        }
    }

    /// M12: two disjoint copies leave I, and multiply C by (2n-1)/(2(n-1)).
    #[test]
    fn two_copies((x, edges) in case(), transformation in any::<bool>()) {
        let n = x.len();
        let twice: Vec<f64> = x.iter().chain(&x).copied().collect();
        let both: Vec<Edge> =
            edges.iter().copied().chain(edges.iter().map(|&(i, j, w)| (i + n, j + n, w))).collect();
        let n = n as f64;
        for (mode, factor) in [("moran", 1.0), ("geary", (2.0 * n - 1.0) / (2.0 * (n - 1.0)))] {
            check(measured(&x, &edges, mode, transformation), factor, measured(&twice, &both, mode, transformation));
        }
    }

    /// M3 and M4 with powers of two, where they are exact.
    #[test]
    fn powers_of_two_change_no_bit((x, edges) in case(), transformation in any::<bool>()) {
        let scaled: Vec<f64> = x.iter().map(|v| -8.0 * v).collect();
        let heavier: Vec<Edge> = edges.iter().map(|&(i, j, w)| (i, j, 4.0 * w)).collect();
        for mode in ["moran", "geary"] {
            let (plain, _) = measured(&x, &edges, mode, transformation);
            prop_assert_eq!(plain, measured(&scaled, &edges, mode, transformation).0);
            prop_assert_eq!(plain, measured(&x, &heavier, mode, transformation).0);
        }
    }
}

/// M9: on the complete graph I = -1/(n-1) and C = 1 for every feature.
#[test]
fn complete_graph() {
    for n in [3, 4, 10, 33] {
        let pairs = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
        let edges: Vec<Edge> = pairs.filter(|(i, j)| i != j).map(|(i, j)| (i, j, 1.0)).collect();
        let x: Vec<f64> = (0..n).map(|i| (i * i % 7) as f64).collect();
        for transformation in [false, true] {
            let (i, allowed) = measured(&x, &edges, "moran", transformation);
            assert_close(i, -1.0 / (n as f64 - 1.0), allowed);
            let (c, allowed) = measured(&x, &edges, "geary", transformation);
            assert_close(c, 1.0, allowed);
        }
    }
}

/// M10: a wave on a ring has I = cos(2 pi q/n) and C = (n-1)/n (1 - I).
#[test]
fn waves_on_a_ring() {
    let n = 24;
    let edges: Vec<Edge> =
        (0..n).flat_map(|i| [(i, (i + 1) % n, 1.0), (i, (i + n - 1) % n, 1.0)]).collect();
    for q in [1, 5, 12] {
        let angle = 2.0 * PI * q as f64 / n as f64;
        let x: Vec<f64> = (0..n).map(|i| (angle * i as f64).cos()).collect();
        let (i, allowed) = measured(&x, &edges, "moran", false);
        // The cosines themselves are off by u and their arguments, up to 2 pi q, by 2 u relative.
        let input = 8.0 * PI * q as f64 * f64::EPSILON;
        assert_close(i, angle.cos(), allowed + input);
        let (c, allowed) = measured(&x, &edges, "geary", false);
        let n = n as f64;
        assert_close(c, (n - 1.0) / n * (1.0 - angle.cos()), allowed + 4.0 * input);
    }
}
