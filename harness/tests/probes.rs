//! The probes and the contract mutants measure each other: every mutant is caught by the rule it names, and the
//! reference, examined against itself, gives no finding.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use dispatch::{Backend, Param, Proof, Rule, Semantics, Value, dispatchable};
use harness::contract_mutants::{Caught, ContractMutant, ContractMutantBackend, all};
use harness::examine::Examination;
use harness::plan::Plan;
use harness::probes::{Conclusion, PROBES, ProbeResult, Watched, probe};
use harness::{CONTRACTS, contract, contract_mutants, probes};
use reports::Source;

const DEADLINE: Duration = Duration::from_secs(60);

fn reference() -> Arc<dyn Backend> {
    Arc::new(reference::backend())
}

fn probed(mutant: &'static ContractMutant) -> (Vec<ProbeResult>, Arc<dyn Backend>) {
    let host = Watched::new(reference());
    let backend: Arc<dyn Backend> = Arc::new(ContractMutantBackend::beside(mutant, host.clone()));
    (probe(&backend, &host, mutant.function, DEADLINE), backend)
}

/// The rules that the predicate finds broken.
fn static_rules(host: &dyn Backend, backend: &dyn Backend, function: &str) -> BTreeSet<Rule> {
    let (h, b) = (&host.manifest().functions[function], &backend.manifest().functions[function]);
    let semantic = contract(function).expect("a contract").semantic.iter().copied();
    let own = dispatchable(h, h, &Semantics::default());
    let assessment = dispatchable(h, b, &Semantics::new(semantic));
    // What the host's signature alone is found for says nothing of the backend.
    assessment.findings.iter().filter(|f| !own.findings.contains(f)).map(|f| f.rule).collect()
}

/// The checks of the judge that fail on a small plan.
fn failed_checks(backend: Arc<dyn Backend>, function: &str) -> BTreeSet<String> {
    let generator = generators::generator(function).expect("a generator");
    let examination = Examination {
        host: reference(),
        backend,
        precision: reports::Precision::P64,
        deadline: DEADLINE,
        host_name: "reference".to_owned(),
        backend_name: String::new(),
        replay_args: String::new(),
    };
    let mut session = examination.session();
    let plan = Plan::sized(&[generator], 1, 0, 1);
    let records = plan.cases.iter().map(|(_, case)| session.record(Source::MustPass, case));
    let failed = |r: reports::Record| r.failed_check().map(|check| check.name.clone());
    records.filter_map(failed).collect()
}

/// What came of a mutant.
struct Row {
    caught: bool,
    line: String,
    /// The probes that it violates.
    violated: Vec<&'static str>,
}

/// A mutant that only crashes shows nothing: an answer or a refusal must be wrong.
fn is_more_than_a_crash(result: &ProbeResult) -> bool {
    let crashed = ["panicked", "crashed", "no answer within"];
    result.violations().iter().any(|v| !crashed.iter().any(|word| v.message.contains(word)))
}

fn row(mutant: &'static ContractMutant) -> Row {
    let (results, backend) = probed(mutant);
    let broken: Vec<&ProbeResult> = results.iter().filter(|r| is_more_than_a_crash(r)).collect();
    let found = static_rules(&*reference(), &*backend, mutant.function);
    let (caught, named) = match mutant.caught {
        Caught::Rule(rule) => {
            (found.contains(&rule) || broken.iter().any(|r| r.rule == rule), rule.id())
        }
        Caught::Check(check) => (failed_checks(backend, mutant.function).contains(check), check),
    };
    let ids = |rules: BTreeSet<Rule>| rules.iter().map(|r| r.id()).collect::<Vec<_>>().join(" ");
    let probes = ids(broken.iter().map(|r| r.rule).collect());
    let mut line = format!(
        "{} {:<40} {named:<18} predicate: {:<8} probes: {probes}",
        if caught { ' ' } else { '!' },
        mutant.name,
        ids(found),
    );
    let of_rule = |r: &&&ProbeResult| mutant.caught == Caught::Rule(r.rule);
    if let Some(first) = broken.iter().find(of_rule).or(broken.first()) {
        line += &format!("\n      {}: {}", first.probe.name, first.violations()[0]);
    }
    Row { caught, line, violated: broken.iter().map(|r| r.probe.name).collect() }
}

#[test]
fn every_contract_mutant_is_caught_by_the_rule_it_names() {
    let rows: Vec<Row> = all().map(row).collect();
    let table = rows.iter().map(|row| row.line.as_str()).collect::<Vec<_>>().join("\n");
    println!("{table}");
    let missed = rows.iter().filter(|row| !row.caught).count();
    assert_eq!(missed, 0, "{missed} mutants survive:\n{table}");
    // A probe that condemns nobody may be blind. This one watches the dispatcher: no backend sees what is dropped.
    let of_dispatcher = "host-only-at-default";
    for probe in PROBES.iter().filter(|p| p.name != of_dispatcher) {
        let condemns = rows.iter().any(|row| row.violated.contains(&probe.name));
        assert!(condemns, "no mutant violates {}:\n{table}", probe.name);
    }
}

/// `corr_method=None` in the signature, read as the host's own default inside.
static NONE_MEANS_THE_SAME: ContractMutant = ContractMutant {
    name: "contract-none-means-the-same",
    function: "spatial_autocorr",
    mistake: "",
    origin: "",
    caught: Caught::Rule(Rule::C4),
    signature: |mut signature| {
        let corr = signature.params.iter_mut().filter(|p| p.name == "corr_method");
        corr.for_each(|p| *p = Param::optional("corr_method", Value::None));
        signature
    },
    answer: |seat, call| seat.answer(&call),
};

#[test]
fn a_none_that_means_the_hosts_default_is_proved_equal() {
    let proofs_of = |mutant| {
        let host = Watched::new(reference());
        let backend: Arc<dyn Backend> =
            Arc::new(ContractMutantBackend::beside(mutant, host.clone()));
        probes::proofs(&backend, &host, "spatial_autocorr", DEADLINE).unwrap()
    };
    let expect = |proof| vec![("corr_method".to_owned(), proof)];
    assert_eq!(proofs_of(&NONE_MEANS_THE_SAME), expect(Proof::Equal));
    let other = contract_mutants::find("contract-none-means-other").unwrap();
    assert_eq!(proofs_of(other), expect(Proof::Different));
}

#[test]
fn the_reference_against_itself_gives_no_finding() {
    let mut asked = BTreeMap::new();
    for contract in CONTRACTS {
        let host = Watched::new(reference());
        assert_eq!(static_rules(&*host, &*reference(), contract.function), BTreeSet::new());
        for result in probe(&reference(), &host, contract.function, DEADLINE) {
            let place = format!("{} on {}", result.probe.name, contract.function);
            match result.outcome {
                Conclusion::Holds => *asked.entry(result.probe.name).or_insert(0) += 1,
                Conclusion::Violated(v) => panic!("{place}: {}", v[0]),
                Conclusion::NotApplicable(_) => {}
            }
        }
    }
    // Without a parameter on one side only, and without defaults of None against a value, these have nothing to ask.
    let silent = ["host-only-counts", "host-only-at-default", "backend-only", "none-means-default"];
    for probe in PROBES.iter().filter(|p| !silent.contains(&p.name)) {
        assert!(asked.contains_key(probe.name), "{} was never asked", probe.name);
    }
}

#[test]
fn every_probed_rule_has_its_probes_and_a_mutant() {
    for rule in Rule::ALL {
        let Some(list) = rule.status().strip_prefix("probed: ") else { continue };
        let named: BTreeSet<&str> = list.split(", ").map(|name| name.trim_matches('`')).collect();
        let held: BTreeSet<&str> =
            PROBES.iter().filter(|p| p.rule == *rule).map(|p| p.name).collect();
        assert_eq!(named, held, "{rule}");
        assert!(all().any(|m| m.caught == Caught::Rule(*rule)), "no mutant for {rule}");
    }
}

#[test]
fn names_are_told_apart() {
    let names: BTreeSet<&str> = all().map(|m| m.name).collect();
    assert_eq!(names.len(), all().count());
    assert!(names.iter().all(|name| name.starts_with("contract-")));
    assert!(names.len() >= 25, "{}", names.len());
    let probes: BTreeSet<&str> = PROBES.iter().map(|p| p.name).collect();
    assert_eq!(probes.len(), PROBES.len());
}
