//! The ways in which a certificate could deceive, each tried. What software cannot counter (a host that ignores the
//! list, a lying GPU driver) has no test here; docs/certificates.md says so.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod certified;
mod sample;

use certified::{Case, private, public, refusals, refused_by, time};
use dispatch::{Device, Digest};
use reports::certificate::{
    Accelerator, Answer, Assurance, Challenge, Clocks, DeviceState, Level, Standing, Topic,
    from_bytes, to_bytes,
};
use reports::{Verdict, WaiverUse, signature};

/// The certificate with a text replaced, which must occur.
fn edited(case: &Case, old: &str, new: &str) -> Vec<u8> {
    let text = String::from_utf8(case.bytes()).unwrap();
    assert!(text.contains(old), "`{old}` is not in the certificate");
    text.replacen(old, new, 1).into_bytes()
}

#[test]
fn an_honest_certificate_holds() {
    let findings = Case::new().verdict();
    assert_eq!(refusals(&findings), []);
    let unasked = findings.iter().filter(|f| matches!(f.standing, Standing::NotChecked(_)));
    assert_eq!(unasked.count(), 0);
    assert_eq!(findings.len(), 10);
}

#[test]
fn forged_results_a_level_is_never_believed() {
    let case = Case::new();
    let forged = edited(&case, "\"co_occurrence\": \"statistical\"", "\"co_occurrence\": \"full\"");
    // Signed by a good key: the level still does not follow.
    let two = Case {
        signing: vec![1, 2],
        allowed: format!("{}b@example.org {}\n", case.allowed, public(2)),
        ..Case::new()
    };
    refused_by(
        &two.verify(&forged, &two.results()),
        Topic::Results,
        "granted.functions.co_occurrence says \"full\", the evidence gives \"statistical\"",
    );
}

#[test]
fn forged_results_a_changed_log_is_not_the_evidence() {
    let case = Case::new();
    let bytes = case.bytes();
    let mut other = Case::new();
    other.log.records[3].verdict = Verdict::Fail;
    let findings = case.verify(&bytes, &other.results());
    let topics: Vec<Topic> = refusals(&findings).into_iter().map(|(topic, _)| topic).collect();
    assert_eq!(topics, [Topic::Evidence, Topic::Results]);
}

#[test]
fn forged_results_a_changed_count_does_not_follow() {
    let mut case = Case::new();
    case.log.records[3].verdict = Verdict::Fail;
    let forged = edited(&case, "\"failed\": 1", "\"failed\": 0");
    refused_by(
        &case.verify(&forged, &case.results()),
        Topic::Results,
        "do not sum to the 24 planned",
    );
    let hidden = edited(&case, "\"compared\": 24576", "\"compared\": 1");
    refused_by(
        &case.verify(&hidden, &case.results()),
        Topic::Results,
        "says 1, the evidence gives 24576",
    );
}

#[test]
fn cherry_picked_seeds_are_not_the_derived_ones() {
    let mut case = Case::new();
    case.log.header.seed = "42".into();
    refused_by(&case.verdict(), Topic::Plan, "seed of the run is 42");
}

#[test]
fn cherry_picked_cases_are_not_the_plan() {
    let mut case = Case::new();
    case.log.header.plan = Digest::of_bytes(b"easy cases only");
    refused_by(&case.verdict(), Topic::Plan, "the cases are not those that seed");
}

#[test]
fn rerun_until_green_a_flaky_case_is_a_failed_one() {
    let mut case = Case::new();
    case.log.records[0].verdict = Verdict::Flaky;
    assert_eq!(case.issue().unwrap().level("co_occurrence"), Level::None);
}

#[test]
fn replayed_for_another_wheel() {
    let case = Case { artifact: b"another wheel".to_vec(), ..Case::new() };
    refused_by(&case.verdict(), Topic::Artifact, "which is not certified");
}

#[test]
fn silent_cpu_fallback_is_no_evidence() {
    let mut case = Case::new();
    for record in case.log.records.iter_mut().filter(|r| r.function == "ligrec") {
        record.verdict = Verdict::Unproven;
    }
    let statement = case.issue().unwrap();
    assert_eq!(statement.level("ligrec"), Level::None);
    assert!(
        statement.predicate.granted.reasons[0]
            .contains("do not show that the backend did the work")
    );
}

#[test]
fn recognising_the_test_a_challenge_changes_the_seeds() {
    // The certificate says which challenge it answers; the seed must follow from it.
    let mut case = Case::new();
    let (value, source) = ("00ff".to_owned(), "maintainer".to_owned());
    case.circumstances.challenge = Some(Challenge { value, source });
    case.seed += 1;
    refused_by(&case.verdict(), Topic::Plan, "it was chosen");
}

#[test]
fn tolerance_creep_another_policy_is_another_policy() {
    let mut case = Case::new();
    case.policy = case.policy.replace("adequacy = \"0.9\"", "adequacy = \"0.1\"");
    let refused = refusals(&case.verdict());
    assert_eq!(refused[0].0, Topic::Policy, "{refused:?}");
    assert!(refused[0].1.contains("the trusted one is"));
}

#[test]
fn skip_abuse_what_is_not_supported_is_counted() {
    let mut case = Case::new();
    case.log.records.iter_mut().filter(|r| r.function == "ligrec").for_each(|r| {
        r.verdict = Verdict::NotSupported;
        r.checks.clear();
    });
    assert_eq!(case.issue().unwrap().level("ligrec"), Level::None);
}

#[test]
fn skip_abuse_a_claimed_function_cannot_be_left_out() {
    let mut case = Case::new();
    let signature = reference_signature();
    case.log.header.host.functions.insert("spatial_autocorr".into(), signature.clone());
    case.log.header.backend.functions.insert("spatial_autocorr".into(), signature);
    let statement = case.issue().unwrap();
    assert_eq!(statement.predicate.granted.overall, Level::None);
    assert!(
        statement.predicate.granted.reasons[0]
            .contains("spatial_autocorr: not contract: it was not examined")
    );
    let forged =
        edited(&case, "\"spatial_autocorr\": \"none\"", "\"spatial_autocorr\": \"numerical\"");
    assert!(!refusals(&case.verify(&forged, &case.results())).is_empty());
}

fn reference_signature() -> dispatch::Signature {
    serde_json::from_value(serde_json::json!([])).unwrap()
}

#[test]
fn waiver_abuse_it_must_say_who_why_until_when_and_match() {
    let mut case = Case::new();
    case.log.records[0].verdict = Verdict::Waived;
    let waiver = WaiverUse {
        function: "co_occurrence".into(),
        select: "cells=5".into(),
        kind: "occ: value".into(),
        reason: "a difference somebody lives with".into(),
        issue: "https://example.org/issues/7".into(),
        granted_by: "A. Reviewer".into(),
        granted: "2026-11-01".into(),
        expires: "2026-11-30".into(),
        max_cases: 3,
        cases: 1,
        problem: None,
    };
    case.log.header.waivers = vec![waiver.clone()];
    // It ends the certificate with it, even if the period was edited.
    refused_by(&case.verdict(), Topic::Period, "expired at 2026-11-30T23:59:59Z");
    let longer = edited(
        &case,
        "\"notAfter\": \"2026-11-30T23:59:59Z\"",
        "\"notAfter\": \"2027-05-21T10:00:00Z\"",
    );
    refused_by(&case.verify(&longer, &case.results()), Topic::Results, "notAfter");
    // A waiver that matches nothing, or too much, costs the level.
    case.log.header.waivers =
        vec![WaiverUse { problem: Some("it selects no case".into()), ..waiver.clone() }];
    assert_eq!(case.issue().unwrap().level("co_occurrence"), Level::None);
    // Waived failures without a waiver in the header are nobody's decision.
    case.log.header.waivers = Vec::new();
    assert_eq!(case.issue().unwrap().level("co_occurrence"), Level::None);
    // More failures waived than its own count says.
    case.log.header.waivers = vec![waiver];
    case.log.records[1].verdict = Verdict::Waived;
    assert_eq!(case.issue().unwrap().level("co_occurrence"), Level::None);
}

#[test]
fn a_faulty_environment_certifies_nothing() {
    for verdict in [Verdict::Infra, Verdict::DeviceLost] {
        let mut case = Case::new();
        case.log.records[0].verdict = verdict;
        assert_eq!(case.issue().unwrap().level("co_occurrence"), Level::None, "{verdict}");
    }
    // What the machine says about itself is asserted, and what follows from it is computed again by whoever reads it.
    let why = |case: &Case| case.issue().unwrap().predicate.granted;
    let mut case = Case::new();
    case.circumstances.environment.self_test.after = Answer::Fail;
    assert_eq!(why(&case).overall, Level::Contract);
    assert!(why(&case).reasons[0].contains("failed its self-test after the run"));
    let forged = edited(&case, "\"ligrec\": \"contract\"", "\"ligrec\": \"numerical\"");
    refused_by(&case.verify(&forged, &case.results()), Topic::Results, "granted.functions.ligrec");
    let mut case = Case::new();
    let device = Accelerator {
        name: "NVIDIA H200".into(),
        capability: "9.0".into(),
        driver: "570.86".into(),
        jit: "NVRTC 12.8".into(),
        state: Some(DeviceState {
            uuid_sha256: Digest::of_bytes(b"GPU-1"),
            vbios: "96.00".into(),
            mem_bytes: 150_754_820_096,
            mig: false,
            ecc_enabled: true,
            ecc_errors_delta: 2,
            xid_errors: Some(0),
            clocks: Some(Clocks { max_mhz: 1980, slowed: true }),
        }),
    };
    case.circumstances.environment.accelerators = vec![device];
    assert_eq!(why(&case).overall, Level::Contract);
    assert!(why(&case).reasons[0].contains("the memory of NVIDIA H200 had 2 errors"));
    let state = case.circumstances.environment.accelerators[0].state.as_mut().unwrap();
    (state.ecc_errors_delta, state.xid_errors) = (0, Some(1));
    assert_eq!(why(&case).overall, Level::Contract);
    assert!(why(&case).reasons[0].contains("NVIDIA H200 reported 1 errors (Xid)"));
    // Slow clocks, or a log that nobody may read, say nothing against numbers.
    let state = case.circumstances.environment.accelerators[0].state.as_mut().unwrap();
    state.xid_errors = None;
    assert!(why(&case).overall > Level::Contract);
}

#[test]
fn an_emulated_device_is_no_evidence_about_a_real_one() {
    let mut case = Case::new();
    case.log.header.backend.device = Device::Emulated;
    let statement = case.issue().unwrap();
    assert_eq!(statement.predicate.granted.overall, Level::Contract);
    assert!(statement.predicate.granted.reasons[0].contains("its device is emulated"));
    // A policy cannot make it evidence.
    let lax = case.policy.replace("devices = [", "devices = [\"emulated\", ");
    assert_ne!(lax, case.policy);
    case.policy = lax.clone();
    case.trusted_policy = lax;
    assert_eq!(case.issue().unwrap().predicate.granted.overall, Level::Contract);
}

#[test]
fn the_makers_of_the_examiner_only_attest_themselves() {
    let mut case = Case::new();
    case.circumstances.assurance = Assurance::Reproduced;
    let statement = case.issue().unwrap();
    let verifier = &statement.predicate.verifier;
    assert_eq!(verifier.assurance, Assurance::SelfAttested);
    assert!(verifier.conflict_of_interest.is_some());
    let forged = edited(&case, "\"assurance\": \"self-attested\"", "\"assurance\": \"reproduced\"");
    refused_by(&case.verify(&forged, &case.results()), Topic::Results, "verifier.assurance");
}

#[test]
fn a_tampered_harness_is_not_an_accepted_build() {
    let mut case = Case::new();
    let pinned = format!("accepted = [\"{}\"]", Digest::of_bytes(b"the real examiner"));
    case.policy = case.policy.replace("accepted = []", &pinned);
    case.trusted_policy = case.policy.clone();
    refused_by(&case.verdict(), Topic::Suite, "is not one the policy accepts");
    case.circumstances.suite.sha256 = Digest::of_bytes(b"the real examiner");
    assert_eq!(refusals(&case.verdict()), []);
}

#[test]
fn a_stolen_key_ends_by_date_or_by_revocation() {
    let mut case = Case::new();
    case.revoked_keys = public(1);
    refused_by(&case.verdict(), Topic::Signature, "is revoked");
    let mut case = Case::new();
    case.allowed = case.allowed.replace("namespaces", "valid-before=\"20261130\",namespaces");
    refused_by(&case.verdict(), Topic::Signature, "was valid only before 2026-11-30T00:00:00Z");
    case.now = time("2026-11-29T00:00:00Z");
    assert_eq!(refusals(&case.verdict()), []);
}

#[test]
fn a_stolen_key_alone_gives_no_full_level() {
    let mut case = Case::new();
    case.log.header.backend.name = "rapids-singlecell".into();
    case.log.header.tier = "full".into();
    case.circumstances.assurance = Assurance::Reproduced;
    let (value, source) = ("00ff".to_owned(), "maintainer".to_owned());
    case.circumstances.challenge = Some(Challenge { value, source });
    refused_by(&case.verdict(), Topic::Signature, "takes 2 signatures by different keys");
    case.signing = vec![1, 1];
    refused_by(&case.verdict(), Topic::Signature, "takes 2 signatures by different keys");
    case.allowed += &format!("second@example.org {}\n", public(2));
    case.signing = vec![1, 2];
    assert_eq!(refusals(&case.verdict()), []);
}

#[test]
fn an_unknown_key_is_nobody() {
    let case = Case { signing: vec![3], ..Case::new() };
    refused_by(&case.verdict(), Topic::Signature, "belongs to no allowed signer");
}

#[test]
fn a_signature_for_another_purpose_does_not_count() {
    let case = Case::new();
    let other = signature::sign(&case.bytes(), &private(1), "git").unwrap();
    refused_by(
        &case.verify_signed(&case.bytes(), &case.results(), &[other]),
        Topic::Signature,
        "made for `git`",
    );
    let mut case = Case::new();
    case.allowed = case.allowed.replace("backend-conformance@concord", "trusted-backends@concord");
    refused_by(&case.verdict(), Topic::Signature, "not allowed to sign for");
}

#[test]
fn a_revoked_certificate_is_refused_with_its_reason() {
    let mut case = Case::new();
    case.revoked = Some(Digest::of_bytes(&case.bytes()));
    refused_by(&case.verdict(), Topic::Revocation, "wrong for ties");
}

#[test]
fn an_expired_certificate_is_refused() {
    let case = Case { now: time("2027-05-22T00:00:00Z"), ..Case::new() };
    refused_by(&case.verdict(), Topic::Period, "it expired at 2027-05-21T10:00:00Z");
    let case = Case { now: time("2026-11-22T09:59:59Z"), ..Case::new() };
    refused_by(&case.verdict(), Topic::Period, "after now");
}

#[test]
fn missing_evidence_is_not_mistaken_for_what_holds() {
    let case = Case::new();
    let dossier_without = |bytes: &[u8]| {
        let dossier = reports::certificate::Dossier {
            certificate: bytes,
            evidence: &|_| None,
            policy: None,
            artifacts: &[],
            signatures: &[],
            signers: None,
            revoked: &|_| None,
            now: case.now,
            replan: None,
        };
        reports::certificate::verify(&dossier).0
    };
    let findings = dossier_without(&case.bytes());
    let held: Vec<Topic> = findings
        .iter()
        .filter(|f| matches!(f.standing, Standing::Holds(_)))
        .map(|f| f.topic)
        .collect();
    assert_eq!(held, [Topic::Form, Topic::Period, Topic::Revocation]);
}

#[test]
fn fields_of_a_later_version_are_ignored_but_not_trusted() {
    let case = Case::new();
    let later = edited(&case, "Statement/v1\",\n", "Statement/v1\",\n  \"later\": \"x\",\n");
    assert_eq!(from_bytes(&later).unwrap(), case.issue().unwrap());
    assert_ne!(to_bytes(&from_bytes(&later).unwrap()).unwrap(), later);
}
