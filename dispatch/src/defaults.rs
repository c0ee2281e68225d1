//! Whether two defaults are the same, after resolving how they are spelled.
//!
//! `Key.obsm.spatial` and `'spatial'`, `<Mode.MORAN: 'moran'>` and `'moran'`, `1` and `1.0` are one default
//! each. A checker that compares the spelling cries wolf on dozens of pairs of real libraries.

use std::collections::BTreeMap;

use crate::{DefaultValue, Map, Value, python_equal};

/// How the defaults of a shared parameter compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// The same value, however spelled.
    Equal,
    /// `None` on one side and a value on the other: equal only if the side with `None` resolves it to
    /// that value, which a probe call must show.
    NoneAgainstValue,
    /// At least one side is known only by how it prints, and no constant resolves it.
    Unresolved,
    /// Two different values.
    Different,
}

/// Compares two defaults, after looking up objects known by how they print among `constants` and reading
/// enum members and Python literals.
///
/// ```
/// use std::collections::BTreeMap;
/// use dispatch::{Comparison, DefaultValue, Value, compare_defaults};
/// let member = DefaultValue::Repr("<Mode.MORAN: 'moran'>".into());
/// let text = DefaultValue::Value("moran".into());
/// assert_eq!(compare_defaults(&member, &text, &BTreeMap::new()), Comparison::Equal);
/// let none = DefaultValue::Value(Value::None);
/// assert_eq!(compare_defaults(&none, &text, &BTreeMap::new()), Comparison::NoneAgainstValue);
/// ```
pub fn compare_defaults(
    host: &DefaultValue,
    backend: &DefaultValue,
    constants: &BTreeMap<String, Value>,
) -> Comparison {
    match (resolve(host, constants), resolve(backend, constants)) {
        (Ok(host), Ok(backend)) => match (host == Value::None, backend == Value::None) {
            (true, true) => Comparison::Equal,
            (true, false) | (false, true) => Comparison::NoneAgainstValue,
            // Structural equality too: an array is its own equal here, and so is NaN.
            (false, false) if python_equal(&host, &backend) || host == backend => Comparison::Equal,
            (false, false) => Comparison::Different,
        },
        (Err(host), Err(backend)) if host == backend => Comparison::Equal,
        (Err(_), _) | (_, Err(_)) => Comparison::Unresolved,
    }
}

/// The value of a default, or how it prints if that is all that is known.
fn resolve<'a>(
    default: &'a DefaultValue,
    constants: &BTreeMap<String, Value>,
) -> Result<Value, &'a str> {
    match default {
        DefaultValue::Value(value) => Ok(value.clone()),
        DefaultValue::Repr(text) => constants
            .get(text.trim())
            .cloned()
            .or_else(|| literal(enum_member(text).unwrap_or(text)))
            .ok_or(text.trim()),
    }
}

/// The value part of an enum member's `repr`: `<Mode.MORAN: 'moran'>`.
fn enum_member(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix('<')?.strip_suffix('>')?;
    let (name, value) = inner.split_once(": ")?;
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    (name.contains('.') && name.chars().all(is_path)).then_some(value)
}

/// The value of a Python literal: `None`, booleans, numbers, plain strings, and lists, tuples and dicts of them.
fn literal(text: &str) -> Option<Value> {
    let mut rest = text.trim();
    let value = one(&mut rest)?;
    rest.trim().is_empty().then_some(value)
}

fn one(rest: &mut &str) -> Option<Value> {
    *rest = rest.trim_start();
    match rest.chars().next()? {
        '(' => {
            let (mut items, comma) = items(rest, '(', ')')?;
            // Parentheses around one value without a comma only group.
            if items.len() == 1 && !comma { items.pop() } else { Some(Value::Tuple(items)) }
        }
        '[' => items(rest, '[', ']').map(|(items, _)| Value::List(items)),
        '{' => dict(rest),
        quote @ ('\'' | '"') => quoted(rest, quote).map(Value::Text),
        _ => atom(rest),
    }
}

/// Items between brackets, and whether the last thing before the closing bracket was a comma.
fn items(rest: &mut &str, open: char, close: char) -> Option<(Vec<Value>, bool)> {
    *rest = rest.strip_prefix(open)?;
    let (mut values, mut comma) = (Vec::new(), true);
    loop {
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(close) {
            *rest = after;
            return Some((values, comma));
        }
        if !comma {
            return None;
        }
        values.push(one(rest)?);
        *rest = rest.trim_start();
        comma = rest.strip_prefix(',').map(|after| *rest = after).is_some();
    }
}

fn dict(rest: &mut &str) -> Option<Value> {
    *rest = rest.strip_prefix('{')?;
    let mut map = Map::new();
    loop {
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            *rest = after;
            return Some(Value::Map(map));
        }
        let Some(Value::Text(key)) = one(rest) else { return None };
        *rest = rest.trim_start().strip_prefix(':')?;
        map.insert(key, one(rest)?);
        *rest = rest.trim_start();
        *rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

/// A string without escapes; one with escapes is left unresolved.
fn quoted(rest: &mut &str, quote: char) -> Option<String> {
    let (text, after) = rest[1..].split_once(quote)?;
    *rest = after;
    (!text.contains('\\')).then(|| text.to_owned())
}

fn atom(rest: &mut &str) -> Option<Value> {
    let end = rest.find([',', ')', ']', '}', ':']).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    let word = word.trim();
    match word {
        "None" => Some(Value::None),
        "True" => Some(Value::Bool(true)),
        "False" => Some(Value::Bool(false)),
        "inf" => Some(Value::Float(f64::INFINITY)),
        "-inf" => Some(Value::Float(f64::NEG_INFINITY)),
        "nan" => Some(Value::Float(f64::NAN)),
        // Rust also reads "infinity" and the like as floats; Python prints those as names.
        _ if !word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.')) => None,
        _ => {
            let digits = word.replace('_', "");
            let int = digits.parse().ok().map(Value::Int);
            int.or_else(|| digits.parse().ok().map(Value::Float))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, backend: &str, expected: Comparison) {
        let constants = BTreeMap::from([("Key.obsm.spatial".to_owned(), "spatial".into())]);
        let repr = |text: &str| DefaultValue::Repr(text.to_owned());
        assert_eq!(compare_defaults(&repr(host), &repr(backend), &constants), expected);
        assert_eq!(compare_defaults(&repr(backend), &repr(host), &constants), expected);
    }

    #[test]
    fn pairs_that_are_only_spelled_differently_are_equal() {
        check("Key.obsm.spatial", "'spatial'", Comparison::Equal);
        check("<SpatialAutocorr.MORAN: 'moran'>", "\"moran\"", Comparison::Equal);
        check("1e-08", "0.00000001", Comparison::Equal);
        check("30_000", "30000.0", Comparison::Equal);
        check("True", "1", Comparison::Equal);
        check("(0, 1)", "( 0,1, )", Comparison::Equal);
        check("{'a': [1, None]}", "{'a': [1.0, None],}", Comparison::Equal);
        check("nan", "nan", Comparison::Equal);
        check("<function f at 0x1>", "<function f at 0x1>", Comparison::Equal);
    }

    #[test]
    fn different_values_are_different() {
        check("-1", "100", Comparison::Different);
        check("'spectral'", "'auto'", Comparison::Different);
        check("(1,)", "(1)", Comparison::Different);
        check("[]", "()", Comparison::Different);
        check("None", "()", Comparison::NoneAgainstValue);
        check("np.float32", "None", Comparison::Unresolved);
        check("np.float32", "np.float64", Comparison::Unresolved);
        check("'a' + 'b'", "'ab'", Comparison::Unresolved);
        check("infinity", "inf", Comparison::Unresolved);
    }
}
