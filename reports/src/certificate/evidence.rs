//! The files from which a certificate can be computed again.

use dispatch::Digest;

use super::{Digests, Resource};

/// The log.
pub const RESULTS: &str = "results.jsonl";
/// Whether the examination finds mistakes.
pub const ADEQUACY: &str = "adequacy.json";
/// What each level takes.
pub const POLICY: &str = "policy.toml";

/// A file as a certificate names it.
pub fn resource(name: &str, bytes: &[u8]) -> Resource {
    Resource {
        name: name.to_owned(),
        digest: Digests { sha256: Digest::of_bytes(bytes), wheel_record1: None },
        bytes: bytes.len() as u64,
    }
}

/// The files that [`super::issue`] takes, in its order.
pub(super) const NAMES: [&str; 3] = [RESULTS, ADEQUACY, POLICY];
