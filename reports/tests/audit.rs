//! How a certificate becomes theatre: the eleven findings of the audits of the nearest project of this kind
//! (santhsecurity/vyre, its own AUDIT documents of 2026), each tried here.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod certified;
mod sample;

use certified::{Case, private, public, refusals, refused_by};
use reports::certificate::{Level, Policy, Topic};
use reports::signature::{self, CERTIFICATE, Signers};
use reports::{Log, Verdict};

fn level(case: &Case) -> Level {
    case.issue().unwrap().predicate.granted.overall
}

#[test]
fn c1_the_signature_is_verified() {
    let case = Case::new();
    let (bytes, mut other) = (case.bytes(), case.bytes());
    other.truncate(other.len() - 2);
    let signature = signature::sign(&other, &private(1), CERTIFICATE).unwrap();
    let findings = case.verify_signed(&bytes, &case.results(), &[signature]);
    refused_by(&findings, Topic::Signature, "is not one of these bytes");
    refused_by(
        &case.verify_signed(&bytes, &case.results(), &[]),
        Topic::Signature,
        "it is not signed",
    );
}

#[test]
fn c2_no_key_is_made_from_anything_that_can_be_guessed() {
    // There is no way to sign without a key that somebody brings, and the same key signs alike.
    assert!(signature::sign(b"x", "", CERTIFICATE).is_err());
    let twice = [(); 2].map(|()| signature::sign(b"x", &private(1), CERTIFICATE).unwrap());
    assert_eq!(twice[0], twice[1]);
    let signers = Signers::parse(&format!("a {}\n", public(2)), "").unwrap();
    assert!(signers.verify(b"x", &twice[0], CERTIFICATE, Case::new().now).is_err());
}

#[test]
fn h1_what_is_offered_and_not_examined_has_no_level() {
    let mut case = Case::new();
    let signature: dispatch::Signature = serde_json::from_value(serde_json::json!([])).unwrap();
    for side in [&mut case.log.header.host, &mut case.log.header.backend] {
        side.functions.insert("everything_else".into(), signature.clone());
    }
    assert_eq!(level(&case), Level::None);
}

#[test]
fn h2_a_skip_is_not_a_pass() {
    for verdict in [Verdict::NotSupported, Verdict::NotRun, Verdict::Inconclusive] {
        let mut case = Case::new();
        case.log.records.iter_mut().for_each(|r| r.verdict = verdict);
        assert_eq!(level(&case), Level::None, "{verdict}");
    }
}

#[test]
fn h3_no_function_at_all_is_not_a_pass() {
    let mut case = Case::new();
    case.log.header.planned.clear();
    case.log.records.clear();
    assert!(case.issue().unwrap_err().contains("the log has no record"));
}

#[test]
fn h4_a_case_that_compares_nothing_is_not_a_pass() {
    let mut case = Case::new();
    case.log.records.iter_mut().for_each(|r| r.checks.clear());
    assert_eq!(level(&case), Level::None);
}

#[test]
fn h5_a_case_counted_twice_is_an_error() {
    let mut case = Case::new();
    case.log.records[1] = case.log.records[0].clone();
    assert_eq!(level(&case), Level::None);
}

#[test]
fn h6_the_seeds_are_derived_and_a_challenge_changes_them() {
    let mut case = Case::new();
    case.log.header.seed = "1".into();
    refused_by(&case.verdict(), Topic::Plan, "it was chosen");
}

#[test]
fn gaps_h4_the_rules_are_read_by_the_code_that_decides() {
    // Each field in turn: certificate.rs, every_field_of_the_policy_is_read. Here: none may be left out.
    let lines = Policy::DEFAULT.lines().map(|l| l.split('#').next().unwrap_or("").trim());
    let fields: Vec<&str> = lines.filter(|l| l.contains(" = ")).collect();
    assert!(fields.len() >= 15, "{fields:?}");
    for field in fields {
        let text = Policy::DEFAULT.replacen(field, "", 1);
        let optional = field.starts_with("ligrec") || field.starts_with("spatial_autocorr");
        assert_eq!(Policy::parse(&text).is_ok(), optional, "{field}");
    }
}

#[test]
fn vacuous_cases_that_a_no_op_passes_are_not_enough() {
    let mut case = Case::new();
    let vacuous = case.log.records.iter_mut().filter(|r| r.function == "co_occurrence").skip(5);
    vacuous.for_each(|r| r.checks.iter_mut().for_each(|c| c.compared = 0));
    let granted = case.issue().unwrap().predicate.granted;
    assert_eq!(granted.functions["co_occurrence"], Level::None);
    assert!(granted.reasons[0].contains("in only 5 of 24 agreeing cases"), "{:?}", granted.reasons);
    // And an examination that finds no wrong backend has shown nothing about the numbers.
    let case = Case { adequacy: certified::adequacy(0), ..Case::new() };
    assert_eq!(level(&case), Level::Contract);
}

#[test]
fn m5_a_run_without_a_device_is_not_green() {
    let mut case = Case::new();
    case.log = Log { records: sample::broken().records, ..case.log };
    assert_eq!(level(&case), Level::None);
    let mut case = Case::new();
    case.log.header.backend.device = dispatch::Device::Absent { why: "no device".into() };
    assert!(level(&case) < Level::Numerical);
    assert_eq!(refusals(&case.verdict()), []);
}
