//! Values as JSON text, readable by people and exact.
//!
//! Scalars, lists and text are plain JSON; everything else is an object with a tag `t`:
//! `array`, `dataframe`, `categorical`, `multiindex`, `csr`, `csc`, `masked`, `dict`, `tuple`,
//! `float` (a non-finite scalar), `anndata`. Elements of float arrays are shortest decimals that read back
//! to the same bits, and `"NaN"`, `"Infinity"`, `"-Infinity"`. The golden corpus uses the same form.
//!
//! Numbers may also stand beside the text, in a block of bytes ([`encode_beside`]): then an array's list of
//! elements is replaced by their place, `{"at": 64, "bytes": 800}`, little-endian and in the order of the list.
//! The protocol of worker processes does that.

mod decode;
mod encode;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::Value;

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
    encode::Encoder::inline().value(value)
}

/// The JSON form of a value whose numbers are appended to `block`, each array at a multiple of eight bytes.
///
/// ```
/// use dispatch::{Dense, Value, json};
/// let value = Value::from(Dense::vector(vec![1.5f64, f64::NAN]));
/// let mut block = Vec::new();
/// let text = json::encode_beside(&value, &mut block);
/// assert_eq!((block.len(), &text["data"]["bytes"]), (16, &16.into()));
/// assert_eq!(json::decode_beside(&text, &block), Ok(value));
/// ```
pub fn encode_beside(value: &Value, block: &mut Vec<u8>) -> Json {
    encode::Encoder::beside(block).value(value)
}

/// The value of a JSON form.
///
/// # Errors
/// Names the field that is missing or wrong.
pub fn decode(json: &Json) -> Result<Value> {
    decode_beside(json, &[])
}

/// The value of a JSON form whose numbers may stand in `block`.
///
/// # Errors
/// As [`decode`]; also a place outside the block.
pub fn decode_beside(json: &Json, block: &[u8]) -> Result<Value> {
    decode::Decoder { block }.value(json)
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
    use serde_json::json;

    use super::*;
    use crate::{Categorical, Dense, Frame, Index, Indices, Map, Masked, Order, Sparse, Strings};

    fn round_trips(value: impl Into<Value>) {
        let value = value.into();
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value, "{text}");
        let mut block = vec![7; 3];
        let text = encode_beside(&value, &mut block);
        assert_eq!(decode_beside(&text, &block).unwrap(), value, "{text}");
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
        csr.indptr = Indices::I32(vec![0, 2, 2]);
        round_trips(csr);
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
    fn a_place_outside_the_block_is_an_error() {
        let at = |at: u64, bytes: u64| json!({"t": "array", "dtype": "int16", "shape": [2], "data": {"at": at, "bytes": bytes}});
        assert_eq!(
            decode_beside(&at(8, 4), &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0]).unwrap(),
            Dense::vector(vec![1i16, 2]).into()
        );
        for (wrong, says) in [
            (at(10, 4), "outside"),
            (at(u64::MAX, 4), "outside"),
            (at(0, 3), "3 bytes"),
            (at(0, 8), "4 elements"),
        ] {
            let error = decode_beside(&wrong, &[0; 12]).unwrap_err().to_string();
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
