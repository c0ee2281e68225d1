//! Where an answer stands and what form it has.

use std::collections::BTreeSet;

use dispatch::{Dataset, Rule};

use super::bench::Bench;
use super::content::{digests, form};
use super::{Conclusion, Findings, Probe};

pub(super) const SLOTS_AS_DOCUMENTED: Probe = Probe {
    name: "slots-as-documented",
    rule: Rule::C8,
    asks: "compares the slots that a call writes with those that the host writes: none beyond, none missing",
    run: slots_as_documented,
};

fn slots_as_documented(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let paths = |data: &Dataset| -> BTreeSet<String> {
        data.leaves().into_iter().map(|(path, _)| path).collect()
    };
    for swept in bench.sweep().iter() {
        let (Ok(host), Ok(backend)) = (&swept.host, &swept.backend) else { continue };
        findings.ask();
        let (expected, actual) = (paths(&host.data), paths(&backend.data));
        let list = |of: &BTreeSet<String>, less: &BTreeSet<String>| {
            of.difference(less).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
        };
        let (beyond, missing) = (list(&actual, &expected), list(&expected, &actual));
        if !beyond.is_empty() {
            findings.violate(
                None,
                &swept.asked,
                format!("wrote {beyond}, which the host does not"),
            );
        }
        if !missing.is_empty() {
            findings.violate(None, &swept.asked, format!("did not write {missing}"));
        }
    }
    findings.conclude("there is no call that both sides answer")
}

pub(super) const COPY_RETURNS: Probe = Probe {
    name: "copy-returns",
    rule: Rule::C8,
    asks: "calls with copy=True and copy=False: the first writes no slot of the AnnData, the second returns nothing",
    run: |bench| copy(bench, false),
};

pub(super) const COPY_SAME_CONTENT: Probe = Probe {
    name: "copy-same-content",
    rule: Rule::C8,
    asks: "calls with copy=True and copy=False: the same content, returned or stored",
    run: |bench| copy(bench, true),
};

fn copy(bench: &mut Bench, content: bool) -> Conclusion {
    let mut findings = Findings::default();
    if bench.host_signature.get("copy").is_none() {
        return Conclusion::NotApplicable("the host has no parameter `copy`".to_owned());
    }
    for asked in bench.bases() {
        let (copied, stored) = (asked.with("copy", true.into()), asked.with("copy", false.into()));
        let (Ok(returned), Ok(written)) = (bench.ask(&copied), bench.ask(&stored)) else {
            continue;
        };
        findings.ask();
        if content {
            if digests(&returned.data) != digests(&written.data) {
                findings.violate(Some("copy"), &copied, "what is returned is not what is stored");
            }
            continue;
        }
        let beyond: Vec<String> = (returned.data.root().keys())
            .filter(|slot| *slot != "result")
            .map(|slot| format!("`{slot}`"))
            .collect();
        if !beyond.is_empty() {
            let message = format!("copy=True wrote {}", beyond.join(", "));
            findings.violate(Some("copy"), &copied, message);
        }
        if written.data.get("result").is_some() {
            findings.violate(Some("copy"), &stored, "copy=False returned a value");
        }
    }
    findings.conclude("the backend answers none of the calls that are varied")
}

pub(super) const FORM_AS_THE_HOST: Probe = Probe {
    name: "form-as-the-host",
    rule: Rule::C15,
    asks: "compares types, dtypes, shapes, labels and column names of each answer with the host's; a float may be \
           wider",
    run: form_as_the_host,
};

fn form_as_the_host(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    for swept in bench.sweep().iter() {
        let (Ok(host), Ok(backend)) = (&swept.host, &swept.backend) else { continue };
        findings.ask();
        let (expected, actual) = (form(&host.data), form(&backend.data));
        let differs = expected.iter().zip(&actual).find(|(e, a)| !e.admits(a));
        let message = match differs {
            Some((e, a)) => format!("expected {e}; got {a}"),
            None if expected.len() != actual.len() => {
                format!("{} arrays, expected {}", actual.len(), expected.len())
            }
            None => continue,
        };
        findings.violate(None, &swept.asked, message);
    }
    findings.conclude("there is no call that both sides answer")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::golden::{Corpus, recorded_manifest};
    use crate::{backends, contract, deliver, stream};
    use dispatch::Backend;

    /// The rule is one that a real host and an independent implementation both keep.
    #[test]
    fn squidpys_stored_answers_have_the_form_of_the_references() {
        let corpus = Corpus::read(&backends::default_golden_dir()).unwrap();
        let (host, backend) =
            (recorded_manifest("recorded", &corpus.version), reference::backend());
        let (mut compared, mut differing) = (0, Vec::new());
        for case in &corpus.cases {
            let (call, Ok(expected)) = (&case.call, &case.outcome) else { continue };
            let Some(contract) = contract(&call.function) else { continue };
            if (contract.host_undefined)(call).is_some() {
                continue;
            }
            let rng = stream::choose(&host, backend.manifest(), &call.function).backend;
            let asked = stream::ask(&Arc::new(call.as_ref().clone()), rng);
            let Ok(call) = deliver::deliver(&asked, &host, backend.manifest()) else { continue };
            let Ok(actual) = backend.run(&call) else { continue };
            let (expected, actual) = (form(&expected.data), form(&actual.data));
            let admitted = expected.iter().zip(&actual).all(|(e, a)| e.admits(a));
            if expected.len() != actual.len() || !admitted {
                differing.push(format!("{}:\n  {expected:?}\n  {actual:?}", case.id));
            }
            compared += 1;
        }
        assert!(
            differing.is_empty(),
            "{} of {compared}:\n{}",
            differing.len(),
            differing.join("\n")
        );
        assert!(compared >= 20, "{compared} stored answers were compared");
    }
}
