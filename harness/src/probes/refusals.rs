//! Bad input, and good input that looks bad.

use dispatch::{Fault, Rule};

use super::bench::Bench;
use super::{Conclusion, Findings, Probe};
use crate::errors;

pub(super) const REFUSALS_ALIKE: Probe = Probe {
    name: "refusals-alike",
    rule: Rule::C12,
    asks: "makes calls with missing keys, wrong words, wrong types and numbers out of range, and calls that are \
           only warned of: refused with the host's exception class, or answered where the host answers",
    run: refusals_alike,
};

fn refusals_alike(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    for swept in bench.sweep().iter() {
        let message = match (&swept.host, &swept.backend) {
            (_, Err(Fault::Unsupported(_))) | (Ok(_), Ok(_)) => continue,
            (
                Err(Fault::Rejected { kind, .. }),
                Err(Fault::Rejected { kind: theirs, bases, message, .. }),
            ) => {
                findings.ask();
                if errors::alike(kind, theirs, bases) {
                    continue;
                }
                format!("the host raises {kind}, the backend {theirs}: {message}")
            }
            (Err(Fault::Rejected { kind, .. }), Ok(_)) => {
                format!("the host raises {kind}, the backend answers")
            }
            (Err(Fault::Rejected { kind, .. }), Err(fault)) => {
                format!("the host raises {kind}, the backend breaks: {fault}")
            }
            (Ok(_), Err(Fault::Rejected { kind, message, .. })) => {
                format!("the host answers, the backend raises {kind}: {message}")
            }
            // Without a word from either side there is nothing to compare; the judge deals with breakage.
            (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => continue,
        };
        let parameter = Some(swept.parameter).filter(|name| !name.is_empty());
        findings.violate(parameter, &swept.asked, message);
    }
    findings.conclude("the host refuses none of the calls that the backend takes")
}
