//! One root cause, reported once.
//!
//! A failure is told by the first check that fails. The first such case is shrunk, and what remains of its recipe is
//! taken for the cause: every later case with the same failed check and at least these levels is explained by it. A
//! case with other levels is shrunk too, a few times per check. A check that also fails on another's shrunk input, or
//! that rests on the other check by its contract, and fails under the same levels, is a consequence: a wrong statistic
//! makes wrong p-values. So is a broken law, if the host contradicts the answer to the changed call by a check that is
//! known to fail. Both were shrunk and have their capsules, but are folded under their causes.

use std::collections::BTreeMap;
use std::sync::Arc;

use reports::{Record, Verdict};

use crate::capsule::Capsule;
use crate::examine::Session;
use crate::judge::symptom;
use crate::laws;
use crate::plan::Plan;
use crate::recipe_text::Levels;
use crate::shrink::{Budget, shrink};
use crate::statistics::StudyCase;
use crate::{Case, contract};

/// How many failures of one check are shrunk; from then on the first cause stands for all that no cause explains.
const SHRUNK_PER_CHECK: usize = 3;

/// What one shrunk counterexample showed.
struct Cause {
    /// The record that has it.
    record: usize,
    function: String,
    check: String,
    /// Every check that fails on the shrunk input, in order.
    failing: Vec<String>,
    /// What is left of the recipe.
    levels: Levels,
    /// If a law is broken: the check by which the host contradicts the answer to the changed call.
    revealed: Option<String>,
}

/// Shrinks one failure of each cause, marks what it explains, and returns the capsules in the order of the records.
pub(crate) fn shrink_each_cause(
    session: &mut Session<'_>,
    plan: &Plan,
    records: &mut [Record],
    budget: Budget<'_>,
) -> Vec<Capsule> {
    let cases: BTreeMap<String, &Case> =
        plan.cases.iter().map(|(_, case)| (case.name(), case)).collect();
    let (mut causes, mut capsules): (Vec<Cause>, Vec<Capsule>) = (Vec::new(), Vec::new());
    let mut attempts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for at in 0..records.len() {
        if let Some(Case::Study(study)) = cases.get(&records[at].case) {
            // It failed twice with other seeds before it was recorded, and its inputs are small and fixed.
            let kept = records[at].shrunk.is_some() && records[at].verdict != Verdict::Timeout;
            if budget.capsules.is_some() && kept {
                capsules.push(study_capsule(session, study, &mut records[at]));
            }
            continue;
        }
        let record = &records[at];
        // A call that took the whole deadline once would take it a hundred times.
        let is_new = record.verdict.condemns() && record.verdict != Verdict::Timeout;
        let Some(case) = cases.get(&record.case).filter(|_| is_new) else { continue };
        let check = failed_check(record);
        let tried = attempts.entry((record.function.clone(), check.clone())).or_default();
        let enough = *tried >= SHRUNK_PER_CHECK;
        if let Some(cause) = known(&causes, record, &check, enough) {
            records[at].explained_by = Some(records[cause.record].case.clone());
            continue;
        }
        *tried += 1;
        let Some(counterexample) = shrink(session, case, &check, budget) else {
            records[at].verdict = Verdict::Flaky;
            // Perhaps it agreed, perhaps it was refused with another exception.
            records[at].reason = format!("{check} was found once, and not when called again");
            continue;
        };
        let levels = Levels::of(&record.function, &counterexample.shrunk.recipe);
        let same = |c: &&Cause| {
            c.function == record.function && c.check == check && levels.contain(&c.levels)
        };
        if let Some(cause) = causes.iter().find(same) {
            records[at].explained_by = Some(records[cause.record].case.clone());
            continue;
        }
        let checks = counterexample.capsule.checks.iter();
        causes.push(Cause {
            record: at,
            function: record.function.clone(),
            failing: checks.filter(|c| c.finding.is_some()).map(symptom).collect(),
            levels,
            revealed: revealed(session, &check, &counterexample.capsule),
            check,
        });
        records[at].shrunk = Some(counterexample.shrunk);
        capsules.push(counterexample.capsule);
    }
    fold_consequences(&causes, records);
    capsules
}

/// What a study asked about and what it found, with what both sides say to its call once.
pub(crate) fn study_capsule(
    session: &mut Session<'_>,
    case: &StudyCase,
    record: &mut Record,
) -> Capsule {
    let exchange = session.exchange(Arc::new(case.shown()));
    let capsule = Capsule {
        verdict: record.verdict,
        reason: record.reason.clone(),
        checks: record.checks.clone(),
        ..Capsule::of(session, &exchange, &case.to_string(), &failed_check(record))
    };
    if let Some(shrunk) = &mut record.shrunk {
        shrunk.capsule = Some(capsule.id());
    }
    capsule
}

/// What the host says of the answer to the call as a broken law changed it.
fn revealed(session: &mut Session<'_>, check: &str, capsule: &Capsule) -> Option<String> {
    let law = laws::of_check(check)?;
    let reply = capsule.backend.outcome.as_ref().ok()?;
    let trials = session.trials(&capsule.call, reply, &[law], 1);
    let (twisted, _) = trials.into_iter().next()?.twisted?;
    session.exchange(twisted).judgement.failed_check()
}

/// The symptom of the first check that failed, or the name of the verdict if it came to no check.
pub(crate) fn failed_check(record: &Record) -> String {
    record.failed_check().map_or_else(|| record.verdict.name().to_owned(), symptom)
}

/// The cause that explains a record, or that has to stand for it because enough were looked for.
fn known<'a>(causes: &'a [Cause], record: &Record, check: &str, enough: bool) -> Option<&'a Cause> {
    let alike = || causes.iter().filter(|c| c.function == record.function && c.check == check);
    let text = record.case.strip_prefix(&record.function).unwrap_or_default();
    let levels = Levels::of(&record.function, text);
    let explains = alike().find(|cause| levels.contain(&cause.levels));
    explains.or_else(|| alike().next().filter(|_| enough))
}

/// Whether the check of a cause cannot hold unless another one does.
fn rests_on(cause: &Cause, other: &str) -> bool {
    let prerequisites = contract(&cause.function).map(|c| c.rests_on).unwrap_or_default();
    prerequisites.iter().any(|(check, on)| *check == cause.check && on.contains(&other))
}

/// Points every record whose cause is the consequence of another one to that one.
fn fold_consequences(causes: &[Cause], records: &mut [Record]) {
    // The checks of a function are made in a fixed order, laws last, and for one check the levels get fewer, so that
    // this never comes back to where it was.
    let before = |cause: &Cause| {
        let follows = |other: &&Cause| {
            let has_its_levels = cause.levels.contain(&other.levels);
            if other.check == cause.check {
                // It was found later and says more with fewer levels.
                return has_its_levels && !other.levels.contain(&cause.levels);
            }
            let named = other.failing.contains(&cause.check) || rests_on(cause, &other.check);
            // Changing the call changed its levels too.
            named && has_its_levels || cause.revealed.as_ref() == Some(&other.check)
        };
        causes.iter().filter(|other| other.function == cause.function).find(follows)
    };
    let mut roots: BTreeMap<String, String> = BTreeMap::new();
    for cause in causes {
        let mut root = cause;
        for _ in 0..causes.len() {
            root = before(root).unwrap_or(root);
        }
        if root.record != cause.record {
            roots.insert(records[cause.record].case.clone(), records[root.record].case.clone());
        }
    }
    for record in records {
        let own = record.shrunk.is_some().then_some(&record.case);
        if let Some(root) = record.explained_by.as_ref().or(own).and_then(|case| roots.get(case)) {
            record.explained_by = Some(root.clone());
        }
    }
}
