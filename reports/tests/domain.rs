//! The domain map: what was tried and how it fared, and what was not tried.

mod sample;

use std::collections::BTreeMap;

use reports::render::{Style, json_summary, markdown, text};
use reports::{Coverage, Domain, KnobLevels, Knobs, Log, Record, Verdict, WaiverUse};

fn knob(name: &str, levels: &[&str], edges: &[&str], lone: &[&str]) -> KnobLevels {
    let owned = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect();
    let (levels, edges, lone) = (owned(levels), owned(edges), owned(lone));
    KnobLevels { name: name.into(), levels, edges, lone, large: Vec::new() }
}

/// Two knobs of two levels, one with an edge, one with lone levels; `n=5` excludes `t=i8`.
fn log(cases: &[(&str, Verdict)]) -> Log {
    let mut log = sample::log("b", "standard", &[("f", cases.len() as u64)]);
    let knobs = vec![
        knob("n", &["4", "5", "1"], &["1"], &[]),
        knob("t", &["f64", "i8"], &[], &[]),
        knob("bad", &["no", "key"], &["key"], &["key"]),
    ];
    let excluded = vec![["n=5".to_owned(), "t=i8".to_owned()]];
    log.header.knobs = BTreeMap::from([("f".to_owned(), Knobs { knobs, excluded })]);
    let record = |(text, verdict): &(&str, Verdict)| Record {
        case: format!("f {text}"),
        ..sample::record("f", 0, *verdict)
    };
    log.records = cases.iter().map(record).collect();
    sample::as_planned(log)
}

fn map(cases: &[(&str, Verdict)]) -> Domain {
    Domain::of(&log(cases)).remove(0)
}

fn pair(domain: &Domain, a: &str, b: &str) -> Option<Coverage> {
    let found = domain.pairs.iter().find(|(pair, _)| pair[0] == a && pair[1] == b);
    found.map(|(_, seen)| seen.coverage())
}

#[test]
fn without_a_case_everything_is_untested_and_impossible_pairs_are_not_listed() {
    let domain = map(&[]);
    assert_eq!(domain.level_counts(), BTreeMap::from([(Coverage::Untested, 7)]));
    // n x t: 6 less the excluded one; n x bad: no with 3, key with the first of n; t x bad: no with 2, key with one.
    assert_eq!(domain.pair_counts(), BTreeMap::from([(Coverage::Untested, 5 + 4 + 3)]));
    assert_eq!(pair(&domain, "n=5", "t=i8"), None);
    assert_eq!(pair(&domain, "n=5", "bad=key"), None);
    assert_eq!(pair(&domain, "n=1", "bad=key"), None, "two edges");
}

#[test]
fn a_case_verifies_its_levels_and_pairs_and_the_first_level_is_implied() {
    let domain = map(&[("t=i8 seed=3", Verdict::Pass)]);
    assert_eq!(domain.levels_that_are(Coverage::Verified), ["n=4", "t=i8", "bad=no"]);
    assert_eq!(pair(&domain, "n=4", "t=i8"), Some(Coverage::Verified));
    assert_eq!(pair(&domain, "n=4", "t=f64"), Some(Coverage::Untested));
}

#[test]
fn an_edge_hides_the_other_levels_of_its_case() {
    let domain = map(&[("n=1 t=i8 seed=0", Verdict::Pass)]);
    assert_eq!(domain.levels_that_are(Coverage::Verified), ["n=1"]);
    assert_eq!(pair(&domain, "n=1", "t=i8"), Some(Coverage::Verified));
    assert_eq!(pair(&domain, "t=i8", "bad=no"), Some(Coverage::Untested));
}

#[test]
fn a_large_level_is_listed_and_has_no_pairs() {
    let mut log = log(&[("n=5 seed=0", Verdict::Pass)]);
    log.header.knobs.get_mut("f").unwrap().knobs[0].large = vec!["5".into()];
    let domain = Domain::of(&log).remove(0);
    assert!(domain.levels_that_are(Coverage::Verified).contains(&"n=5"));
    assert!(domain.pairs.iter().all(|([a, _], _)| a != "n=5"));
}

#[test]
fn one_failure_outweighs_passes_and_a_waived_one_is_a_failure() {
    let domain = map(&[
        ("seed=0", Verdict::Pass),
        ("t=i8 seed=1", Verdict::Fail),
        ("n=5 seed=2", Verdict::Waived),
        ("n=1 seed=3", Verdict::HostUndefined),
    ]);
    assert_eq!(domain.levels_that_are(Coverage::Failed), ["n=4", "n=5", "t=f64", "t=i8", "bad=no"]);
    assert_eq!(domain.always_failing(), ["n=5", "t=i8"], "where to look first");
    assert_eq!(domain.levels_that_are(Coverage::Undefined), ["n=1"]);
    assert_eq!(domain.levels_that_are(Coverage::Untested), ["bad=key"]);
}

#[test]
fn a_case_that_is_no_recipe_of_these_knobs_tells_nothing() {
    let odd = ["CX-0123456789ab", "n=7 seed=0", "m=4 seed=0", "n=4=5 x"];
    assert_eq!(map(&odd.map(|text| (text, Verdict::Pass))), map(&[]));
    let mut log = log(&[("seed=0", Verdict::Pass)]);
    log.header.knobs.get_mut("f").unwrap().knobs[1].levels.clear();
    assert_eq!(Domain::of(&log)[0].level_counts(), BTreeMap::from([(Coverage::Untested, 5)]));
}

#[test]
fn every_rendering_shows_what_was_not_tried() {
    let log = log(&[("t=i8 seed=1", Verdict::Fail), ("seed=0", Verdict::Pass)]);
    let shown = [text(&log, Style { color: false, width: 100 }), markdown(&log)];
    for text in &shown {
        for part in [
            "3 failed",
            "3 untested",
            "fails wherever it occurs",
            "t=i8",
            "bad=key",
            "n=5 with t=f64",
        ] {
            assert!(text.contains(part), "`{part}` is not in\n{text}");
        }
    }
    let domain = &json_summary(&log)["domain"]["f"];
    assert_eq!(domain["levels"]["bad"]["key"], "untested");
    assert_eq!(domain["levels"]["t"]["i8"], "failed");
    assert_eq!(domain["pairs"]["failed"].as_array().unwrap().len(), 3);
}

#[test]
fn waivers_stand_in_every_rendering_and_a_wrong_one_spoils_the_outcome() {
    let mut log = log(&[("seed=0", Verdict::Pass), ("n=5 seed=1", Verdict::Waived)]);
    log.records[0].checks = vec![sample::passing("x", 10, 0.0)];
    let waiver = WaiverUse {
        function: "f".into(),
        select: "n=5".into(),
        kind: "x: value".into(),
        reason: "sums in another order, being fixed".into(),
        issue: "https://example.org/issues/7".into(),
        granted_by: "A. Reviewer".into(),
        granted: "2026-01-01".into(),
        expires: "2026-03-01".into(),
        max_cases: 2,
        cases: 1,
        problem: None,
    };
    log.header.waivers.push(waiver);
    for text in [text(&log, Style { color: false, width: 500 }), markdown(&log)] {
        for part in ["CONFORMANT", "1 waived", "1 case of at most 2", "A. Reviewer", "2026-03-01"] {
            assert!(text.contains(part), "`{part}` is not in\n{text}");
        }
    }
    assert_eq!(json_summary(&log)["waivers"][0]["expires"], "2026-03-01");
    log.header.waivers[0].problem = Some("it covers 3 cases".into());
    let shown = text(&log, Style::default());
    assert!(shown.starts_with("INCONCLUSIVE") && shown.contains("NOT IN FORCE"), "{shown}");
}
