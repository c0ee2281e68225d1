//! The input after a call.

use dispatch::Rule;

use super::bench::Bench;
use super::{Conclusion, Findings, Probe};

pub(super) const INPUT_UNCHANGED: Probe = Probe {
    name: "input-unchanged",
    rule: Rule::C7,
    asks: "takes the digest of every slot and every argument before and after each call, and reads what the \
           backend reports as changed",
    run: input_unchanged,
};

fn input_unchanged(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    for swept in bench.sweep().iter() {
        let reported = swept.backend.iter().flat_map(|reply| &reply.mutated);
        for path in reported.chain(&swept.changed) {
            let parameter = path.strip_prefix("params/").map(|p| p.split('/').next().unwrap_or(p));
            let message = format!("the call changed the caller's `{path}`");
            findings.violate(parameter, &swept.asked, message);
        }
        if swept.backend.is_ok() {
            findings.ask();
        }
    }
    findings.conclude("the backend answers none of the calls that are varied")
}
