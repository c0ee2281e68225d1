//! Changes to calls and answers that mistakes in several functions consist of.

use dispatch::{Dataset, Dense, Fault, Frame, Order, Params, Reply, Value};

/// The parameters with some of them replaced.
pub(super) fn replaced<const N: usize>(params: &Params, by: [(&str, Value); N]) -> Params {
    let mut params = params.clone();
    params.extend(by.map(|(name, value)| (name.to_owned(), value)));
    params
}

/// The parameters without one, so that the default holds.
pub(super) fn without(params: &Params, name: &str) -> Params {
    let mut params = params.clone();
    params.remove(name);
    params
}

/// A parameter as text, or the default.
pub(super) fn text<'a>(params: &'a Params, name: &str, default: &'a str) -> &'a str {
    params.get(name).and_then(Value::as_text).unwrap_or(default)
}

/// The truth of a parameter, or the default.
pub(super) fn flag(params: &Params, name: &str, default: bool) -> bool {
    match params.get(name) {
        Some(Value::Bool(b)) => *b,
        _ => default,
    }
}

/// The dataset with one slot changed, if it is there.
pub(super) fn with_slot(data: &Dataset, path: &str, change: impl FnOnce(&mut Value)) -> Dataset {
    let mut data = data.clone();
    if let Some(value) = data.get_mut(path) {
        change(value);
    }
    data
}

/// A column-major array whose memory is taken for a row-major one.
pub(super) fn misread_order(value: &mut Value) {
    if let Value::Dense(Dense { order: order @ Order::F, .. }) = value {
        *order = Order::C;
    }
}

/// The answer of a function after a change to every array in it.
pub(super) fn each_array(mut reply: Reply, change: &impl Fn(&mut Dense)) -> Reply {
    let paths: Vec<String> = reply.data.leaves().into_iter().map(|(path, _)| path).collect();
    for path in paths {
        if let Some(value) = reply.data.get_mut(&path) {
            on_arrays(value, change);
        }
    }
    reply
}

fn on_arrays(value: &mut Value, change: &impl Fn(&mut Dense)) {
    match value {
        Value::Dense(dense) => change(dense),
        Value::Frame(frame) => frame.columns.iter_mut().for_each(|c| on_arrays(c, change)),
        Value::Tuple(items) | Value::List(items) => {
            items.iter_mut().for_each(|item| on_arrays(item, change));
        }
        Value::Map(map) => map.values_mut().for_each(|item| on_arrays(item, change)),
        _ => {}
    }
}

/// Numbers as a float32 holds them.
pub(super) fn in_f32(dense: &mut Dense) {
    let rounded: Vec<f64> = dense.to_f64().into_iter().map(|x| f64::from(x as f32)).collect();
    *dense = Dense::new(dense.shape.clone(), rounded);
}

/// Numbers as pandas' nullable type, whose missing entries stand in a mask.
pub(super) fn nullable(value: &mut Value) {
    if let Value::Dense(dense) = value {
        let mask = dense.to_f64().iter().map(|x| x.is_nan()).collect();
        *value = Value::Masked(dispatch::Masked { values: dense.clone(), mask });
    }
}

/// The answer under another path.
pub(super) fn moved(reply: Reply, to: impl Fn(&str) -> String) -> Reply {
    let mut data = Dataset::new();
    for (path, value) in reply.data.leaves() {
        data.set(&to(&path), value.clone());
    }
    Reply { data, ..reply }
}

/// The frame without some of its columns.
pub(super) fn keep_columns(frame: &Frame, keep: impl Fn(&str) -> bool) -> Frame {
    let names = frame.column_names().into_iter().zip(frame.columns.iter().cloned());
    Frame::new(frame.index.clone(), names.filter(|(name, _)| keep(name)))
}

/// Answers where the reference refuses with a kind of error: what `instead` gives.
pub(super) fn where_refused(
    answer: Result<Reply, Fault>,
    kind: &str,
    instead: impl FnOnce() -> Result<Reply, Fault>,
) -> Result<Reply, Fault> {
    match answer {
        Err(Fault::Rejected { kind: k, .. }) if k == kind => instead(),
        other => other,
    }
}

/// The plain summary of a permutation: the identity.
pub(super) fn identity(n: usize) -> Vec<u32> {
    (0..n as u32).collect()
}
