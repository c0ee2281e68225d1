//! What changed between two runs: what was gained, what was lost, what is newly waived.

use std::collections::{BTreeMap, BTreeSet};

use crate::render::Tally;
use crate::{Log, Outcome, Ratio};

/// How much nearer to its allowance the nearest comparison of a function must come to be named.
const NEARER: f64 = 2.0;

/// One thing that changed, as a sentence about a function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Whether somebody who relied on the first run loses something.
    pub kind: ChangeKind,
    /// The function.
    pub function: String,
    /// What changed.
    pub what: String,
}

/// What a change means for somebody who relied on the first run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Something that held does not any more.
    Lost,
    /// Something that was a failure is now waived, or a waiver covers more.
    Waived,
    /// It holds, with less to spare.
    Nearer,
    /// Something that did not hold does now.
    Gained,
}

impl ChangeKind {
    /// The word used in reports.
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::Lost => "lost",
            ChangeKind::Waived => "newly waived",
            ChangeKind::Nearer => "nearer to its allowance",
            ChangeKind::Gained => "gained",
        }
    }
}

/// What is known about one function of a run.
struct Facts<'a> {
    outcome: Outcome,
    failing: BTreeSet<&'a str>,
    worst: Option<Ratio>,
    waived: u64,
}

/// What changed from one run to another, losses first; outcomes, causes of failure, waivers and margins are compared,
/// not single cases, because two runs need not have the same.
pub fn difference(before: &Log, after: &Log) -> Vec<Change> {
    let (before, after) = (Tally::of(before), Tally::of(after));
    let (old, new) = (facts(&before), facts(&after));
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let mut changes = Vec::new();
    for function in names {
        let mut add = |kind, what| {
            changes.push(Change { kind, function: function.to_owned(), what });
        };
        match (old.get(function), new.get(function)) {
            (Some(_), None) => add(ChangeKind::Lost, "it is not examined any more".to_owned()),
            (None, Some(now)) => {
                add(ChangeKind::Gained, format!("it is examined, and {}", now.outcome.name()))
            }
            (Some(then), Some(now)) => compare(then, now, &mut add),
            (None, None) => {}
        }
    }
    changes.sort();
    changes
}

fn compare(then: &Facts<'_>, now: &Facts<'_>, add: &mut impl FnMut(ChangeKind, String)) {
    let good = |facts: &Facts<'_>| facts.outcome == Outcome::Conformant;
    if then.outcome != now.outcome {
        let kind = if good(now) || then.outcome > now.outcome {
            ChangeKind::Gained
        } else {
            ChangeKind::Lost
        };
        add(kind, format!("{} before, {} now", then.outcome.name(), now.outcome.name()));
    }
    for check in now.failing.difference(&then.failing) {
        add(ChangeKind::Lost, format!("{check} fails"));
    }
    for check in then.failing.difference(&now.failing) {
        // Where it is waived, that is said instead.
        if now.waived <= then.waived {
            add(ChangeKind::Gained, format!("{check} does not fail any more"));
        }
    }
    if now.waived > then.waived {
        add(ChangeKind::Waived, format!("{} failures, before {}", now.waived, then.waived));
    }
    if let (Some(a), Some(b)) = (then.worst, now.worst)
        && a.0 > 0.0
        && b.0 > NEARER * a.0
    {
        add(ChangeKind::Nearer, format!("the nearest comparison has ratio {b}, before {a}"));
    }
}

fn facts<'a>(tally: &'a Tally<'_>) -> BTreeMap<&'a str, Facts<'a>> {
    let of = |function: &'a crate::render::FunctionTally| {
        let failing =
            tally.failures.iter().filter(|f| f.function == function.name).map(|f| f.check);
        let waivers = tally
            .log
            .header
            .waivers
            .iter()
            .filter(|w| w.function == function.name && w.problem.is_none());
        let facts = Facts {
            outcome: function.decision.outcome,
            failing: failing.collect(),
            worst: function.spread.map(|s| s.max),
            waived: waivers.map(|w| w.cases).sum(),
        };
        (function.name.as_str(), facts)
    };
    tally.functions.iter().map(of).collect()
}
