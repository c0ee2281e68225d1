//! The one form in which a certificate is written.

use serde_json::Value;

use super::{CertificateError, Statement};

/// A certificate as bytes: keys sorted, two spaces, one line feed at the end, integers only.
///
/// # Errors
/// When a field holds a floating-point number, which no field of a certificate does.
pub fn to_bytes(statement: &Statement) -> Result<Vec<u8>, CertificateError> {
    // serde_json's own map is sorted by key.
    let value = serde_json::to_value(statement)?;
    if let Some(place) = float(&value, "") {
        return Err(CertificateError::Form(format!("{place} is a floating-point number")));
    }
    let mut bytes = serde_json::to_vec_pretty(&value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a certificate. Fields that this version does not know are ignored; those it knows must be well formed.
///
/// # Errors
/// When the bytes are not JSON, hold a floating-point number, repeat a key or order keys otherwise (so that two
/// readers could see two things), or lack a field.
pub fn from_bytes(bytes: &[u8]) -> Result<Statement, CertificateError> {
    let value: Value = serde_json::from_slice(bytes)?;
    if let Some(place) = float(&value, "") {
        return Err(CertificateError::Form(format!("{place} is a floating-point number")));
    }
    let mut again = serde_json::to_vec_pretty(&value)?;
    again.push(b'\n');
    if again != bytes {
        let line = again
            .split(|&b| b == b'\n')
            .zip(bytes.split(|&b| b == b'\n'))
            .take_while(|(a, b)| a == b);
        let message = format!("line {} is not written as expected", line.count() + 1);
        return Err(CertificateError::Form(message));
    }
    let statement: Statement = serde_json::from_value(value)?;
    for (what, got, expected) in [
        ("_type", &statement.kind, super::STATEMENT_TYPE),
        ("predicateType", &statement.predicate_type, super::PREDICATE_TYPE),
        ("predicate.schemaVersion", &statement.predicate.schema_version, super::SCHEMA_VERSION),
    ] {
        if got != expected {
            let message = format!("{what} is `{got}`, this version reads `{expected}`");
            return Err(CertificateError::Form(message));
        }
    }
    Ok(statement)
}

/// The place of a number that is no integer.
fn float(value: &Value, place: &str) -> Option<String> {
    match value {
        Value::Number(n) if n.is_f64() => Some(place.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(i, v)| float(v, &format!("{place}[{i}]")))
        }
        Value::Object(map) => map.iter().find_map(|(k, v)| float(v, &format!("{place}.{k}"))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
