//! The exact oracle: against values by hand, against the reference over small random calls, against itself (closed
//! forms and enumeration), and against what squidpy 1.8.3 answered.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod autocorr;
mod null;
mod pairs;
mod recorded;

use dispatch::{Categorical, Dataset, Dense, Frame, Index, Params, Sparse, Value};
use num_rational::BigRational;
use proptest::prelude::ProptestConfig;
use reference::exact::Number;

/// The unit roundoff of `f64`.
const U: f64 = f64::EPSILON / 2.0;

/// A weighted edge: from, to, weight.
type Edge = (usize, usize, f64);

/// Cells by genes, labels `l0, l1, ...` under `cluster`, a graph of the edges in the order given, positions.
#[derive(Clone, Debug, Default)]
struct Cells {
    genes: Vec<Vec<f64>>,
    labels: Vec<i32>,
    edges: Vec<Edge>,
    at: Vec<[f32; 2]>,
}

impl Cells {
    fn n(&self) -> usize {
        self.genes.first().map_or(self.at.len(), Vec::len)
    }

    fn dataset(&self) -> Dataset {
        let (n, genes) = (self.n(), self.genes.len());
        let names =
            |letter: char, count: usize| Index::text((0..count).map(|i| format!("{letter}{i}")));
        let clusters = self.labels.iter().max().map_or(0, |label| label + 1);
        let column = Categorical::new(self.labels.clone(), (0..clusters).map(|l| format!("l{l}")));
        let obs = (!self.labels.is_empty()).then(|| ("cluster", column.into()));
        let values: Vec<f64> = (0..n).flat_map(|i| self.genes.iter().map(move |g| g[i])).collect();
        let mut data = Dataset::new();
        data.set("obs", Frame::new(names('c', n), obs).into());
        data.set("var", Frame::new(names('g', genes), [] as [(&str, Value); 0]).into());
        data.set("X", Dense::new(vec![n, genes], values).into());
        data.set("obsp/spatial_connectivities", csr(n, &self.edges).into());
        if !self.at.is_empty() {
            data.set("obsm/spatial", Dense::new(vec![n, 2], self.at.concat()).into());
        }
        data
    }
}

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

fn params(given: &[(&str, Value)]) -> Params {
    given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn mode(moran: bool) -> Value {
    if moran { "moran" } else { "geary" }.into()
}

fn fraction(numerator: i64, denominator: i64) -> Number {
    Number::Ratio(BigRational::new(numerator.into(), denominator.into()))
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
