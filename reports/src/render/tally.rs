//! What every rendering counts: one tally per log, so that no two of them can disagree.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Blame, Check, Decision, Domain, Finding, FunctionDecision, Log, Outcome, Precision, Ratio,
    Record, Ruling, Shrunk, Source, Verdict, decide,
};

/// Everything that is said about a log: the decision, the numbers, and what failed.
#[derive(Clone, Debug)]
pub struct Tally<'a> {
    /// The log that was counted.
    pub log: &'a Log,
    /// The outcome of the run, as [`decide`] gives it.
    pub outcome: Outcome,
    /// Number of planned cases.
    pub planned: u64,
    /// Number of records of each verdict.
    pub counts: BTreeMap<Verdict, u64>,
    /// Number of records from each source.
    pub sources: BTreeMap<Source, u64>,
    /// Elements compared in all records.
    pub compared: u64,
    /// One entry per function, worst outcome first, then by name.
    pub functions: Vec<FunctionTally>,
    /// One entry per distinct failure, worst verdict first, then most cases first.
    pub failures: Vec<Failure<'a>>,
    /// What neither passed nor failed, worst verdict first.
    pub notes: Vec<Note<'a>>,
    /// What was measured on the way to a pass, as function and sentence, in the order of the log.
    pub measured: Vec<(&'a str, &'a str)>,
    /// What was tried, by function.
    pub domains: Vec<Domain>,
}

/// What is said about one function.
#[derive(Clone, Debug)]
pub struct FunctionTally {
    /// The function.
    pub name: String,
    /// Number of planned cases.
    pub planned: u64,
    /// Outcome, reason, counts.
    pub decision: FunctionDecision,
    /// How near the passing checks came to their allowances; `None` if none passed.
    pub spread: Option<Spread>,
    /// The finest class of arithmetic in which every answer agrees; `None` if there is none, or nothing was compared.
    pub precision: Option<Precision>,
}

/// The distribution of [`Check::worst`] over the passing checks that compared something.
///
/// Quantiles are nearest-rank: the smallest ratio that at least that share of the checks do not
/// exceed. NaN counts as larger than everything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Number of checks.
    pub checks: u64,
    /// Half of the checks are at most this.
    pub p50: Ratio,
    /// 99 of 100 checks are at most this.
    pub p99: Ratio,
    /// The largest.
    pub max: Ratio,
}

/// All failing cases of one function with one root cause, as far as the examiner can tell: their first failed check
/// has the same name, or a case with this cause explains them ([`Record::explained_by`]).
#[derive(Clone, Debug)]
pub struct Failure<'a> {
    /// The function.
    pub function: &'a str,
    /// The name of the check; the name of the verdict where no check was reached, as in a crash.
    pub check: &'a str,
    /// The worst verdict among the cases.
    pub verdict: Verdict,
    /// Number of cases that fail this way.
    pub cases: u64,
    /// The case that stands for all: the one with the smallest shrunk input, else the first.
    pub record: &'a Record,
    /// Other checks that fail first in some of the cases, with their numbers: consequences of the same cause.
    pub consequences: BTreeMap<&'a str, u64>,
}

/// The cases of one function with one verdict that neither passes nor condemns.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    /// The function.
    pub function: &'a str,
    /// The verdict.
    pub verdict: Verdict,
    /// Number of cases.
    pub cases: u64,
    /// The reasons given, in order of their text; may be empty.
    pub reasons: BTreeSet<&'a str>,
    /// What exact arithmetic says about some of them: the number of cases, and the first of them.
    pub rulings: BTreeMap<Blame, (u64, &'a Ruling)>,
}

impl<'a> Tally<'a> {
    /// Counts a log.
    pub fn of(log: &'a Log) -> Tally<'a> {
        let Decision { outcome, functions } = decide(log);
        let mut counts = BTreeMap::new();
        let mut sources = BTreeMap::new();
        for record in &log.records {
            *counts.entry(record.verdict).or_default() += 1;
            *sources.entry(record.source).or_default() += 1;
        }
        let mut functions: Vec<FunctionTally> = functions
            .into_iter()
            .map(|(name, decision)| FunctionTally {
                planned: log.header.planned.get(&name).copied().unwrap_or(0),
                spread: Spread::of(
                    log.records.iter().filter(|r| r.function == name && has_distances(r)),
                ),
                precision: reached(log.records.iter().filter(|r| r.function == name)),
                name,
                decision,
            })
            .collect();
        functions.sort_by_key(|f| Reverse(f.decision.outcome));
        Tally {
            log,
            outcome,
            planned: log.header.planned.values().sum(),
            counts,
            sources,
            compared: log.records.iter().map(Record::compared).sum(),
            functions,
            failures: fold_failures(&log.records),
            notes: fold_notes(&log.records),
            measured: measured(&log.records),
            domains: Domain::of(log),
        }
    }

    /// The worst ratio of all passing checks.
    pub fn worst_passing(&self) -> Option<Ratio> {
        self.functions.iter().filter_map(|f| f.spread).map(|s| s.max).reduce(Ratio::worse)
    }

    /// Number of records that condemn.
    pub fn condemned(&self) -> u64 {
        self.failures.iter().map(|f| f.cases).sum()
    }
}

/// The finest class of arithmetic in which all of some answers agree.
fn reached<'a>(records: impl Iterator<Item = &'a Record>) -> Option<Precision> {
    let compared = records.filter(|r| has_distances(r) && r.compared() > 0);
    let class = |r: &Record| match r.verdict.condemns() {
        true => r.precision,
        false => Some(r.precision.unwrap_or_default()),
    };
    compared.map(class).reduce(|a, b| Some(a?.max(b?))).flatten()
}

impl Spread {
    fn of<'a>(records: impl Iterator<Item = &'a Record>) -> Option<Spread> {
        let passing = |c: &&Check| c.finding.is_none() && c.compared > 0;
        let mut ratios: Vec<f64> =
            records.flat_map(|r| &r.checks).filter(passing).map(|c| c.worst.0).collect();
        // A NaN with its sign bit set would come first in the total order.
        ratios.sort_by(|a, b| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(b)));
        let quantile = |percent: usize| {
            let rank = (ratios.len() * percent).div_ceil(100);
            Some(Ratio(*ratios.get(rank.checked_sub(1)?)?))
        };
        Some(Spread {
            checks: ratios.len() as u64,
            p50: quantile(50)?,
            p99: quantile(99)?,
            max: quantile(100)?,
        })
    }
}

impl<'a> Failure<'a> {
    /// The shrunk input, if the failure was shrunk.
    pub fn shrunk(&self) -> Option<&'a Shrunk> {
        self.record.shrunk.as_ref()
    }

    /// What is wrong, on the shrunk input if there is one; first things first.
    pub fn findings(&self) -> Vec<&'a Finding> {
        match self.shrunk() {
            Some(shrunk) if !shrunk.findings.is_empty() => shrunk.findings.iter().collect(),
            Some(_) | None => self.record.findings().collect(),
        }
    }

    fn of(record: &'a Record) -> Failure<'a> {
        let (function, check) = (record.function.as_str(), first_failed(record));
        let consequences = BTreeMap::new();
        Failure { function, check, verdict: record.verdict, cases: 0, record, consequences }
    }

    fn add(&mut self, record: &'a Record) {
        self.cases += 1;
        let check = first_failed(record);
        if check != self.check {
            *self.consequences.entry(check).or_default() += 1;
        }
        if severity(record.verdict) > severity(self.verdict) {
            self.verdict = record.verdict;
        }
        // A consequence may be smaller, but it shows another check.
        if check == self.check && shrunk_size(record) < shrunk_size(self.record) {
            self.record = record;
        }
    }
}

/// Whether the ratios of a record are distances over allowances: those of a statistical test are deviations over
/// critical deviations, of which a right backend has some near 1.
fn has_distances(record: &Record) -> bool {
    record.source != Source::Statistical
}

fn measured(records: &[Record]) -> Vec<(&str, &str)> {
    let passed = |r: &&Record| r.source == Source::Statistical && r.verdict == Verdict::Pass;
    let said = records.iter().filter(passed).filter(|r| !r.reason.is_empty());
    said.map(|r| (r.function.as_str(), r.reason.as_str())).collect()
}

/// The name of the first check that failed; the name of the verdict where no check was reached.
fn first_failed(record: &Record) -> &str {
    match (record.failed_check(), &record.shrunk) {
        (Some(check), _) => &check.name,
        (None, Some(shrunk)) => &shrunk.check,
        (None, None) => record.verdict.name(),
    }
}

/// Elements of the shrunk input; a record without one is larger than any.
fn shrunk_size(record: &Record) -> usize {
    record.shrunk.as_ref().map_or(usize::MAX, |s| s.n_obs.saturating_mul(s.n_vars))
}

/// Position in [`Verdict::ALL`]: larger is worse.
fn severity(verdict: Verdict) -> usize {
    Verdict::ALL.iter().position(|&v| v == verdict).unwrap_or(Verdict::ALL.len())
}

/// The failures of a log, one per root cause: the cases that one shrunk counterexample explains.
fn fold_failures(records: &[Record]) -> Vec<Failure<'_>> {
    let roots = Roots::of(records);
    let mut folded: BTreeMap<(&str, &str), Failure<'_>> = BTreeMap::new();
    for record in records.iter().filter(|r| r.verdict.condemns()) {
        let root = roots.root(record);
        let key = root.map_or(first_failed(record), |root| root.case.as_str());
        let failure = folded.entry((&record.function, key));
        failure.or_insert_with(|| Failure::of(root.unwrap_or(record))).add(record);
    }
    let mut failures: Vec<_> = folded.into_values().collect();
    failures.sort_by_key(|f| (Reverse(severity(f.verdict)), Reverse(f.cases)));
    failures
}

/// The records with a shrunk counterexample, by what may point to them.
#[derive(Default)]
struct Roots<'a> {
    by_case: BTreeMap<&'a str, &'a Record>,
    /// By function, check and shrunk recipe: the same three are the same cause.
    by_recipe: BTreeMap<[&'a str; 3], &'a Record>,
    /// By function and check: the first stands for a case that names no other.
    by_check: BTreeMap<[&'a str; 2], &'a Record>,
}

impl<'a> Roots<'a> {
    fn of(records: &'a [Record]) -> Roots<'a> {
        let mut roots = Roots::default();
        for record in records.iter().filter(|r| r.verdict.condemns()) {
            if let Some(shrunk) = &record.shrunk {
                let [function, check] = [record.function.as_str(), first_failed(record)];
                roots.by_case.insert(&record.case, record);
                roots.by_recipe.entry([function, check, &shrunk.recipe]).or_insert(record);
                roots.by_check.entry([function, check]).or_insert(record);
            }
        }
        roots
    }

    /// The record that stands for a record; `None` if nothing of its kind was shrunk.
    fn root(&self, record: &'a Record) -> Option<&'a Record> {
        let [function, check] = [record.function.as_str(), first_failed(record)];
        let named = record.explained_by.as_deref().and_then(|case| self.by_case.get(case));
        let alike = |shrunk: &'a Shrunk| self.by_recipe.get(&[function, check, &shrunk.recipe]);
        named
            .or_else(|| record.shrunk.as_ref().and_then(alike))
            .or_else(|| self.by_check.get(&[function, check]))
            .copied()
    }
}

fn fold_notes(records: &[Record]) -> Vec<Note<'_>> {
    let mut folded: BTreeMap<(Reverse<usize>, &str), Note<'_>> = BTreeMap::new();
    for record in records {
        let (function, verdict) = (record.function.as_str(), record.verdict);
        if verdict.condemns() || verdict == Verdict::Pass {
            continue;
        }
        let note = folded.entry((Reverse(severity(verdict)), function)).or_insert_with(|| Note {
            function,
            verdict,
            cases: 0,
            reasons: BTreeSet::new(),
            rulings: BTreeMap::new(),
        });
        note.cases += 1;
        if !record.reason.is_empty() {
            note.reasons.insert(&record.reason);
        }
        if let Some(ruling) = &record.ruling {
            note.rulings.entry(ruling.blame).or_insert((0, ruling)).0 += 1;
        }
    }
    folded.into_values().collect()
}
