//! Judges columns that depend on random permutations when host and backend draw different ones.
//!
//! Two correct implementations with different generators agree in no such column, so tests that compare them
//! ask for "about 0.1 of each other", and a variance that is 2.4 times too large passes
//! (spec 0.1.3, A.4). Here nothing is compared with the host: the distribution over *all* permutations is known, from closed
//! forms, from enumeration or from a large sample of our own, and a backend is a black box that is asked for draws. The inputs are
//! fixed ([`Study`]); what is random is the seed.
//!
//! | check | question | test |
//! | --- | --- | --- |
//! | `p grid` | is `pval_sim` a `(L + 1)/(N + 1)` with `L <= N/2`, is `p N` an integer | exact |
//! | `null variance of var_sim` | is it the variance under permuted *rows*, divisor N | exact moments, Pearson III tail |
//! | `null mean of the permutations` | recovered from `pval_z_sim`, `var_sim` and the score | exact moments, Pearson III tail |
//! | `rank p-value distribution` | do as many permutations reach the statistic as should | folded binomial, or Fisher's exact test against our sample |
//! | `p-value distribution` | the same for `ligrec` | binomial, or Fisher's exact test |
//! | `... over seeds` | do counts vary from seed to seed as they should | randomised probability integral transform, Kolmogorov |
//! | `seeds are independent` | do neighbouring seeds share permutations | serial correlation of the transforms |
//! | `same seed, same permutations`, `other seed, other permutations` | is the seed a seed | exact |
//!
//! # Errors of the first kind
//!
//! All tests of a certificate together reject a correct backend with probability at most [`FAMILY`] in the first stage: each
//! study gets an equal share, each look of a study an equal share of that, each test of a look again (Bonferroni, valid
//! under any dependence: features share permutations). What rejects is asked again with fresh seeds, only those
//! questions, at the level [`CONFIRM`] over them; only what fails twice is a finding. As fresh seeds know nothing of the
//! first stage, both happen with probability at most `FAMILY * CONFIRM` = 10^-6. (A backend without a seed that always draws the
//! same permutations is asked with its cells in another order, which is not quite independent: there `FAMILY` holds, and the
//! batches of many runs are left out.)
//!
//! # Errors of the second kind
//!
//! `cargo run -p harness --example power` measures how often each backend of [`wrong`] is rejected, with intervals. For the
//! moment tests it can be computed ([`power`]): with 999 permutations a variance 31 % too large (kurtosis 3) or a mean 0.22 standard
//! deviations off is found with probability 0.95, with 15,999 permutations one of 8 % and 0.055.
//!
//! # Cost
//!
//! Looks come in lines of growing size. After each, a backend that is clearly inside is left alone, one that is clearly outside is confirmed
//! and done with; only what is in between is looked at longer ([`Budget`]). A right backend answers some
//! 260 small calls for a study that is enumerated (64 of them for `ligrec`), and one or two for any other.
//!
//! Sources: Sokal, Oden and Thomson, Geogr. Anal. 30 (1998) on moments under randomisation; Fisher's exact test; Rosenblatt,
//! Ann. Math. Stat. 23 (1952) and its randomised form for counts; Smirnov (1944), Birnbaum and Tingey (1951); spec A.1.5, A.3.5.

mod batch;
mod determinism;
mod distributions;
mod enumerate;
mod hypothesis;
mod inputs_ligrec;
mod inputs_spatial;
mod ligrec;
mod spatial_autocorr;
mod study;
mod subject;
pub mod wrong;

use std::fmt;

use dispatch::{Call, Fault, Reply, Witness};
use generators::{Random, Recipe};
use reports::{Check, Finding, Ratio, Record, Shrunk, Source, Verdict};

pub use batch::Budget;
pub use determinism::DeterminismClass;
pub use distributions::{clopper_pearson, normal_quantile};
pub use study::{Study, studies, study};

use self::batch::Batch;
use self::distributions::deviations;
use self::hypothesis::Test;
use self::study::Truth;
use self::subject::Subject;
use crate::examine::{Examination, Session};
use crate::judge::of_fault;
use crate::shrink::{params, replay_command};
use crate::{Case, stream};

/// The probability with which the first stage of all studies together rejects a correct backend, at most.
pub const FAMILY: f64 = 1e-3;
/// The probability with which the second stage confirms a rejection of a correct backend, at most.
pub const CONFIRM: f64 = 1e-3;

/// The name of the case that measures the class of determinism.
const DETERMINISM: &str = "determinism";

/// One case: a study, or the measurement of determinism, with a budget and a seed.
#[derive(Clone, Debug)]
pub struct StudyCase {
    /// The function.
    pub function: &'static str,
    study: Option<&'static Study>,
    budget: Budget,
    seed: u64,
}

impl StudyCase {
    /// The cases of a function, in order; none for a function that cannot be studied.
    pub fn all(function: &str, budget: Budget, seed: u64) -> Vec<StudyCase> {
        let Some(contract) = crate::contract(function) else { return Vec::new() };
        let function = contract.function;
        let studied = studies().filter(|s| s.function == function).map(Some);
        std::iter::once(None)
            .chain(studied)
            .map(|study| StudyCase { function, study, budget, seed: seed >> 32 })
            .collect()
    }

    /// The case of a text, as its `Display` writes it; `None` if it is no such text.
    pub fn parse(function: &str, text: &str) -> Option<StudyCase> {
        let field = |name: &str| {
            text.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        let budget = Budget::ALL.into_iter().find(|b| Some(b.name()) == field("budget"))?;
        let (name, seed) = (field("study")?, field("seed")?.parse().ok()?);
        let cases = StudyCase::all(function, budget, 0);
        let case = cases.into_iter().find(|case| case.name() == name)?;
        Some(StudyCase { seed, ..case })
    }

    /// The call that is made, again and again with other seeds.
    pub fn call(&self) -> Call {
        match self.study {
            Some(study) => study.call(),
            None => repeated(self.function),
        }
    }

    fn name(&self) -> &'static str {
        self.study.map_or(DETERMINISM, |study| study.name)
    }
}

impl fmt::Display for StudyCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "study={} budget={} seed={}", self.name(), self.budget.name(), self.seed)
    }
}

/// A call large enough that its work is split among threads.
fn repeated(function: &'static str) -> Call {
    let recipe = |generator, text| match Recipe::parse(generator, text) {
        Ok(recipe) => recipe.build(),
        Err(error) => panic!("the recipe of a study: {error}"),
    };
    match function {
        "co_occurrence" => recipe(&generators::CO_OCCURRENCE, "cells=257 seed=1"),
        "ligrec" => recipe(&generators::LIGREC, "cells=257 genes=8 clusters=5 seed=1"),
        _ => recipe(
            &generators::SPATIAL_AUTOCORR,
            "cells=257 genes=8 graph=delaunay expression=gaussian n_perms=99 seed=1",
        ),
    }
}

/// Examines the random columns of one function; one record for each case.
pub fn examine(
    examination: &Examination,
    function: &str,
    budget: Budget,
    seed: u64,
) -> Vec<Record> {
    let mut session = examination.session();
    let cases = StudyCase::all(function, budget, seed);
    cases.iter().map(|case| record(&mut session, case)).collect()
}

/// The cases that a run needs for its functions: all of them in a tier that certifies, else those of functions whose
/// random columns nothing else compares.
pub fn cases(
    examination: &Examination,
    functions: &[String],
    budget: Budget,
    seed: u64,
) -> Vec<(Source, Case)> {
    let (host, backend) = (examination.host.manifest(), examination.backend.manifest());
    let wanted = |function: &&String| {
        backend.functions.contains_key(*function)
            && (budget != Budget::Quick
                || is_random(function) && !stream::choose(host, backend, function).same)
    };
    let cases = functions.iter().filter(wanted).flat_map(|f| StudyCase::all(f, budget, seed));
    cases.map(|case| (Source::Statistical, Case::Study(case))).collect()
}

fn is_random(function: &str) -> bool {
    studies().any(|study| study.function == function)
}

/// Runs one case and records what became of it.
pub fn record(session: &mut Session<'_>, case: &StudyCase) -> Record {
    let call = case.call();
    let input = call.digest();
    let concluded = match case.study {
        None => determinism::measure(session, &call, case.seed).map(|measured| Conclusion {
            verdict: measured.verdict,
            reason: format!("determinism: {}", measured.class.name()),
            checks: measured.checks,
        }),
        Some(study) => study.truth().and_then(|truth| {
            Inquiry { study, truth, call, seed: case.seed, budget: case.budget }.run(session)
        }),
    };
    let Conclusion { verdict, reason, checks } = concluded.unwrap_or_else(|fault| Conclusion {
        verdict: of_fault(&fault),
        reason: fault.to_string(),
        checks: Vec::new(),
    });
    let shrunk = verdict.condemns().then(|| shrunk(session.examination(), case, &checks));
    let function = case.function.to_owned();
    let case = format!("{function} {case}");
    let source = Source::Statistical;
    Record { case, function, source, input, verdict, reason, checks, shrunk, explained_by: None }
}

/// A study is as small as it will get; this says how to run it again.
fn shrunk(examination: &Examination, case: &StudyCase, checks: &[Check]) -> Shrunk {
    let call = case.call();
    let failed = checks.iter().find(|check| check.finding.is_some());
    Shrunk {
        recipe: case.to_string(),
        cells: None,
        genes: None,
        edits: Vec::new(),
        capsule: None,
        n_obs: call.data.n_obs(),
        n_vars: call.data.n_vars(),
        input: call.digest(),
        calls: 0,
        params: params(&call),
        check: failed.map_or("no answer", |check| check.name.as_str()).to_owned(),
        findings: checks.iter().filter_map(|check| check.finding.clone()).collect(),
        replay: replay_command(examination, case.function, &case.to_string()),
    }
}

struct Conclusion {
    verdict: Verdict,
    reason: String,
    checks: Vec<Check>,
}

/// One study of one backend.
struct Inquiry<'t> {
    study: &'static Study,
    truth: &'t Truth,
    call: Call,
    seed: u64,
    budget: Budget,
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
    fn run(&self, session: &mut Session<'_>) -> Result<Conclusion, Fault> {
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
        found.unproven |= replies.iter().any(|reply| reply.witness == Witness::Unproven);
        Ok(self.truth.tests(batch, &replies, &mut random))
    }
}

impl Found {
    fn check(&mut self, name: &str) -> &mut Check {
        let at = self.checks.iter().position(|check| check.name == name);
        let at = at.unwrap_or_else(|| {
            let name = name.to_owned();
            self.checks.push(Check { name, compared: 0, worst: Ratio::EXACT, finding: None });
            self.checks.len() - 1
        });
        &mut self.checks[at]
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

/// How far off a moment must be to be found by one look with a probability, in its standard errors.
///
/// The test of one of `tests` values in a study of `looks` looks rejects beyond `z`, and the second stage beyond some three deviations,
/// which a value that passes the first passes as well: `z(level) + z(1 - power)`.
pub fn power(looks: usize, tests: usize, power: f64) -> f64 {
    let level = FAMILY / studies().count() as f64 / (looks * tests) as f64;
    deviations(level) + normal_quantile(1.0 - power)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    /// The p-values themselves, not only what is rejected: of a right backend, one in a hundred is below 0.01 and one in a thousand below 0.001.
    #[test]
    fn p_values_of_a_right_backend_are_not_too_small() {
        let backend: std::sync::Arc<dyn dispatch::Backend> =
            std::sync::Arc::new(reference::backend());
        let examination = Examination {
            host: backend.clone(),
            backend,
            deadline: Duration::from_secs(60),
            backend_name: "reference".to_owned(),
            replay_args: String::new(),
        };
        let mut session = examination.session();
        let mut subject = Subject::new(&mut session);
        let mut seen: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
        for study in studies() {
            let (call, truth) = (study.call(), study.truth().unwrap());
            for line in batch::lines(study) {
                let batch = line[0];
                for seed in 0..if batch.runs == 1 { 40 } else { 8 } {
                    let replies = subject.batch(&call, batch, seed << 20, seed == 0).unwrap();
                    let tests = truth.tests(batch, &replies, &mut Random::new(seed, "transform"));
                    for test in tests {
                        let [n, hundredth, thousandth] = seen.entry(test.check).or_default();
                        *n += 1;
                        *hundredth += u64::from(test.p < 1e-2);
                        *thousandth += u64::from(test.p < 1e-3);
                    }
                }
            }
        }
        for (check, [n, hundredth, thousandth]) in seen {
            println!(
                "{check:<32} {n:>6} tests, p < 0.01: {hundredth:>4}, p < 0.001: {thousandth:>4}"
            );
            // Features of a study share permutations, so counts vary like those of a quarter as many tests: five deviations.
            for (count, share) in [(hundredth, 1e-2), (thousandth, 1e-3)] {
                let expected = share * n as f64;
                assert!(
                    count as f64 <= expected + 10.0 * expected.sqrt() + 2.0,
                    "{check}: {count} of {n}"
                );
            }
        }
    }

    #[test]
    fn names_of_studies_are_unique_and_their_calls_are_pinned() {
        let names: std::collections::BTreeSet<_> =
            studies().map(|s| (s.function, s.name)).collect();
        assert_eq!(names.len(), studies().count());
        for study in studies() {
            assert_eq!(study.call().digest(), study.call().digest());
            assert!(study.truth().is_ok(), "{study:?}");
        }
    }

    #[test]
    fn declared_effects_are_what_the_levels_leave() {
        // Three looks, six genes with four tests each: variance sd sqrt(2/N), mean sd 1/sqrt(N).
        let z = power(3, 24, 0.95);
        assert!((6.6..6.8).contains(&z), "{z}");
        let (variance, mean) = (|n: f64| z * (2.0 / n).sqrt(), |n: f64| z / n.sqrt());
        assert!(variance(999.0) < 0.31 && variance(15_999.0) < 0.08);
        assert!(mean(999.0) < 0.22 && mean(15_999.0) < 0.055);
    }
}
