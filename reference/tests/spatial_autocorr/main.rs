//! `spatial_autocorr` as a caller sees it: values by hand and from textbooks, laws, the null, edge cases.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod edges;
mod laws;
mod null;
mod sparse;
mod values;

use dispatch::{Backend, Call, Dataset, Dense, Fault, Frame, Index, Params, Reply, Sparse, Value};
use reference::spatial_autocorr::{Task, centred};

/// A weighted edge: from, to, weight.
type Edge = (usize, usize, f64);

/// A CSR matrix of the edges, in the order given within each row.
fn csr(n: usize, edges: &[Edge]) -> Sparse {
    let (mut indptr, mut indices, mut weights) = (vec![0], Vec::new(), Vec::new());
    for i in 0..n {
        for &(_, j, w) in edges.iter().filter(|(from, _, _)| *from == i) {
            indices.push(j as i32);
            weights.push(w);
        }
        indptr.push(indices.len() as i32);
    }
    Sparse::csr((n, n), indptr, indices, weights)
}

/// Genes `g0, g1, ...` with the given values, and a graph of the edges.
fn dataset(genes: &[Vec<f64>], edges: &[Edge]) -> Dataset {
    let n = genes[0].len();
    let names =
        |letter: char, count: usize| Index::text((0..count).map(|i| format!("{letter}{i}")));
    let values: Vec<f64> = (0..n).flat_map(|i| genes.iter().map(move |g| g[i])).collect();
    let none = [] as [(&str, Value); 0];
    let mut data = Dataset::new();
    data.set("X", Dense::new(vec![n, genes.len()], values).into());
    data.set("obs", Frame::new(names('c', n), none.clone()).into());
    data.set("var", Frame::new(names('g', genes.len()), none).into());
    data.set("obsp/spatial_connectivities", csr(n, edges).into());
    data
}

fn params(given: &[(&str, Value)]) -> Params {
    given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn run(data: &Dataset, given: &[(&str, Value)]) -> Result<Reply, Fault> {
    reference::backend().run(&Call::new("spatial_autocorr", data.clone(), params(given)))
}

/// The table of a call with `copy=True`.
fn table(data: &Dataset, given: &[(&str, Value)]) -> Frame {
    let mut given = given.to_vec();
    given.push(("copy", true.into()));
    run(data, &given).unwrap().data.frame("result").unwrap().clone()
}

/// A column of a table with the rows in the order of `names`.
fn column(table: &Frame, name: &str, names: &[&str]) -> Vec<f64> {
    let labels = table.index.labels();
    let row = |wanted: &&str| labels.iter().position(|label| label == wanted).unwrap();
    match table.column(name) {
        Some(Value::Dense(column)) => {
            let values = column.to_f64();
            names.iter().map(|name| values[row(name)]).collect()
        }
        other => panic!("column {name} is {other:?}"),
    }
}

/// The statistic of the one feature of a dataset.
fn score(data: &Dataset, mode: &str, transformation: bool) -> f64 {
    let given = params(&[("mode", mode.into()), ("transformation", transformation.into())]);
    Task::read(data, &given).unwrap().statistics().score[0]
}

/// How far two evaluations of a statistic on at most 2^8 cells may be apart.
///
/// Rows add up at most 32 terms, the tree 13 levels, D as many, and a dozen single operations surround them: below 64 roundings
/// on each side, each of the sum of magnitudes of the numerator over D.
fn allowance(data: &Dataset, mode: &str, transformation: bool) -> f64 {
    let given = params(&[("mode", mode.into()), ("transformation", transformation.into())]);
    let task = Task::read(data, &given).unwrap();
    let (n, mut x) = (task.n(), vec![0.0; task.n()]);
    task.features.columns.fill(0, &mut x);
    let mut z = vec![0.0; n];
    let d = centred(&x, &mut z).unwrap();
    let edges = (0..n).flat_map(|i| task.graph.row(i).map(move |(j, w)| (i, j, w)));
    let magnitude: f64 = match mode {
        "moran" => edges.map(|(i, j, w)| (w * z[i] * z[j]).abs()).sum(),
        _ => edges.map(|(i, j, w)| w.abs() * (z[i] - z[j]).powi(2)).sum(),
    };
    let factor = task.mode.factor(n, task.moments.s0, d).abs();
    // A mean that is off by 13 u moves every difference from it.
    let mean = x.iter().map(|v| v.abs()).sum::<f64>() / n as f64;
    let spread = (d / n as f64).sqrt();
    128.0 * f64::EPSILON / 2.0 * factor * magnitude * (1.0 + mean / spread) + 16.0 * f64::EPSILON
}

fn assert_close(a: f64, b: f64, allowance: f64) {
    assert!(
        (a - b).abs() <= allowance,
        "{a} and {b} differ by {}, allowed {allowance}",
        (a - b).abs()
    );
}
