//! The calls that are timed and their answers as files, so that another library is timed on the same data and compared.
//!
//! `index.json` has a list of cases: `data` is an `.h5ad`, `params` JSON, and each table of `answers` float64 in little-endian
//! order, row by row, with the labels of its rows and columns where it has any.

use std::path::Path;

use dispatch::{Backend, Call, Frame, Index, Reply, Value};
use serde_json::{Value as Json, json};

/// Writes calls and what the backend answers to them.
pub(crate) fn write<'c>(
    folder: &Path,
    backend: &impl Backend,
    calls: impl Iterator<Item = (&'c str, &'c Call)>,
) -> Result<(), String> {
    let failed = |what: &str, why: &dyn std::fmt::Display| format!("write {what}: {why}");
    let mut cases = Vec::new();
    for (i, (name, call)) in calls.enumerate() {
        let reply = backend.run(call).map_err(|fault| fault.to_string())?;
        let data = format!("{i}.h5ad");
        anndata_io::write(&folder.join(&data), &call.data).map_err(|why| failed(&data, &why))?;
        let mut answers = Vec::new();
        for (j, table) in tables(&reply).into_iter().enumerate() {
            let file = format!("{i}-{j}.f64");
            let bytes: Vec<u8> = table.values.iter().flat_map(|x| x.to_le_bytes()).collect();
            std::fs::write(folder.join(&file), bytes).map_err(|why| failed(&file, &why))?;
            answers.push(json!({
                "name": table.name, "file": file, "shape": table.shape,
                "rows": table.rows, "columns": table.columns,
            }));
        }
        let params = call.params.iter().filter_map(|(k, v)| Some((k.clone(), plain(v)?)));
        cases.push(json!({
            "name": name, "function": call.function, "data": data,
            "params": params.collect::<serde_json::Map<String, Json>>(), "answers": answers,
        }));
    }
    let index = Json::from(cases).to_string();
    std::fs::write(folder.join("index.json"), index).map_err(|why| failed("index.json", &why))
}

/// Numbers of an answer.
struct Table {
    name: String,
    shape: Vec<usize>,
    values: Vec<f64>,
    rows: Option<Vec<Vec<String>>>,
    columns: Option<Vec<Vec<String>>>,
}

fn tables(reply: &Reply) -> Vec<Table> {
    let mut found = Vec::new();
    collect("result", reply.data.get("result").unwrap_or(&Value::None), &mut found);
    found
}

fn collect(name: &str, value: &Value, found: &mut Vec<Table>) {
    match value {
        Value::Dense(array) => found.push(Table {
            name: name.to_owned(),
            shape: array.shape.clone(),
            values: array.to_f64().to_vec(),
            rows: None,
            columns: None,
        }),
        Value::Frame(frame) => found.extend(numeric(name, frame)),
        Value::Tuple(parts) => {
            parts.iter().enumerate().for_each(|(i, part)| collect(&i.to_string(), part, found));
        }
        Value::Map(parts) => parts.iter().for_each(|(name, part)| collect(name, part, found)),
        _ => {}
    }
}

/// A frame of numbers; `None` if it has anything else.
fn numeric(name: &str, frame: &Frame) -> Option<Table> {
    let column = |value: &Value| match value {
        Value::Dense(array) => Some(array.to_f64().to_vec()),
        _ => None,
    };
    let columns: Vec<Vec<f64>> = frame.columns.iter().map(column).collect::<Option<_>>()?;
    let rows = frame.index.len();
    Some(Table {
        name: name.to_owned(),
        shape: vec![rows, columns.len()],
        values: (0..rows).flat_map(|row| columns.iter().map(move |c| c[row])).collect(),
        rows: Some(labels(&frame.index)),
        columns: Some(labels(&frame.column_index)),
    })
}

/// For each label the text of its levels.
fn labels(index: &Index) -> Vec<Vec<String>> {
    let level = |level: &Value| Index { names: vec![None], levels: vec![level.clone()] }.labels();
    let levels: Vec<Vec<String>> = index.levels.iter().map(level).collect();
    (0..index.len()).map(|i| levels.iter().map(|level| level[i].clone()).collect()).collect()
}

/// A parameter as JSON; a frame as an object of its columns of text.
fn plain(value: &Value) -> Option<Json> {
    match value {
        Value::Bool(flag) => Some(json!(flag)),
        Value::Int(number) => Some(json!(number)),
        Value::Float(number) => Some(json!(number)),
        Value::Text(text) => Some(json!(text)),
        Value::Dense(array) => Some(json!(array.to_f64().to_vec())),
        Value::Frame(frame) => {
            let text = |value: &Value| match value {
                Value::Strings(_) => {
                    Some(Index { names: vec![None], levels: vec![value.clone()] }.labels())
                }
                _ => None,
            };
            let names = frame.column_index.labels();
            let columns = names.into_iter().zip(&frame.columns);
            let columns: Option<serde_json::Map<String, Json>> =
                columns.map(|(name, column)| Some((name, json!(text(column)?)))).collect();
            columns.map(Json::Object)
        }
        _ => None,
    }
}
