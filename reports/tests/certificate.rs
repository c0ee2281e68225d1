//! What a certificate says, that it follows from the evidence, and that it is written in one form.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod certified;
mod sample;

use std::collections::BTreeMap;

use certified::Case;
use reports::certificate::{Level, Policy, from_bytes, to_bytes};
use reports::{Record, Verdict, WaiverUse};

fn schema() -> jsonschema::Validator {
    let text = include_str!("../schema/backend-conformance-v1.json");
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
}

#[track_caller]
fn is_valid(case: &Case) {
    let value: serde_json::Value = serde_json::from_slice(&case.bytes()).unwrap();
    let errors: Vec<String> =
        schema().iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn certificates_of_good_and_bad_builds_fit_the_schema() {
    let mut case = Case::new();
    is_valid(&case);
    case.log = sample::failing();
    case.log.header.tier = "standard".into();
    is_valid(&case);
    case.log.header.waivers = vec![waiver("2027-01-01")];
    is_valid(&case);
}

#[test]
fn the_schema_refuses_what_a_certificate_never_holds() {
    let good: serde_json::Value = serde_json::from_slice(&Case::new().bytes()).unwrap();
    let schema = schema();
    let edits: [(&str, serde_json::Value); 6] = [
        ("/predicate/notAfter", "tomorrow".into()),
        ("/predicate/granted/overall", "excellent".into()),
        ("/predicate/results/0/cases/passed", 0.5.into()),
        ("/predicate/results/0/margins/0/worst", 0.5.into()),
        ("/predicate/limitations", serde_json::json!([])),
        ("/subject", serde_json::json!([])),
    ];
    for (place, value) in edits {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        assert!(!schema.is_valid(&bad), "{place}");
    }
    let mut extra = good.clone();
    extra["predicate"]["score"] = 99.into();
    assert!(!schema.is_valid(&extra));
}

#[test]
fn the_same_facts_give_the_same_bytes_and_read_back() {
    let case = Case::new();
    let bytes = case.bytes();
    assert_eq!(bytes, Case::new().bytes());
    let read = from_bytes(&bytes).unwrap();
    assert_eq!(read, case.issue().unwrap());
    assert_eq!(to_bytes(&read).unwrap(), bytes);
    assert!(bytes.ends_with(b"}\n"));
}

#[test]
fn another_spelling_of_the_same_json_is_no_certificate() {
    let text = String::from_utf8(Case::new().bytes()).unwrap();
    for bad in [
        text.replace("  ", " "),
        text.trim_end().to_owned(),
        text.replacen("{\n", "{\n  \"_type\": \"x\",\n", 1),
        text.replace("\"planned\": 24", "\"planned\": 24.0"),
        text.replace("Statement/v1", "Statement/v2"),
    ] {
        assert_ne!(bad, text);
        assert!(from_bytes(bad.as_bytes()).is_err());
    }
}

fn waiver(expires: &str) -> WaiverUse {
    WaiverUse {
        function: "ligrec".into(),
        select: "mode=x".into(),
        kind: "pvalues: value".into(),
        reason: "sums in float32, fixed in the next release".into(),
        issue: "https://example.org/issues/7".into(),
        granted_by: "A. Reviewer".into(),
        granted: "2026-11-01".into(),
        expires: expires.into(),
        max_cases: 3,
        cases: 1,
        problem: None,
    }
}

#[test]
fn a_certificate_ends_with_its_first_waiver() {
    let mut case = Case::new();
    assert_eq!(case.issue().unwrap().predicate.not_after.to_string(), "2027-05-21T10:00:00Z");
    case.log.header.waivers = vec![waiver("2027-01-15"), waiver("2027-03-01")];
    assert_eq!(case.issue().unwrap().predicate.not_after.to_string(), "2027-01-15T23:59:59Z");
    case.log.header.waivers[0].expires = "whenever".into();
    let predicate = case.issue().unwrap().predicate;
    assert_eq!(predicate.not_after, predicate.issued_at);
}

fn levels(case: &Case) -> BTreeMap<String, Level> {
    case.issue().unwrap().predicate.granted.functions
}

#[track_caller]
fn has_levels(case: &Case, co_occurrence: Level, ligrec: Level, because: &str) {
    let granted = case.issue().unwrap().predicate.granted;
    let expected = [("co_occurrence".to_owned(), co_occurrence), ("ligrec".to_owned(), ligrec)];
    assert_eq!(granted.functions, BTreeMap::from(expected), "{:?}", granted.reasons);
    assert_eq!(granted.overall, co_occurrence.min(ligrec));
    assert!(
        granted.reasons.iter().any(|r| r.contains(because)),
        "{because}: {:?}",
        granted.reasons
    );
}

#[test]
fn each_level_is_reached_and_the_next_one_is_explained() {
    use Level::*;
    let mut case = Case::new();
    has_levels(&case, Statistical, Statistical, "not full: the tier is `standard`, it takes full");
    // Random columns that nobody compared.
    case.log.records.iter_mut().for_each(|r| r.checks.retain(|c| c.name != "pvalues: value"));
    has_levels(&case, Statistical, Numerical, "neither compared (`pvalues: value`) nor studied");
    // An examination that finds too few mistakes, or of which nobody knows.
    let mut case = Case::new();
    case.adequacy = certified::adequacy(8);
    has_levels(&case, Contract, Contract, "finds only 8 of 10 mutants");
    case.adequacy = certified::adequacy(10);
    case.log.header.examiner = "0.2.0".into();
    has_levels(&case, Contract, Contract, "measured for examiner 0.1.0, this is 0.2.0");
    // One call that the backend does not offer, one that differs.
    let mut case = Case::new();
    case.log.records[0].verdict = Verdict::NotSupported;
    has_levels(&case, Contract, Statistical, "not numerical: 23 cases agree, 1 are not supported");
    case.log.records[0].verdict = Verdict::Fail;
    has_levels(&case, None, Statistical, "not contract: 1 of 24 cases differ");
}

type Take = fn(&mut Case);

#[test]
fn the_highest_level_takes_everything_at_once() {
    let full = || {
        let mut case = Case::new();
        case.log.header.backend.name = "rapids-singlecell".into();
        case.log.header.tier = "full".into();
        case.circumstances.assurance = reports::certificate::Assurance::Reproduced;
        let (value, source) = ("00ff".to_owned(), "maintainer".to_owned());
        case.circumstances.challenge = Some(reports::certificate::Challenge { value, source });
        case
    };
    assert_eq!(full().issue().unwrap().predicate.granted.overall, Level::Full);
    assert!(full().issue().unwrap().predicate.granted.reasons.is_empty());
    let lacking: [(Take, &str); 4] = [
        (|c| c.log.header.tier = "standard".into(), "the tier is"),
        (|c| c.circumstances.challenge = None, "challenge"),
        (|c| c.circumstances.assurance = Default::default(), "it is self-attested"),
        (
            |c| {
                c.log.records[30].verdict = Verdict::Waived;
                c.log.header.waivers = vec![waiver("2027-01-15")];
            },
            "1 failures are waived",
        ),
    ];
    for (take_away, why) in lacking {
        let mut case = full();
        take_away(&mut case);
        let granted = case.issue().unwrap().predicate.granted;
        assert_eq!(granted.overall, Level::Statistical, "{why}");
        assert!(granted.reasons[0].contains(why), "{:?}", granted.reasons);
    }
}

#[test]
fn nothing_that_goes_wrong_raises_a_level() {
    let good = levels(&Case::new());
    for verdict in Verdict::ALL {
        for position in [0, 30] {
            let mut case = Case::new();
            case.log.records[position].verdict = verdict;
            let function = case.log.records[position].function.clone();
            let changed = levels(&case);
            assert!(changed.iter().all(|(f, level)| *level <= good[f]), "{verdict}");
            let harmless = [Verdict::Pass, Verdict::QualityWarning, Verdict::HostUndefined];
            assert_eq!(
                changed[&function] == good[&function],
                harmless.contains(&verdict),
                "{verdict}"
            );
        }
    }
}

/// A policy in which nobody reads a number would be theatre: every field changes what is granted or refused.
#[test]
fn every_field_of_the_policy_is_read() {
    let edits = [
        ("days = 180", "days = 10"),
        ("compared = \"0.5\"", "compared = \"1.5\""),
        ("tiers = [\"standard\", \"full\"]", "tiers = [\"full\"]"),
        ("devices = [\"cpu\", \"cuda\"]", "devices = [\"cuda\"]"),
        ("precision = [\"P64\", ", "precision = ["),
        ("must_pass = 1", "must_pass = 1000"),
        ("adequacy = \"0.9\"", "adequacy = \"1.1\""),
        ("ligrec = [\"pvalues: value\"]", "ligrec = [\"another check\"]"),
        ("tiers = [\"full\"]\nchallenge", "tiers = [\"standard\"]\nchallenge"),
        ("own = [\"reference\"", "own = [\"rapids-singlecell\", \"reference\""),
    ];
    let mut case = Case::new();
    case.log.header.backend.name = "rapids-singlecell".into();
    let shown = |case: &Case| {
        let predicate = case.issue().unwrap().predicate;
        (predicate.granted, predicate.not_after, predicate.verifier)
    };
    let before = shown(&case);
    for (old, new) in edits {
        case.policy = Policy::DEFAULT.replacen(old, new, 1);
        assert_ne!(case.policy, Policy::DEFAULT, "{old}");
        assert_ne!(shown(&case), before, "{old} is read by nobody");
    }
    // The rest of [full], [suite] and `signatures` are asked of the highest level and in `verify`: threats.rs.
    let unknown = format!("{}\nextra = 1\n", Policy::DEFAULT);
    assert!(Policy::parse(&unknown).is_err());
}

#[test]
fn margins_count_passing_distances_only() {
    let case = Case::new();
    let results = case.issue().unwrap().predicate.results;
    let margin = &results[0].margins[0];
    assert_eq!((margin.check.as_str(), margin.cases), ("obsp/distances: value", 24));
    let worst = case
        .log
        .records
        .iter()
        .filter(|r| r.function == "co_occurrence")
        .flat_map(|r: &Record| &r.checks);
    let worst = worst.map(|c| c.worst.0).fold(0.0, f64::max);
    assert_eq!(margin.worst.value(), worst);
    assert!(results[1].margins.is_empty(), "exact checks have no margin");
}
