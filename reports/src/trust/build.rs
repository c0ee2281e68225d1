//! From checked certificates to a list.

use std::collections::BTreeMap;

use dispatch::Digest;

use super::list::datetime;
use super::{GrantEntry, Identities, Identity, Revocations, SCHEMA, TrustedBackend, TrustedList};
use crate::Time;
use crate::certificate::{CertificateError, Level, Policy, Statement};

/// A certificate that was checked, with nothing refused.
pub struct Certified {
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// What it says.
    pub statement: Statement,
}

/// For which host a list is, and who may stand in for it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The host library.
    pub host: &'a str,
    /// A host whose answers the maintainers take for their own: certificates against it count too.
    pub stand_in: Option<&'a str>,
}

/// Makes the list of a host. Certificates of builds without any level, and revoked ones, give no grant.
///
/// # Errors
/// When a certificate is about a backend or a distribution that `identities` does not know, or for another host, or
/// about no wheel: then nobody could tell whether the installed build is the certified one.
pub fn build(
    target: Target<'_>,
    identities: &Identities,
    certified: &[Certified],
    revoked: &Revocations,
    policy: &[u8],
    (serial, at): (u64, Time),
) -> Result<TrustedList, CertificateError> {
    let text = std::str::from_utf8(policy).map_err(|e| CertificateError::Policy(e.to_string()))?;
    let days = Policy::parse(text)?.validity.days;
    let empty = |(name, identity): (&String, &Identity)| {
        (name.clone(), TrustedBackend { identity: identity.clone(), grants: Vec::new() })
    };
    let mut backends: BTreeMap<String, TrustedBackend> =
        identities.trusted_backends.iter().map(empty).collect();
    for certificate in certified {
        let stated = &certificate.statement.predicate.backend;
        let what = format!(
            "certificate {} of {} {}",
            certificate.sha256.short(12),
            stated.name,
            stated.version
        );
        let backend = backends.get_mut(&stated.name).ok_or_else(|| {
            CertificateError::List(format!("{what}: no identity of that name is in backends.toml"))
        })?;
        if revoked.reason(&certificate.sha256).is_some() {
            continue;
        }
        let grant = grant(certificate, target, &backend.identity)
            .map_err(|why| CertificateError::List(format!("{what}: {why}")))?;
        backend.grants.extend(grant);
    }
    for backend in backends.values_mut() {
        backend.grants.sort_by(|a, b| {
            let key =
                |g: &GrantEntry| (g.distribution.clone(), g.version.clone(), g.certificate_sha256);
            key(a).cmp(&key(b))
        });
    }
    let mut revoked = revoked.revoked.clone();
    revoked.sort_by_key(|r| r.certificate_sha256);
    Ok(TrustedList {
        schema: SCHEMA.to_owned(),
        host: target.host.to_owned(),
        host_stand_in: target.stand_in.map(str::to_owned),
        serial,
        generated_at: datetime(at)?,
        not_after: datetime(at.plus_days(i64::from(days)))?,
        policy_sha256: Digest::of_bytes(policy),
        trusted_backends: backends,
        revoked,
    })
}

/// The grant of a certificate; none where no function has a level.
fn grant(
    certificate: &Certified,
    target: Target<'_>,
    identity: &Identity,
) -> Result<Option<GrantEntry>, String> {
    let Statement { subject, predicate, .. } = &certificate.statement;
    let (against, host) = (&predicate.reference, target.host);
    if against.name != host && target.stand_in != Some(against.name.as_str()) {
        return Err(format!(
            "it was examined against {0} {1} and not against {host}; if {0} may stand in for it, say so: --stand-in {0}",
            against.name, against.version
        ));
    }
    let has_level = |(_, level): &(&String, &Level)| **level > Level::None;
    let functions: BTreeMap<String, Level> = predicate
        .granted
        .functions
        .iter()
        .filter(has_level)
        .map(|(f, l)| (f.clone(), *l))
        .collect();
    if functions.is_empty() {
        return Ok(None);
    }
    let distribution = predicate.backend.distribution.clone().ok_or("it names no distribution")?;
    if !identity.distributions.contains(&distribution) {
        return Err(format!(
            "{distribution} is no distribution of it: {}",
            identity.distributions.join(", ")
        ));
    }
    let wheel = subject.iter().find_map(|s| s.digest.wheel_record1);
    let wheel_record1 =
        wheel.ok_or("it names no wheel, so an installed build cannot be compared")?;
    let accelerators = &predicate.environment.accelerators;
    Ok(Some(GrantEntry {
        distribution,
        version: predicate.backend.version.clone(),
        wheel_record1,
        certificate_sha256: certificate.sha256,
        examined_against: format!("{} {}", against.name, against.version),
        assurance: predicate.verifier.assurance,
        not_after: datetime(predicate.not_after).map_err(|e| e.to_string())?,
        accelerators: accelerators
            .iter()
            .map(|a| format!("{} ({})", a.name, a.capability))
            .collect(),
        functions,
    }))
}
