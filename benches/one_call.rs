//! One call of the reference, again and again on request: the Rust side of `python/against_squidpy.py`.
//!
//! `one_call FILE.h5ad FUNCTION PARAMS.json` reads the data, then answers each line of its input with a line of JSON:
//! `run` calls the function and gives the seconds it took, `answer PATH` writes what the last call answered. The
//! caller measures processor time and memory of this process from outside, as it does for squidpy.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use dispatch::{Backend, Call, Frame, Params, Reply, Value};
use serde_json::json;

/// As in `concord`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, function, params] = arguments.as_slice() else {
        bail!("expected FILE.h5ad FUNCTION PARAMS.json, got {} arguments", arguments.len());
    };
    let start = Instant::now();
    let data = anndata_io::read(Path::new(file)).with_context(|| format!("read {file}"))?.data;
    let params: Params = serde_json::from_str(params).context("parse the parameters")?;
    let call = Call::new(function, data, params);
    let backend = reference::backend();
    println!("{}", json!({ "read_s": start.elapsed().as_secs_f64() }));
    let mut last = None;
    for line in std::io::stdin().lock().lines() {
        match line?.split_once(' ') {
            Some(("answer", path)) => {
                let Some(reply) = &last else { bail!("no call has been made yet") };
                std::fs::write(path, answer(reply).to_string())?;
                println!("{{}}");
            }
            _ => {
                let start = Instant::now();
                let reply = backend.run(&call)?;
                println!("{}", json!({ "wall_s": start.elapsed().as_secs_f64() }));
                last = Some(reply);
            }
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// Numbers of a returned table, of the first of two arrays, or of a dict of tables.
fn answer(reply: &Reply) -> serde_json::Value {
    match reply.data.get("result") {
        Some(Value::Frame(frame)) => table(frame),
        Some(Value::Tuple(parts)) => json!(parts.first().map(numbers)),
        Some(Value::Map(map)) => map
            .iter()
            .filter_map(|(name, value)| match value {
                Value::Frame(frame) => Some((name.clone(), table(frame))),
                _ => None,
            })
            .collect(),
        _ => json!(null),
    }
}

fn table(frame: &Frame) -> serde_json::Value {
    json!({
        "index": frame.index.labels(),
        "columns": frame.column_names(),
        "values": frame.columns.iter().map(numbers).collect::<Vec<_>>(),
    })
}

/// `null` for NaN.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Dense(dense) => dense.to_f64(),
        _ => Vec::new(),
    }
}
