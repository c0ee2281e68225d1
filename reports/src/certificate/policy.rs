//! What each level takes, as data that a maintainer can read, pin and change.

use std::collections::{BTreeMap, BTreeSet};

use dispatch::{Device, Digest};
use serde::Deserialize;

use super::{Assurance, CertificateError, Decimal};
use crate::Precision;

/// What each level takes. Every field changes what is granted; there are no defaults.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The format of the file; 1.
    pub format: u32,
    /// What the policy is called.
    pub name: String,
    /// How long a certificate holds.
    pub validity: Validity,
    /// What the first level takes.
    pub contract: Contract,
    /// What the second level takes.
    pub numerical: Numerical,
    /// What the third level takes.
    pub statistical: Statistical,
    /// What the highest level takes.
    pub full: Full,
    /// Which builds of the examiner count.
    pub suite: Suite,
    /// Whose word about which backend is their own.
    pub interest: Interest,
}

/// How long a certificate holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// Days from the issue.
    pub days: u32,
}

/// What [`super::Level::Contract`] takes beyond that nothing differs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The least share of agreeing cases in which something was compared.
    pub compared: Decimal,
}

/// What [`super::Level::Numerical`] takes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numerical {
    /// Tiers that examine enough.
    pub tiers: Vec<String>,
    /// Kinds of device that are evidence: `cpu`, `cuda`. An emulated device never is.
    pub devices: Vec<String>,
    /// Classes of arithmetic that are enough.
    pub precision: BTreeSet<Precision>,
    /// The least number of must-pass cases that agree.
    pub must_pass: u64,
    /// The least share of mutants found.
    pub adequacy: Decimal,
}

/// What [`super::Level::Statistical`] takes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistical {
    /// Functions with random columns, and the checks that compare them draw by draw.
    pub random: BTreeMap<String, Vec<String>>,
}

/// What [`super::Level::Full`] takes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Full {
    /// Tiers that examine enough.
    pub tiers: Vec<String>,
    /// Whether the seeds must come from a challenge.
    pub challenge: bool,
    /// Whose word is enough.
    pub assurance: Vec<Assurance>,
    /// The most failures that may be waived.
    pub waivers: u64,
    /// Signatures by different keys, without which a certificate with this level is refused.
    pub signatures: usize,
}

/// Which builds of the examiner count.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Their digests; empty: any.
    pub accepted: BTreeSet<Digest>,
}

/// Conflicts of interest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interest {
    /// Backends made by the makers of the examiner.
    pub own: BTreeSet<String>,
}

impl Policy {
    /// The policy that comes with the project, as the bytes of its file.
    pub const DEFAULT: &str = include_str!("../../policy/policy-1.0.toml");

    /// Reads a policy.
    ///
    /// # Errors
    /// When a field is missing, unknown or not of its form.
    pub fn parse(text: &str) -> Result<Policy, CertificateError> {
        let policy: Policy =
            toml::from_str(text).map_err(|e| CertificateError::Policy(e.to_string()))?;
        match policy.format {
            1 => Ok(policy),
            got => {
                Err(CertificateError::Policy(format!("format {got}, this version reads format 1")))
            }
        }
    }

    /// Whether a backend was made by the makers of the examiner.
    pub fn is_own(&self, backend: &str) -> bool {
        let family = backend.split_once(':').map_or(backend, |(family, _)| family);
        self.interest.own.contains(family)
    }
}

/// The kind of a device, as a policy names it.
pub(super) fn kind(device: &Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Cuda { .. } => "cuda",
        Device::Emulated => "emulated",
        Device::Absent { .. } => "absent",
    }
}
