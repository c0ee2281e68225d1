//! Laws that every right answer keeps, whoever computes it: scale the weights and Moran's I stays.
//!
//! A law needs no host. It changes a call in a way whose effect on the answer is known, asks the same
//! backend again, and compares the two answers. So it finds mistakes that host and backend share, and it
//! works where no host can be run. Allowances are those of the contracts, one side's share for each
//! answer; a law speaks only where it is true of every right backend on that input, and is silent elsewhere.
//!
//! The laws are M1-M18, C1-C13 and L1-L16 of the specification, part D.

mod co_occurrence;
mod ligrec;
mod spatial_autocorr;
mod survey;
mod twist;

use std::cell::LazyCell;
use std::sync::Arc;

use dispatch::{Call, Digest, Fault, Reply};
use generators::Random;
use reports::{Check, Source, Verdict};

use crate::compare::Checks;
use crate::judge::{Judgement, Outcome};
use crate::{Profile, Usage, contract};

pub use survey::{Survey, Tally, survey};

/// Laws that a case of the must-pass list is asked.
const PER_MUST_PASS: usize = 2;
/// Of so many cases drawn at random one is asked a law.
const SAMPLED: u64 = 4;
/// Most cells of a call that is asked a law. Of every pair of cells a law asks several times whether it is in doubt, which for
/// 47,000 of them takes a minute; a mistake of size is the host's to find.
const MOST_CELLS: usize = 10_000;

/// One law.
pub struct Law {
    /// Its number in the specification: `M4`.
    pub id: &'static str,
    /// The function it speaks about.
    pub function: &'static str,
    /// What holds, in one sentence.
    pub statement: &'static str,
    /// How it is asked.
    pub claim: Claim,
}

/// What a law compares.
pub enum Claim {
    /// One answer with itself.
    Answer {
        /// Whether the law says anything about the answer to this call.
        applies: fn(&Call) -> bool,
        /// Compares.
        ///
        /// # Errors
        /// When no allowance can be derived from the call; a fault of the harness.
        holds: fn(&Answered<'_>, &mut Checks) -> Result<(), Fault>,
    },
    /// The answer to a call with the answer to a changed call.
    Twist {
        /// The changed call; `None` where the law says nothing.
        twist: fn(&Call, &mut Random) -> Option<Call>,
        /// Compares the first answer with the second.
        ///
        /// # Errors
        /// As for one answer.
        holds: fn(&Answered<'_>, &Answered<'_>, &mut Checks) -> Result<(), Fault>,
    },
}

/// A call and the backend's answer to it.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The call.
    pub call: &'a Call,
    /// The answer.
    pub reply: &'a Reply,
    /// The arithmetic of the backend.
    pub profile: Profile,
}

/// What became of one law on one call.
pub struct Trial {
    /// The law.
    pub law: &'static Law,
    /// The changed call and what the backend said to it, if there is one.
    pub twisted: Option<(Arc<Call>, Outcome)>,
    /// The comparisons, named `law M4: I`.
    pub checks: Vec<Check>,
    /// Why no allowance could be derived, if so.
    pub fault: Option<Fault>,
}

impl Trial {
    /// Whether the law is broken.
    pub fn is_broken(&self) -> bool {
        self.checks.iter().any(|c| c.finding.is_some())
    }
}

/// Every law, by function and number.
pub fn all() -> impl Iterator<Item = &'static Law> {
    [spatial_autocorr::LAWS, co_occurrence::LAWS, ligrec::LAWS].into_iter().flatten()
}

/// The laws of a function.
pub fn of(function: &str) -> Vec<&'static Law> {
    all().filter(|law| law.function == function).collect()
}

/// The law of a number.
///
/// # Errors
/// [`Usage`] if there is none, with the nearest.
pub fn find(id: &str) -> Result<&'static Law, Usage> {
    all().find(|law| law.id == id).ok_or_else(|| Usage::unknown("law", id, all().map(|l| l.id)))
}

/// The law that a check of this name belongs to, if any.
pub fn of_check(name: &str) -> Option<&'static Law> {
    let (id, _) = name.strip_prefix("law ")?.split_once(':')?;
    find(id).ok()
}

/// The laws of the function, from a place that the digest of the call decides, and how many of them to ask.
pub(crate) fn chosen(call: &Call, source: Source, input: &Digest) -> (Vec<&'static Law>, usize) {
    let mut laws = of(&call.function);
    let start = seed(input) as usize % laws.len().max(1);
    laws.rotate_left(start);
    let asked = match source {
        _ if call.data.n_obs() > MOST_CELLS => 0,
        Source::MustPass | Source::Regression => PER_MUST_PASS,
        Source::Sampled if (seed(input) >> 32).is_multiple_of(SAMPLED) => 1,
        Source::Sampled | Source::File | Source::Golden | Source::Statistical => 0,
    };
    (laws, asked)
}

/// Asks one law of a backend that has answered the call; `None` if the law says nothing about it. `input` is the digest of
/// the call, from which a law that changes it at random takes its seed.
pub fn ask(
    law: &'static Law,
    call: &Call,
    reply: &Reply,
    profile: Profile,
    input: &LazyCell<Digest, impl FnOnce() -> Digest>,
    mut answer: impl FnMut(&Arc<Call>) -> Outcome,
) -> Option<Trial> {
    let defined = |call: &Call| {
        !profile.squidpy_defects
            || contract(law.function).and_then(|c| (c.host_undefined)(call)).is_none()
    };
    if law.function != call.function || !defined(call) {
        return None;
    }
    let before = Answered { call, reply, profile };
    let mut checks = Checks::default();
    let (twisted, done) = match law.claim {
        Claim::Answer { applies, holds } => {
            if !applies(call) {
                return None;
            }
            (None, holds(&before, &mut checks))
        }
        Claim::Twist { twist, holds } => {
            let mut random = Random::new(seed(input), law.id);
            let twisted = Arc::new(twist(call, &mut random).filter(defined)?);
            let outcome = answer(&twisted);
            let done = match &outcome {
                Ok(reply) => {
                    let after = Answered { call: &twisted, reply, profile };
                    holds(&before, &after, &mut checks)
                }
                Err(Fault::Unsupported(_)) => return None,
                Err(fault) => {
                    checks.equal("answered", "", "an answer", &fault.to_string());
                    Ok(())
                }
            };
            (Some((twisted, outcome)), done)
        }
    };
    let mut checks = checks.checks;
    checks.iter_mut().for_each(|check| check.name = format!("law {}: {}", law.id, check.name));
    Some(Trial { law, twisted, checks, fault: done.err() })
}

/// Adds what laws showed to what is known of a case.
pub(crate) fn add(trial: Trial, judgement: &mut Judgement) {
    if trial.is_broken() {
        (judgement.verdict, judgement.reason) = (Verdict::Fail, String::new());
    } else if let Some(fault) = &trial.fault {
        judgement.verdict = Verdict::Infra;
        judgement.reason = format!("law {}: no allowance could be derived: {fault}", trial.law.id);
    }
    judgement.checks.extend(trial.checks);
}

/// What laws alone conclude about a call: nothing is known beside what they showed.
pub(crate) fn judgement(trials: Vec<Trial>) -> Judgement {
    let (verdict, reason) = match trials.is_empty() {
        true => (Verdict::Inconclusive, "the law says nothing about this call".to_owned()),
        false => (Verdict::Pass, String::new()),
    };
    let mut judgement = Judgement { verdict, reason, checks: Vec::new() };
    trials.into_iter().for_each(|trial| add(trial, &mut judgement));
    judgement
}

fn seed(digest: &Digest) -> u64 {
    digest.bytes().iter().take(8).fold(0, |acc, &byte| acc << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_law_of_the_specification_is_there_once() {
        let ids: BTreeSet<&str> = all().map(|law| law.id).collect();
        let numbered = |letter: &str, n: u32| (1..=n).map(|i| format!("{letter}{i}")).collect();
        let wanted: Vec<Vec<String>> =
            vec![numbered("M", 18), numbered("C", 13), numbered("L", 16)];
        let wanted: BTreeSet<&str> = wanted.iter().flatten().map(String::as_str).collect();
        assert_eq!(ids, wanted);
        assert_eq!(all().count(), ids.len());
        assert!(all().all(|law| contract(law.function).is_some()));
    }

    #[test]
    fn a_check_leads_back_to_its_law() {
        assert_eq!(of_check("law C10: counts").map(|law| law.id), Some("C10"));
        assert!(of_check("I: value").is_none() && of_check("law X1: I").is_none());
        assert!(find("M4x").is_err_and(|usage| usage.to_string().contains("did you mean `M4`")));
    }
}
