//! Python's `==` on arguments, as far as dispatch needs it.

use crate::{Buffer, Dense, Strings, Value};

/// Whether Python would call the two arguments equal *and be sure of it*: `a is b or bool(a == b)`.
///
/// This is the test of rule D19, "passed at its default". It differs from [`Value`]'s own equality, which
/// is structural: here `1 == 1.0 == True`, and a NumPy scalar equals the Python number.
///
/// - An `int` and a `float` are equal if they are the same number; no rounding happens on the way.
/// - A list never equals a tuple; their items and a dict's values are compared by these rules.
/// - An array, a frame, a categorical or a sparse matrix is never equal to anything, itself included:
///   `==` gives an array there, whose truth is an error. Upstream warns then, and so do we. (NumPy lets
///   an array of one element pass; we do not.)
/// - NaN is not equal to NaN. Whether both are the *same* `float` object is lost when arguments become values.
/// - An AnnData equals itself, the same shared object.
///
/// ```
/// use dispatch::{Dense, Value, python_equal};
/// assert!(python_equal(&Value::Int(1), &Value::Float(1.0)));
/// assert!(python_equal(&Value::Bool(true), &Value::Int(1)));
/// assert!(!python_equal(&Value::Text("1".into()), &Value::Int(1)));
/// let array = Value::Dense(Dense::vector(vec![1.0, 2.0]));
/// assert!(!python_equal(&array, &array.clone()));
/// ```
pub fn python_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::None, Value::None) => true,
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| python_equal(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|((i, a), (j, b))| i == j && python_equal(a, b))
        }
        (Value::Data(a), Value::Data(b)) => std::sync::Arc::ptr_eq(a, b),
        _ => match (text(a), text(b)) {
            (Some(a), Some(b)) => a == b,
            _ => matches!((number(a), number(b)), (Some(a), Some(b)) if a.equals(b)),
        },
    }
}

/// A number as Python holds it: exact integer or float.
#[derive(Clone, Copy)]
enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    fn equals(self, other: Number) -> bool {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Float(a), Number::Float(b)) => a == b,
            // 2^100 is beyond every 64-bit integer, and below it the cast of a whole float is exact.
            (Number::Int(i), Number::Float(x)) | (Number::Float(x), Number::Int(i)) => {
                x == x.trunc() && x.abs() < 2f64.powi(100) && x as i128 == i
            }
        }
    }
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Bool(b) => Some(Number::Int(i128::from(*b))),
        Value::Int(i) => Some(Number::Int(i128::from(*i))),
        Value::Float(x) => Some(Number::Float(*x)),
        Value::Dense(Dense { shape, data, .. }) if shape.is_empty() => match data {
            Buffer::I64(v) => v.first().map(|&i| Number::Int(i128::from(i))),
            Buffer::U64(v) => v.first().map(|&i| Number::Int(i128::from(i))),
            // Every other dtype fits in an f64 exactly.
            narrower => narrower.f64_at(0).map(Number::Float),
        },
        _ => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Strings(Strings { shape, values, .. }) if shape.is_empty() => {
            values.first()?.as_deref()
        }
        _ => None,
    }
}

/// A value as Python's `repr` prints it, shortened to its type where that is long.
pub(crate) fn shown(value: &Value) -> String {
    let all = |items: &[Value]| items.iter().map(shown).collect::<Vec<_>>().join(", ");
    match value {
        Value::None => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Float(x) => crate::value::python_float(*x),
        Value::Text(text) => format!("'{}'", text.escape_debug()),
        Value::List(items) if items.len() <= 4 => format!("[{}]", all(items)),
        Value::Tuple(items) if items.len() == 1 => format!("({},)", all(items)),
        Value::Tuple(items) if items.len() <= 4 => format!("({})", all(items)),
        Value::Map(map) if map.is_empty() => "{}".to_owned(),
        other => match other.len() {
            Some(n) => format!("<{} of length {n}>", other.type_name()),
            None => format!("<{}>", other.type_name()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(data: impl Into<Buffer>) -> Value {
        Value::Dense(Dense::new(vec![], data))
    }

    #[test]
    fn d19_equality_is_pythons() {
        let equal = |a: Value, b: Value| python_equal(&a, &b) && python_equal(&b, &a);
        assert!(equal(Value::Bool(false), Value::Float(0.0)));
        assert!(equal(Value::Float(-0.0), Value::Int(0)));
        assert!(equal(scalar(vec![5_i64]), Value::Int(5)));
        assert!(equal(scalar(vec![0.5_f32]), Value::Float(0.5)));
        assert!(!equal(Value::Int((1 << 53) + 1), Value::Float(9_007_199_254_740_992.0)));
        assert!(!equal(Value::Int(i64::MAX), Value::Float(2f64.powi(63))));
        assert!(!equal(Value::Float(f64::NAN), Value::Float(f64::NAN)));
        assert!(!equal(Value::None, Value::Bool(false)));
        assert!(!equal(Value::List(vec![]), Value::Tuple(vec![])));
        assert!(equal(Value::List(vec![Value::Int(1)]), Value::List(vec![Value::Float(1.0)])));
        assert!(!equal(Strings::new(["a"]).into(), Strings::new(["a"]).into()));
    }
}
