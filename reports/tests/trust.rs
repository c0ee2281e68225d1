//! The list of trusted builds: what is granted, and what is refused with its reason.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod certified;
mod sample;

use certified::{Case, time};
use dispatch::Digest;
use reports::certificate::Policy;
use reports::trust::{Certified, Identities, Revocations, Target, TrustedList, build};

const IDENTITIES: &str = r#"
[trusted_backends.concord-cuda]
aliases = ["cuda"]
package = "concord-cuda"
distributions = ["concord-cuda"]
"#;
const STAND_IN: Target<'_> = Target { host: "squidpy", stand_in: Some("reference") };

fn list(case: &Case, target: Target<'_>, revoked: &str) -> Result<TrustedList, String> {
    let certificate =
        Certified { sha256: Digest::of_bytes(&case.bytes()), statement: case.issue().unwrap() };
    let identities = Identities::parse(IDENTITIES).unwrap();
    let revoked = Revocations::parse(revoked).unwrap();
    let made = (3, time("2026-11-23T00:00:00Z"));
    build(target, &identities, &[certificate], &revoked, Policy::DEFAULT.as_bytes(), made)
        .map_err(|error| error.to_string())
}

#[test]
fn a_certificate_against_another_host_counts_only_where_the_list_says_so() {
    let case = Case::new();
    let refused = list(&case, Target { stand_in: None, ..STAND_IN }, "").unwrap_err();
    assert!(
        refused.contains("examined against reference 0.1.0 and not against squidpy"),
        "{refused}"
    );
    assert!(list(&case, Target { stand_in: Some("numpy"), ..STAND_IN }, "").is_err());
    let text = list(&case, STAND_IN, "").unwrap().to_toml().unwrap();
    assert!(text.contains("host_stand_in = \"reference\"\n"), "{text}");
    assert!(text.contains("examined_against = \"reference 0.1.0\"\n"), "{text}");
    // Against the host itself nothing stands in for it, and the list does not mention it.
    let own = list(&case, Target { host: "reference", stand_in: None }, "").unwrap();
    assert!(!own.to_toml().unwrap().contains("host_stand_in"));
}

#[test]
fn a_list_reads_back_and_has_the_same_bytes_again() {
    let list = list(&Case::new(), STAND_IN, "").unwrap();
    let text = list.to_toml().unwrap();
    let read = TrustedList::parse(&text).unwrap();
    assert_eq!(read, list);
    assert_eq!(read.to_toml().unwrap(), text);
    assert!(TrustedList::parse(&text.replace("trusted-backends/v1", "x")).is_err());
}

#[test]
fn what_nobody_could_compare_with_an_installation_is_refused() {
    let mut case = Case::new();
    case.circumstances.distribution = None;
    assert!(list(&case, STAND_IN, "").unwrap_err().contains("it names no distribution"));
    case.circumstances.distribution = Some("elsewhere".into());
    assert!(list(&case, STAND_IN, "").unwrap_err().contains("elsewhere is no distribution of it"));
    let mut case = Case::new();
    case.circumstances.subject[0].digest.wheel_record1 = None;
    assert!(list(&case, STAND_IN, "").unwrap_err().contains("it names no wheel"));
    let mut case = Case::new();
    case.log.header.backend.name = "somebody".into();
    assert!(list(&case, STAND_IN, "").unwrap_err().contains("no identity of that name"));
}

#[test]
fn a_revoked_certificate_gives_no_grant_and_keeps_the_identity() {
    let case = Case::new();
    let revoked = format!(
        "[[revoked]]\ncertificate_sha256 = \"{}\"\nreason = \"wrong for ties\"\nat = 2026-11-22T00:00:00Z\n",
        Digest::of_bytes(&case.bytes())
    );
    let list = list(&case, STAND_IN, &revoked).unwrap();
    let backend = &list.trusted_backends["concord-cuda"];
    assert!(backend.grants.is_empty());
    assert_eq!(backend.identity.aliases, ["cuda"]);
    assert_eq!(list.revoked[0].reason, "wrong for ties");
}
