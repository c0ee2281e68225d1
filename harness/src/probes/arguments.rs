//! Whether what is passed has the effect it has on the host.

use dispatch::Rule;
use reports::Verdict;

use super::bench::{Bench, Swept};
use super::{Conclusion, Findings, Probe};

pub(super) const ARGUMENTS_COUNT: Probe = Probe {
    name: "arguments-count",
    rule: Rule::C11,
    asks: "passes other values of each argument, falsy ones among them: what changes the host's answer changes \
           the backend's, and likewise",
    run: arguments_count,
};

fn arguments_count(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let sweep = bench.sweep();
    for swept in sweep.iter().filter(|s| !s.parameter.is_empty()) {
        let base = &sweep[swept.base];
        if bench.signature.get(swept.parameter).is_none() {
            continue;
        }
        findings.ask();
        if let Some(message) = lost(base, swept) {
            findings.violate(Some(swept.parameter), &swept.asked, message);
        }
    }
    findings.conclude("no argument is varied that the backend has")
}

/// How the argument that was varied did not count, if so.
fn lost(base: &Swept, swept: &Swept) -> Option<String> {
    let (Ok(host), Ok(before)) = (&swept.host, &base.host) else { return None };
    let (Ok(backend), Ok(plain)) = (&swept.backend, &base.backend) else { return None };
    if host.data != before.data && backend.data == plain.data {
        return Some("it changes the host's answer and has no effect on the backend".to_owned());
    }
    // An answer that is wrong without the argument too is wrong for another reason.
    let wrong = swept.judgement.verdict == Verdict::Fail && !base.judgement.verdict.condemns();
    wrong.then(|| {
        let check = swept.judgement.failed_check().unwrap_or_default();
        format!("without it the answers agree, with it they do not: {check}")
    })
}
