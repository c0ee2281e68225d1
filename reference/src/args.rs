//! Arguments and slots, read as a Python function reads them.
//!
//! A call carries values of any type. Here each is checked once, and a refusal is the exception
//! Python would raise, with what was expected, what was found and where. Defaults come from the
//! function's own [`Signature`] and stand nowhere else.

use dispatch::{Buffer, Dataset, Dense, Fault, Params, Signature, Value};

/// A refusal as Python's `ValueError`: the type is right, the value is not.
pub fn value_error(message: impl Into<String>) -> Fault {
    Fault::rejected("ValueError", message)
}

/// A refusal as Python's `TypeError`: a value of the wrong type, or arguments that do not fit the signature.
pub fn type_error(message: impl Into<String>) -> Fault {
    Fault::rejected("TypeError", message)
}

/// A refusal as Python's `KeyError`: a name that is not there.
pub fn key_error(message: impl Into<String>) -> Fault {
    Fault::rejected("KeyError", message)
}

/// The arguments of one call, bound to the signature of the function.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    signature: &'a Signature,
    params: &'a Params,
}

impl<'a> Args<'a> {
    /// Binds the parameters of a call of `function`.
    ///
    /// # Errors
    /// `TypeError` for a parameter the signature does not have (unless it takes `**kwargs`).
    pub fn new(
        function: &str,
        signature: &'a Signature,
        params: &'a Params,
    ) -> Result<Args<'a>, Fault> {
        let unknown = params.keys().find(|name| signature.get(name).is_none());
        match unknown {
            Some(name) if !signature.has_var_keyword() => {
                Err(type_error(format!("{function}() got an unexpected keyword argument '{name}'")))
            }
            Some(_) | None => Ok(Args { signature, params }),
        }
    }

    /// The argument passed under a name, else its default.
    ///
    /// # Errors
    /// `TypeError` if it was not passed and has no default.
    pub fn get(&self, name: &str) -> Result<&'a Value, Fault> {
        self.params
            .get(name)
            .or_else(|| self.signature.get(name).and_then(dispatch::Param::default_value))
            .ok_or_else(|| type_error(format!("missing required argument: '{name}'")))
    }

    /// Whether the argument is `None`.
    ///
    /// # Errors
    /// As [`Args::get`].
    pub fn is_none(&self, name: &str) -> Result<bool, Fault> {
        Ok(matches!(self.get(name)?, Value::None))
    }

    /// The truth of a scalar as Python's `if` sees it: `None`, `False` and zero are false.
    ///
    /// # Errors
    /// `TypeError` for anything but `None`, `bool`, a number or a NumPy scalar.
    pub fn flag(&self, name: &str) -> Result<bool, Fault> {
        match self.get(name)? {
            Value::None => Ok(false),
            Value::Bool(b) => Ok(*b),
            value => match number(value) {
                Some(x) => Ok(x != 0.0),
                None => Err(wrong_type(name, "bool", value)),
            },
        }
    }

    /// A `str`.
    ///
    /// # Errors
    /// `TypeError` for anything else, `None` included.
    pub fn text(&self, name: &str) -> Result<&'a str, Fault> {
        let value = self.get(name)?;
        value.as_text().ok_or_else(|| wrong_type(name, "str", value))
    }

    /// A `str` or `None`.
    ///
    /// # Errors
    /// `TypeError` for anything else.
    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Fault> {
        if self.is_none(name)? { Ok(None) } else { self.text(name).map(Some) }
    }

    /// An `int`, or a NumPy integer scalar; a `bool` is refused.
    ///
    /// # Errors
    /// `TypeError` for anything else.
    pub fn integer(&self, name: &str) -> Result<i64, Fault> {
        let value = self.get(name)?;
        integer(value).ok_or_else(|| wrong_type(name, "int", value))
    }

    /// An integer as by [`Args::integer`], or `None`.
    ///
    /// # Errors
    /// `TypeError` for anything else.
    pub fn optional_integer(&self, name: &str) -> Result<Option<i64>, Fault> {
        if self.is_none(name)? { Ok(None) } else { self.integer(name).map(Some) }
    }

    /// An `int`, a `float` or a NumPy scalar of either kind.
    ///
    /// # Errors
    /// `TypeError` for anything else.
    pub fn float(&self, name: &str) -> Result<f64, Fault> {
        let value = self.get(name)?;
        number(value).ok_or_else(|| wrong_type(name, "float", value))
    }

    /// One of a few words.
    ///
    /// # Errors
    /// `ValueError` that lists the words, `TypeError` for what is no `str`.
    pub fn choice<T: Copy>(&self, name: &str, options: &[(&str, T)]) -> Result<T, Fault> {
        let text = self.text(name)?;
        options.iter().find(|(word, _)| *word == text).map(|(_, chosen)| *chosen).ok_or_else(|| {
            let words: Vec<&str> = options.iter().map(|(word, _)| *word).collect();
            value_error(format!("invalid option `{text}` for `{name}`, expected one of {words:?}"))
        })
    }

    /// A seed: a non-negative integer; `None` reads as 0, because the reference has no entropy.
    ///
    /// # Errors
    /// `ValueError` for a negative number, `TypeError` for what is no integer.
    pub fn seed(&self, name: &str) -> Result<u64, Fault> {
        // A NumPy uint64 is the only way to pass a seed of 2^63 or more.
        if let Value::Dense(Dense { shape, data: Buffer::U64(data), .. }) = self.get(name)?
            && let ([], [seed]) = (shape.as_slice(), data.as_slice())
        {
            return Ok(*seed);
        }
        let seed = self.optional_integer(name)?.unwrap_or(0);
        u64::try_from(seed)
            .map_err(|_| value_error(format!("`{name}` must be non-negative, got {seed}")))
    }

    /// A positive integer count, or `None`.
    ///
    /// # Errors
    /// `ValueError` for zero or less, `TypeError` for what is no integer.
    pub fn optional_count(&self, name: &str) -> Result<Option<usize>, Fault> {
        self.optional_integer(name)?
            .map(|n| match usize::try_from(n) {
                Ok(n) if n > 0 => Ok(n),
                Ok(_) | Err(_) => {
                    Err(value_error(format!("expected `{name}` to be positive, found `{n}`")))
                }
            })
            .transpose()
    }
}

/// The integer of a Python `int` or a NumPy integer scalar; `None` for all else.
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(i) => Some(*i),
        Value::Dense(d) if d.shape.is_empty() => match &d.data {
            Buffer::I64(v) => v.first().copied(),
            Buffer::U64(v) => v.first().and_then(|&x| i64::try_from(x).ok()),
            Buffer::Bool(_) | Buffer::F16(_) | Buffer::F32(_) | Buffer::F64(_) => None,
            // The remaining integer types fit into the 53 bits of an f64.
            narrow => narrow.f64_at(0).map(|x| x as i64),
        },
        _ => None,
    }
}

/// The number of an `int`, a `float` or a NumPy scalar; `None` for all else, a `bool` included.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Dense(d) if d.shape.is_empty() => d.data.f64_at(0),
        value => value.as_f64(),
    }
}

fn wrong_type(name: &str, expected: &str, value: &Value) -> Fault {
    type_error(format!("`{name}` must be {expected}, got {}", value.type_name()))
}

/// The slot `name` of a group such as `obsp`.
///
/// # Errors
/// `KeyError` that lists what the group has.
pub fn slot<'a>(data: &'a Dataset, group: &str, name: &str) -> Result<&'a Value, Fault> {
    match data.root().get(group) {
        Some(Value::Map(map)) => map.get(name).ok_or_else(|| missing(group, name, map.keys())),
        Some(Value::Frame(frame)) => {
            frame.column(name).ok_or_else(|| missing(group, name, frame.column_names().iter()))
        }
        Some(_) | None => Err(missing(group, name, [].iter())),
    }
}

fn missing<'s>(group: &str, name: &str, found: impl Iterator<Item = &'s String>) -> Fault {
    const SHOWN: usize = 12;
    let found: Vec<&str> = found.map(String::as_str).collect();
    let more = if found.len() > SHOWN { ", ..." } else { "" };
    let list = found.iter().take(SHOWN).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    let has = if found.is_empty() { "nothing".to_owned() } else { format!("{list}{more}") };
    key_error(format!("`{name}` not found in `adata.{group}`, which has {has}"))
}

#[cfg(test)]
mod tests {
    use dispatch::{Frame, Index, Param};

    use super::*;

    fn check(
        params: &[(&str, Value)],
        read: impl Fn(&Args<'_>) -> Result<String, Fault>,
    ) -> String {
        let signature = Signature::new([
            Param::required("key"),
            Param::optional("seed", Value::None),
            Param::optional("copy", false),
            Param::optional("mode", "moran"),
        ]);
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        match Args::new("f", &signature, &params).and_then(|args| read(&args)) {
            Ok(text) => text,
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn defaults_come_from_the_signature() {
        let text = |a: &Args<'_>| Ok(format!("{} {:?}", a.text("mode")?, a.seed("seed")?));
        assert_eq!(check(&[], text), "moran 0");
        assert_eq!(check(&[], |a| Ok(format!("{}", a.flag("copy")?))), "false");
    }

    #[test]
    fn refusals_are_python_exceptions() {
        let wrong = [("copies", Value::None)];
        let message = "TypeError: f() got an unexpected keyword argument 'copies'";
        assert_eq!(check(&wrong, |_| Ok(String::new())), message);
        let key = |a: &Args<'_>| a.text("key").map(str::to_owned);
        assert_eq!(check(&[], key), "TypeError: missing required argument: 'key'");
        assert_eq!(check(&[("key", 1.into())], key), "TypeError: `key` must be str, got int");
        let mode = |a: &Args<'_>| Ok(a.choice("mode", &[("moran", 1), ("geary", 2)])?.to_string());
        assert_eq!(
            check(&[("mode", "I".into())], mode),
            r#"ValueError: invalid option `I` for `mode`, expected one of ["moran", "geary"]"#
        );
        let seed = |a: &Args<'_>| a.seed("seed").map(|s| s.to_string());
        assert!(check(&[("seed", (-1).into())], seed).starts_with("ValueError"));
        assert!(check(&[("seed", true.into())], seed).starts_with("TypeError"));
        let big = Value::Dense(Dense::new(vec![], vec![u64::MAX]));
        assert_eq!(check(&[("seed", big)], seed), u64::MAX.to_string());
        let count = |a: &Args<'_>| Ok(format!("{:?}", a.optional_count("seed")?));
        assert!(check(&[("seed", 0.into())], count).starts_with("ValueError"));
        assert_eq!(check(&[("seed", Dense::new(vec![], vec![3i32]).into())], count), "Some(3)");
    }

    #[test]
    fn a_missing_slot_says_what_there_is() {
        let mut data = Dataset::new();
        data.set("obsp/near", Value::None);
        let frame = Frame::new(Index::text(["c0"]), [("batch", Dense::vector(vec![1.0]).into())]);
        data.set("obs", frame.into());
        assert!(slot(&data, "obs", "batch").is_ok());
        let message = |group| slot(&data, group, "far").unwrap_err().to_string();
        assert_eq!(message("obsp"), "KeyError: `far` not found in `adata.obsp`, which has `near`");
        assert_eq!(message("obs"), "KeyError: `far` not found in `adata.obs`, which has `batch`");
        assert_eq!(message("obsm"), "KeyError: `far` not found in `adata.obsm`, which has nothing");
    }
}
