//! Values as JSON text, readable by people and exact.
//!
//! Scalars, lists and text are plain JSON; everything else is an object with a tag `t`:
//! `array`, `dataframe`, `categorical`, `multiindex`, `csr`, `csc`, `masked`, `dict`, `tuple`,
//! `float` (a non-finite scalar), `anndata`. Elements of float arrays are shortest decimals that read back
//! to the same bits, and `"NaN"`, `"Infinity"`, `"-Infinity"`. The golden corpus uses the same form.

use serde::{Deserialize, Serialize};
use serde_json::{Map as Object, Value as Json, json};

use crate::{
    Buffer, Categorical, Dataset, Dense, Dtype, Format, Frame, Index, Indices, Map, Masked, Order,
    Sparse, Strings, Value,
};

/// Why a JSON text is not a value; says where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at `{path}`")]
pub struct JsonError {
    what: String,
    path: String,
}

impl JsonError {
    fn new(what: impl Into<String>) -> JsonError {
        JsonError { what: what.into(), path: String::new() }
    }

    fn within(mut self, part: &str) -> JsonError {
        self.path =
            if self.path.is_empty() { part.to_owned() } else { format!("{part}.{}", self.path) };
        self
    }
}

type Result<T> = std::result::Result<T, JsonError>;

/// The JSON form of a value.
pub fn encode(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(i) => json!(i),
        Value::Float(x) if x.is_finite() => json!(x),
        Value::Float(x) => json!({"t": "float", "value": float(*x)}),
        Value::Text(text) => json!(text),
        Value::List(values) => Json::Array(values.iter().map(encode).collect()),
        Value::Tuple(values) => {
            json!({"t": "tuple", "items": values.iter().map(encode).collect::<Vec<_>>()})
        }
        Value::Map(map) => json!({"t": "dict", "items": encode_map(map)}),
        Value::Dense(dense) => encode_dense(dense),
        Value::Strings(s) => {
            let mut out = json!({"t": "array", "dtype": "str", "shape": s.shape, "data": s.values});
            if s.nullable {
                out["nullable"] = json!(true);
            }
            out
        }
        Value::Masked(m) => {
            json!({"t": "masked", "values": encode_dense(&m.values), "mask": m.mask})
        }
        Value::Sparse(s) => json!({
            "t": match s.format { Format::Csr => "csr", Format::Csc => "csc" },
            "dtype": s.data.dtype().name(),
            "shape": [s.shape.0, s.shape.1],
            "index_dtype": s.indices.dtype().name(),
            "indptr": s.indptr.to_vec(),
            "indices": s.indices.to_vec(),
            "data": encode_buffer(&s.data),
        }),
        Value::Categorical(c) => json!({
            "t": "categorical", "categories": encode(&c.categories), "codes": c.codes, "ordered": c.ordered,
        }),
        Value::Frame(frame) => json!({
            "t": "dataframe",
            "index": encode_index(&frame.index),
            "column_index": encode_index(&frame.column_index),
            "columns": frame.columns.iter().map(encode).collect::<Vec<_>>(),
        }),
        Value::Data(data) => json!({"t": "anndata", "items": encode_map(data.root())}),
    }
}

/// The value of a JSON form.
///
/// # Errors
/// Names the field that is missing or wrong.
pub fn decode(json: &Json) -> Result<Value> {
    match json {
        Json::Null => Ok(Value::None),
        Json::Bool(b) => Ok(Value::Bool(*b)),
        Json::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => Ok(Value::Int(i)),
            (None, Some(x)) => Ok(Value::Float(x)),
            (None, None) => Err(JsonError::new(format!("number {n} out of range"))),
        },
        Json::String(text) => Ok(Value::Text(text.clone())),
        Json::Array(items) => Ok(Value::List(decode_all(items)?)),
        Json::Object(object) => decode_object(object),
    }
}

fn decode_object(object: &Object<String, Json>) -> Result<Value> {
    match text(object, "t")? {
        "float" => Ok(Value::Float(parse_float(field(object, "value")?)?)),
        "tuple" => Ok(Value::Tuple(decode_all(array(object, "items")?)?)),
        "dict" => Ok(Value::Map(decode_map(field(object, "items")?)?)),
        "anndata" => Ok(Value::Data(std::sync::Arc::new(Dataset::from(decode_map(field(
            object, "items",
        )?)?)))),
        "array" => decode_array(object),
        // A NumPy integer scalar, which squidpy does not take for an `int`.
        "np.int64" => match field(object, "value")?.as_i64() {
            Some(i) => Ok(Dense::new(vec![], vec![i]).into()),
            None => Err(JsonError::new("expected an integer").within("value")),
        },
        "masked" => decode_masked(object),
        format @ ("csr" | "csc") => {
            decode_sparse(object, if format == "csr" { Format::Csr } else { Format::Csc })
        }
        "categorical" => decode_categorical(object),
        "dataframe" => {
            let frame = Frame {
                index: decode_index(field(object, "index")?).map_err(|e| e.within("index"))?,
                column_index: decode_index(field(object, "column_index")?)
                    .map_err(|e| e.within("column_index"))?,
                columns: decode_all(array(object, "columns")?).map_err(|e| e.within("columns"))?,
            };
            fitting(frame)
        }
        "series" => fitting(Frame::new(
            decode_index(field(object, "index")?).map_err(|e| e.within("index"))?,
            [("values", decode(field(object, "values")?)?)],
        )),
        other => Err(JsonError::new(format!("unknown tag `{other}`")).within("t")),
    }
}

fn decode_masked(object: &Object<String, Json>) -> Result<Value> {
    let mask = bools(object, "mask")?;
    match decode(field(object, "values")?).map_err(|e| e.within("values"))? {
        Value::Dense(values) if values.shape.first() == Some(&mask.len()) => {
            Ok(Masked { values, mask }.into())
        }
        other => Err(JsonError::new(format!(
            "expected an array of {} values, got {} of shape {:?}",
            mask.len(),
            other.type_name(),
            shape_of(&other)
        ))
        .within("values")),
    }
}

fn decode_categorical(object: &Object<String, Json>) -> Result<Value> {
    let categories = decode(field(object, "categories")?).map_err(|e| e.within("categories"))?;
    let count = match shape_of(&categories).as_slice() {
        &[count] => count,
        other => {
            let what = format!("expected an array of one axis, got {other:?}");
            return Err(JsonError::new(what).within("categories"));
        }
    };
    let code = |c: i64| match i32::try_from(c) {
        Ok(code) if code >= -1 && c < count as i64 => Ok(code),
        _ => Err(JsonError::new(format!("code {c} of {count} categories")).within("codes")),
    };
    let codes = integers(object, "codes")?.into_iter().map(code).collect::<Result<_>>()?;
    let ordered = field(object, "ordered")?.as_bool().unwrap_or(false);
    Ok(Categorical { codes, categories: Box::new(categories), ordered }.into())
}

/// The frame, if its columns fit its labels: whoever takes rows of it relies on that.
fn fitting(frame: Frame) -> Result<Value> {
    let (got, want) = (frame.columns.len(), frame.column_index.len());
    if got != want {
        return Err(JsonError::new(format!("{got} columns for {want} names")).within("columns"));
    }
    let rows = frame.index.len();
    match frame.columns.iter().position(|column| column.len() != Some(rows)) {
        Some(i) => Err(JsonError::new(format!(
            "a column of {} entries for {rows} labels",
            frame.columns[i].len().unwrap_or(0)
        ))
        .within(&format!("columns.{i}"))),
        None => Ok(frame.into()),
    }
}

/// Lengths of the axes of an array; empty for anything else.
fn shape_of(value: &Value) -> Vec<usize> {
    match value {
        Value::Dense(d) => d.shape.clone(),
        Value::Strings(s) => s.shape.clone(),
        _ => Vec::new(),
    }
}

fn encode_map(map: &Map) -> Json {
    Json::Object(map.iter().map(|(k, v)| (k.clone(), encode(v))).collect())
}

fn decode_map(json: &Json) -> Result<Map> {
    let object =
        json.as_object().ok_or_else(|| JsonError::new("expected an object").within("items"))?;
    object.iter().map(|(k, v)| Ok((k.clone(), decode(v).map_err(|e| e.within(k))?))).collect()
}

fn decode_all(items: &[Json]) -> Result<Vec<Value>> {
    items.iter().enumerate().map(|(i, v)| decode(v).map_err(|e| e.within(&i.to_string()))).collect()
}

fn encode_dense(dense: &Dense) -> Json {
    let c = dense.to_order(Order::C);
    let mut out = json!({
        "t": "array", "dtype": c.dtype().name(), "shape": c.shape, "data": encode_buffer(&c.data),
    });
    if dense.order == Order::F && dense.shape.len() > 1 {
        out["order"] = json!("F");
    }
    out
}

fn encode_buffer(buffer: &Buffer) -> Json {
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

fn parse_float(json: &Json) -> Result<f64> {
    match json {
        Json::Number(n) => {
            n.as_f64().ok_or_else(|| JsonError::new(format!("number {n} out of range")))
        }
        Json::String(s) if s == "NaN" => Ok(f64::NAN),
        Json::String(s) if s == "Infinity" => Ok(f64::INFINITY),
        Json::String(s) if s == "-Infinity" => Ok(f64::NEG_INFINITY),
        other => Err(JsonError::new(format!("expected a number, got {other}"))),
    }
}

fn decode_array(object: &Object<String, Json>) -> Result<Value> {
    let shape = lengths(object)?;
    let data = array(object, "data")?;
    // Over the axes that are not empty first: strides are products of those, and must not overflow either.
    let filled = shape.iter().filter(|n| **n > 0).try_fold(1usize, |p, n| p.checked_mul(*n));
    let count = filled.map(|count| if shape.contains(&0) { 0 } else { count });
    if count != Some(data.len()) {
        return Err(
            JsonError::new(format!("{} elements for shape {shape:?}", data.len())).within("data")
        );
    }
    let dtype = text(object, "dtype")?;
    if dtype == "str" {
        let values = data.iter().map(|v| v.as_str().map(str::to_owned)).collect();
        let nullable = object.get("nullable").and_then(Json::as_bool).unwrap_or(false);
        return Ok(Strings { shape, values, nullable }.into());
    }
    let dense = Dense { shape, data: decode_buffer(dtype, data)?, order: Order::C };
    Ok(match object.get("order").and_then(Json::as_str) {
        Some("F") => dense.to_order(Order::F),
        _ => dense,
    }
    .into())
}

fn decode_buffer(dtype: &str, data: &[Json]) -> Result<Buffer> {
    let dtype = Dtype::from_name(dtype)
        .ok_or_else(|| JsonError::new(format!("unknown dtype `{dtype}`")).within("dtype"))?;
    let bad = |i: usize, v: &Json| {
        JsonError::new(format!("{v} is not {}", dtype.name())).within(&format!("data.{i}"))
    };
    let each = data.iter().enumerate();
    Ok(match dtype {
        Dtype::Bool => Buffer::Bool(
            each.map(|(i, v)| v.as_bool().ok_or_else(|| bad(i, v))).collect::<Result<_>>()?,
        ),
        Dtype::I64 => Buffer::I64(
            each.map(|(i, v)| v.as_i64().ok_or_else(|| bad(i, v))).collect::<Result<_>>()?,
        ),
        Dtype::U64 => Buffer::U64(
            each.map(|(i, v)| v.as_u64().ok_or_else(|| bad(i, v))).collect::<Result<_>>()?,
        ),
        _ => {
            let values: Vec<f64> = each
                .map(|(i, v)| parse_float(v).map_err(|e| e.within(&format!("data.{i}"))))
                .collect::<Result<_>>()?;
            Buffer::from_f64(dtype, &values)
        }
    })
}

fn decode_sparse(object: &Object<String, Json>, format: Format) -> Result<Value> {
    // The corpus of the real squidpy tags both formats `csr` and names the class.
    let format = match object.get("class").and_then(Json::as_str) {
        Some(class) if class.starts_with("csc") => Format::Csc,
        _ => format,
    };
    let wide = object.get("index_dtype").and_then(Json::as_str) == Some("int64");
    let indices = |name: &str| -> Result<Indices> {
        let values = integers(object, name)?;
        if wide {
            return Ok(Indices::I64(values));
        }
        let narrow = |v: i64| {
            i32::try_from(v)
                .map_err(|_| JsonError::new(format!("index {v} is not int32")).within(name))
        };
        Ok(Indices::I32(values.into_iter().map(narrow).collect::<Result<_>>()?))
    };
    let shape = match lengths(object)?.as_slice() {
        &[rows, columns] => (rows, columns),
        other => {
            return Err(
                JsonError::new(format!("expected two lengths, got {other:?}")).within("shape")
            );
        }
    };
    let data = decode_buffer(text(object, "dtype")?, array(object, "data")?)?;
    let sparse =
        Sparse { format, shape, indptr: indices("indptr")?, indices: indices("indices")?, data };
    sparse.validate().map_err(JsonError::new)?;
    Ok(sparse.into())
}

fn encode_index(index: &Index) -> Json {
    match (index.names.as_slice(), index.levels.as_slice()) {
        ([name], [level]) => {
            let mut out = encode(level);
            out["name"] = json!(name);
            out
        }
        _ => {
            let levels: Vec<Vec<Json>> = index.levels.iter().map(cells).collect();
            let tuples: Vec<Vec<&Json>> =
                (0..index.len()).map(|i| levels.iter().map(|level| &level[i]).collect()).collect();
            json!({"t": "multiindex", "names": index.names, "tuples": tuples})
        }
    }
}

fn decode_index(json: &Json) -> Result<Index> {
    let object = json.as_object().ok_or_else(|| JsonError::new("expected an object"))?;
    if text(object, "t")? != "multiindex" {
        let name = object.get("name").and_then(Json::as_str).map(str::to_owned);
        let level = decode(json)?;
        let labels = match &level {
            Value::Categorical(_) | Value::Masked(_) => 1,
            other => shape_of(other).len(),
        };
        if labels != 1 {
            let what = format!("expected labels along one axis, got {}", level.type_name());
            return Err(JsonError::new(what));
        }
        return Ok(Index { names: vec![name], levels: vec![level] });
    }
    let names: Vec<Option<String>> =
        array(object, "names")?.iter().map(|n| n.as_str().map(str::to_owned)).collect();
    let tuples = array(object, "tuples")?;
    let level = |k: usize| -> Result<Value> {
        let cells: Vec<Json> =
            tuples.iter().map(|t| t.get(k).cloned().unwrap_or(Json::Null)).collect();
        let dtype = if cells.iter().all(|c| c.is_string() || c.is_null()) {
            "str"
        } else if cells.iter().all(Json::is_i64) {
            "int64"
        } else {
            "float64"
        };
        decode(&json!({"t": "array", "dtype": dtype, "shape": [cells.len()], "data": cells}))
    };
    let levels = (0..names.len()).map(level).collect::<Result<_>>()?;
    Ok(Index { names, levels })
}

/// The entries of a one-dimensional array, each as JSON.
fn cells(level: &Value) -> Vec<Json> {
    match encode(level) {
        Json::Object(mut object) => match object.remove("data") {
            Some(Json::Array(data)) => data,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn field<'a>(object: &'a Object<String, Json>, name: &str) -> Result<&'a Json> {
    object.get(name).ok_or_else(|| JsonError::new("missing field").within(name))
}

fn text<'a>(object: &'a Object<String, Json>, name: &str) -> Result<&'a str> {
    field(object, name)?.as_str().ok_or_else(|| JsonError::new("expected text").within(name))
}

fn array<'a>(object: &'a Object<String, Json>, name: &str) -> Result<&'a [Json]> {
    Ok(field(object, name)?
        .as_array()
        .ok_or_else(|| JsonError::new("expected a list").within(name))?)
}

fn integers(object: &Object<String, Json>, name: &str) -> Result<Vec<i64>> {
    array(object, name)?
        .iter()
        .map(|v| {
            v.as_i64()
                .ok_or_else(|| JsonError::new(format!("expected an integer, got {v}")).within(name))
        })
        .collect()
}

/// The field `shape`.
fn lengths(object: &Object<String, Json>) -> Result<Vec<usize>> {
    let length = |n: i64| {
        usize::try_from(n)
            .map_err(|_| JsonError::new(format!("{n} is not a length")).within("shape"))
    };
    integers(object, "shape")?.into_iter().map(length).collect()
}

fn bools(object: &Object<String, Json>, name: &str) -> Result<Vec<bool>> {
    array(object, name)?
        .iter()
        .map(|v| {
            v.as_bool()
                .ok_or_else(|| JsonError::new(format!("expected a bool, got {v}")).within(name))
        })
        .collect()
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        encode(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Value, D::Error> {
        decode(&Json::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trips(value: impl Into<Value>) {
        let value = value.into();
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value, "{text}");
    }

    #[test]
    fn every_kind_of_value_round_trips() {
        round_trips(Value::List(vec![Value::None, true.into(), 3.into(), 0.1.into(), "x".into()]));
        round_trips(Value::Float(f64::NEG_INFINITY));
        round_trips(Value::Tuple(vec![1.0.into()]));
        round_trips(Dense::new(vec![], vec![5i64]));
        round_trips(
            Dense::new(vec![2, 3], vec![1.5f32, -0.0, 3.0, 1e-40, f32::MAX, 7.0])
                .to_order(Order::F),
        );
        round_trips(Dense::vector(vec![u64::MAX, 0]));
        round_trips(Strings {
            shape: vec![2],
            values: vec![None, Some("a".into())],
            nullable: true,
        });
        round_trips(Categorical::new(vec![1, -1, 0], ["b", "a"]));
        let mut csr = Sparse::csr((2, 3), vec![0, 2, 2], vec![2, 0], vec![1u8, 0]);
        round_trips(csr.clone());
        csr.indices = Indices::I64(vec![2, 0]);
        csr.indptr = Indices::I64(vec![0, 2, 2]);
        round_trips(csr.recompress());
        let index = Index {
            names: vec![Some("source".into()), None],
            levels: vec![Strings::new(["a", "b"]).into(), Dense::vector(vec![1i64, 2]).into()],
        };
        let frame = Frame::new(index, [("p", Dense::vector(vec![0.5, f64::INFINITY]).into())]);
        round_trips(frame.clone());
        round_trips(Map::from([("f".to_owned(), frame.into())]));
        round_trips(Masked { values: Dense::vector(vec![1i8, 0]), mask: vec![false, true] });
    }

    /// Text that parses and describes nothing: taking rows of such a value would panic.
    #[test]
    fn parts_that_do_not_fit_are_errors() {
        let array = |shape: &[i64], data: &[i64]| json!({"t": "array", "dtype": "int64", "shape": shape, "data": data});
        let labels = json!({"t": "array", "dtype": "str", "shape": [2], "data": ["a", "b"]});
        let tuple = json!({"t": "tuple", "items": [1, 2]});
        let frame = |index: &Json, column: Json| {
            json!({"t": "dataframe", "index": index, "column_index":
            {"t": "array", "dtype": "str", "shape": [1], "data": ["x"]}, "columns": [column]})
        };
        assert!(decode(&frame(&labels, array(&[2], &[1, 2]))).is_ok());
        for (wrong, says) in [
            (array(&[1 << 40, 1 << 40], &[]), "0 elements"),
            (array(&[0, 1 << 62, 4], &[]), "0 elements"),
            (array(&[-1], &[]), "not a length"),
            (frame(&labels, array(&[1], &[1])), "1 entries for 2 labels"),
            (frame(&tuple, array(&[2], &[1, 2])), "along one axis"),
            (
                json!({"t": "categorical", "categories": labels, "codes": [2], "ordered": false}),
                "code 2 of 2",
            ),
            (
                json!({"t": "categorical", "categories": labels, "codes": [1i64 << 32], "ordered": false}),
                "code",
            ),
            (json!({"t": "masked", "values": array(&[2], &[1, 2]), "mask": [true]}), "array of 1"),
            (
                json!({"t": "csr", "dtype": "int64", "shape": [1, 1], "indptr": [0, 1i64 << 32], "indices": [0], "data": [1]}),
                "int32",
            ),
        ] {
            let error = decode(&wrong).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn an_error_names_the_field() {
        let error =
            decode(&json!({"t": "tuple", "items": [{"t": "array", "dtype": "f4"}]})).unwrap_err();
        assert_eq!(error.to_string(), "missing field at `0.shape`");
    }
}
