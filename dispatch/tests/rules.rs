//! Every rule that the contract calls implemented, or deliberately different, has a test named after it.

use dispatch::Rule;

const TESTS: [&str; 6] = [
    include_str!("bind.rs"),
    include_str!("dispatcher/calling.rs"),
    include_str!("contract.rs"),
    include_str!("route.rs"),
    include_str!("dispatcher/selecting.rs"),
    include_str!("../src/equality.rs"),
];

/// Whether a test for a rule is named or, for a finding, asserted.
fn is_tested(rule: Rule) -> bool {
    let named = format!("fn {}_", rule.id().to_lowercase());
    let found = [format!(": {} ", rule.id()), format!(": {}! ", rule.id())];
    TESTS.iter().any(|text| text.contains(&named) || found.iter().any(|f| text.contains(f)))
}

#[test]
fn every_rule_in_force_is_tested() {
    // Rules on behaviour are held to their probes by the tests of the harness.
    let elsewhere = ["not applicable", "probed"];
    let in_force = |rule: &&Rule| !elsewhere.iter().any(|word| rule.status().starts_with(word));
    // A note is below what the predicate's tests print; it has a test of its own.
    let untested: Vec<_> =
        Rule::ALL.iter().filter(in_force).filter(|rule| !is_tested(**rule)).collect();
    assert_eq!(untested, Vec::<&Rule>::new());
}

#[test]
fn a_rule_can_be_asked_for_by_its_number() {
    assert_eq!("s1b".parse::<Rule>().unwrap(), Rule::S1b);
    assert!("S9".parse::<Rule>().unwrap_err().contains("S1a S1b S2"));
    assert!(Rule::D15.status().starts_with("different: upstream stores both in a ContextVar"));
    assert!(Rule::S3.refines().starts_with("S3 (same relative order"));
}
