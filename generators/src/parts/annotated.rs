//! The frame of an AnnData: names of cells and genes, and slots that must *not* be read.
//!
//! A backend that reads `X` where `layers["counts"]` was asked for is found only if the two differ. So next to the values
//! under test stand decoys: other values of the same shape.

use dispatch::{Dataset, Dense, Frame, Index, Strings, Value};

use super::expression::{Storage, store};
use crate::Random;

/// `Gene0`, `Gene1` ...
pub fn genes(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("Gene{i}")).collect()
}

/// A dataset of `cells` rows and the given genes with nothing but names and, in `obs/score`, one number per cell.
pub fn dataset(cells: usize, genes: &[String], random: &mut Random) -> Dataset {
    let score: Vec<f64> = (0..cells).map(|_| random.normal()).collect();
    let names = Index::text((0..cells).map(|i| format!("cell{i}")));
    let mut data = Dataset::new();
    data.set("obs", Frame::new(names, [("score", Dense::vector(score).into())]).into());
    data.set("var", frame_of(genes));
    data
}

/// Sets `raw`: a matrix and its own genes.
pub fn set_raw(data: &mut Dataset, x: Value, genes: &[String]) {
    data.set("raw/X", x);
    data.set("raw/var", frame_of(genes));
}

/// The genes that `raw` has when `X` has `genes`: the same in reverse and one more, as after filtering genes.
///
/// The order differs, so that values that follow a position instead of a name are seen.
pub fn raw_genes(genes: &[String]) -> Vec<String> {
    std::iter::once("Filtered".to_owned()).chain(genes.iter().rev().cloned()).collect()
}

/// Row-major values for [`raw_genes`]: `values` with its columns reversed, behind a column of counts.
pub fn raw_values(values: &[f64], genes: usize, random: &mut Random) -> Vec<f64> {
    let row = |row: &[f64], extra: f64| -> Vec<f64> {
        std::iter::once(extra).chain(row.iter().rev().copied()).collect()
    };
    values.chunks(genes.max(1)).flat_map(|cells| row(cells, random.below(6) as f64)).collect()
}

/// Row-major integers from 0 to 6 that differ from `values` in at least one place.
pub fn decoy(values: &[f64], random: &mut Random) -> Vec<f64> {
    let mut decoy: Vec<f64> = values.iter().map(|_| random.below(6) as f64).collect();
    if let Some(first) = decoy.first_mut().filter(|first| **first == values[0]) {
        *first += 1.0;
    }
    decoy
}

/// A decoy as a plain dense matrix.
pub fn decoy_matrix(values: &[f64], shape: (usize, usize), random: &mut Random) -> Value {
    store(&decoy(values, random), shape, Storage::C, dispatch::Dtype::F64)
}

/// A column of text.
pub fn text_column<S: Into<String>>(values: impl IntoIterator<Item = S>) -> Value {
    Strings::new(values).into()
}

fn frame_of(names: &[String]) -> Value {
    Frame::new(Index::text(names.iter().cloned()), Vec::<(String, Value)>::new()).into()
}
