//! An answer as rows of text: one per element, with the place it stands at.

use dispatch::{Dataset, Value, text_of};

use crate::compare::{describe, number};

/// How many elements of one slot are shown.
const MOST: usize = 200;

/// The elements of all slots, each with its place.
pub fn rows(data: &Dataset) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (path, value) in data.leaves() {
        push(&path, value, &mut out);
    }
    out
}

fn push(at: &str, value: &Value, out: &mut Vec<(String, String)>) {
    match value {
        Value::Dense(d) if !d.shape.is_empty() => {
            for (i, x) in d.to_f64().into_iter().enumerate().take(MOST) {
                out.push((format!("{at}{}", place(i, &d.shape)), number(x)));
            }
        }
        Value::Frame(frame) => {
            let labels = frame.index.labels();
            for (name, column) in frame.column_names().iter().zip(&frame.columns) {
                for (label, cell) in labels.iter().zip(cells(column)).take(MOST) {
                    out.push((format!("{at}[{name}] {label}"), cell));
                }
            }
        }
        Value::List(items) | Value::Tuple(items) => {
            items.iter().enumerate().for_each(|(i, item)| push(&format!("{at}.{i}"), item, out));
        }
        Value::Map(map) => {
            map.iter().for_each(|(name, item)| push(&format!("{at}/{name}"), item, out))
        }
        other => out.push((at.to_owned(), describe(other))),
    }
}

fn cells(column: &Value) -> Vec<String> {
    match column {
        Value::Dense(d) => d.to_f64().into_iter().map(number).collect(),
        other => text_of(other),
    }
}

/// The indices of flat position `i`, row-major: `[0, 2, 1]`.
pub fn place(i: usize, shape: &[usize]) -> String {
    let mut rest = i;
    let mut indices: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&n| {
            let index = rest % n.max(1);
            rest /= n.max(1);
            index
        })
        .collect();
    indices.reverse();
    format!("{indices:?}")
}
