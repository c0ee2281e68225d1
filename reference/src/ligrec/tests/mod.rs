//! Tests of ligand-receptor tests, and what they share: small datasets, and the counts of exceedances by definition.

mod answers;
mod laws;
mod permutations;

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
