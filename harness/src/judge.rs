//! Two outcomes of one call become a verdict. Pure.

use std::collections::BTreeSet;
use std::iter;

use dispatch::{Call, Fault, Reply, Warning};
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
            Err(Fault::Rejected { kind: a, bases, message, .. }),
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
        None if !actual.witness.proves() => {
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

/// The check that both sides warn of the same.
const WARNINGS: &str = "warning categories";
/// What Python shows to nobody but the developers of the code that gives it.
const NOT_SHOWN: [&str; 4] =
    ["DeprecationWarning", "PendingDeprecationWarning", "ImportWarning", "ResourceWarning"];

/// Notes it where two Python libraries agree, but one warns in a category in which the other does not. Filters of warnings are written
/// by category; how often one is given, and in which words, is no part of a contract.
///
/// The last thing that is said of a case: a broken law weighs more.
pub(crate) fn note_warnings(judgement: &mut Judgement, host: &Outcome, backend: &Outcome) {
    let categories = |outcome: &Outcome| -> Option<String> {
        let warnings = match outcome {
            Ok(reply) => reply.warnings.as_ref()?,
            Err(Fault::Rejected { warnings, .. }) => warnings.as_ref()?,
            Err(_) => return None,
        };
        let is_shown = |w: &&Warning| {
            !iter::once(&w.category).chain(&w.bases).any(|c| NOT_SHOWN.contains(&c.as_str()))
        };
        let shown: BTreeSet<&str> =
            warnings.iter().filter(is_shown).map(|w| w.category.as_str()).collect();
        Some(shown.into_iter().collect::<Vec<_>>().join(", "))
    };
    let (Verdict::Pass, Some(expected), Some(actual)) =
        (judgement.verdict, categories(host), categories(backend))
    else {
        return;
    };
    let mut checks = Checks::default();
    if !checks.equal(WARNINGS, "", &expected, &actual) {
        let named = |text: String| if text.is_empty() { "nothing".to_owned() } else { text };
        judgement.verdict = Verdict::QualityWarning;
        judgement.reason =
            format!("warns of {} where the host warns of {}", named(actual), named(expected));
    }
    judgement.checks.extend(checks.checks);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use dispatch::Witness;
    use generators::Recipe;
    use reports::Precision;

    use super::*;
    use crate::backends;
    use crate::examine::Examination;

    /// What becomes of one case of `co_occurrence` if both sides give the reference's answer, each changed.
    fn judged(host: fn(&mut Reply), backend: fn(&mut Reply)) -> Judgement {
        let answer = |change: fn(&mut Reply)| {
            move |call: &Call| {
                let mut reply = dispatch::Backend::run(&reference::backend(), call)?;
                change(&mut reply);
                Ok(reply)
            }
        };
        outcomes(answer(host), answer(backend))
    }

    /// What becomes of it if they give these.
    fn outcomes(host: impl Fn(&Call) -> Outcome, backend: impl Fn(&Call) -> Outcome) -> Judgement {
        let generator = generators::generator("co_occurrence").unwrap();
        let call = Recipe::simplest(generator, 1).build();
        let (host, backend) = (host(&call), backend(&call));
        let peers = Peers { host: Profile::FLOAT64, backend: Profile::FLOAT64, same_stream: true };
        let contract = crate::contract("co_occurrence").unwrap();
        let mut judgement = judge(contract, &call, peers, &host, &backend);
        note_warnings(&mut judgement, &host, &backend);
        judgement
    }

    /// Gives warnings; `A(B)` is a category `A` derived from `B`.
    fn warn(reply: &mut Reply, categories: &[&str]) {
        reply.warnings = Some(warnings(categories));
    }

    fn warnings(categories: &[&str]) -> Vec<Warning> {
        let warning = |text: &&str| {
            let (category, base) = text.split_once('(').unwrap_or((*text, ""));
            let bases = base.strip_suffix(')').map(str::to_owned).into_iter().collect();
            Warning { category: category.to_owned(), bases, message: String::new() }
        };
        categories.iter().map(warning).collect()
    }

    #[test]
    fn a_counter_that_counted_no_call_proves_nothing() {
        let with = |change| judged(|_| (), change).verdict;
        assert_eq!(with(|_| ()), Verdict::Pass);
        assert_eq!(with(|reply| reply.witness = Witness::Unproven), Verdict::Unproven);
        assert_eq!(
            with(|reply| {
                reply.witness = Witness::Counted { calls: 0, launches: Some(7), moved: None };
            }),
            Verdict::Unproven
        );
        let counted = |calls| Witness::Counted { calls, launches: Some(7), moved: None };
        assert!(counted(1).proves());
        assert!(!counted(0).proves());
    }

    #[test]
    fn a_backend_that_counted_nothing_passes_no_case() {
        let name = "mutant:contract-counted-nothing";
        let examination = Examination {
            host: Arc::new(reference::backend()),
            backend: backends::open(name).unwrap().backend,
            precision: Precision::P64,
            deadline: Duration::from_secs(60),
            host_name: "reference".to_owned(),
            backend_name: name.to_owned(),
            replay_args: String::new(),
        };
        let generator = generators::generator("co_occurrence").unwrap();
        let call = Arc::new(Recipe::simplest(generator, 1).build());
        let verdict = examination.session().exchange(call).judgement.verdict;
        assert_eq!(verdict, Verdict::Unproven);
    }

    #[test]
    fn other_categories_of_warnings_are_noted_and_fail_nothing() {
        let judgement =
            judged(|r| warn(r, &["UserWarning"]), |r| warn(r, &["FutureWarning", "UserWarning"]));
        assert_eq!(judgement.verdict, Verdict::QualityWarning);
        assert!(!judgement.verdict.condemns());
        assert_eq!(
            judgement.reason,
            "warns of FutureWarning, UserWarning where the host warns of UserWarning"
        );
        assert_eq!(judgement.failed_check().as_deref(), Some("warning categories"));
        let silent = judged(|r| warn(r, &["UserWarning"]), |r| warn(r, &[]));
        assert_eq!(silent.reason, "warns of nothing where the host warns of UserWarning");
    }

    #[test]
    fn warnings_before_a_refusal_are_compared_like_those_before_an_answer() {
        let refuses = |categories: Option<&'static [&str]>| {
            move |_: &Call| -> Outcome {
                Err(Fault::Rejected {
                    kind: "ValueError".to_owned(),
                    bases: Vec::new(),
                    message: String::new(),
                    warnings: categories.map(warnings),
                })
            }
        };
        let with = |host, backend| outcomes(refuses(host), refuses(backend));
        let noted = with(Some(&["UserWarning"]), Some(&[]));
        assert_eq!(noted.verdict, Verdict::QualityWarning);
        assert_eq!(noted.reason, "warns of nothing where the host warns of UserWarning");
        assert_eq!(with(Some(&["UserWarning"]), None).verdict, Verdict::Pass);
        assert_eq!(with(Some(&["UserWarning"]), Some(&["UserWarning"])).verdict, Verdict::Pass);
    }

    #[test]
    fn the_same_categories_pass_however_often_and_what_python_hides_is_not_compared() {
        for backend in [(|r| warn(r, &["UserWarning", "UserWarning"])) as fn(&mut Reply), |r| {
            warn(r, &["ResourceWarning", "UserWarning", "Pandas4Warning(DeprecationWarning)"])
        }] {
            let judgement = judged(|r| warn(r, &["UserWarning"]), backend);
            assert_eq!((judgement.verdict, judgement.failed_check()), (Verdict::Pass, None));
            assert!(judgement.checks.iter().any(|check| check.name == WARNINGS));
        }
    }

    #[test]
    fn who_is_no_python_is_not_asked_for_warnings_and_a_failure_stays_one() {
        let judgement = judged(|r| warn(r, &["UserWarning"]), |r| r.warnings = None);
        assert_eq!(judgement.verdict, Verdict::Pass);
        assert!(judgement.checks.iter().all(|check| check.name != WARNINGS));
        let wrong = judged(
            |r| warn(r, &["UserWarning"]),
            |r| {
                warn(r, &[]);
                r.mutated.push("X".to_owned());
            },
        );
        assert_eq!((wrong.verdict, wrong.reason.as_str()), (Verdict::Contract, ""));
    }
}
