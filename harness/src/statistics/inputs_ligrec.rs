//! The inputs on which permutations of `ligrec` are studied.
//!
//! Counts in clusters of a power of two cells make every mean exact, so that a tie is a tie in any arithmetic; with
//! clusters of three it is a matter of rounding, and both outcomes are accepted. *Outlier* has a third cluster that
//! was not asked for and must not be permuted. *Blocks* has labels and genes that follow the numbers of the cells: a
//! shuffle that keeps neighbours together shows.

use dispatch::{Call, Categorical, Dtype, Params, Strings, Value};
use generators::parts::annotated;
use generators::parts::expression::{Storage, store};
use generators::{Poisson, Random, Recipe};

use super::study::{Study, Ties};

const FUNCTION: &str = "ligrec";

pub(super) static STUDIES: [Study; 10] = [
    Study::tiny(FUNCTION, "sizes-4-2-2", Ties::Certain, || tiny([4, 2, 2])),
    Study::tiny(FUNCTION, "sizes-3-3-2", Ties::Doubtful, || tiny([3, 3, 2])),
    Study::tiny(FUNCTION, "outlier-of-8", Ties::Certain, || outlier([4, 2, 2], 5)),
    Study::sampled(FUNCTION, "blocks-100", || blocks(100, 0.01)),
    Study::sampled(FUNCTION, "blocks-577", || blocks(577, 0.01)),
    Study::sampled(FUNCTION, "half-expressed-60", || blocks(60, 0.5)),
    Study::sampled(FUNCTION, "outlier-48", || outlier([16, 16, 16], 6)),
    Study::sampled(FUNCTION, "singletons-31", || counts(&[29, 1, 1], 7)),
    Study::sampled(FUNCTION, "recipe-sparse-64", || {
        recipe("cells=64 genes=3 clusters=3 expression=zero-inflated storage=csr seed=11")
    }),
    Study::sampled(FUNCTION, "recipe-raw-33", || {
        recipe(
            "cells=33 genes=3 clusters=5 expression=gaussian source=raw interactions=frame seed=12",
        )
    }),
];

/// Genes by name, a value for each cell.
type Genes = Vec<(&'static str, Vec<f64>)>;

/// A call on some genes and clusters `A`, `B`, ... of given sizes; of the clusters only `clusters` are asked for.
fn call(genes: Genes, labels: Vec<i32>, clusters: Value, threshold: f64) -> Call {
    let n = labels.len();
    let names: Vec<String> = genes.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut data = annotated::dataset(n, &names, &mut Random::new(0, "score"));
    let values: Vec<f64> = (0..n).flat_map(|i| genes.iter().map(move |(_, v)| v[i])).collect();
    data.set("X", store(&values, (n, names.len()), Storage::C, Dtype::F64));
    let k = labels.iter().max().map_or(0, |last| last + 1);
    let letters = (0..k).map(|c| char::from(b'A' + c as u8).to_string());
    let column = Categorical {
        codes: labels,
        categories: Box::new(Strings::new(letters).into()),
        ordered: false,
    };
    data.set("obs/cluster", column.into());
    let pair = |a: usize, b: usize| {
        Value::Tuple(vec![
            names[a % names.len()].as_str().into(),
            names[b % names.len()].as_str().into(),
        ])
    };
    let interactions = Value::List(vec![pair(0, 1), pair(0, 0), pair(1, 2), pair(2, 0)]);
    let params: [(&str, Value); 13] = [
        ("cluster_key", "cluster".into()),
        ("interactions", interactions),
        ("complex_policy", "min".into()),
        ("threshold", threshold.into()),
        ("corr_method", Value::None),
        ("corr_axis", "clusters".into()),
        ("use_raw", false.into()),
        ("copy", true.into()),
        ("gene_symbols", Value::None),
        ("clusters", clusters),
        ("n_perms", Value::Int(999)),
        ("seed", Value::Int(0)),
        ("alpha", 0.05.into()),
    ];
    let params: Params = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Call::new(FUNCTION, data, params)
}

/// Labels of clusters of given sizes, one after another.
fn labels(sizes: &[usize]) -> Vec<i32> {
    sizes.iter().enumerate().flat_map(|(c, &size)| vec![c as i32; size]).collect()
}

/// Counts with many ties.
fn tiny(sizes: [usize; 3]) -> Call {
    let genes: [(&'static str, [u8; 8]); 3] = [
        ("LIGAND", [2, 1, 0, 1, 3, 0, 1, 1]),
        ("RECEPTOR", [1, 0, 1, 1, 0, 2, 2, 1]),
        ("BOTH", [1, 1, 1, 2, 1, 1, 1, 0]),
    ];
    let genes = genes.map(|(name, values)| (name, values.map(f64::from).to_vec()));
    call(genes.into(), labels(&sizes), Value::None, 0.01)
}

/// Counts, much higher in the last cluster, which is not asked for.
fn outlier(sizes: [usize; 3], seed: u64) -> Call {
    let random = &mut Random::new(seed, "outlier");
    let labels = labels(&sizes);
    let mut gene = |mean: f64| -> Vec<f64> {
        let law = Poisson::new(mean);
        let value = |label: &i32| law.sample(random) + if *label == 2 { 20.0 } else { 0.0 };
        labels.iter().map(value).collect()
    };
    let genes = vec![("LIGAND", gene(2.0)), ("RECEPTOR", gene(1.0)), ("BOTH", gene(3.0))];
    let asked = Value::List(vec!["A".into(), "B".into()]);
    call(genes, labels, asked, 0.01)
}

/// Three clusters in the order of the cells, and genes that rise, alternate, and wander.
fn blocks(n: usize, threshold: f64) -> Call {
    let random = &mut Random::new(n as u64, "blocks");
    let half = |i: usize| if 2 * i < n { 1.0 } else { 2.0 };
    let genes = vec![
        ("LIGAND", (0..n).map(|i| half(i) + 0.2 * random.normal().abs()).collect()),
        ("RECEPTOR", (0..n).map(|i| (i % 2) as f64 + random.unit()).collect()),
        ("BOTH", (0..n).map(|_| random.normal().max(0.0)).collect()),
    ];
    let third = n / 3;
    call(genes, labels(&[third, third, n - 2 * third]), Value::None, threshold)
}

/// Counts in clusters of given sizes.
fn counts(sizes: &[usize], seed: u64) -> Call {
    let random = &mut Random::new(seed, "counts");
    let labels = labels(sizes);
    let law = Poisson::new(3.0);
    let mut gene = || -> Vec<f64> { labels.iter().map(|_| law.sample(random)).collect() };
    let genes = vec![("LIGAND", gene()), ("RECEPTOR", gene()), ("BOTH", gene())];
    call(genes, labels, Value::None, 0.01)
}

fn recipe(text: &str) -> Call {
    let parsed = Recipe::parse(&generators::LIGREC, text);
    parsed.unwrap_or_else(|error| panic!("the recipe of a study: {error}")).build()
}
