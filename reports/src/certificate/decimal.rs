//! Numbers that are not integers, as text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number as decimal text, so that no reader rounds it: `0.31`, `4e-9`, `inf`, `nan`.
///
/// JSON numbers above 2^53 or with a fraction change under readers that take them for doubles, and then a signature
/// over the bytes no longer signs what the reader sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decimal(String);

impl Decimal {
    /// The shortest text that reads back as this number.
    pub fn of(x: f64) -> Decimal {
        Decimal(match x {
            x if x.is_nan() => "nan".to_owned(),
            x if x.is_infinite() => if x > 0.0 { "inf" } else { "-inf" }.to_owned(),
            x if x == 0.0 || (1e-4..1e15).contains(&x.abs()) => format!("{}", x + 0.0),
            x => format!("{x:e}"),
        })
    }

    /// The number.
    pub fn value(&self) -> f64 {
        match self.0.as_str() {
            "nan" => f64::NAN,
            "inf" => f64::INFINITY,
            "-inf" => f64::NEG_INFINITY,
            text => text.parse().unwrap_or(f64::NAN),
        }
    }
}

impl FromStr for Decimal {
    type Err = String;

    /// Takes only what [`Decimal::of`] writes: one number, one text.
    fn from_str(text: &str) -> Result<Decimal, String> {
        let read = Decimal(text.to_owned());
        match Decimal::of(read.value()) == read {
            true => Ok(read),
            false => Err(format!("expected a decimal number such as `0.31`, got `{text}`")),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_text() {
        for (x, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.31, "0.31"),
            (1e-9, "1e-9"),
            (2.5e20, "2.5e20"),
            (-3.0, "-3"),
        ] {
            assert_eq!(Decimal::of(x).to_string(), text);
            assert_eq!(text.parse::<Decimal>().unwrap().value(), x);
        }
        assert!(Decimal::of(f64::NAN).value().is_nan());
        assert_eq!(Decimal::of(f64::INFINITY).to_string(), "inf");
        for text in ["0.310", "1.0", "+1", "1E5", "", "abc", ".5", "NaN"] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }
}
