//! Distance over allowance.

use serde::{Deserialize, Serialize};

/// A distance over its allowance. It agrees when it is at most 1; NaN never agrees.
///
/// In JSON a finite ratio is a number, the others are `"NaN"` and `"Infinity"`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ratio(pub f64);

impl Ratio {
    /// The ratio of an exact check that holds.
    pub const EXACT: Ratio = Ratio(0.0);
    /// The ratio of an exact check that fails.
    pub const BROKEN: Ratio = Ratio(f64::INFINITY);

    /// Whether the comparison agrees.
    pub fn agrees(self) -> bool {
        // Written so that NaN does not agree.
        self.0 <= 1.0
    }

    /// The worse of two ratios; NaN is worse than everything.
    pub fn worse(self, other: Ratio) -> Ratio {
        if self.0.is_nan() || self.0 >= other.0 { self } else { other }
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            x if x.is_nan() => f.pad("NaN"),
            x if x.is_infinite() => f.pad("infinite"),
            0.0 => f.pad("0"),
            x if (0.01..1e4).contains(&x) => f.pad(&format!("{x:.2}")),
            x => f.pad(&format!("{x:.1e}")),
        }
    }
}

impl Serialize for Ratio {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            x if x.is_finite() => serializer.serialize_f64(x),
            x if x.is_nan() => serializer.serialize_str("NaN"),
            _ => serializer.serialize_str("Infinity"),
        }
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Ratio, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(f64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(x) => Ok(Ratio(x)),
            Form::Text(t) if t == "NaN" => Ok(Ratio(f64::NAN)),
            Form::Text(t) if t == "Infinity" => Ok(Ratio(f64::INFINITY)),
            Form::Text(t) => Err(serde::de::Error::custom(format!("expected a ratio, got `{t}`"))),
        }
    }
}
