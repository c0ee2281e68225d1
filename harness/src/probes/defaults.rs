//! What applies when an argument is left out.

use dispatch::{Comparison, DefaultValue, Proof, Rule, Value, compare_defaults};

use super::bench::{Asked, Bench};
use super::content::difference;
use super::{Conclusion, Findings, Probe};

pub(super) const OMITTED_IS_DEFAULT: Probe = Probe {
    name: "omitted-is-default",
    rule: Rule::S1b,
    asks: "leaves each shared parameter out, and passes the host's default instead: the same bits",
    run: |bench| omitted(bench, false),
};

pub(super) const NONE_MEANS_DEFAULT: Probe = Probe {
    name: "none-means-default",
    rule: Rule::C4,
    asks: "where one default is None and the other a value: leaving the parameter out and passing the host's \
           default give the same bits",
    run: |bench| omitted(bench, true),
};

/// The shared parameters with a known default on the host; those whose defaults are None on one side and a value on the
/// other, or the rest.
fn shared(bench: &Bench, none_against_value: bool) -> Vec<(String, Value)> {
    let constants = Default::default();
    let mut out = Vec::new();
    for p in bench.host_signature.named() {
        let theirs = bench.signature.named().find(|q| q.name == p.name);
        let (Some(mine), Some(theirs)) = (p.default_value(), theirs) else { continue };
        let compared = theirs
            .default
            .as_ref()
            .map(|theirs| compare_defaults(&DefaultValue::Value(mine.clone()), theirs, &constants));
        let needed = bench.inputs.needed.contains(&p.name.as_str());
        if (compared == Some(Comparison::NoneAgainstValue)) == none_against_value && !needed {
            out.push((p.name.clone(), mine.clone()));
        }
    }
    out
}

fn omitted(bench: &mut Bench, none_against_value: bool) -> Conclusion {
    let mut findings = Findings::default();
    for (name, default) in shared(bench, none_against_value) {
        for asked in bench.bases() {
            let Some((asked, how)) = omission(bench, &asked, &name, &default) else { continue };
            findings.ask();
            if let Some(how) = how {
                let message =
                    format!("left out it means something else than the host's default: {how}");
                findings.violate(Some(&name), asked, message);
            }
        }
    }
    findings.conclude("no shared parameter has such defaults")
}

/// A call without a parameter, and how its answer differs from that with the host's default passed. `None` if an answer
/// cannot be repeated, as with a seed from the clock.
fn omission(
    bench: &mut Bench,
    asked: &Asked,
    name: &str,
    default: &Value,
) -> Option<(Asked, Option<String>)> {
    let (passed, without) = (asked.with(name, default.clone()), asked.without(name));
    let explicit = bench.ask(&passed);
    let unseeded = *default == Value::None && super::seeds::NAMES.contains(&name);
    if unseeded && difference(&explicit, &bench.ask(&passed)).is_some() {
        return None;
    }
    let omitted = bench.ask(&without);
    Some((without, difference(&explicit, &omitted)))
}

/// What calls show about each shared parameter whose default is None on one side and a value on the other.
pub(super) fn proofs(bench: &mut Bench) -> Vec<(String, Proof)> {
    let mut out = Vec::new();
    for (name, default) in shared(bench, true) {
        let bases = bench.bases();
        let tried: Vec<_> =
            bases.iter().filter_map(|a| omission(bench, a, &name, &default)).collect();
        if !tried.is_empty() {
            let equal = tried.iter().all(|(_, how)| how.is_none());
            out.push((name, if equal { Proof::Equal } else { Proof::Different }));
        }
    }
    out
}

pub(super) const HOST_ONLY_AT_DEFAULT: Probe = Probe {
    name: "host-only-at-default",
    rule: Rule::D19,
    asks: "passes each parameter that only the host has at the host's default: the answer is that of the call \
           without it",
    run: host_only_at_default,
};

fn host_only_at_default(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let asked = bench.recipe(bench.inputs.bases[0]);
    let own = |p: &&dispatch::Param| bench.signature.get(&p.name).is_none();
    let defaults: Vec<(String, Value)> = (bench.host_signature.named().skip(1).filter(own))
        .filter_map(|p| Some((p.name.clone(), p.default_value()?.clone())))
        .collect();
    for (name, default) in defaults {
        findings.ask();
        let without = bench.ask(&asked.without(&name));
        let passed = asked.with(&name, default);
        if let Some(how) = difference(&without, &bench.ask(&passed)) {
            findings.violate(
                Some(&name),
                &passed,
                format!("at its default it is not silent: {how}"),
            );
        }
    }
    findings.conclude("every optional parameter of the host exists on the backend")
}

pub(super) const BACKEND_ONLY: Probe = Probe {
    name: "backend-only",
    rule: Rule::D22,
    asks: "passes each parameter that only the backend has at its own default: accepted, and the same bits",
    run: backend_only,
};

fn backend_only(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let own: Vec<_> = (bench.signature.named().skip(1))
        .filter(|p| bench.host_signature.get(&p.name).is_none())
        .cloned()
        .collect();
    for p in own {
        for asked in bench.bases() {
            let Some(default) = p.default_value() else {
                if p.is_required() {
                    findings.violate(
                        Some(&p.name),
                        &asked,
                        "required, and no call of the host passes it",
                    );
                }
                continue;
            };
            findings.ask();
            let (without, passed) = (bench.ask(&asked), asked.with(&p.name, default.clone()));
            if let Some(how) = difference(&without, &bench.ask(&passed)) {
                findings.violate(
                    Some(&p.name),
                    &passed,
                    format!("passed at its own default: {how}"),
                );
            }
        }
    }
    findings.conclude("the backend has no parameter of its own")
}
