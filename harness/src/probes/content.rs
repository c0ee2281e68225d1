//! What is in an answer, apart from where it stands; and how two answers differ, in words.

use std::collections::BTreeMap;
use std::fmt;

use dispatch::{Call, Dataset, Digest, Dtype, Index, Value};

use crate::errors;
use crate::judge::Outcome;
use crate::show::rows;

/// How two outcomes of what should be one call differ; `None` if they do not: the same bits, or refusals that one
/// `except` catches.
pub(super) fn difference(expected: &Outcome, actual: &Outcome) -> Option<String> {
    match (expected, actual) {
        (Ok(e), Ok(a)) if e.data == a.data => None,
        (Ok(e), Ok(a)) => Some(first_difference(&e.data, &a.data)),
        (Err(e), Err(a)) => {
            let classes = (class(e), class(a));
            let same = e.kind() == a.kind() && errors::alike(&classes.0, &classes.1, &[]);
            (!same).then(|| format!("{e} became {a}"))
        }
        (Ok(_), Err(fault)) => Some(format!("an answer became a refusal: {fault}")),
        (Err(fault), Ok(_)) => Some(format!("a refusal became an answer: {fault}")),
    }
}

fn class(fault: &dispatch::Fault) -> String {
    match fault {
        dispatch::Fault::Rejected { kind, .. } => kind.clone(),
        other => other.kind().to_owned(),
    }
}

/// The first element that differs, with its place.
fn first_difference(expected: &Dataset, actual: &Dataset) -> String {
    let (e, a) = (rows(expected), rows(actual));
    let differs = e.iter().zip(&a).find(|(e, a)| e != a);
    match differs {
        Some(((at, e), (place, a))) if at == place => format!("{at} is {a}, not {e}"),
        Some(((at, _), (place, _))) => format!("{place} stands where {at} should"),
        None if e.len() != a.len() => format!("{} elements, not {}", a.len(), e.len()),
        None => "the same numbers in another form".to_owned(),
    }
}

/// Digests of all arrays and scalars of an answer, sorted: the same whether it was returned or stored.
pub(super) fn digests(data: &Dataset) -> Vec<Digest> {
    let mut out = Vec::new();
    data.root().values().for_each(|value| collect(value, &mut out));
    out.sort();
    out
}

fn collect(value: &Value, out: &mut Vec<Digest>) {
    match value {
        Value::Map(map) => map.values().for_each(|item| collect(item, out)),
        Value::List(items) | Value::Tuple(items) => items.iter().for_each(|i| collect(i, out)),
        other => out.push(Digest::of_value(other)),
    }
}

/// One array of an answer, or one axis of a frame, without its numbers.
#[derive(Debug)]
pub(super) struct Form {
    at: String,
    /// Type, shape, labels.
    what: String,
    /// The dtype of numbers.
    dtype: Option<Dtype>,
}

impl Form {
    /// Whether `actual` will do where this is expected: the same, but for floats that may be wider.
    pub(super) fn admits(&self, actual: &Form) -> bool {
        let dtype = match (self.dtype, actual.dtype) {
            (Some(e), Some(a)) => e == a || (e.is_float() && a.is_float() && a.size() > e.size()),
            (e, a) => e == a,
        };
        dtype && self.at == actual.at && self.what == actual.what
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dtype = self.dtype.map(|dtype| format!(" {}", dtype.name())).unwrap_or_default();
        write!(f, "{}:{dtype} {}", self.at, self.what)
    }
}

/// The form of an answer: types, dtypes, shapes and labels.
pub(super) fn form(data: &Dataset) -> Vec<Form> {
    let mut out = Vec::new();
    for (path, value) in data.leaves() {
        push(path, value, &mut out);
    }
    out
}

fn push(at: String, value: &Value, out: &mut Vec<Form>) {
    let plain = |at: String, what: String| Form { at, what, dtype: None };
    match value {
        Value::Map(map) => map.iter().for_each(|(k, v)| push(format!("{at}/{k}"), v, out)),
        Value::List(items) | Value::Tuple(items) => {
            out.push(plain(at.clone(), format!("{} of {}", value.type_name(), items.len())));
            items.iter().enumerate().for_each(|(i, v)| push(format!("{at}.{i}"), v, out));
        }
        Value::Frame(frame) => {
            out.push(plain(format!("{at} rows"), labels(&frame.index)));
            out.push(plain(format!("{at} columns"), labels(&frame.column_index)));
            for (name, column) in frame.column_names().iter().zip(&frame.columns) {
                push(format!("{at}[{name}]"), column, out);
            }
        }
        Value::Dense(dense) => {
            let what = format!("array of shape {:?}", dense.shape);
            out.push(Form { at, what, dtype: Some(dense.dtype()) });
        }
        other => {
            let length = other.len().map(|n| format!(" of {n}")).unwrap_or_default();
            out.push(plain(at, format!("{}{length}", kind(other))));
        }
    }
}

fn labels(index: &Index) -> String {
    let levels = index.levels.iter().map(kind).collect::<Vec<_>>().join(", ");
    let names = index.names.iter().map(|name| name.as_deref().unwrap_or("-"));
    format!(
        "{} labels of {levels}, levels named {}",
        index.len(),
        names.collect::<Vec<_>>().join(" ")
    )
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Dense(dense) => dense.dtype().name(),
        Value::Strings(_) => "text",
        other => other.type_name(),
    }
}

/// Digests of every slot of the AnnData by path, and of every argument as `params/NAME`.
pub(super) fn fingerprint(call: &Call) -> BTreeMap<String, Digest> {
    let slots = call.data.leaves().into_iter().map(|(path, v)| (path, Digest::of_value(v)));
    let params = call.params.iter().map(|(n, v)| (format!("params/{n}"), Digest::of_value(v)));
    slots.chain(params).collect()
}
