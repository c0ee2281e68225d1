//! Keywords that a function does not know, hides, or shows and refuses.

use dispatch::{Call, Fault, Rule, Value};

use super::bench::Bench;
use super::{Conclusion, Findings, Probe};
use crate::judge::Outcome;

/// A keyword that no library has.
const NONSENSE: &str = "no_such_keyword";

pub(super) const UNKNOWN: Probe = Probe {
    name: "unknown-keyword",
    rule: Rule::D23,
    asks: "passes a keyword that nobody knows, and each parameter misspelt, to the backend itself: a TypeError",
    run: unknown,
};

fn unknown(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let Some(call) = answered(bench) else {
        return Conclusion::NotApplicable("the backend answers no plain call".to_owned());
    };
    let shared: Vec<String> = (bench.host_signature.named().skip(1))
        .filter(|p| bench.signature.get(&p.name).is_some())
        .map(|p| p.name.clone())
        .collect();
    for name in shared.iter().map(|name| misspelt(name)).chain([NONSENSE.to_owned()]) {
        if bench.signature.get(&name).is_some() {
            continue;
        }
        findings.ask();
        let message = match with(bench, &call, &name, Value::Int(1)) {
            Err(Fault::Rejected { kind, .. }) if kind == "TypeError" => continue,
            Ok(_) => "swallowed: the call was answered as if it were not there".to_owned(),
            Err(fault) => format!("refused, but not with a TypeError: {fault}"),
        };
        findings.violate(Some(&name), format_args!("keyword {name}=1"), message);
    }
    findings.conclude("host and backend share no parameter")
}

/// The name without its last letter.
fn misspelt(name: &str) -> String {
    let end = name.char_indices().next_back().map_or(0, |(end, _)| end);
    if end == 0 { format!("{name}_") } else { name[..end].to_owned() }
}

pub(super) const HIDDEN: Probe = Probe {
    name: "hidden-parameters",
    rule: Rule::C3,
    asks: "passes names that the backend's signature lacks, the host's own and the usual ones of seeds, to the \
           backend itself: none is accepted",
    run: hidden,
};

fn hidden(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let Some(call) = answered(bench) else {
        return Conclusion::NotApplicable("the backend answers no plain call".to_owned());
    };
    if accepts(&with(bench, &call, NONSENSE, Value::None)) {
        return Conclusion::NotApplicable("the backend accepts every keyword".to_owned());
    }
    let hosts = bench.host_signature.named().skip(1).map(|p| (p.name.clone(), p.default_value()));
    let usual = super::seeds::NAMES.iter().map(|name| ((*name).to_owned(), None));
    let names: Vec<(String, Value)> = hosts
        .chain(usual)
        .filter(|(name, _)| bench.signature.get(name).is_none())
        .map(|(name, default)| (name, default.cloned().unwrap_or(Value::Int(1))))
        .collect();
    for (name, value) in names {
        findings.ask();
        if accepts(&with(bench, &call, &name, value)) {
            let message = "accepted, though the signature does not show it: a router drops it";
            findings.violate(Some(&name), format_args!("keyword {name}"), message);
        }
    }
    findings.conclude("the backend shows every name that is tried")
}

pub(super) const SHOWN: Probe = Probe {
    name: "shown-is-accepted",
    rule: Rule::C3,
    asks: "passes every parameter that the backend's signature shows at the default it shows: no TypeError",
    run: shown,
};

fn shown(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let asked = bench.recipe(bench.inputs.bases[0]);
    let routed = bench.routed(&asked, 0);
    let (Ok(call), Ok(_)) = (routed, bench.ask_host(&asked)) else {
        return Conclusion::NotApplicable("no plain call can be formed".to_owned());
    };
    let refused = |outcome: &Outcome| match outcome {
        Err(Fault::Rejected { kind, message, .. }) if kind == "TypeError" => Some(message.clone()),
        _ => None,
    };
    findings.ask();
    if let Some(message) = refused(&bench.ask_directly(call.clone())) {
        let message = format!("refuses a call that fits its own signature: {message}");
        findings.violate(None, &asked, message);
        return findings.conclude("");
    }
    let shown: Vec<(String, Value)> = (bench.signature.named().skip(1))
        .filter(|p| !bench.inputs.needed.contains(&p.name.as_str()))
        .filter_map(|p| Some((p.name.clone(), p.default_value()?.clone())))
        .collect();
    for (name, default) in shown {
        findings.ask();
        if let Some(message) = refused(&with(bench, &call, &name, default)) {
            findings.violate(Some(&name), &asked, format!("shown and refused: {message}"));
        }
    }
    findings.conclude("the backend shows no parameter")
}

/// A call that the backend answers, as it gets it.
fn answered(bench: &mut Bench) -> Option<Call> {
    let asked = bench.recipe(bench.inputs.bases[0]);
    let call = bench.routed(&asked, 0).ok()?;
    bench.ask_directly(call.clone()).ok()?;
    Some(call)
}

fn with(bench: &mut Bench, call: &Call, name: &str, value: Value) -> Outcome {
    let mut call = call.clone();
    call.params.insert(name.to_owned(), value);
    bench.ask_directly(call)
}

fn accepts(outcome: &Outcome) -> bool {
    !matches!(outcome, Err(Fault::Rejected { kind, .. }) if kind == "TypeError")
}
