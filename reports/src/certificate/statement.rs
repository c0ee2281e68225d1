//! The fields of a certificate.

use std::collections::BTreeSet;

use dispatch::Digest;
use serde::{Deserialize, Serialize};

use super::{Assurance, Decimal, Environment, Execution, FunctionResult, Granted, Level};
use crate::{Precision, Time, WaiverUse};

/// The type of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate.
pub const PREDICATE_TYPE: &str = "https://concord/attestation/backend-conformance/v1";
/// The version of the predicate's fields.
pub const SCHEMA_VERSION: &str = "1.0";
/// How seeds follow from the build, the host, the suite and the challenge.
pub const SEED_DERIVATION: &str = "concord/seed/v1";

/// An in-toto Statement v1 about a build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// The files that are certified, and what they hash to.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    pub predicate_type: String,
    /// What is said about them.
    pub predicate: Predicate,
}

/// One certified file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The file name as published.
    pub name: String,
    /// What it hashes to.
    pub digest: Digests,
}

/// Digests of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digests {
    /// Of its bytes.
    pub sha256: Digest,
    /// Of the rows of a wheel's RECORD: the same before and after `pip install` ([`crate::wheel`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheel_record1: Option<Digest>,
}

/// A file that belongs to the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// What it hashes to.
    pub digest: Digests,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What is said about the subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicate {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// A name for this certificate, derived from what it certifies.
    pub certificate_id: String,
    /// When it was made.
    pub issued_at: Time,
    /// The last second it holds.
    pub not_after: Time,
    /// SHA-256 of the certificate that this one follows or confirms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_certificate: Option<Digest>,
    /// Who examined.
    pub verifier: Verifier,
    /// Who was examined.
    pub backend: Backend,
    /// With what.
    pub suite: Suite,
    /// By which rules.
    pub policy: Resource,
    /// Against whom.
    pub reference: Reference,
    /// The calls.
    pub generator: Generator,
    /// Where their seeds come from.
    pub seeds: Seeds,
    /// On what machine.
    pub environment: Environment,
    /// How it was run.
    pub execution: Execution,
    /// What was found, by function.
    pub results: Vec<FunctionResult>,
    /// The smallest input on which each failure shows.
    pub counterexamples: Vec<Counterexample>,
    /// Failures that somebody decided to live with.
    pub waivers: Vec<WaiverUse>,
    /// The files from which all of this can be computed again.
    pub evidence: Vec<Resource>,
    /// What follows.
    pub granted: Granted,
    /// What this does not show.
    pub limitations: Vec<String>,
}

/// Who examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verifier {
    /// Whose installation ran it, as a URI.
    pub id: String,
    /// Version of the examiner.
    pub version: String,
    /// On whose word the results stand.
    pub assurance: Assurance,
    /// What they have to gain, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_of_interest: Option<String>,
}

/// Who was examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// Canonical name.
    pub name: String,
    /// Version.
    pub version: String,
    /// The distribution that installs it, where it is a wheel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<String>,
    /// Digest of what was examined, as the backend states it.
    pub artifact: Digest,
    /// The host it stands in for.
    pub host: String,
    /// Functions that backend and host offer.
    pub claimed_functions: BTreeSet<String>,
    /// Functions that only the host offers.
    pub unclaimed_functions: BTreeSet<String>,
}

/// The examination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suite {
    /// `concord`.
    pub name: String,
    /// Version.
    pub version: String,
    /// Digest of the program that ran.
    pub digest: Digests,
    /// How much was examined.
    pub tier: String,
    /// The class of arithmetic that was asked of the backend.
    pub precision: Precision,
    /// Digest over the names of the planned cases, in order.
    pub plan: Digest,
}

/// Who defines the right answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Digest of what ran.
    pub artifact: Digest,
}

/// What made the calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Generator {
    /// Number of cases.
    pub cases: u64,
    /// SHA-256 over the digests of all inputs, in the order of the log.
    pub inputs_digest: Digest,
}

/// Where the seeds come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seeds {
    /// [`SEED_DERIVATION`].
    pub derivation: String,
    /// The seed of the run, in decimal.
    pub base: String,
    /// What somebody else chose after the build was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
}

/// A text that changes every seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Challenge {
    /// The text.
    pub value: String,
    /// Who chose it: a maintainer, or a round of a public beacon.
    pub source: String,
}

/// The smallest input found on which something differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counterexample {
    /// The name of its capsule, or of the case where there is none.
    pub id: String,
    /// The function.
    pub function: String,
    /// The check that fails.
    pub check: String,
    /// Cases with this cause.
    pub cases: u64,
    /// Digest of the shrunk call.
    pub input: Digest,
    /// Its cells.
    pub n_obs: u64,
    /// Its genes.
    pub n_vars: u64,
    /// What was expected, where it first differs.
    pub expected: String,
    /// What was got.
    pub actual: String,
    /// Distance over allowance there.
    pub error: Decimal,
    /// One command that shows it again.
    pub replay: String,
}

impl Statement {
    /// The level granted to a function; none if it is not named.
    pub fn level(&self, function: &str) -> Level {
        self.predicate.granted.functions.get(function).copied().unwrap_or_default()
    }

    /// The lowest and the highest level among the functions.
    pub fn levels(&self) -> Option<(Level, Level)> {
        let levels = || self.predicate.granted.functions.values().copied();
        Some((levels().min()?, levels().max()?))
    }
}
