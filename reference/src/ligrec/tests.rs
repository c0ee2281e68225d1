//! Hand-computed tables and laws of ligand-receptor tests.

use dispatch::{Categorical, Dense, Index, Sparse, Strings};
use proptest::prelude::*;

use super::*;
use crate::rng::{LIGREC, Permutations};

/// Cells by genes G0, G1, ... with a categorical column `cluster`.
fn dataset(rows: &[Vec<f64>], codes: &[i32], categories: &[&str]) -> Dataset {
    let genes = rows.first().map_or(0, Vec::len);
    let values: Vec<f64> = rows.iter().flatten().copied().collect();
    let mut data = Dataset::new();
    let column = Categorical::new(codes.to_vec(), categories.iter().copied()).into();
    let cells = Index::text((0..rows.len()).map(|i| format!("c{i}")));
    data.set("obs", Frame::new(cells, [("cluster", column)]).into());
    let names = Index::text((0..genes).map(|g| format!("g{g}")));
    data.set("var", Frame::new(names, Vec::<(String, Value)>::new()).into());
    data.set("X", Dense::new(vec![rows.len(), genes], values).into());
    data
}

fn texts(items: &[&str]) -> Value {
    Value::List(items.iter().map(|text| (*text).into()).collect())
}

fn pairs(items: &[(&str, &str)]) -> Value {
    let pair = |(s, t): &(&str, &str)| Value::Tuple(vec![(*s).into(), (*t).into()]);
    Value::List(items.iter().map(pair).collect())
}

fn params(given: &[(&str, Value)]) -> Params {
    let defaults = [
        ("cluster_key", "cluster".into()),
        ("use_raw", false.into()),
        ("n_perms", 20.into()),
        ("threshold", 0.0.into()),
        ("copy", true.into()),
        ("interactions", texts(&["g0", "g1", "g2"])),
    ];
    let all = defaults.iter().chain(given);
    all.map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn read(data: &Dataset, given: &[(&str, Value)]) -> Task {
    Task::read(data, &params(given)).unwrap_or_else(|fault| panic!("{fault}"))
}

fn tables(task: &Task) -> Tables {
    let observed = task.observed();
    task.tables(&observed, &task.exceedances(&observed, None).strict)
}

fn kind(data: &Dataset, given: &[(&str, Value)]) -> String {
    match Task::read(data, &params(given)).unwrap_err() {
        Fault::Rejected { kind, .. } => kind,
        other => other.kind().to_owned(),
    }
}

fn rows(task: &Task) -> Vec<String> {
    task.metadata.index.labels()
}

/// `T_p > T_0` in exact rationals, permutation by permutation; for integer data.
fn by_definition(task: &Task, labels_of: &dyn Fn(u64) -> Vec<u32>, n_perms: u64) -> Vec<u64> {
    let k = task.k();
    let sums = |labels: &[u32]| {
        let mut sums = vec![0i128; task.columns.len() * k];
        for (gene, column) in task.columns.iter().enumerate() {
            for (cell, value) in column.cells.iter().zip(&column.values) {
                sums[gene * k + labels[*cell as usize] as usize] += *value as i128;
            }
        }
        sums
    };
    let sizes: Vec<i128> =
        (0..k).map(|c| task.labels.iter().filter(|l| **l as usize == c).count() as i128).collect();
    let statistic =
        |sums: &[i128]| task.entries(|s, t| sums[s] * sizes[t % k] + sums[t] * sizes[s % k], k);
    let base = statistic(&sums(&task.labels));
    let mut counts = vec![0; base.len()];
    for p in 0..n_perms {
        let permuted = statistic(&sums(&labels_of(p)));
        counts
            .iter_mut()
            .zip(permuted.iter().zip(&base))
            .for_each(|(n, (t, b))| *n += u64::from(t > b));
    }
    counts
}

fn concord(task: &Task, p: u64) -> Vec<u32> {
    let mut images = vec![0; task.labels.len()];
    Permutations::new(LIGREC, 0, images.len()).fill(p, &mut images);
    images.iter().map(|image| task.labels[*image as usize]).collect()
}

/// Small counts of 3 genes, labels of 3 clusters that all occur.
fn counts() -> impl Strategy<Value = (Vec<Vec<f64>>, Vec<i32>)> {
    let row = prop::collection::vec((0u8..4).prop_map(f64::from), 3);
    prop::collection::vec((row, 0i32..3), 6..40).prop_map(|cells| {
        let label = |(i, (_, l)): (usize, &(Vec<f64>, i32))| if i < 3 { i as i32 } else { *l };
        let labels = cells.iter().enumerate().map(label).collect();
        (cells.into_iter().map(|(row, _)| row).collect(), labels)
    })
}

const ABC: [&str; 3] = ["a", "b", "c"];

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| if v.is_nan() { u64::MAX } else { v.to_bits() }).collect()
}

#[test]
fn four_cells_by_hand() {
    // g0: a = (2, 4), b = (0, 0); g1: a = (1, 0), b = (3, 5). mu: g0 (3, 0), g1 (0.5, 4).
    let x = [vec![2.0, 1.0], vec![4.0, 0.0], vec![0.0, 3.0], vec![0.0, 5.0]];
    let data = dataset(&x, &[0, 0, 1, 1], &["a", "b"]);
    let task = read(&data, &[("interactions", pairs(&[("g0", "g1"), ("g1", "g1"), ("g1", "g0")]))]);
    let observed = task.observed();
    assert_eq!(observed.means, [3.0, 0.0, 0.5, 4.0]);
    assert_eq!(observed.shares, [1.0, 0.0, 0.5, 1.0]);
    let tables = tables(&task);
    // Columns aa, ab, ba, bb.
    let g0g1 = [1.75, 3.5, 0.0, 0.0];
    let g1g1 = [0.5, 2.25, 2.25, 4.0];
    let g1g0 = [1.75, 0.0, 3.5, 0.0];
    assert_eq!(tables.means, [g0g1, g1g1, g1g0].concat());
    let undefined: Vec<bool> = tables.pvalues.iter().map(|p| p.is_nan()).collect();
    let expected = [[false, false, true, true], [false; 4], [false, true, false, true]].concat();
    assert_eq!(undefined, expected);
    // Nothing exceeds the largest possible statistics g0 in a with g1 in b, and g1 twice in b.
    assert_eq!((tables.pvalues[1], tables.pvalues[7]), (0.0, 0.0));
}

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
fn a_list_of_pairs_holds_interactions_and_a_tuple_of_two_holds_sources_and_targets() {
    let x = vec![vec![1.0; 4]; 4];
    let data = dataset(&x, &[0, 0, 1, 1], &["a", "b"]);
    let rows_of = |value: Value| rows(&read(&data, &[("interactions", value)]));
    let two = [("g0", "g1"), ("g2", "g3")];
    assert_eq!(rows_of(pairs(&two)), ["G0 | G1", "G2 | G3"]);
    let Value::List(columns) = pairs(&two) else { panic!("pairs are a list") };
    assert_eq!(rows_of(Value::Tuple(columns)), ["G0 | G2", "G1 | G3"]);
    let three = [("g0", "g1"), ("g2", "g3"), ("G0", "g1")];
    assert_eq!(rows_of(pairs(&three)), ["G0 | G1", "G2 | G3"]);
    let lists = Value::Tuple(vec![texts(&["g0", "g1", "g2"]), texts(&["g3", "g0", "nope"])]);
    assert_eq!(rows_of(lists), ["G0 | G3", "G1 | G0"]);
    assert_eq!(rows_of(texts(&["g1", "g0"])), ["G1 | G1", "G1 | G0", "G0 | G1", "G0 | G0"]);
    let array = Strings {
        shape: vec![3, 2],
        values: ["g0", "g1", "g1", "g2", "g2", "g3"].map(|t| Some(t.into())).to_vec(),
        nullable: false,
    };
    assert_eq!(rows_of(array.into()), ["G0 | G1", "G1 | G2", "G2 | G3"]);
    let map = Map::from([
        ("target".to_owned(), texts(&["g1", "g2", "g1"])),
        ("source".to_owned(), Value::List(vec!["g0".into(), Value::None, "g0".into()])),
        ("rank".to_owned(), Value::List(vec![7.into(), 8.into(), 9.into()])),
        ("db".to_owned(), texts(&["x", "y", "z"])),
    ]);
    let task = read(&data, &[("interactions", map.into())]);
    assert_eq!(rows(&task), ["G0 | G1"]);
    assert_eq!(task.metadata.column_names(), ["db", "rank"]);
    assert_eq!(task.metadata.column("rank"), Some(&Dense::vector(vec![7i64]).into()));
}

// L13.
#[test]
fn complexes_become_their_least_expressed_component_or_all() {
    // Overall means: g0 2, g1 1, g2 1, g3 4.
    let x = [vec![1.0, 2.0, 0.0, 4.0], vec![3.0, 0.0, 2.0, 4.0]];
    let data = dataset(&x, &[0, 1], &["a", "b"]);
    let given = pairs(&[("g3_g0_zz", "g2_g1"), ("zz_yy", "g0"), ("zz", "g0"), ("g3_g0", "g0")]);
    let of = |policy: &str| {
        read(&data, &[("interactions", given.clone()), ("complex_policy", policy.into())])
    };
    // g2 ties with g1 and stands first.
    assert_eq!(rows(&of("min")), ["G0 | G2", "G0 | G0"]);
    let all = of("all");
    assert_eq!(rows(&all), ["G3 | G2", "G3 | G1", "G0 | G2", "G0 | G1", "G3 | G0", "G0 | G0"]);
    let plain =
        read(&data, &[("interactions", pairs(&[("g0", "g2"), ("g0", "g0"), ("g1", "g1")]))]);
    assert_eq!(tables(&of("min")).means, tables(&plain).means[..8]);
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
fn a_gene_far_below_another_keeps_its_digits() {
    let tiny = 2f64.powi(-100) / 3.0;
    let data = dataset(&[vec![tiny, 3.0, 1.0], vec![5.0 * tiny, 1.0, 1.0]], &[0, 1], &["a", "b"]);
    let observed = read(&data, &[]).observed();
    // Both fit a common scale of 126 bits no more; the means are those of the values all the same.
    assert!(!observed.fixed.exact);
    assert_eq!(observed.means[..2], [tiny, 5.0 * tiny]);
}

#[test]
fn clusters_choose_cells_and_columns() {
    let x = [vec![1.0], vec![2.0], vec![50.0], vec![3.0], vec![9.0]];
    let data = dataset(&x, &[2, 0, 1, 0, -1], &["10", "z", "2"]);
    let of = |given: &[(&str, Value)]| {
        read(&data, &[&[("interactions", texts(&["g0"]))], given].concat())
    };
    let all = of(&[]);
    // Sorted as text; the cell without label is left out.
    assert_eq!(
        (all.clusters.clone(), all.labels.clone()),
        (vec!["10".into(), "2".into(), "z".into()], vec![1, 0, 2, 0])
    );
    let some = of(&[("clusters", texts(&["2", "10", "2"]))]);
    assert_eq!((some.clusters.len(), some.labels.clone()), (2, vec![1, 0, 0]));
    assert_eq!(some.pairs, [[0, 0], [0, 1], [1, 0], [1, 1]]);
    let given = of(&[("clusters", pairs(&[("z", "10"), ("10", "10"), ("z", "10")]))]);
    assert_eq!(given.pairs, [[0, 0], [1, 0]]);
    let one = of(&[("clusters", texts(&["10"])), ("n_perms", 2.into()), ("n_jobs", 5.into())]);
    assert_eq!(tables(&one), Tables { means: vec![2.5], pvalues: vec![0.0] });
}

#[test]
fn storage_of_x_makes_no_difference() {
    let x = [vec![1.0, 0.0, 3.0], vec![0.0, 5.0, 0.0], vec![2.0, 0.0, 1.0], vec![0.0, 4.0, 2.0]];
    let mut data = dataset(&x, &[0, 1, 1, 0], &["a", "b"]);
    let dense = read(&data, &[]).columns;
    // Unsorted, with a stored zero and a value in two parts.
    let csr = Sparse::csr(
        (4, 3),
        vec![0, 2, 4, 7, 9],
        vec![2, 0, 1, 2, 0, 2, 0, 1, 2],
        vec![3.0f32, 1.0, 5.0, 0.0, 0.5, 1.0, 1.5, 4.0, 2.0],
    );
    for x in [Value::Sparse(csr.clone()), csr.recompress().into()] {
        data.set("X", x.clone());
        assert_eq!(read(&data, &[]).columns, dense, "{}", x.type_name());
    }
    let raw = Map::from([
        ("X".to_owned(), csr.into()),
        ("var".to_owned(), data.get("var").unwrap().clone()),
    ]);
    data.set("raw", raw.into());
    data.set("X", Value::None);
    assert_eq!(read(&data, &[("use_raw", true.into())]).columns, dense);
}

#[test]
fn a_corrected_family_counts_undefined_entries() {
    let mut task = read(&dataset(&[vec![1.0; 3], vec![1.0; 3]], &[0, 1], &["a", "b"]), &[]);
    task.interactions.truncate(2);
    task.pairs.truncate(3);
    let p = vec![0.01, f64::NAN, 0.5, 0.04, 0.02, 0.9];
    let check = |task: &Task, expected: [f64; 6]| {
        assert_eq!(bits(&task.corrected(p.clone())), bits(&expected));
    };
    task.correction = Some((Correction::Bonferroni, 0.05, Axis::Clusters));
    check(&task, [0.02, f64::NAN, 1.0, 0.08, 0.04, 1.0]);
    task.correction = Some((Correction::Bonferroni, 0.05, Axis::Interactions));
    check(&task, [0.03, f64::NAN, 1.0, 0.12, 0.06, 1.0]);
}

#[test]
fn refusals_are_the_hosts() {
    let data = dataset(&vec![vec![1.0; 3]; 4], &[0, 0, 1, 1], &["a", "b"]);
    let cases: &[(&str, Value, &str)] = &[
        ("cluster_key", "nope".into(), "KeyError"),
        ("use_raw", true.into(), "AttributeError"),
        ("gene_symbols", "nope".into(), "KeyError"),
        ("interactions", Value::None, "unsupported"),
        ("interactions", Value::List(vec![]), "ValueError"),
        ("interactions", texts(&["x", "y"]), "ValueError"),
        ("interactions", 3.into(), "TypeError"),
        ("interactions", Value::List(vec![texts(&["g0"]); 3]), "ValueError"),
        ("interactions", Map::from([("source".into(), texts(&["g0"]))]).into(), "KeyError"),
        ("complex_policy", "max".into(), "ValueError"),
        ("n_perms", 0.into(), "ValueError"),
        ("n_perms", i64::MAX.into(), "ValueError"),
        ("n_jobs", 0.into(), "ValueError"),
        ("corr_method", "nope".into(), "ValueError"),
        ("clusters", texts(&["a", "x"]), "ValueError"),
        ("clusters", "a".into(), "ValueError"),
        ("clusters", Value::List(vec![1.into()]), "TypeError"),
        ("threshold", "0.1".into(), "TypeError"),
        ("rng", "mt".into(), "ValueError"),
        ("palette", "x".into(), "TypeError"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(kind(&data, &[(name, value.clone())]), *expected, "{name}={value:?}");
    }
    let given = [("corr_method", "fdr_bh".into()), ("corr_axis", "cells".into())];
    assert_eq!(kind(&data, &given), "ValueError");
    read(&data, &given[1..]);
    let unused = dataset(&vec![vec![1.0; 3]; 2], &[0, 1], &ABC);
    assert_eq!(kind(&unused, &[]), "ValueError");
    let single = dataset(&vec![vec![1.0; 3]; 2], &[0, 0], &["a"]);
    assert_eq!(kind(&single, &[]), "ValueError");
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_the_definition((x, labels) in counts()) {
        let task = read(&dataset(&x, &labels, &ABC), &[]);
        let observed = task.observed();
        let exceedances = task.exceedances(&observed, Some(0.0));
        let expected = by_definition(&task, &|p| concord(&task, p), 20);
        let defined = task.defined(&observed);
        for (at, defined) in defined.into_iter().enumerate() {
            let expected = if defined { expected[at] as u32 } else { 0 };
            prop_assert_eq!(exceedances.strict[at], expected);
            prop_assert_eq!(exceedances.low[at], expected);
            prop_assert!(exceedances.high[at] >= expected);
        }
        // Values so far apart that sums need 128 bits decide the same.
        let wide: Vec<Vec<f64>> = x.iter().map(|row| row.iter().map(|v| v * 2f64.powi(70)).collect()).collect();
        let mut wide = read(&dataset(&wide, &labels, &ABC), &[]);
        // A gene of its own, in no interaction, sets the scale.
        wide.columns.push(Column { cells: vec![0], values: vec![1.0] });
        let wide_observed = wide.observed();
        prop_assert!(wide_observed.fixed.exact && wide_observed.fixed.exponent == 0);
        prop_assert_eq!(wide.exceedances(&wide_observed, None).strict, exceedances.strict);
    }

    // L1: both sides swapped.
    #[test]
    fn swapping_genes_and_clusters_changes_nothing((x, labels) in counts()) {
        let tables = tables(&read(&dataset(&x, &labels, &ABC), &[]));
        for (s, t) in [(0, 1), (1, 2), (0, 2), (0, 0)] {
            for (c, d) in [(0, 1), (2, 1), (0, 0)] {
                let at = (s * 3 + t) * 9 + c * 3 + d;
                let swapped = (t * 3 + s) * 9 + d * 3 + c;
                prop_assert_eq!(tables.means[at].to_bits(), tables.means[swapped].to_bits());
                prop_assert_eq!(bits(&[tables.pvalues[at]]), bits(&[tables.pvalues[swapped]]));
            }
        }
    }

    // L2, L4, L8.
    #[test]
    fn scaling_and_renaming((x, labels) in counts(), power in -9i32..9) {
        let plain = tables(&read(&dataset(&x, &labels, &ABC), &[]));
        prop_assert!(plain.pvalues.iter().all(|p| p.is_nan() || (0..=20).any(|n| *p == f64::from(n) / 20.0)));
        let factor = 2f64.powi(power);
        let scaled: Vec<Vec<f64>> = x.iter().map(|row| row.iter().map(|v| v * factor).collect()).collect();
        let scaled = tables(&read(&dataset(&scaled, &labels, &ABC), &[]));
        prop_assert_eq!(bits(&scaled.pvalues), bits(&plain.pvalues));
        prop_assert!(scaled.means.iter().zip(&plain.means).all(|(s, p)| *s == p * factor));
        // The first category renamed to the last in text order: columns rotate.
        let renamed = tables(&read(&dataset(&x, &labels, &["z", "b", "c"]), &[]));
        let at = |tables: &Tables, row: usize, c: usize, d: usize| {
            let at = row * 9 + c * 3 + d;
            (tables.means[at].to_bits(), bits(&[tables.pvalues[at]]))
        };
        for row in 0..9 {
            for (c, d) in [(0, 0), (0, 1), (1, 2), (2, 0)] {
                let (moved_c, moved_d) = ((c + 2) % 3, (d + 2) % 3);
                prop_assert_eq!(at(&renamed, row, moved_c, moved_d), at(&plain, row, c, d));
            }
        }
    }

    // L6, L7.
    #[test]
    fn a_threshold_only_hides_p_values((x, labels) in counts(), threshold in 0f64..1.0) {
        let data = dataset(&x, &labels, &ABC);
        let (all, observed) = { let task = read(&data, &[]); (tables(&task), task.observed()) };
        let task = read(&data, &[("threshold", threshold.into())]);
        let some = tables(&task);
        prop_assert_eq!(&some.means, &all.means);
        let positive = task.entries(|s, t| observed.means[s] > 0.0 && observed.means[t] > 0.0, 3);
        let shown = task.entries(|s, t| observed.shares[s] >= threshold && observed.shares[t] >= threshold, 3);
        for at in 0..positive.len() {
            prop_assert_eq!(all.pvalues[at].is_nan(), !positive[at]);
            let expected = if shown[at] { all.pvalues[at] } else { f64::NAN };
            prop_assert_eq!(bits(&[some.pvalues[at]]), bits(&[expected]));
        }
    }

    // L9 for any constant, not only dyadic ones: ties are exact.
    #[test]
    fn a_constant_gene_never_exceeds_itself((_, labels) in counts(), value in 0.001f64..100.0) {
        let x = vec![vec![value, 1.0]; labels.len()];
        let task = read(&dataset(&x, &labels, &ABC), &[("interactions", texts(&["g0", "g1"]))]);
        let observed = task.observed();
        let u = f64::EPSILON / 2.0;
        let exceedances = task.exceedances(&observed, Some(4.0 * u * (labels.len() as f64 + 2.0)));
        prop_assert!(exceedances.strict.iter().all(|n| *n == 0));
        prop_assert!(exceedances.low.iter().all(|n| *n == 0));
        prop_assert!(exceedances.ties.iter().all(|n| *n == 20));
        // Sums of ones are exact, so g1 with itself ties without doubt; a sum with g0 is rounded as the order will have it.
        let rounded = !observed.fixed.adds_exactly(0);
        for (i, high) in exceedances.high.iter().enumerate() {
            let expected = if rounded && i / 9 < 3 { 20 } else { 0 };
            prop_assert_eq!(*high, expected, "interaction {}", i / 9);
        }
    }

    // What `>=` would count on exact data lies above the interval, unless different sums happen to tie.
    #[test]
    fn identical_sums_are_in_no_interval((x, labels) in counts(), power in -3i32..3) {
        let x: Vec<Vec<f64>> = x.iter().map(|row| row.iter().map(|v| v * 2f64.powi(power)).collect()).collect();
        let task = read(&dataset(&x, &labels, &ABC), &[]);
        let observed = task.observed();
        let band = task.exceedances(&observed, Some(1e-12));
        let mut expected = vec![0; band.high.len()];
        for p in 0..20 {
            let permuted = Task { labels: concord(&task, p), ..task.clone() }.observed();
            let tied = task.entries(|s, t| {
                let [s, t] = [s, t].map(|at| (permuted.means[at] - observed.means[at], permuted.sums[at] == observed.sums[at]));
                (s.0 + t.0).abs() < 1e-9 && !(s.1 && t.1)
            }, task.k());
            expected.iter_mut().zip(tied).for_each(|(n, tied)| *n += u32::from(tied));
        }
        for (at, defined) in task.defined(&observed).into_iter().enumerate() {
            if defined {
                prop_assert_eq!(band.high[at], band.strict[at] + expected[at]);
                prop_assert!(band.ties[at] >= expected[at]);
            }
        }
    }

    // L14, exact because the data are integers.
    #[test]
    fn sums_add_up((x, labels) in counts()) {
        let observed = read(&dataset(&x, &labels, &ABC), &[]).observed();
        for gene in 0..3 {
            let total: f64 = x.iter().map(|row| row[gene]).sum();
            prop_assert_eq!(observed.sums[gene * 3..][..3].iter().sum::<i128>(), total as i128);
            for c in 0..3 {
                let at = gene * 3 + c;
                prop_assert_eq!(observed.means[at], observed.sums[at] as f64 / observed.sizes[c] as f64);
            }
        }
    }
}
