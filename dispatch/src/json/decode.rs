//! JSON to values; text that parses and describes nothing is an error.

use std::sync::Arc;

use serde_json::{Map as Object, Value as Json, json};

use super::{JsonError, Result};
use crate::{
    Buffer, Categorical, Dataset, Dense, Dtype, Format, Frame, Index, Indices, Map, Masked, Order,
    Sparse, Strings, Value,
};

/// Reads values whose numbers stand in the text or in a block beside it.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    pub(super) block: &'a [u8],
}

impl Decoder<'_> {
    pub(super) fn value(self, json: &Json) -> Result<Value> {
        match json {
            Json::Null => Ok(Value::None),
            Json::Bool(b) => Ok(Value::Bool(*b)),
            Json::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(i), _) => Ok(Value::Int(i)),
                (None, Some(x)) => Ok(Value::Float(x)),
                (None, None) => Err(JsonError::new(format!("number {n} out of range"))),
            },
            Json::String(text) => Ok(Value::Text(text.clone())),
            Json::Array(items) => Ok(Value::List(self.values(items)?)),
            Json::Object(object) => self.object(object),
        }
    }

    fn object(self, object: &Object<String, Json>) -> Result<Value> {
        match text(object, "t")? {
            "float" => Ok(Value::Float(parse_float(field(object, "value")?)?)),
            "tuple" => Ok(Value::Tuple(self.values(array(object, "items")?)?)),
            "dict" => Ok(Value::Map(self.map(field(object, "items")?)?)),
            "anndata" => {
                let root = self.map(field(object, "items")?)?;
                Ok(Value::Data(Arc::new(Dataset::from(root))))
            }
            "array" => self.array(object),
            // A NumPy integer scalar, which squidpy does not take for an `int`.
            "np.int64" => match field(object, "value")?.as_i64() {
                Some(i) => Ok(Dense::new(vec![], vec![i]).into()),
                None => Err(JsonError::new("expected an integer").within("value")),
            },
            "masked" => self.masked(object),
            "csr" => self.sparse(object, Format::Csr),
            "csc" => self.sparse(object, Format::Csc),
            "categorical" => self.categorical(object),
            "dataframe" => {
                let columns = array(object, "columns")?;
                fitting(Frame {
                    index: self.index(object, "index")?,
                    column_index: self.index(object, "column_index")?,
                    columns: self.values(columns).map_err(|e| e.within("columns"))?,
                })
            }
            "series" => {
                let values = self.value(field(object, "values")?)?;
                fitting(Frame::new(self.index(object, "index")?, [("values", values)]))
            }
            other => Err(JsonError::new(format!("unknown tag `{other}`")).within("t")),
        }
    }

    fn masked(self, object: &Object<String, Json>) -> Result<Value> {
        let mask = match self.buffer(object, "mask", Dtype::Bool)? {
            Buffer::Bool(mask) => mask,
            _ => Vec::new(),
        };
        match self.value(field(object, "values")?).map_err(|e| e.within("values"))? {
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

    fn categorical(self, object: &Object<String, Json>) -> Result<Value> {
        let categories =
            self.value(field(object, "categories")?).map_err(|e| e.within("categories"))?;
        let count = match shape_of(&categories).as_slice() {
            &[count] => count,
            other => {
                let what = format!("expected an array of one axis, got {other:?}");
                return Err(JsonError::new(what).within("categories"));
            }
        };
        let codes = self.narrow(object, "codes")?;
        let within = |code: &i32| *code >= -1 && i64::from(*code) < count as i64;
        if let Some(code) = codes.iter().find(|code| !within(code)) {
            let what = format!("code {code} of {count} categories");
            return Err(JsonError::new(what).within("codes"));
        }
        let ordered = field(object, "ordered")?.as_bool().unwrap_or(false);
        Ok(Categorical { codes, categories: Box::new(categories), ordered }.into())
    }

    fn map(self, json: &Json) -> Result<Map> {
        let object =
            json.as_object().ok_or_else(|| JsonError::new("expected an object").within("items"))?;
        let pair =
            |(k, v): (&String, &Json)| Ok((k.clone(), self.value(v).map_err(|e| e.within(k))?));
        object.iter().map(pair).collect()
    }

    fn values(self, items: &[Json]) -> Result<Vec<Value>> {
        let value = |(i, v): (usize, &Json)| self.value(v).map_err(|e| e.within(&i.to_string()));
        items.iter().enumerate().map(value).collect()
    }

    fn array(self, object: &Object<String, Json>) -> Result<Value> {
        let shape = lengths(object)?;
        // Over the axes that are not empty first: strides are products of those, and must not overflow either.
        let filled = shape.iter().filter(|n| **n > 0).try_fold(1usize, |p, n| p.checked_mul(*n));
        let count = filled.map(|count| if shape.contains(&0) { 0 } else { count });
        let fits = |n: usize| match count {
            Some(count) if count == n => Ok(()),
            _ => Err(JsonError::new(format!("{n} elements for shape {shape:?}")).within("data")),
        };
        let dtype = text(object, "dtype")?;
        if dtype == "str" {
            let data = array(object, "data")?;
            fits(data.len())?;
            let values = data.iter().map(|v| v.as_str().map(str::to_owned)).collect();
            let nullable = object.get("nullable").and_then(Json::as_bool).unwrap_or(false);
            return Ok(Strings { shape, values, nullable }.into());
        }
        let data = self.buffer(object, "data", dtype_of(dtype)?)?;
        fits(data.len())?;
        let dense = Dense { shape, data, order: Order::C };
        Ok(match object.get("order").and_then(Json::as_str) {
            Some("F") => dense.to_order(Order::F),
            _ => dense,
        }
        .into())
    }

    fn sparse(self, object: &Object<String, Json>, format: Format) -> Result<Value> {
        // The corpus of the real squidpy tags both formats `csr` and names the class.
        let format = match object.get("class").and_then(Json::as_str) {
            Some(class) if class.starts_with("csc") => Format::Csc,
            _ => format,
        };
        let width = |name: &str| object.get(name).and_then(Json::as_str);
        let of_indices = width("index_dtype");
        let of_indptr = width("indptr_dtype").or(of_indices);
        let shape = match lengths(object)?.as_slice() {
            &[rows, columns] => (rows, columns),
            other => {
                let what = format!("expected two lengths, got {other:?}");
                return Err(JsonError::new(what).within("shape"));
            }
        };
        let sparse = Sparse {
            format,
            shape,
            indptr: self.indices(object, "indptr", of_indptr)?,
            indices: self.indices(object, "indices", of_indices)?,
            data: self.buffer(object, "data", dtype_of(text(object, "dtype")?)?)?,
        };
        // Whoever validates adds one to the length of an axis.
        if sparse.major() == usize::MAX {
            return Err(JsonError::new("a length out of range").within("shape"));
        }
        sparse.validate().map_err(JsonError::new)?;
        Ok(sparse.into())
    }

    fn indices(
        self,
        object: &Object<String, Json>,
        name: &str,
        dtype: Option<&str>,
    ) -> Result<Indices> {
        if dtype != Some("int64") {
            return Ok(Indices::I32(self.narrow(object, name)?));
        }
        match self.buffer(object, name, Dtype::I64)? {
            Buffer::I64(values) => Ok(Indices::I64(values)),
            _ => Ok(Indices::I64(Vec::new())),
        }
    }

    /// Integers of 32 bits; a number that is none of them is an error, never another number.
    fn narrow(self, object: &Object<String, Json>, name: &str) -> Result<Vec<i32>> {
        if field(object, name)?.is_object() {
            return match self.buffer(object, name, Dtype::I32)? {
                Buffer::I32(values) => Ok(values),
                _ => Ok(Vec::new()),
            };
        }
        let narrow = |v: i64| {
            i32::try_from(v)
                .map_err(|_| JsonError::new(format!("index {v} is not int32")).within(name))
        };
        integers(object, name)?.into_iter().map(narrow).collect()
    }

    fn index(self, object: &Object<String, Json>, name: &str) -> Result<Index> {
        self.labels(field(object, name)?).map_err(|e| e.within(name))
    }

    fn labels(self, json: &Json) -> Result<Index> {
        let object = json.as_object().ok_or_else(|| JsonError::new("expected an object"))?;
        if text(object, "t")? != "multiindex" {
            let name = object.get("name").and_then(Json::as_str).map(str::to_owned);
            let level = self.value(json)?;
            let axes = match &level {
                Value::Categorical(_) | Value::Masked(_) => 1,
                other => shape_of(other).len(),
            };
            if axes != 1 {
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
            self.value(
                &json!({"t": "array", "dtype": dtype, "shape": [cells.len()], "data": cells}),
            )
        };
        let levels = (0..names.len()).map(level).collect::<Result<_>>()?;
        Ok(Index { names, levels })
    }

    /// The elements in a field: a list, or a place in the block.
    fn buffer(self, object: &Object<String, Json>, name: &str, dtype: Dtype) -> Result<Buffer> {
        match field(object, name)? {
            Json::Object(place) => self.place(place, dtype).map_err(|e| e.within(name)),
            _ => list(object, name, dtype),
        }
    }

    fn place(self, place: &Object<String, Json>, dtype: Dtype) -> Result<Buffer> {
        let number = |name| {
            let n = field(place, name)?.as_u64().and_then(|n| usize::try_from(n).ok());
            n.ok_or_else(|| JsonError::new("expected a number of bytes").within(name))
        };
        let (at, bytes) = (number("at")?, number("bytes")?);
        let part = at.checked_add(bytes).and_then(|end| self.block.get(at..end));
        let part = part.ok_or_else(|| {
            let size = self.block.len();
            JsonError::new(format!("{bytes} bytes from {at} lie outside a block of {size}"))
        })?;
        Buffer::from_le(dtype, part).ok_or_else(|| {
            let (name, size) = (dtype.name(), dtype.size());
            JsonError::new(format!("{bytes} bytes are no {name} of {size} bytes each"))
        })
    }
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

fn dtype_of(name: &str) -> Result<Dtype> {
    Dtype::from_name(name)
        .ok_or_else(|| JsonError::new(format!("unknown dtype `{name}`")).within("dtype"))
}

/// The elements of a list in the text.
fn list(object: &Object<String, Json>, name: &str, dtype: Dtype) -> Result<Buffer> {
    let each = array(object, name)?.iter().enumerate();
    let bad = |i: usize, v: &Json| {
        JsonError::new(format!("{v} is not {}", dtype.name())).within(&format!("{name}.{i}"))
    };
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
            let number = |(i, v): (usize, &Json)| {
                parse_float(v).map_err(|e| e.within(&format!("{name}.{i}")))
            };
            Buffer::from_f64(dtype, &each.map(number).collect::<Result<Vec<f64>>>()?)
        }
    })
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
    let integer = |v: &Json| {
        v.as_i64()
            .ok_or_else(|| JsonError::new(format!("expected an integer, got {v}")).within(name))
    };
    array(object, name)?.iter().map(integer).collect()
}

/// The field `shape`.
fn lengths(object: &Object<String, Json>) -> Result<Vec<usize>> {
    let length = |n: i64| {
        usize::try_from(n)
            .map_err(|_| JsonError::new(format!("{n} is not a length")).within("shape"))
    };
    integers(object, "shape")?.into_iter().map(length).collect()
}
