//! What happens at the edges: undefined statistics, other slots, refusals.

use dispatch::{Categorical, Dataset, Dense, Fault, Frame, Index, Sparse, Strings, Value};

use crate::values::random_edges;
use crate::{column, csr, dataset, run, table};

const NAMES: [&str; 4] = ["g0", "g1", "g2", "g3"];

/// Four genes on 30 cells; the first is as given.
fn with_first(first: Vec<f64>) -> Dataset {
    let n = first.len();
    let other = |g: usize| (0..n).map(move |i| ((i * (g + 2) + i * i) % 13) as f64).collect();
    dataset(&[first, other(1), other(2), other(3)], &random_edges(n, 4 * n, 2))
}

#[test]
fn an_undefined_feature_is_nan_and_leaves_the_others_alone() {
    let one = |value: f64| (0..30).map(|i| if i == 4 { value } else { i as f64 }).collect();
    // 0.1 thirty times: the mean is not 0.1, so that only exact equality shows it to be constant.
    for first in [vec![0.1; 30], one(f64::NAN), one(f64::INFINITY), one(f64::NEG_INFINITY)] {
        for mode in ["moran", "geary"] {
            let given = [("mode", mode.into()), ("n_perms", 20.into())];
            let data = with_first(first.clone());
            let all = table(&data, &given);
            let genes = Value::List(NAMES[1..].iter().map(|&g| g.into()).collect());
            let rest = table(&data, &[given[0].clone(), given[1].clone(), ("genes", genes)]);
            assert_eq!(all.index.labels()[3], "g0", "NaN comes last");
            for name in all.column_names() {
                let first = column(&all, &name, &NAMES[..1])[0];
                assert_eq!(first.is_nan(), name != "var_norm", "{mode} {name} {first}");
                assert_eq!(
                    column(&all, &name, &NAMES[1..]),
                    column(&rest, &name, &NAMES[1..]),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_graph_without_weight_gives_nan() {
    let mut data = with_first((0..30).map(|i| (i % 4) as f64).collect());
    let cancelling = csr(30, &[(0, 1, 1.0), (2, 3, -1.0)]);
    for graph in [csr(30, &[]), cancelling] {
        data.set("obsp/spatial_connectivities", graph.into());
        for mode in ["moran", "geary"] {
            let table = table(&data, &[("mode", mode.into()), ("n_perms", 3.into())]);
            assert_eq!(table.index.labels(), NAMES, "ties keep their order");
            for name in table.column_names() {
                assert!(column(&table, &name, &NAMES).iter().all(|v| v.is_nan()), "{mode} {name}");
            }
        }
    }
}

#[test]
fn permutations_that_change_nothing_have_no_z() {
    // Complete graph with loops: the lag is constant, so every permutation is a tie.
    let edges: Vec<_> = (0..5).flat_map(|i| (0..5).map(move |j| (i, j, 1.0))).collect();
    let data = dataset(&[vec![1.0, 0.3, 2.0, 5.0, 1.1]], &edges);
    let table = table(&data, &[("n_perms", 9.into())]);
    assert_eq!(column(&table, "var_sim", &["g0"]), [0.0]);
    assert!(column(&table, "pval_z_sim", &["g0"])[0].is_nan());
    // All nine reach the statistic; folded, none.
    assert_eq!(column(&table, "pval_sim", &["g0"]), [0.1]);
}

#[test]
fn values_come_from_every_slot() {
    let data = with_first((0..30).map(|i| (i % 7) as f64).collect());
    let x = data.get("X").unwrap().clone();
    let expected = table(&data, &[]);
    let mut other = data.clone();
    other.set("X", Dense::new(vec![30, 4], vec![0.0; 120]).into());
    other.set("layers/counts", x.clone());
    other.set("obsm/X_pca", x.clone());
    other.set("raw/X", x.clone());
    other.set("raw/var", data.get("var").unwrap().clone());
    let Value::Dense(dense) = &x else { panic!() };
    let frame =
        |j: usize| Dense::vector((0..30).map(|i| dense.to_f64()[i * 4 + j]).collect::<Vec<_>>());
    let labels = Index::text((0..30).map(|i| format!("c{i}")));
    let columns: Vec<(&str, Value)> =
        NAMES.iter().enumerate().map(|(j, &g)| (g, frame(j).into())).collect();
    other.set("obs", Frame::new(labels, columns).into());
    other.set("obs/batch", Categorical::new(vec![0; 30], ["a"]).into());
    other.set("obs/flag", Dense::vector(vec![true; 30]).into());
    assert_eq!(table(&other, &[("layer", "counts".into())]), expected);
    assert_eq!(table(&other, &[("use_raw", true.into())]), expected);
    assert_eq!(table(&other, &[("attr", "obs".into())]), expected, "text and flags are left out");
    let by_position = table(&other, &[("attr", "obsm".into()), ("layer", "X_pca".into())]);
    assert_eq!(by_position.columns, expected.columns);
    let position = |label: &String| label[1..].to_owned();
    let positions: Vec<String> = expected.index.labels().iter().map(position).collect();
    assert_eq!(by_position.index.labels(), positions);
}

#[test]
fn genes_are_chosen_by_name_position_or_mark() {
    let mut data = with_first((0..30).map(|i| (i % 7) as f64).collect());
    let labels = |given: &[(&str, Value)]| {
        let mut labels = table(&data, given).index.labels();
        labels.sort();
        labels
    };
    let list = |items: Vec<Value>| ("genes", Value::List(items));
    assert_eq!(labels(&[("genes", "g2".into())]), ["g2"]);
    assert_eq!(labels(&[list(vec!["g2".into(), "g0".into(), "g2".into()])]), ["g0", "g2", "g2"]);
    assert_eq!(labels(&[("genes", Strings::new(["g3"]).into())]), ["g3"]);
    assert_eq!(labels(&[list(vec![3.into(), (-4).into()])]), ["-4", "3"]);
    data.set("var/highly_variable", Dense::vector(vec![false, true, false, true]).into());
    let marked = table(&data, &[]);
    assert_eq!(marked.index.len(), 2);
    assert!(marked.index.labels().iter().all(|g| g == "g1" || g == "g3"));
}

#[test]
fn use_raw_drops_what_raw_does_not_have() {
    let mut data = with_first((0..30).map(|i| (i % 7) as f64).collect());
    let x = data.get("X").unwrap().clone();
    data.set("raw/X", x);
    let none = [] as [(&str, Value); 0];
    let raw_var = |names: [&str; 4]| Value::from(Frame::new(Index::text(names), none.clone()));
    data.set("raw/var", raw_var(["g0", "r1", "g2", "r3"]));
    let genes = |names: &[&str]| ("genes", Value::List(names.iter().map(|&g| g.into()).collect()));
    let labels = |data: &Dataset, given: &[(&str, Value)]| {
        let mut labels = table(data, given).index.labels();
        labels.sort();
        labels
    };
    let raw = ("use_raw", Value::Bool(true));
    assert_eq!(labels(&data, std::slice::from_ref(&raw)), ["g0", "g2"], "genes of both");
    assert_eq!(labels(&data, &[raw.clone(), genes(&["r3", "g0", "nope", "r3"])]), ["g0", "r3"]);
    data.set("raw/var", raw_var(["g0", "g0", "g2", "r3"]));
    assert_eq!(kind(&data, &[raw.clone(), genes(&["g0"])]), "ValueError");
    assert_eq!(labels(&data, &[raw, genes(&["g2"])]), ["g2"]);
}

fn kind(data: &Dataset, given: &[(&str, Value)]) -> String {
    match run(data, given) {
        Err(Fault::Rejected { kind, .. }) => kind,
        other => format!("{other:?}"),
    }
}

#[test]
fn refusals_have_the_hosts_exception() {
    let data = with_first((0..30).map(|i| (i % 7) as f64).collect());
    let cases: &[(&str, Value, &str)] = &[
        ("connectivity_key", "nope".into(), "KeyError"),
        ("mode", "moranI".into(), "ValueError"),
        ("n_perms", 0.into(), "ValueError"),
        ("n_perms", (-3).into(), "ValueError"),
        ("genes", "nope".into(), "KeyError"),
        ("genes", Value::List(vec![9.into()]), "IndexError"),
        ("genes", 1.5.into(), "TypeError"),
        ("use_raw", true.into(), "AttributeError"),
        ("attr", "uns".into(), "NotImplementedError"),
        ("layer", "nope".into(), "KeyError"),
        ("corr_method", "nope".into(), "ValueError"),
        ("seed", (-1).into(), "ValueError"),
        ("n_jobs", 0.into(), "ValueError"),
        ("rng", "mt".into(), "ValueError"),
        ("multi_gpu", true.into(), "TypeError"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(kind(&data, &[(name, value.clone())]), *expected, "{name}={value:?}");
    }
    let obs = [("attr", "obs".into()), ("genes", "nope".into())];
    assert_eq!(kind(&data, &obs), "KeyError");
    let machine = [("rng", "numpy".into()), ("n_jobs", (-1).into())];
    assert_eq!(kind(&data, &machine), "ValueError");
}

#[test]
fn infinite_weights_are_refused_only_where_rows_are_normalised() {
    let mut data = with_first((0..30).map(|i| (i % 7) as f64).collect());
    let graph =
        Sparse::csr((30, 30), (0..31).map(|i| i.min(1)).collect(), vec![1], vec![f32::INFINITY]);
    data.set("obsp/spatial_connectivities", graph.into());
    assert_eq!(kind(&data, &[]), "ValueError");
    let table = table(&data, &[("transformation", false.into())]);
    assert!(column(&table, "I", &NAMES).iter().all(|v| v.is_nan()));
}

#[test]
fn no_cells_and_one_cell_are_undefined_not_fatal() {
    for n in [0, 1, 2] {
        let data = dataset(&[vec![1.5; n]], &[]);
        let table = table(&data, &[("n_perms", 2.into())]);
        assert!(column(&table, "I", &["g0"])[0].is_nan(), "n = {n}");
    }
}
