//! The list of trusted builds that a host library loads: the grants that follow from checked certificates.
//!
//! The list is data of the host, signed by its maintainers; nobody edits it. Identities (aliases, distributions,
//! module prefixes) are exactly what scverse-backends reads today, and stay in the list when a grant expires, because
//! they protect the names; what ends is the level. `python/src/concord_trust` reads it.

mod build;
mod list;

pub use build::{Certified, Target, build};
pub use list::{
    GrantEntry, Identities, Identity, Revocation, Revocations, SCHEMA, TrustedBackend, TrustedList,
};
