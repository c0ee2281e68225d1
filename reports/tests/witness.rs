//! What shows that the backend did the work: in the log, summed in the certificate, and not to be forged.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod certified;
mod sample;

use certified::{Case, refusals, refused_by};
use dispatch::{Traffic, Witness};
use reports::certificate::Topic;
use reports::{Log, Witnessed, Witnesses, Work};

fn counted(calls: u64, device: Option<(u64, u64)>) -> Witnessed {
    let (launches, moved) = device.unzip();
    Witnessed::Counted(Work { calls, launches, moved })
}

/// Of `co_occurrence` each case has two calls, three launches and 1000 bytes, except one without an answer; of `ligrec` each has
/// one call on a device that counts nothing, except three by code of its own.
fn witnessed() -> Case {
    let mut case = Case::new();
    case.log.header.witnessed = true;
    for record in &mut case.log.records {
        record.witness = match record.function.as_str() {
            "co_occurrence" => counted(2, Some((3, 1000))),
            _ => counted(1, None),
        };
    }
    case.log.records[5].witness = Witnessed::NoAnswer;
    case.log.records[30..33].iter_mut().for_each(|r| r.witness = Witnessed::OwnCode);
    case
}

/// What a certificate says of `co_occurrence` and of `ligrec`.
fn sums(case: &Case) -> [Option<Witnesses>; 2] {
    let results = case.issue().unwrap().predicate.results;
    assert_eq!(results.len(), 2);
    [results[0].witness, results[1].witness]
}

#[test]
fn a_certificate_sums_the_witnesses_of_each_function() {
    let case = witnessed();
    let work = Work { calls: 46, launches: Some(69), moved: Some(23_000) };
    let first = Witnesses { counted: 23, no_answer: 1, work, ..Witnesses::default() };
    let work = Work { calls: 57, launches: None, moved: None };
    let second = Witnesses { counted: 57, own_code: 3, work, ..Witnesses::default() };
    assert_eq!(sums(&case), [Some(first), Some(second)]);
    let statement: serde_json::Value = serde_json::from_slice(&case.bytes()).unwrap();
    assert_eq!(
        statement["predicate"]["results"][0]["witness"],
        serde_json::json!({
            "ownCode": 0, "counted": 23, "unproven": 0, "noAnswer": 1,
            "calls": 46, "launches": 69, "moved": 23000,
        })
    );
    let schema = include_str!("../schema/backend-conformance-v1.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    assert!(schema.is_valid(&statement));
    for bad in [serde_json::json!(0.5), serde_json::json!(-1), serde_json::json!("many")] {
        let mut other = statement.clone();
        other["predicate"]["results"][0]["witness"]["calls"] = bad;
        assert!(!schema.is_valid(&other));
    }
    assert_eq!(refusals(&case.verdict()), []);
}

#[test]
fn forged_witnesses_do_not_follow_from_the_log() {
    let case = witnessed();
    let text = String::from_utf8(case.bytes()).unwrap();
    for (old, new, says) in [
        ("\"calls\": 46", "\"calls\": 4600", "witness.calls says 4600, the evidence gives 46"),
        ("\"launches\": 69", "\"launches\": 70", "witness.launches says 70"),
        ("\"moved\": 23000", "\"moved\": 1", "witness.moved says 1, the evidence gives 23000"),
        ("\"noAnswer\": 1", "\"noAnswer\": 0", "witness.noAnswer says 0"),
        ("\"ownCode\": 3", "\"ownCode\": 60", "witness.ownCode says 60, the evidence gives 3"),
    ] {
        assert!(text.contains(old), "{old}");
        let forged = text.replacen(old, new, 1);
        refused_by(&case.verify(forged.as_bytes(), &case.results()), Topic::Results, says);
    }
    // Nor can it be taken from the log.
    let mut other = witnessed();
    other.log.records[0].witness = Witnessed::OwnCode;
    let topics = refusals(&case.verify(text.as_bytes(), &other.results()));
    assert_eq!(
        topics.iter().map(|(topic, _)| *topic).collect::<Vec<_>>(),
        [Topic::Evidence, Topic::Results]
    );
}

#[test]
fn a_log_of_an_earlier_version_says_nothing_and_its_certificate_holds() {
    let case = Case::new();
    assert!(!String::from_utf8(case.results()).unwrap().contains("witness"));
    assert_eq!(sums(&case), [None, None]);
    assert!(!String::from_utf8(case.bytes()).unwrap().contains("\"witness\""));
    assert_eq!(refusals(&case.verdict()), []);
    // Code of its own is what a line leaves out, so only the header tells the two apart.
    let mut own = Case::new();
    own.log.header.witnessed = true;
    let all = |n| Some(Witnesses { own_code: n, ..Witnesses::default() });
    assert_eq!(sums(&own), [all(24), all(60)]);
    refused_by(&case.verify(&own.bytes(), &case.results()).split_off(5), Topic::Results, "witness");
}

#[test]
fn a_line_of_the_log_has_the_witness_unless_it_is_code_of_its_own() {
    let mut case = witnessed();
    case.log.records[6].witness = Witnessed::Unproven;
    let bytes = case.results();
    assert_eq!(Log::read(&*bytes).unwrap(), case.log);
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    for (line, says) in [
        (0, r#""witness":{"counted":{"calls":2,"launches":3,"moved":1000}}"#),
        (5, r#""witness":"no-answer""#),
        (6, r#""witness":"unproven""#),
        (24, r#""witness":{"counted":{"calls":1}}"#),
    ] {
        assert!(lines[line].contains(says), "{}", lines[line]);
    }
    assert!(!lines[30].contains("witness"));
}

#[test]
fn of_several_answers_the_weakest_counts() {
    let (one, two) = (counted(1, Some((2, 30))), counted(4, None));
    assert_eq!(one.and(two), counted(5, Some((2, 30))));
    for (a, b, both) in [
        (one, Witnessed::OwnCode, one),
        (one, Witnessed::NoAnswer, one),
        (Witnessed::OwnCode, Witnessed::NoAnswer, Witnessed::OwnCode),
        (Witnessed::Unproven, Witnessed::NoAnswer, Witnessed::Unproven),
        (Witnessed::Unproven, Witnessed::OwnCode, Witnessed::Unproven),
        (Witnessed::Unproven, one, Witnessed::Unproven),
    ] {
        assert_eq!(a.and(b), both);
        assert_eq!(b.and(a), both);
    }
}

#[test]
fn a_count_of_no_calls_shows_nothing_and_no_sum_leaves_the_exact_integers() {
    let traffic = Traffic { to_device: u64::MAX, from_device: 1 };
    let reply = |calls| Witness::Counted { calls, launches: None, moved: Some(traffic) };
    assert_eq!(Witnessed::from(&reply(0)), Witnessed::Unproven);
    let most = (1_u64 << 53) - 1;
    let mut case = witnessed();
    case.log.records[..2].iter_mut().for_each(|r| r.witness = Witnessed::from(&reply(u64::MAX)));
    let [Some(sum), _] = sums(&case) else { panic!("there is a sum") };
    assert_eq!((sum.work.calls, sum.work.moved, sum.work.launches), (most, Some(most), Some(63)));
}

#[test]
fn the_page_says_it_in_a_line_for_each_function() {
    let case = witnessed();
    let page = reports::render::html(&case.log, Some(&case.issue().unwrap()));
    for line in [
        "co_occurrence: 23 cases with counted calls (46 calls, 69 kernels launched, 23,000 bytes moved), 1 case without an answer",
        "ligrec: 3 cases answered by code of its own, 57 cases with counted calls (57 calls)",
    ] {
        assert!(page.contains(line), "{line}");
    }
}
