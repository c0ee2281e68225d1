//! Values that can be checked without this program.

use approx::assert_relative_eq;
use dispatch::Value;
use reference::spatial_autocorr::Task;

use crate::{Edge, column, csr, dataset, params, run, table};

#[test]
fn three_cells_in_a_row_by_hand() {
    // z = (-4, -1, 5)/3, D = 14/3, S0 = 4, S1 = 8, S2 = 4 + 16 + 4.
    // I = 3/4 * 2(4 - 5)/9 / (14/3) = -1/28; C = 2 * 2(1 + 4) / (2 * 4 * 14/3) = 15/28.
    // Var I = (72 - 72 + 48)/(2*4*16) - 1/4 = 1/8; Var C = ((16 + 24)*2 - 64)/(2*4*16) = 1/8.
    let edges = [(0, 1, 1.0), (1, 0, 1.0), (1, 2, 1.0), (2, 1, 1.0)];
    let data = dataset(&[vec![1.0, 2.0, 4.0]], &edges);
    for (mode, name, score, expected) in
        [("moran", "I", -1.0 / 28.0, -0.5), ("geary", "C", 15.0 / 28.0, 1.0)]
    {
        let table = table(&data, &[("mode", mode.into()), ("transformation", false.into())]);
        let at = |name| column(&table, name, &["g0"])[0];
        // About ten operations on numbers of order one.
        assert_relative_eq!(at(name), score, max_relative = 1e-14);
        assert_relative_eq!(at("var_norm"), 0.125, max_relative = 1e-14);
        let z = (score - expected) / 0.125f64.sqrt();
        let p = 0.5 * libm::erfc(z.abs() / 2f64.sqrt());
        // dp/p is at most (|z| + 1) |dz|, z of order one.
        assert_relative_eq!(at("pval_norm"), p, max_relative = 1e-13);
        assert_eq!(at("pval_norm_fdr_bh"), at("pval_norm"));
    }
}

#[test]
fn row_normalised_by_hand() {
    // Rows become (0, 1, 0), (1/2, 0, 1/2), (0, 1, 0): sum_ij w z z = (4 + 1/2 * 4 - 1/2 * 5 - 5)/9 = -1/6, I = -1/6 / (14/3).
    let edges = [(0, 1, 3.0), (1, 0, 1.0), (1, 2, 1.0), (2, 1, 0.25)];
    let table = table(&dataset(&[vec![1.0, 2.0, 4.0]], &edges), &[]);
    assert_relative_eq!(column(&table, "I", &["g0"])[0], -1.0 / 28.0, max_relative = 1e-14);
}

#[test]
fn textbook_examples() {
    let text = include_str!("../data/textbook.json");
    let examples: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    for example in examples {
        let integers =
            |field: &str| -> Vec<usize> { serde_json::from_value(example[field].clone()).unwrap() };
        let (indptr, indices) = (integers("indptr"), integers("indices"));
        let row = |i: usize| indices[indptr[i]..indptr[i + 1]].iter().map(move |&j| (i, j, 1.0));
        let edges: Vec<Edge> = (0..indptr.len() - 1).flat_map(row).collect();
        for published in example["expected"].as_array().unwrap() {
            let feature = published["feature"].as_str().unwrap();
            let values = serde_json::from_value(example["values"][feature].clone()).unwrap();
            let mode = published["mode"].as_str().unwrap();
            let two_tailed = (mode == "moran").into();
            let given = [("mode", mode.into()), ("two_tailed", two_tailed)];
            let table = table(&dataset(&[values], &edges), &given);
            let name = if mode == "moran" { "I" } else { "C" };
            for (name, field) in [(name, "statistic"), ("var_norm", "variance"), ("pval_norm", "p")]
            {
                let got = column(&table, name, &["g0"])[0];
                // 78 cells, 406 edges: below 128 roundings in the score; p magnifies them by z^2 < 32.
                let u = f64::EPSILON / 2.0;
                let tolerance = if name == "pval_norm" { 32.0 * 128.0 * u } else { 128.0 * u };
                let expected = published[field].as_f64().unwrap();
                assert_relative_eq!(got, expected, max_relative = tolerance);
            }
            // What was printed, to half a unit of its last digit.
            for (name, field) in [(name, "stat"), ("pval_norm", "p_norm")] {
                if let [Some(value), Some(half_unit)] =
                    [0, 1].map(|i| published["published"][field][i].as_f64())
                {
                    assert!(
                        (column(&table, name, &["g0"])[0] - value).abs() <= half_unit,
                        "{feature} {field}"
                    );
                }
            }
        }
    }
}

#[test]
fn sprs_multiplies_the_same() {
    let (n, edges) = (40, random_edges(40, 200, 5));
    let x: Vec<f64> =
        (0..n).map(|i| ((i * i) % 17) as f64 - 8.0 + 0.125 * (i % 3) as f64).collect();
    let data = dataset(std::slice::from_ref(&x), &edges);
    let task = Task::read(&data, &params(&[("transformation", false.into())])).unwrap();
    let (rows, rest): (Vec<_>, Vec<_>) = edges.iter().map(|&(i, j, w)| (i, (j, w))).unzip();
    let (columns, weights) = rest.into_iter().unzip();
    let matrix: sprs::CsMat<f64> =
        sprs::TriMat::from_triplets((n, n), rows, columns, weights).to_csr();
    let mean = x.iter().sum::<f64>() / n as f64;
    let z: Vec<f64> = x.iter().map(|v| v - mean).collect();
    let mut lag = vec![0.0; n];
    sprs::prod::mul_acc_mat_vec_csr(matrix.view(), &z, &mut lag);
    let numerator: f64 = z.iter().zip(&lag).map(|(z, y)| z * y).sum();
    let d: f64 = z.iter().map(|z| z * z).sum();
    let s0: f64 = weights_of(&edges).sum();
    let magnitude: f64 = edges.iter().map(|&(i, j, w)| (w * z[i] * z[j]).abs()).sum();
    let expected = n as f64 / s0 * numerator / d;
    // Both sides: at most 40 terms in a row, 40 rows, some single operations; u of the sum of magnitudes each.
    let allowed = 2.0 * 90.0 * f64::EPSILON / 2.0 * n as f64 / s0 * magnitude / d;
    crate::assert_close(task.statistics().score[0], expected, allowed);
    // Doubling a matrix is exact, and so is adding its transpose for integer weights.
    let symmetric = &matrix + &matrix.transpose_view().to_csr();
    let s1: f64 = symmetric.data().iter().map(|w| w * w).sum::<f64>() / 2.0;
    assert_eq!((task.moments.s0, task.moments.s1), (s0, s1));
}

#[test]
fn sides_tails_and_corrections() {
    let edges = random_edges(30, 90, 1);
    let genes: Vec<Vec<f64>> =
        (0..5).map(|g| (0..30).map(|i| ((i * (g + 3) + g) % 11) as f64).collect()).collect();
    let names = ["g0", "g1", "g2", "g3", "g4"];
    let data = dataset(&genes, &edges);
    let plain = table(&data, &[("n_perms", 40.into()), ("corr_method", "holm".into())]);
    let expected_columns = [
        "I",
        "pval_norm",
        "var_norm",
        "pval_z_sim",
        "pval_sim",
        "var_sim",
        "pval_norm_holm",
        "pval_z_sim_holm",
        "pval_sim_holm",
    ];
    assert_eq!(plain.column_names(), expected_columns);
    let both = table(&data, &[("n_perms", 40.into()), ("two_tailed", true.into())]);
    for name in ["I", "var_norm", "pval_z_sim", "pval_sim", "var_sim"] {
        assert_eq!(column(&plain, name, &names), column(&both, name, &names), "{name}");
    }
    let p = column(&plain, "pval_norm", &names);
    assert!(p.iter().all(|p| (0.0..=0.5).contains(p)));
    let doubled: Vec<f64> = p.iter().map(|p| 2.0 * p).collect();
    assert_eq!(column(&both, "pval_norm", &names), doubled);
    let sorted = match plain.column("I") {
        Some(Value::Dense(column)) => column.to_f64(),
        other => panic!("{other:?}"),
    };
    assert!(sorted.windows(2).all(|w| w[0] >= w[1]));
    // n_perms changes no other column, and without correction there is no corrected column.
    let bare = table(&data, &[("corr_method", Value::None)]);
    assert_eq!(bare.column_names(), ["I", "pval_norm", "var_norm"]);
    assert_eq!(column(&bare, "pval_norm", &names), p);
}

#[test]
fn the_table_is_stored_unless_copied() {
    let data = dataset(&[vec![1.0, 2.0, 4.0]], &[(0, 1, 1.0), (2, 1, 1.0)]);
    for (mode, slot) in [("moran", "uns/moranI"), ("geary", "uns/gearyC")] {
        let reply = run(&data, &[("mode", mode.into())]).unwrap();
        let paths: Vec<String> = reply.data.leaves().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, [slot]);
    }
}

#[test]
fn storage_and_dtype_of_the_graph_do_not_matter() {
    let edges = random_edges(20, 60, 9);
    let binary: Vec<Edge> = edges.iter().map(|&(i, j, _)| (i, j, 1.0)).collect();
    let mut data = dataset(&[(0..20).map(|i| (i % 7) as f64).collect()], &binary);
    let expected = table(&data, &[("n_perms", 9.into())]);
    let graph = csr(20, &binary);
    for dtype in
        [dispatch::Dtype::Bool, dispatch::Dtype::I64, dispatch::Dtype::F32, dispatch::Dtype::U8]
    {
        let mut stored = graph.clone();
        stored.data = dispatch::Buffer::from_f64(dtype, &graph.data.to_f64());
        for stored in [stored.clone(), stored.recompress()] {
            data.set("obsp/spatial_connectivities", stored.into());
            // Binary weights: row sums are exact in any order, so the bits agree.
            let got = table(&data, &[("n_perms", 9.into())]);
            assert_eq!(column(&got, "var_norm", &["g0"]), column(&expected, "var_norm", &["g0"]));
            crate::assert_close(
                column(&got, "I", &["g0"])[0],
                column(&expected, "I", &["g0"])[0],
                crate::allowance(&data, "moran", true),
            );
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let n = 300;
    let genes: Vec<Vec<f64>> = (0..24)
        .map(|g| (0..n).map(|i| (((i * 37 + g * 101) % 97) as f64).sqrt()).collect())
        .collect();
    let data = dataset(&genes, &random_edges(n, 6 * n, 3));
    for rng in ["concord", "numpy"] {
        for mode in ["moran", "geary"] {
            let given: Vec<(&str, Value)> = vec![
                ("mode", mode.into()),
                ("rng", rng.into()),
                ("n_perms", 50.into()),
                ("seed", 7.into()),
            ];
            let on = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| table(&data, &given))
            };
            let one = on(1);
            assert_eq!(one, on(2), "{rng} {mode}");
            assert_eq!(one, on(7), "{rng} {mode}");
        }
    }
}

/// Edges with integer weights 1 to 4, no pair twice, no loops.
pub(crate) fn random_edges(n: usize, count: usize, seed: u64) -> Vec<Edge> {
    let pairs = reference::rng::Permutations::new(9, seed, n * n);
    let edge = |k: usize| {
        let pair = pairs.at(0, k) as usize;
        (pair / n, pair % n, (k % 4 + 1) as f64)
    };
    let mut edges: Vec<Edge> = (0..count).map(edge).filter(|(i, j, _)| i != j).collect();
    edges.sort_by_key(|&(i, j, _)| (i, j));
    edges
}

fn weights_of(edges: &[Edge]) -> impl Iterator<Item = f64> + '_ {
    edges.iter().map(|&(_, _, w)| w)
}

#[test]
fn manifest_offers_the_function() {
    let manifest = dispatch::Backend::manifest(&reference::backend()).clone();
    let signature = &manifest.functions["spatial_autocorr"];
    let names: Vec<&str> = signature.params.iter().map(|p| p.name.as_str()).collect();
    let host = [
        "adata",
        "connectivity_key",
        "genes",
        "mode",
        "transformation",
        "n_perms",
        "two_tailed",
        "corr_method",
        "attr",
        "layer",
        "seed",
        "use_raw",
        "copy",
        "n_jobs",
        "backend",
        "show_progress_bar",
        "table_key",
    ];
    assert_eq!(names[..host.len()], host);
    assert_eq!(names[host.len()..], ["rng"]);
}
