//! Certified or not: one pure function of the log.
//!
//! The command line, the tests, the report and the certificate all ask this function and no other.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Check, Log, Ratio, Record, Source, Verdict};

/// The outcome for one function, or for a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every planned case has its record, something was compared, nothing differs.
    Conformant,
    /// Nothing differs, but not enough was shown.
    Inconclusive,
    /// The examination itself broke.
    Infrastructure,
    /// At least one case differs.
    NotConformant,
}

impl Outcome {
    /// The exit code of the command line for this outcome.
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::Conformant => 0,
            Outcome::NotConformant => 1,
            Outcome::Infrastructure => 3,
            Outcome::Inconclusive => 4,
        }
    }

    /// The words used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Conformant => "conformant",
            Outcome::NotConformant => "not conformant",
            Outcome::Infrastructure => "infrastructure error",
            Outcome::Inconclusive => "inconclusive",
        }
    }
}

/// What was concluded about one function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionDecision {
    /// The outcome.
    pub outcome: Outcome,
    /// Why, in one sentence.
    pub why: String,
    /// Number of cases of each verdict.
    pub counts: BTreeMap<Verdict, u64>,
    /// Elements compared in all cases.
    pub compared: u64,
}

/// What was concluded from a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The outcome of the run: the worst of its functions.
    pub outcome: Outcome,
    /// One entry per planned function.
    pub functions: BTreeMap<String, FunctionDecision>,
}

/// Decides. Zero comparisons never pass; a missing, doubled or exchanged record is an infrastructure error, and so is every
/// function of a run that was interrupted; nothing is shown about a function while one of its waivers is wrong.
pub fn decide(log: &Log) -> Decision {
    let mut by_function: BTreeMap<&str, Vec<&Record>> =
        log.header.planned.keys().map(|name| (name.as_str(), Vec::new())).collect();
    for record in &log.records {
        by_function.entry(&record.function).or_default().push(record);
    }
    let as_planned = log.is_as_planned();
    let functions: BTreeMap<String, FunctionDecision> = by_function
        .into_iter()
        .map(|(name, records)| {
            let planned = log.header.planned.get(name).copied().unwrap_or(0);
            let mut waivers = log.header.waivers.iter().filter(|w| w.function == name);
            let problem = waivers.find_map(|w| w.problem.as_deref());
            (name.to_owned(), decide_function(planned, as_planned, &records, problem))
        })
        .collect();
    let functions = if log.header.unfinished { interrupted(functions) } else { functions };
    let outcome = functions.values().map(|f| f.outcome).max().unwrap_or(Outcome::Inconclusive);
    Decision { outcome, functions }
}

/// What differs may yet be waived or turn out to be flaky, and what agrees is not all.
fn interrupted(
    mut functions: BTreeMap<String, FunctionDecision>,
) -> BTreeMap<String, FunctionDecision> {
    for function in functions.values_mut() {
        function.outcome = Outcome::Infrastructure;
        function.why =
            "the run was interrupted; `concord certify ... --resume` goes on with it".to_owned();
    }
    functions
}

/// Whether a record says that it passes and shows that it does not.
fn contradicts_itself(record: &Record) -> bool {
    // Statistical ratios are of deviations to critical ones; one look beyond is not yet a finding.
    let beyond = |ratio: Ratio| record.source != Source::Statistical && !ratio.agrees();
    let differs = |check: &Check| check.finding.is_some() || beyond(check.worst);
    record.verdict == Verdict::Pass && record.checks.iter().any(differs)
}

fn decide_function(
    planned: u64,
    as_planned: bool,
    records: &[&Record],
    wrong_waiver: Option<&str>,
) -> FunctionDecision {
    let mut counts: BTreeMap<Verdict, u64> = BTreeMap::new();
    for record in records {
        *counts.entry(record.verdict).or_default() += 1;
    }
    let compared = records.iter().map(|r| r.compared()).sum();
    let distinct = records.iter().map(|r| &r.case).collect::<BTreeSet<_>>().len() as u64;
    let count = |verdict| counts.get(&verdict).copied().unwrap_or(0);
    let condemned: u64 = counts.iter().filter(|(v, _)| v.condemns()).map(|(_, n)| n).sum();
    let passed = count(Verdict::Pass) + count(Verdict::QualityWarning);
    let (outcome, why) = if condemned > 0 {
        (Outcome::NotConformant, format!("{condemned} of {planned} cases differ"))
    } else if distinct != planned || records.len() as u64 != planned {
        let n = records.len();
        (
            Outcome::Infrastructure,
            format!("{planned} cases planned, {n} records of {distinct} cases found"),
        )
    } else if let Some(record) = records.iter().find(|r| contradicts_itself(r)) {
        let case = &record.case;
        (
            Outcome::Infrastructure,
            format!("`{case}` passes and shows a difference: no examiner wrote that"),
        )
    } else if count(Verdict::Infra) > 0 {
        (Outcome::Infrastructure, format!("{} cases could not be examined", count(Verdict::Infra)))
    } else if planned > 0 && !as_planned {
        let why = "the records of the log are not of the planned cases, or in another order";
        (Outcome::Infrastructure, why.to_owned())
    } else if let Some(problem) = wrong_waiver {
        (Outcome::Inconclusive, format!("a waiver is wrong: {problem}"))
    } else if planned == 0 {
        (Outcome::Inconclusive, "no case was planned".to_owned())
    } else if compared == 0 {
        (Outcome::Inconclusive, "nothing was compared".to_owned())
    } else if count(Verdict::Unproven) > 0 {
        let n = count(Verdict::Unproven);
        (Outcome::Inconclusive, format!("{n} cases do not show that the backend did the work"))
    } else if count(Verdict::NotRun) + count(Verdict::Inconclusive) > 0 {
        let n = count(Verdict::NotRun) + count(Verdict::Inconclusive);
        (Outcome::Inconclusive, format!("{n} cases were not run or not conclusive"))
    } else if passed == 0 {
        (Outcome::Inconclusive, "no case passed".to_owned())
    } else if count(Verdict::NotSupported) > 0 {
        let n = count(Verdict::NotSupported);
        (
            Outcome::Inconclusive,
            format!("{passed} cases agree, {n} are not supported by the backend"),
        )
    } else {
        let waived = match count(Verdict::Waived) {
            0 => String::new(),
            n => format!(", {n} waived"),
        };
        (
            Outcome::Conformant,
            format!("{passed} of {planned} cases agree{waived}, {compared} elements compared"),
        )
    };
    FunctionDecision { outcome, why, counts, compared }
}
