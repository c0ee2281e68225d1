//! The examiner's false alarms: a backend that is known to be right, examined again and again.
//!
//! Mutants measure how much the examiner sees; this measures how often it sees what is not there. The reference against
//! itself shows that nothing but the answers is judged; against exact arithmetic (host `exact`) that allowances hold two
//! right computations that differ. A deterministic alarm is an error of the examiner, whichever it is. Tests of
//! random columns may alarm at the rate that is stated for them ([`FAMILY`] in the first stage, times [`CONFIRM`] after
//! the second), and the count here is compared with it.

use dispatch::Digest;
use reports::Verdict;
use serde::Serialize;

use crate::adequacy::in_parallel;
use crate::examine::{Examination, header};
use crate::plan::Plan;
use crate::statistics::{self, Budget, CONFIRM, FAMILY, clopper_pearson};

/// Cases of each function that are drawn, run and counted at a time.
const BATCH: u64 = 2_000;

/// How often something happened in how many trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rate {
    /// How often it happened.
    pub alarms: u64,
    /// In how many trials.
    pub trials: u64,
}

impl Rate {
    /// The probability of an alarm lies in this interval, by Clopper and Pearson at 95 %.
    pub fn interval(self) -> (f64, f64) {
        clopper_pearson(self.alarms, self.trials.max(1), 0.05)
    }
}

/// What a control run comes to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Control {
    /// Judged cases, and those that were condemned.
    pub cases: Rate,
    /// Cases that one of the two declined, which say nothing.
    pub declined: u64,
    /// Numbers that were compared.
    pub compared: u64,
    /// The largest ratio of a distance to its allowance.
    pub worst: f64,
    /// Examinations of all random columns of a function, and those in which a test rejected in its first stage.
    pub first_stage: Rate,
    /// The same examinations, and those that ended in a finding.
    pub studies: Rate,
    /// What alarmed, one line each, the first ten.
    pub alarms: Vec<String>,
}

impl Control {
    /// The rates that are stated for one function's share of a certificate: of the first stage, and after the second.
    pub fn stated() -> [f64; 2] {
        [FAMILY, FAMILY * CONFIRM]
    }

    /// Whether nothing alarmed that should not: no case, and no study after confirmation.
    pub fn is_quiet(&self) -> bool {
        self.cases.alarms == 0 && self.studies.alarms == 0
    }

    fn alarm(&mut self, what: String) {
        if self.alarms.len() < 10 {
            self.alarms.push(what);
        }
    }
}

/// Judges `cases` cases drawn at random, an equal share for each function, and then examines the random columns of each
/// function `studies` times. `progress` is told of each case and each examination.
pub fn control(
    examination: &Examination,
    functions: &[String],
    [cases, studies]: [u64; 2],
    jobs: usize,
    progress: impl Fn() + Sync,
) -> Control {
    let mut control = Control::default();
    let generators: Vec<_> =
        functions.iter().filter_map(|name| generators::generator(name)).collect();
    let each = cases.div_ceil(generators.len().max(1) as u64);
    for first in (0..each).step_by(BATCH as usize) {
        let seed = derive(first);
        let plan = Plan::sized(&generators, 0, BATCH.min(each - first), seed);
        let header = header(examination, &plan, "control", seed);
        for record in examination.run(&plan, header, jobs, |_| progress()).records {
            control.compared += record.compared();
            let ratios = record.checks.iter().map(|check| check.worst.0);
            control.worst = ratios.fold(control.worst, f64::max);
            match record.verdict {
                Verdict::NotSupported => control.declined += 1,
                Verdict::Pass => control.cases.trials += 1,
                verdict => {
                    control.cases.trials += 1;
                    control.cases.alarms += 1;
                    control.alarm(format!("{verdict}: {}", record.case));
                }
            }
        }
    }
    let runs: Vec<(u64, &String)> = (0..studies)
        .flat_map(|k| functions.iter().map(move |function| (k, function)))
        .filter(|(_, function)| statistics::is_random(function))
        .collect();
    let examined = in_parallel(jobs, &runs, |(k, function)| {
        let records = statistics::examine(examination, function, Budget::Quick, (k + 1) << 32);
        progress();
        let failed = records.iter().find(|r| r.verdict.condemns());
        let suspected = |r: &&reports::Record| r.reason.contains("rejected once");
        (records.iter().any(|r| suspected(&r)), failed.map(|r| r.case.clone()))
    });
    for (suspected, failed) in examined {
        control.first_stage.trials += 1;
        control.studies.trials += 1;
        control.first_stage.alarms += u64::from(suspected || failed.is_some());
        if let Some(case) = failed {
            control.studies.alarms += 1;
            control.alarm(format!("statistics: {case}"));
        }
    }
    control
}

fn derive(batch: u64) -> u64 {
    let digest = Digest::of_bytes(format!("concord control {batch}").as_bytes());
    u64::from_str_radix(&digest.short(16), 16).unwrap_or(batch)
}
