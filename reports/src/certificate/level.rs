//! How far a function of a build may be trusted, and on whose word.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was shown about one function; each level includes those before it.
///
/// Speed is not one of them: it is measured apart, and never published for a function below
/// [`Level::Numerical`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something failed, did not run, or was not examined.
    #[default]
    None,
    /// Calls arrive, answers have the right form, nothing differs; but not enough was asked of the numbers.
    Contract,
    /// The numbers are inside allowances derived on each input, by an examination shown to find mistakes.
    Numerical,
    /// Random columns have the right distribution, or are the same draws.
    Statistical,
    /// All that, for a release, with seeds that the maker could not know, confirmed by somebody else, without a waiver.
    Full,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Level; 5] =
        [Level::None, Level::Contract, Level::Numerical, Level::Statistical, Level::Full];

    /// The word used everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Contract => "contract",
            Level::Numerical => "numerical",
            Level::Statistical => "statistical",
            Level::Full => "full",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// On whose word the results stand.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    /// Run by those who made the backend or the examiner.
    #[default]
    SelfAttested,
    /// Run by a continuous integration whose identity signs.
    CiAttested,
    /// Run by somebody else.
    ThirdParty,
    /// Run a second time on other hardware, with the same verdicts.
    Reproduced,
}

impl Assurance {
    /// The word used everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Assurance::SelfAttested => "self-attested",
            Assurance::CiAttested => "ci-attested",
            Assurance::ThirdParty => "third-party",
            Assurance::Reproduced => "reproduced",
        }
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
