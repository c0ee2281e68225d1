//! In which arithmetic an answer may have been computed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A class of arithmetic, by what an allowance grants for it; finer first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Precision {
    /// Everything in float64.
    #[default]
    #[serde(rename = "P64")]
    P64,
    /// Inputs rounded to float32, everything else in float64.
    #[serde(rename = "P32in/64acc")]
    P32In,
    /// Everything in float32.
    #[serde(rename = "P32acc")]
    P32Acc,
}

impl Precision {
    /// All classes, finest first.
    pub const ALL: [Precision; 3] = [Precision::P64, Precision::P32In, Precision::P32Acc];

    /// The name used in logs and reports.
    pub fn name(self) -> &'static str {
        match self {
            Precision::P64 => "P64",
            Precision::P32In => "P32in/64acc",
            Precision::P32Acc => "P32acc",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
