//! Hand-computed tables, what is chosen of the input, and refusals.

use super::*;

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
