//! What a certificate says about each function.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Decimal, FunctionAdequacy, Level};
use crate::{Check, Header, Ratio, Record, Source, Verdict, Witnesses};

/// What became of the planned cases of a function; the parts sum to `planned`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cases {
    /// Cases planned.
    pub planned: u64,
    /// They agree, perhaps with a warning.
    pub passed: u64,
    /// They differ, or break the contract of the call, or change from run to run.
    pub failed: u64,
    /// They differ, and a waiver covers them.
    pub waived: u64,
    /// The process died, the accelerator was lost, or the examination broke.
    pub errored: u64,
    /// No answer within the deadline.
    pub timeout: u64,
    /// The backend does not offer them.
    pub not_supported: u64,
    /// The host's own answer means nothing.
    pub host_undefined: u64,
    /// Nothing could be concluded, or nothing shows that the backend did the work.
    pub inconclusive: u64,
    /// No record.
    pub not_run: u64,
}

impl Cases {
    /// Counts; records that are missing are cases that were not run.
    pub fn of<'a>(planned: u64, records: impl Iterator<Item = &'a Record>) -> Cases {
        let mut cases = Cases { planned, ..Cases::default() };
        let mut recorded = 0;
        for record in records {
            recorded += 1;
            *cases.of_verdict(record.verdict) += 1;
        }
        cases.not_run += planned.saturating_sub(recorded);
        cases
    }

    fn of_verdict(&mut self, verdict: Verdict) -> &mut u64 {
        match verdict {
            Verdict::Pass | Verdict::QualityWarning => &mut self.passed,
            Verdict::Fail | Verdict::Contract | Verdict::Flaky => &mut self.failed,
            Verdict::Waived => &mut self.waived,
            Verdict::Crash | Verdict::DeviceLost | Verdict::Infra => &mut self.errored,
            Verdict::Timeout => &mut self.timeout,
            Verdict::NotSupported => &mut self.not_supported,
            Verdict::HostUndefined => &mut self.host_undefined,
            Verdict::Inconclusive | Verdict::Unproven => &mut self.inconclusive,
            Verdict::NotRun => &mut self.not_run,
        }
    }

    /// Whether every planned case is accounted for, once.
    pub fn is_complete(&self) -> bool {
        let parts = [
            self.passed,
            self.failed,
            self.waived,
            self.errored,
            self.timeout,
            self.not_supported,
            self.host_undefined,
            self.inconclusive,
            self.not_run,
        ];
        parts.iter().sum::<u64>() == self.planned
    }
}

/// How near the passing comparisons of one check came to their allowances.
///
/// Each comparison has its own allowance, derived on its input; what is compared here is distance over allowance, so
/// the bound is 1 everywhere. The allowance bounds the rounding of both sides, and the reference gives the same bits
/// each time, so no further uncertainty is added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Margin {
    /// The check.
    pub check: String,
    /// Cases in which it was made.
    pub cases: u64,
    /// Elements compared.
    pub compared: u64,
    /// Half of the cases are at most this.
    pub median: Decimal,
    /// The largest distance over allowance.
    pub worst: Decimal,
    /// The first case that comes that near.
    pub worst_case: String,
}

/// One study of random columns over many seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Study {
    /// The case.
    pub case: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Draws compared.
    pub compared: u64,
    /// The largest deviation over the deviation at which the test refuses.
    pub worst: Decimal,
    /// What was measured, in a sentence.
    pub says: String,
}

/// What a certificate says about one function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionResult {
    /// The function.
    pub function: String,
    /// The level that follows.
    pub level: Level,
    /// What became of its cases.
    pub cases: Cases,
    /// Elements compared.
    pub compared: u64,
    /// The checks that failed, with the number of cases in which each failed first.
    pub failed_checks: BTreeMap<String, u64>,
    /// What shows that the backend made the answers; `None`: the log is of an earlier version and does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witnesses>,
    /// Checks with an allowance above zero that passed. Exact checks are in the evidence.
    pub margins: Vec<Margin>,
    /// Studies of random columns.
    pub studies: Vec<Study>,
    /// Whether this examination finds mistakes; `None`: not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adequacy: Option<FunctionAdequacy>,
}

impl FunctionResult {
    /// Sums up the records of a function.
    pub fn of(
        function: &str,
        level: Level,
        header: &Header,
        records: &[&Record],
        adequacy: Option<&FunctionAdequacy>,
    ) -> FunctionResult {
        let planned = header.planned.get(function).copied().unwrap_or(0);
        let mut failed_checks = BTreeMap::new();
        for record in records.iter().filter(|r| r.verdict.condemns()) {
            let check = record.failed_check().map_or(record.verdict.name(), |c| &c.name);
            *failed_checks.entry(check.to_owned()).or_default() += 1;
        }
        FunctionResult {
            function: function.to_owned(),
            level,
            cases: Cases::of(planned, records.iter().copied()),
            compared: records.iter().map(|r| r.compared()).sum(),
            failed_checks,
            witness: header.witnessed.then(|| Witnesses::of(records)),
            margins: margins(records),
            studies: records
                .iter()
                .filter(|r| r.source == Source::Statistical)
                .map(|r| Study::of(r))
                .collect(),
            adequacy: adequacy.cloned(),
        }
    }
}

impl Study {
    fn of(record: &Record) -> Study {
        let worst = record.checks.iter().map(|c| c.worst).reduce(Ratio::worse).unwrap_or_default();
        Study {
            case: record.case.clone(),
            verdict: record.verdict,
            compared: record.compared(),
            worst: Decimal::of(worst.0),
            says: record.reason.clone(),
        }
    }
}

fn margins(records: &[&Record]) -> Vec<Margin> {
    let mut by_check: BTreeMap<&str, Vec<(&Check, &str)>> = BTreeMap::new();
    for record in records.iter().filter(|r| r.source != Source::Statistical) {
        for check in record.checks.iter().filter(|c| c.finding.is_none() && c.compared > 0) {
            by_check.entry(&check.name).or_default().push((check, &record.case));
        }
    }
    let has_allowance = |all: &Vec<(&Check, &str)>| all.iter().any(|(c, _)| c.worst.0 > 0.0);
    by_check.retain(|_, all| has_allowance(all));
    by_check.into_iter().map(|(name, all)| margin(name, &all)).collect()
}

fn margin(name: &str, all: &[(&Check, &str)]) -> Margin {
    let mut ratios: Vec<f64> = all.iter().map(|(c, _)| c.worst.0).collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get((ratios.len() - 1) / 2).copied().unwrap_or_default();
    let worst = ratios.last().copied().unwrap_or_default();
    let first = all.iter().find(|(c, _)| c.worst.0.to_bits() == worst.to_bits());
    Margin {
        check: name.to_owned(),
        cases: all.len() as u64,
        compared: all.iter().map(|(c, _)| c.compared).sum(),
        median: Decimal::of(median),
        worst: Decimal::of(worst),
        worst_case: first.map(|(_, case)| (*case).to_owned()).unwrap_or_default(),
    }
}
