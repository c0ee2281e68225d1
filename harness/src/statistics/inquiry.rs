//! One study of one backend: looks, suspicion, confirmation.

use std::collections::BTreeMap;

use dispatch::{Call, Fault, Reply};
use generators::Random;
use reports::{Check, Finding, Ratio, Verdict};

use super::batch::{self, Batch, Budget};
use super::distributions::deviations;
use super::hypothesis::Test;
use super::study::{Study, Truth, studies};
use super::subject::Subject;
use super::{CONFIRM, FAMILY};
use crate::examine::Session;

/// What became of a case.
pub(super) struct Conclusion {
    pub(super) verdict: Verdict,
    pub(super) reason: String,
    pub(super) checks: Vec<Check>,
}

/// One study of one backend.
pub(super) struct Inquiry<'t> {
    pub(super) study: &'static Study,
    pub(super) truth: &'t Truth,
    pub(super) call: Call,
    pub(super) seed: u64,
    pub(super) budget: Budget,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    checks: Vec<Check>,
    unproven: bool,
    unconfirmed: usize,
    failed: bool,
}

impl Inquiry<'_> {
    /// Takes the looks of each line, and stops at the first confirmed finding.
    ///
    /// # Errors
    /// The fault of the backend, if it gives no answer.
    pub(super) fn run(&self, session: &mut Session<'_>) -> Result<Conclusion, Fault> {
        let mut subject = Subject::new(session);
        let mut found = Found::default();
        for (number, line) in batch::lines(self.study).iter().enumerate() {
            self.line(number, self.budget.looks(line), &mut subject, &mut found)?;
            if found.failed {
                break;
            }
        }
        let reason = match found.unconfirmed {
            0 => String::new(),
            n => format!("{n} tests rejected once and not with fresh seeds"),
        };
        let (verdict, reason) = match &found {
            Found { failed: true, .. } => (Verdict::Fail, String::new()),
            Found { unproven: true, .. } => {
                (Verdict::Unproven, "nothing shows that the backend did the work".to_owned())
            }
            Found { .. } => (Verdict::Pass, reason),
        };
        Ok(Conclusion { verdict, reason, checks: found.checks })
    }

    /// Takes looks until one is clear.
    fn line(
        &self,
        number: usize,
        looks: &[Batch],
        subject: &mut Subject<'_, '_>,
        found: &mut Found,
    ) -> Result<(), Fault> {
        let share = FAMILY / studies().count() as f64 / batch::looks(self.study) as f64;
        let single = subject.repeats_itself(&self.call)?;
        for (look, &batch) in looks.iter().enumerate().filter(|(_, b)| !single || b.runs == 1) {
            let stage = |stage: &str| format!("{} {number} {look} {stage}", self.study.name);
            let tests = self.tests(batch, &stage("first"), subject, found)?;
            found.place(&tests);
            let level = share / tests.len() as f64;
            let (suspects, passed): (Vec<&Test>, Vec<&Test>) =
                tests.iter().partition(|test| test.p < level);
            found.add(&passed, level);
            if !suspects.is_empty() {
                let again = self.tests(batch, &stage("second"), subject, found)?;
                found.confirm(&suspects, level, &again);
                if found.failed {
                    return Ok(());
                }
            }
            let smallest = passed.iter().map(|test| test.p).fold(1.0, f64::min);
            if !self.budget.goes_on(smallest * tests.len() as f64) {
                break;
            }
        }
        Ok(())
    }

    fn tests(
        &self,
        batch: Batch,
        stage: &str,
        subject: &mut Subject<'_, '_>,
        found: &mut Found,
    ) -> Result<Vec<Test>, Fault> {
        let mut random = Random::new(self.seed, stage);
        // 30 bits: squidpy's `ligrec` adds to a seed that must stay below 2^32.
        let seed = random.below(1 << 30) as u64;
        let first = found.checks.is_empty();
        let replies: Vec<Reply> = subject.batch(&self.call, batch, seed, first)?;
        found.unproven |= !replies.iter().all(|reply| reply.witness.proves());
        Ok(self.truth.tests(batch, &replies, &mut random))
    }
}

impl Found {
    fn check(&mut self, name: &str) -> &mut Check {
        let at = self.checks.iter().position(|check| check.name == name);
        let at = at.unwrap_or_else(|| {
            let name = name.to_owned();
            let (worst, finding, places) = (Ratio::EXACT, None, None);
            self.checks.push(Check { name, compared: 0, worst, finding, places });
            self.checks.len() - 1
        });
        &mut self.checks[at]
    }

    /// Keeps where the values of each call stand, for a picture; what is concluded follows from the tests alone.
    fn place(&mut self, tests: &[Test]) {
        for test in tests.iter().filter(|test| !test.transforms.is_empty()) {
            self.check(test.check).places.get_or_insert_default().add(&test.transforms);
        }
        // The features of a call share its permutations, so only calls are independent of each other.
        let calls: BTreeMap<&str, usize> =
            tests.iter().map(|test| (test.check, test.transforms.len())).collect();
        for (check, calls) in calls.into_iter().filter(|(_, calls)| *calls > 0) {
            self.check(check).places.get_or_insert_default().independent += calls as u64;
        }
    }

    /// Counts tests that are above a level, each as its deviation over the deviation at that level.
    fn add(&mut self, tests: &[&Test], level: f64) {
        for test in tests {
            let check = self.check(test.check);
            check.compared += 1;
            check.worst = check.worst.worse(ratio(test.p, level));
        }
    }

    /// Decides about tests below a level by what the same tests say of fresh permutations.
    fn confirm(&mut self, suspects: &[&Test], level: f64, again: &[Test]) {
        let second = CONFIRM / suspects.len() as f64;
        for &test in suspects {
            let same = |other: &&Test| (other.check, &other.at) == (test.check, &test.at);
            // A test that the second answers do not even allow fails: the form of the answer changed.
            let p = again.iter().find(same).map_or(0.0, |other| other.p);
            if p >= second {
                self.unconfirmed += 1;
                self.add(&[&Test { p, ..test.clone() }], second);
                continue;
            }
            self.failed = true;
            let ratio = ratio(test.p, level);
            let check = self.check(test.check);
            check.compared += 1;
            if !(ratio.0 <= check.worst.0) || check.finding.is_none() {
                check.finding = Some(Finding {
                    slot: test.slot.to_owned(),
                    at: test.at.clone(),
                    expected: test.expected.clone(),
                    actual: test.actual.clone(),
                    allowance: allowance(test.p, level, p, second),
                    ratio,
                });
            }
            check.worst = check.worst.worse(ratio);
        }
    }
}

fn allowance(p: f64, level: f64, again: f64, second: f64) -> String {
    if p == 0.0 {
        return "exact".to_owned();
    }
    format!("p at least {level:.0e}, then {second:.0e} (got {p:.0e}, then {again:.0e})")
}

/// The deviation of a p-value over that of its level, both in standard deviations of a normal.
fn ratio(p: f64, level: f64) -> Ratio {
    if p == 0.0 { Ratio::BROKEN } else { Ratio(deviations(p) / deviations(level)) }
}
