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
mod case;
mod determinism;
mod distributions;
mod enumerate;
mod hypothesis;
mod inputs_ligrec;
mod inputs_spatial;
mod inquiry;
mod ligrec;
mod null;
mod spatial_autocorr;
mod study;
mod subject;
pub mod wrong;

use reports::{Check, Record, Shrunk, Source};

pub use batch::Budget;
pub use case::StudyCase;
pub use determinism::DeterminismClass;
pub use distributions::{clopper_pearson, normal_quantile};
pub use study::{Study, studies, study};

use self::case::Question;
use self::distributions::deviations;
use self::inquiry::{Conclusion, Inquiry};
use crate::examine::{Examination, Session};
use crate::judge::of_fault;
use crate::shrink::{params, replay_command};
use crate::{Case, stream};

/// The probability with which the first stage of all studies together rejects a correct backend, at most.
pub const FAMILY: f64 = 1e-3;
/// The probability with which the second stage confirms a rejection of a correct backend, at most.
pub const CONFIRM: f64 = 1e-3;

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
    let of = |function: &String| {
        let studies = StudyCase::all(function, budget, seed).into_iter();
        studies.chain(StudyCase::null(function, budget, seed))
    };
    let cases = functions.iter().filter(wanted).flat_map(of);
    cases.map(|case| (Source::Statistical, Case::Study(case))).collect()
}

/// Whether a function has random columns that are studied.
pub fn is_random(function: &str) -> bool {
    studies().any(|study| study.function == function)
}

/// Runs one case and records what became of it.
pub fn record(session: &mut Session<'_>, case: &StudyCase) -> Record {
    let call = case.call();
    let input = call.digest();
    session.take_witness();
    let concluded = match case.question {
        Question::Null => null::measure(session, &call, case.seed),
        Question::Determinism => {
            determinism::measure(session, &call, case.seed).map(|measured| Conclusion {
                verdict: measured.verdict,
                reason: format!("determinism: {}", measured.class.name()),
                checks: measured.checks,
            })
        }
        Question::Study(study) => study.truth().and_then(|truth| {
            Inquiry { study, truth, call, seed: case.seed, budget: case.budget }.run(session)
        }),
    };
    let Conclusion { verdict, reason, checks } = concluded.unwrap_or_else(|fault| Conclusion {
        verdict: of_fault(&fault),
        reason: fault.to_string(),
        checks: Vec::new(),
    });
    let found = checks.iter().any(|check| check.finding.is_some());
    let shrunk =
        (verdict.condemns() || found).then(|| shrunk(session.examination(), case, &checks));
    let function = case.function.to_owned();
    let case = format!("{function} {case}");
    let source = Source::Statistical;
    Record {
        case,
        function,
        source,
        input,
        verdict,
        reason,
        witness: session.take_witness(),
        checks,
        precision: None,
        ruling: None,
        shrunk,
        explained_by: None,
    }
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
        ruling: None,
        replay: replay_command(examination, case.function, &case.to_string()),
    }
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

    use generators::Random;

    use super::subject::Subject;
    use super::*;

    /// The p-values themselves, not only what is rejected: of a right backend, one in a hundred is below 0.01 and one in a thousand below 0.001.
    #[test]
    fn p_values_of_a_right_backend_are_not_too_small() {
        let backend: std::sync::Arc<dyn dispatch::Backend> =
            std::sync::Arc::new(reference::backend());
        let examination = Examination {
            host: backend.clone(),
            backend,
            precision: reports::Precision::P64,
            deadline: Duration::from_secs(60),
            host_name: "reference".to_owned(),
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
