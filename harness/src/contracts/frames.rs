//! What the contracts share about data frames.

use std::collections::BTreeMap;

use dispatch::{Frame, Value};

/// A column as numbers, or `None` if it holds none.
pub(crate) fn numbers(frame: &Frame, column: &str) -> Option<Vec<f64>> {
    match frame.column(column)? {
        Value::Dense(dense) => Some(dense.to_f64()),
        _ => None,
    }
}

/// For each row of `from`, the row of `to` with the same label; the k-th of equal labels meets the k-th.
/// `None` if the two do not hold the same labels equally often.
pub(crate) fn join(from: &[String], to: &[String]) -> Option<Vec<usize>> {
    if from.len() != to.len() {
        return None;
    }
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, label) in to.iter().enumerate().rev() {
        rows.entry(label).or_default().push(i);
    }
    from.iter().map(|label| rows.get_mut(label.as_str())?.pop()).collect()
}

/// The elements of `values` at `rows`.
pub(crate) fn at(values: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|&i| values[i]).collect()
}
