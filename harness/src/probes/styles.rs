//! Ways to pass the same arguments: by name, by position, to the backend itself in the host's order.

use dispatch::{Call, Kind, Params, Rule, Value, bind};

use super::bench::{Asked, Bench};
use super::content::difference;
use super::{Conclusion, Findings, Probe};

pub(super) const STYLES: Probe = Probe {
    name: "call-styles",
    rule: Rule::D17,
    asks: "passes the first k arguments by position and the others by name, for each k: the same bits",
    run: styles,
};

fn styles(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    for asked in bench.bases() {
        let by_name = bench.ask(&asked);
        if by_name.is_err() {
            continue;
        }
        let (leading, keyword) = bench.arguments(&asked);
        let passed = leading.iter().take_while(|(name, _)| keyword.contains_key(name)).count();
        for k in 1..=passed {
            let styled = bench.ask_in_style(&asked, k);
            findings.ask();
            if let Some(how) = difference(&by_name, &styled) {
                let message = format!("{k} arguments by position, the others by name: {how}");
                findings.violate(None, &asked, message);
            }
        }
    }
    findings.conclude("the backend answers none of the calls that are varied")
}

pub(super) const HOST_ONLY: Probe = Probe {
    name: "host-only-counts",
    rule: Rule::S1a,
    asks: "passes each parameter that only the host has at a value that changes the host's answer: the \
           backend cannot follow",
    run: host_only,
};

fn host_only(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let sweep = bench.sweep();
    for swept in sweep.iter() {
        let name = swept.parameter;
        let host_only =
            bench.host_signature.get(name).is_some() && bench.signature.get(name).is_none();
        let (Ok(varied), Ok(base), true) = (&swept.host, &sweep[swept.base].host, host_only) else {
            continue;
        };
        findings.ask();
        if varied.data != base.data {
            let message = "it changes the host's answer and the backend has no such parameter";
            findings.violate(Some(name), &swept.asked, message);
        }
    }
    findings.conclude("every parameter of the host that is varied here exists on the backend")
}

pub(super) const POSITIONAL_ORDER: Probe = Probe {
    name: "positional-order",
    rule: Rule::S3,
    asks: "calls the backend itself with the host's positional arguments: each lands on its own name",
    run: |bench| misplaced(bench, true),
};

pub(super) const NO_SHIFT: Probe = Probe {
    name: "no-shift",
    rule: Rule::S4,
    asks: "calls the backend itself with the host's positional arguments: none lands on a parameter that \
           only the backend has",
    run: |bench| misplaced(bench, false),
};

/// Arguments in the host's order that land on another name: one of the host's (`shared`), or the backend's own.
fn misplaced(bench: &mut Bench, shared: bool) -> Conclusion {
    let mut findings = Findings::default();
    let asked = bench.recipe(bench.inputs.bases[0]);
    let (leading, _) = bench.arguments(&asked);
    let theirs: Vec<String> = positional(bench).collect();
    for ((name, _), landed) in leading.iter().zip(&theirs) {
        findings.ask();
        let is_shared = bench.host_signature.get(landed).is_some();
        // A renamed first parameter is still the AnnData: C1 speaks of it.
        if name == landed || is_shared != shared || *name == leading[0].0 {
            continue;
        }
        let effect = direct_effect(bench, &asked, leading.iter().map(|(_, v)| v.clone()).collect());
        let message = format!("passed by position it lands on `{landed}`; {effect}");
        findings.violate(Some(name), &asked, message);
    }
    findings.conclude("no argument can be passed by position on both sides")
}

fn positional(bench: &Bench) -> impl Iterator<Item = String> {
    bench.signature.params.iter().filter(|p| p.is_positional()).map(|p| p.name.clone())
}

/// What comes of a direct call by position.
fn direct_effect(bench: &mut Bench, asked: &Asked, values: Vec<Value>) -> String {
    let by_name = bench.ask(asked);
    let most = positional(bench).count();
    let values = values.into_iter().take(most).collect();
    let bound = match bind(&bench.signature, values, Params::new()) {
        Ok(bound) => bound,
        Err(error) => return format!("the call fails: {error}"),
    };
    let mut params = bound.named;
    let first = bench.signature.params.first().map(|p| p.name.clone()).unwrap_or_default();
    params.remove(&first);
    let call =
        Call { function: asked.call.function.clone(), data: asked.call.data.clone(), params };
    match (by_name, bench.ask_directly(call)) {
        (_, Err(fault)) => format!("the call is refused: {fault}"),
        (Err(_), Ok(_)) => "the call is answered, though by name it is refused".to_owned(),
        (by_name, direct) => match difference(&by_name, &direct) {
            Some(how) => format!("the call is answered without an error, otherwise: {how}"),
            None => "on these values the answer happens to be the same".to_owned(),
        },
    }
}

pub(super) const KINDS: Probe = Probe {
    name: "kinds",
    rule: Rule::C6,
    asks: "asks of each shared parameter whether a direct call may pass it to the backend in each way that the \
           host takes it",
    run: kinds,
};

fn kinds(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    for p in bench.host_signature.named().skip(1) {
        let Some(other) = bench.signature.get(&p.name) else { continue };
        findings.ask();
        let message = match (p.kind, other.kind) {
            (Kind::PositionalOnly | Kind::PositionalOrKeyword, Kind::KeywordOnly) => {
                "a direct call by position fails: it is keyword-only there"
            }
            (Kind::PositionalOrKeyword | Kind::KeywordOnly, Kind::PositionalOnly) => {
                "a direct call by name fails: it is positional-only there"
            }
            _ => continue,
        };
        findings.violate(Some(&p.name), "from the signatures", message);
    }
    findings.conclude("host and backend share no parameter")
}
