//! Whether the backend itself did the work, and can do it at all.

use std::sync::Arc;

use dispatch::{Fault, Rule, Witness};

use super::bench::Bench;
use super::{Conclusion, Findings, Probe};
use crate::judge::Outcome;

pub(super) const WITNESS: Probe = Probe {
    name: "witness",
    rule: Rule::C13,
    asks: "reads the witness of every answer: code of its own, or calls that were counted, and at least one",
    run: witness,
};

fn witness(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    for swept in bench.sweep().iter() {
        let Ok(reply) = &swept.backend else { continue };
        findings.ask();
        let message = match &reply.witness {
            Witness::OwnCode | Witness::Counted { calls: 1.., .. } => continue,
            Witness::Unproven => "nothing shows that the backend did the work",
            Witness::Counted { calls: 0, .. } => "no call of the backend's function was counted",
        };
        findings.violate(None, &swept.asked, message);
    }
    findings.conclude("the backend answers none of the calls that are varied")
}

pub(super) const WITHOUT_THE_HOST: Probe = Probe {
    name: "without-the-host",
    rule: Rule::D16,
    asks: "makes every call again while the host answers nothing: the host is not called, and the answers stay",
    run: without_the_host,
};

fn without_the_host(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let host = Arc::clone(&bench.host);
    for swept in bench.sweep().iter().filter(|swept| swept.backend.is_ok()) {
        let (outcome, calls) = host.poisoned(|| bench.ask(&swept.asked));
        findings.ask();
        let parameter = Some(swept.parameter).filter(|name| !name.is_empty());
        if calls > 0 {
            let message = format!("the backend called the host (calls counted: {calls})");
            findings.violate(parameter, &swept.asked, message);
        } else if let Err(fault) = outcome {
            findings.violate(parameter, &swept.asked, format!("without the host: {fault}"));
        }
    }
    findings.conclude("the backend answers none of the calls that are varied")
}

pub(super) const LISTED_IS_CALLABLE: Probe = Probe {
    name: "listed-is-callable",
    rule: Rule::C14,
    asks: "makes ordinary calls of a function that the manifest lists: not all are refused as not supported",
    run: listed_is_callable,
};

fn listed_is_callable(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let sweep = bench.sweep();
    let unsupported = |outcome: &Outcome| matches!(outcome, Err(Fault::Unsupported(_)));
    findings.ask();
    if let (true, Some(first)) = (sweep.iter().all(|s| unsupported(&s.backend)), sweep.first()) {
        let message = format!("listed, and none of {} ordinary calls is supported", sweep.len());
        findings.violate(None, &first.asked, message);
    }
    findings.conclude("there is nothing to call")
}
