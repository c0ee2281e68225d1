//! Values to JSON.

use serde_json::{Value as Json, json};

use crate::{Buffer, Dense, Dtype, Format, Index, Indices, Map, Order, Value, text_of};

/// Writes values, their numbers in the text or beside it.
pub(super) struct Encoder<'a> {
    block: Option<&'a mut Vec<u8>>,
}

impl<'a> Encoder<'a> {
    pub(super) fn inline() -> Encoder<'a> {
        Encoder { block: None }
    }

    pub(super) fn beside(block: &'a mut Vec<u8>) -> Encoder<'a> {
        Encoder { block: Some(block) }
    }

    pub(super) fn value(&mut self, value: &Value) -> Json {
        match value {
            Value::None => Json::Null,
            Value::Bool(b) => json!(b),
            Value::Int(i) => json!(i),
            Value::Float(x) if x.is_finite() => json!(x),
            Value::Float(x) => json!({"t": "float", "value": float(*x)}),
            Value::Text(text) => json!(text),
            Value::List(values) => self.values(values),
            Value::Tuple(values) => json!({"t": "tuple", "items": self.values(values)}),
            Value::Map(map) => json!({"t": "dict", "items": self.map(map)}),
            Value::Dense(dense) => self.dense(dense),
            Value::Strings(s) => {
                let mut out =
                    json!({"t": "array", "dtype": "str", "shape": s.shape, "data": s.values});
                if s.nullable {
                    out["nullable"] = json!(true);
                }
                out
            }
            Value::Masked(m) => {
                json!({"t": "masked", "values": self.dense(&m.values), "mask": self.buffer(&Buffer::Bool(m.mask.clone()))})
            }
            Value::Sparse(s) => {
                let mut out = json!({
                    "t": match s.format { Format::Csr => "csr", Format::Csc => "csc" },
                    "dtype": s.data.dtype().name(),
                    "shape": [s.shape.0, s.shape.1],
                    "index_dtype": s.indices.dtype().name(),
                    "indptr": self.indices(&s.indptr),
                    "indices": self.indices(&s.indices),
                    "data": self.buffer(&s.data),
                });
                if s.indptr.dtype() != s.indices.dtype() {
                    out["indptr_dtype"] = json!(s.indptr.dtype().name());
                }
                out
            }
            Value::Categorical(c) => json!({
                "t": "categorical",
                "categories": self.value(&c.categories),
                "codes": self.buffer(&Buffer::I32(c.codes.clone())),
                "ordered": c.ordered,
            }),
            Value::Frame(frame) => json!({
                "t": "dataframe",
                "index": self.index(&frame.index),
                "column_index": self.index(&frame.column_index),
                "columns": self.values(&frame.columns),
            }),
            Value::Data(data) => json!({"t": "anndata", "items": self.map(data.root())}),
        }
    }

    fn values(&mut self, values: &[Value]) -> Json {
        values.iter().map(|value| self.value(value)).collect()
    }

    fn map(&mut self, map: &Map) -> Json {
        Json::Object(map.iter().map(|(k, v)| (k.clone(), self.value(v))).collect())
    }

    fn dense(&mut self, dense: &Dense) -> Json {
        let c = dense.to_order(Order::C);
        let mut out = json!({
            "t": "array", "dtype": c.dtype().name(), "shape": c.shape, "data": self.buffer(&c.data),
        });
        if dense.order == Order::F && dense.shape.len() > 1 {
            out["order"] = json!("F");
        }
        out
    }

    fn index(&mut self, index: &Index) -> Json {
        match (index.names.as_slice(), index.levels.as_slice()) {
            ([name], [level]) => {
                let mut out = self.value(level);
                out["name"] = json!(name);
                out
            }
            _ => {
                let levels: Vec<Vec<Json>> = index.levels.iter().map(cells).collect();
                let tuples: Vec<Vec<Option<&Json>>> = (0..index.len())
                    .map(|i| levels.iter().map(|level| level.get(i)).collect())
                    .collect();
                json!({"t": "multiindex", "names": index.names, "tuples": tuples})
            }
        }
    }

    fn indices(&mut self, indices: &Indices) -> Json {
        self.buffer(&match indices {
            Indices::I32(v) => Buffer::I32(v.clone()),
            Indices::I64(v) => Buffer::I64(v.clone()),
        })
    }

    /// The elements: a list, or their place in the block.
    fn buffer(&mut self, buffer: &Buffer) -> Json {
        let Some(block) = &mut self.block else { return list(buffer) };
        let at = block.len().next_multiple_of(8);
        block.resize(at, 0);
        buffer.write_le(block);
        json!({"at": at, "bytes": block.len() - at})
    }
}

fn list(buffer: &Buffer) -> Json {
    match buffer {
        Buffer::Bool(v) => json!(v),
        Buffer::I64(v) => json!(v),
        Buffer::U64(v) => json!(v),
        b if b.dtype().is_float() => Json::Array(b.to_f64().into_iter().map(float).collect()),
        b => Json::Array(b.to_f64().into_iter().map(|x| json!(x as i64)).collect()),
    }
}

fn float(x: f64) -> Json {
    if x.is_nan() {
        json!("NaN")
    } else if x == f64::INFINITY {
        json!("Infinity")
    } else if x == f64::NEG_INFINITY {
        json!("-Infinity")
    } else {
        json!(x)
    }
}

/// The labels of one level of several, each as JSON.
fn cells(level: &Value) -> Vec<Json> {
    match level {
        Value::Strings(s) => s.values.iter().map(|v| json!(v)).collect(),
        Value::Dense(Dense { data, .. }) if data.dtype() != Dtype::Bool => match list(data) {
            Json::Array(cells) => cells,
            _ => Vec::new(),
        },
        other => text_of(other).into_iter().map(Json::String).collect(),
    }
}
