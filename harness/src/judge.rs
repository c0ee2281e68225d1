//! Two outcomes of one call become a verdict. Pure.

use dispatch::{Call, Fault, Reply, Witness};
use reports::{Check, Verdict, Witnessed};

use crate::compare::Checks;
use crate::contract::{Answers, Contract};
use crate::{Profile, errors};

/// An answer, or why there is none.
pub type Outcome = Result<Reply, Fault>;

/// Who the two sides are, as far as judging depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Peers {
    /// The arithmetic of the host.
    pub host: Profile,
    /// The arithmetic of the backend.
    pub backend: Profile,
    /// Whether both draw the same permutations for a seed.
    pub same_stream: bool,
}

/// What was concluded about one case.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// One sentence, where the verdict needs one.
    pub reason: String,
    /// The comparisons made.
    pub checks: Vec<Check>,
}

impl Judgement {
    fn new(verdict: Verdict, reason: impl Into<String>, checks: Checks) -> Judgement {
        Judgement { verdict, reason: reason.into(), checks: checks.checks }
    }

    /// The name of the first check that failed, with the exception if that is a refusal; the verdict if there was nothing
    /// to check.
    pub fn failed_check(&self) -> Option<String> {
        let failed = self.checks.iter().find(|c| c.finding.is_some()).map(symptom);
        failed.or_else(|| self.verdict.condemns().then(|| self.verdict.name().to_owned()))
    }
}

/// What tells a failed check from others: its name, and for a refusal the class of the exception, because a search for
/// the smallest input must not wander from one exception to another.
pub(crate) fn symptom(check: &Check) -> String {
    match &check.finding {
        Some(finding) if check.name == REFUSAL => {
            let refused =
                if finding.actual == ANSWER { &finding.expected } else { &finding.actual };
            let class = refused.split(':').next().unwrap_or_default();
            format!("{REFUSAL}: {class}")
        }
        Some(_) | None => check.name.clone(),
    }
}

/// The check that both sides answer or both refuse.
const REFUSAL: &str = "refusal";
/// What a finding of it says of the side that did not refuse.
const ANSWER: &str = "an answer";

/// Judges one call.
pub fn judge(
    contract: &Contract,
    call: &Call,
    peers: Peers,
    host: &Outcome,
    backend: &Outcome,
) -> Judgement {
    let mut checks = Checks::default();
    if peers.host.squidpy_defects
        && let Some(why) = (contract.host_undefined)(call)
    {
        return Judgement::new(Verdict::HostUndefined, why, checks);
    }
    match (host, backend) {
        (_, Err(Fault::Unsupported(why))) => Judgement::new(Verdict::NotSupported, why, checks),
        (Err(Fault::Unsupported(why)), _) => {
            Judgement::new(Verdict::NotSupported, format!("the host declines: {why}"), checks)
        }
        (Ok(expected), Ok(actual)) => judge_answers(contract, call, peers, expected, actual),
        (
            Err(Fault::Rejected { kind: e, .. }),
            Err(Fault::Rejected { kind: a, bases, message }),
        ) => {
            let alike = errors::alike(e, a, bases);
            checks.holds("error class", "", alike, e, || format!("{a}: {message}"));
            Judgement::new(
                if alike { Verdict::Pass } else { Verdict::Fail },
                format!("refused with {a}"),
                checks,
            )
        }
        (Err(Fault::Rejected { kind, message, .. }), Ok(_)) => {
            checks.equal(REFUSAL, "", &format!("{kind}: {message}"), ANSWER);
            Judgement::new(Verdict::Fail, "bad input was answered", checks)
        }
        (Ok(_), Err(fault @ Fault::Rejected { .. })) => {
            checks.equal(REFUSAL, "", ANSWER, &fault.to_string());
            Judgement::new(Verdict::Fail, "good input was refused", checks)
        }
        (Ok(_) | Err(Fault::Rejected { .. }), Err(fault)) => {
            Judgement::new(of_fault(fault), fault.to_string(), checks)
        }
        (Err(fault), _) => {
            Judgement::new(Verdict::Infra, format!("the host gave no answer: {fault}"), checks)
        }
    }
}

fn judge_answers(
    contract: &Contract,
    call: &Call,
    peers: Peers,
    expected: &Reply,
    actual: &Reply,
) -> Judgement {
    let mut checks = Checks::default();
    checks.equal("input unchanged", "", "", &actual.mutated.join(", "));
    if checks.slots(&expected.data, &actual.data) {
        let Peers { host, backend, same_stream } = peers;
        let answers = Answers { expected, actual, host, backend, same_stream };
        if let Err(fault) = (contract.judge)(call, &answers, &mut checks) {
            return Judgement::new(
                Verdict::Infra,
                format!("no allowance could be derived: {fault}"),
                checks,
            );
        }
    }
    let skipped = checks.skipped.join("; ");
    let failed = checks.checks.iter().find(|c| c.finding.is_some());
    match failed {
        // The findings say what differs; a sentence would only repeat them.
        Some(check) if is_structural(&check.name) => Judgement::new(Verdict::Contract, "", checks),
        Some(_) => Judgement::new(Verdict::Fail, "", checks),
        None if actual.witness == Witness::Unproven => {
            Judgement::new(Verdict::Unproven, "nothing shows that the backend did the work", checks)
        }
        None if actual.unsteady.is_some() => {
            let why = actual.unsteady.clone().unwrap_or_default();
            Judgement::new(Verdict::Flaky, why, checks)
        }
        None if checks.checks.iter().all(|c| c.compared == 0) => {
            Judgement::new(Verdict::Inconclusive, "nothing was compared", checks)
        }
        None => Judgement::new(Verdict::Pass, skipped, checks),
    }
}

/// What shows that the backend made an answer.
pub(crate) fn witnessed(outcome: &Outcome) -> Witnessed {
    outcome.as_ref().map_or(Witnessed::NoAnswer, |reply| Witnessed::from(&reply.witness))
}

/// Whether a check asks about the form of an answer rather than its numbers.
fn is_structural(name: &str) -> bool {
    matches!(name, "input unchanged" | "slots written") || name.ends_with(": form")
}

/// The verdict about a backend that gave no answer to a good call.
pub(crate) fn of_fault(fault: &Fault) -> Verdict {
    match fault {
        Fault::Unsupported(_) => Verdict::NotSupported,
        Fault::Rejected { .. } | Fault::Failed(_) | Fault::OutOfMemory(_) => Verdict::Fail,
        Fault::Crashed { .. } | Fault::Protocol(_) => Verdict::Crash,
        Fault::TimedOut(_) => Verdict::Timeout,
        Fault::DeviceLost(_) => Verdict::DeviceLost,
    }
}
