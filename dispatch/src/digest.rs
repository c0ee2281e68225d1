//! SHA-256 of values, over a canonical byte form that does not depend on machine or run.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Dense, Frame, Index, Map, Order, Params, Value};

/// A SHA-256 digest; prints as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of_bytes(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The digest of a value.
    pub fn of_value(value: &Value) -> Digest {
        let mut out = Vec::new();
        write_value(value, &mut out);
        Digest::of_bytes(&out)
    }

    /// The digest of a mapping, names included.
    pub fn of_map(map: &Map) -> Digest {
        let mut out = Vec::new();
        write_map(map, &mut out);
        Digest::of_bytes(&out)
    }

    /// The digest of a set of parameters, names included.
    pub fn of_params(params: &Params) -> Digest {
        Digest::of_map(params)
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first `n` hexadecimal digits.
    pub fn short(&self, n: usize) -> String {
        self.to_string().chars().take(n).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl std::str::FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Digest, String> {
        let error = || format!("expected 64 hexadecimal digits, got `{text}`");
        if text.len() != 64 || !text.is_ascii() {
            return Err(error());
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| error())?;
        }
        Ok(Digest(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

// The byte form: a tag, then lengths as little-endian u64, then content. Each part is
// self-delimiting, so two different values never share a byte form.

fn write_len(n: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(n as u64).to_le_bytes());
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    write_len(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn write_option(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        None => out.push(0),
        Some(text) => {
            out.push(1);
            write_text(text, out);
        }
    }
}

fn write_map(map: &Map, out: &mut Vec<u8>) {
    write_len(map.len(), out);
    for (name, value) in map {
        write_text(name, out);
        write_value(value, out);
    }
}

fn write_all(values: &[Value], out: &mut Vec<u8>) {
    write_len(values.len(), out);
    for value in values {
        write_value(value, out);
    }
}

fn write_dense(dense: &Dense, out: &mut Vec<u8>) {
    write_text(dense.dtype().name(), out);
    out.push(u8::from(dense.order == Order::F && dense.shape.len() > 1));
    write_len(dense.shape.len(), out);
    for &n in &dense.shape {
        write_len(n, out);
    }
    dense.data.write_le(out);
}

fn write_index(index: &Index, out: &mut Vec<u8>) {
    write_len(index.names.len(), out);
    for name in &index.names {
        write_option(name.as_deref(), out);
    }
    write_all(&index.levels, out);
}

fn write_frame(frame: &Frame, out: &mut Vec<u8>) {
    write_index(&frame.index, out);
    write_index(&frame.column_index, out);
    write_all(&frame.columns, out);
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::None => out.push(b'N'),
        Value::Bool(b) => out.extend([b'B', u8::from(*b)]),
        Value::Int(i) => {
            out.push(b'I');
            out.extend_from_slice(&i.to_le_bytes());
        }
        Value::Float(x) => {
            out.push(b'F');
            out.extend_from_slice(&x.to_bits().to_le_bytes());
        }
        Value::Text(text) => {
            out.push(b'T');
            write_text(text, out);
        }
        Value::List(values) => {
            out.push(b'L');
            write_all(values, out);
        }
        Value::Tuple(values) => {
            out.push(b'U');
            write_all(values, out);
        }
        Value::Map(map) => {
            out.push(b'M');
            write_map(map, out);
        }
        Value::Dense(dense) => {
            out.push(b'D');
            write_dense(dense, out);
        }
        Value::Strings(strings) => {
            // Nullable or not is how a file stored it, not what it says.
            out.push(b'S');
            write_len(strings.shape.len(), out);
            for &n in &strings.shape {
                write_len(n, out);
            }
            for text in &strings.values {
                write_option(text.as_deref(), out);
            }
        }
        Value::Masked(masked) => {
            out.push(b'K');
            write_dense(&masked.values, out);
            out.extend(masked.mask.iter().map(|&m| u8::from(m)));
        }
        Value::Sparse(sparse) => {
            out.push(b'P');
            out.push(u8::from(sparse.format == crate::Format::Csc));
            write_len(sparse.shape.0, out);
            write_len(sparse.shape.1, out);
            for indices in [&sparse.indptr, &sparse.indices] {
                write_text(indices.dtype().name(), out);
                write_len(indices.len(), out);
                match indices {
                    crate::Indices::I32(v) => {
                        v.iter().for_each(|i| out.extend_from_slice(&i.to_le_bytes()))
                    }
                    crate::Indices::I64(v) => {
                        v.iter().for_each(|i| out.extend_from_slice(&i.to_le_bytes()))
                    }
                }
            }
            write_text(sparse.data.dtype().name(), out);
            sparse.data.write_le(out);
        }
        Value::Categorical(categorical) => {
            out.push(b'C');
            out.push(u8::from(categorical.ordered));
            write_value(&categorical.categories, out);
            write_len(categorical.codes.len(), out);
            categorical.codes.iter().for_each(|c| out.extend_from_slice(&c.to_le_bytes()));
        }
        Value::Frame(frame) => {
            out.push(b'R');
            write_frame(frame, out);
        }
        Value::Data(data) => {
            out.push(b'A');
            write_map(data.root(), out);
        }
    }
}
