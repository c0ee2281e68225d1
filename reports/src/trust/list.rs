//! The fields of a trusted list, and its one form in TOML.

use std::collections::BTreeMap;

use dispatch::Digest;
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use crate::Time;
use crate::certificate::{Assurance, CertificateError, Level};

/// What a list says it is.
pub const SCHEMA: &str = "https://concord/schema/trusted-backends/v1";

/// A trusted list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustedList {
    /// [`SCHEMA`].
    pub schema: String,
    /// The host library it is for.
    pub host: String,
    /// Whose answers were taken for the host's, where certificates were accepted that were examined against another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_stand_in: Option<String>,
    /// Grows with each list: a reader that has seen a larger one refuses an older.
    pub serial: u64,
    /// When it was made.
    pub generated_at: Datetime,
    /// The last second it holds.
    pub not_after: Datetime,
    /// The policy under which the levels follow.
    pub policy_sha256: Digest,
    /// By canonical name.
    pub trusted_backends: BTreeMap<String, TrustedBackend>,
    /// Certificates that were taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<Revocation>,
}

/// One backend: who it is, and which of its builds have which level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustedBackend {
    /// Who it is.
    #[serde(flatten)]
    pub identity: Identity,
    /// Its certified builds; scverse-backends ignores keys it does not know.
    #[serde(rename = "x-grants", default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<GrantEntry>,
}

/// What scverse-backends checks about a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Other names for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The package that users are told to install.
    pub package: String,
    /// Distributions that may provide it.
    pub distributions: Vec<String>,
    /// Names of its entry points.
    #[serde(default)]
    pub entrypoints: Vec<String>,
    /// Modules that it may come from.
    #[serde(default)]
    pub module_prefixes: Vec<String>,
}

/// One certified build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrantEntry {
    /// The distribution that installs it.
    pub distribution: String,
    /// Its version.
    pub version: String,
    /// The digest of the installed build ([`crate::wheel`]).
    pub wheel_record1: Digest,
    /// The certificate.
    pub certificate_sha256: Digest,
    /// Against whose answers the build was examined: name and version.
    pub examined_against: String,
    /// On whose word the results stand.
    pub assurance: Assurance,
    /// The last second it holds.
    pub not_after: Datetime,
    /// The devices it was examined on.
    pub accelerators: Vec<String>,
    /// The level of each function above none.
    pub functions: BTreeMap<String, Level>,
}

/// A certificate that was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The certificate.
    pub certificate_sha256: Digest,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Datetime,
}

/// `revoked.toml`: certificates that were taken back.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocations {
    /// One entry each.
    #[serde(default)]
    pub revoked: Vec<Revocation>,
}

/// `backends.toml`: who may be trusted at all, by canonical name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identities {
    /// By canonical name.
    pub trusted_backends: BTreeMap<String, Identity>,
}

impl TrustedList {
    /// Reads a list.
    ///
    /// # Errors
    /// When it is not TOML of this form.
    pub fn parse(text: &str) -> Result<TrustedList, CertificateError> {
        let list: TrustedList = read(text, "the trusted list")?;
        match list.schema.as_str() {
            SCHEMA => Ok(list),
            other => Err(CertificateError::List(format!(
                "the trusted list has schema `{other}`, expected `{SCHEMA}`"
            ))),
        }
    }

    /// Writes it: the same list gives the same bytes.
    ///
    /// # Errors
    /// None that a list of this type can cause.
    pub fn to_toml(&self) -> Result<String, CertificateError> {
        let body = toml::to_string(self).map_err(|e| CertificateError::List(e.to_string()))?;
        Ok(format!(
            "# Made by `concord trust build`; do not edit: `concord trust check` compares every byte.\n{body}"
        ))
    }
}

impl Identities {
    /// Reads `backends.toml`.
    ///
    /// # Errors
    /// When it is not TOML of this form.
    pub fn parse(text: &str) -> Result<Identities, CertificateError> {
        read(text, "the file of identities")
    }
}

impl Revocations {
    /// Reads `revoked.toml`.
    ///
    /// # Errors
    /// When it is not TOML of this form.
    pub fn parse(text: &str) -> Result<Revocations, CertificateError> {
        read(text, "the file of revoked certificates")
    }

    /// Why a certificate was taken back, if it was.
    pub fn reason(&self, certificate: &Digest) -> Option<String> {
        let found = self.revoked.iter().find(|r| r.certificate_sha256 == *certificate);
        found.map(|r| format!("{} ({})", r.reason, r.at))
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, CertificateError> {
    toml::from_str(text).map_err(|e| CertificateError::List(format!("{what} is not readable: {e}")))
}

/// A time as TOML writes it.
pub(super) fn datetime(time: Time) -> Result<Datetime, CertificateError> {
    let text = time.to_string();
    text.parse().map_err(|_| CertificateError::List(format!("{text} is no TOML time")))
}
