//! How good the examiner is: every mutant examined with the settings that are published.
//!
//! Plan, seeds, tolerances and shrinking are those of `concord certify` for the same tier; the only
//! difference is that a mutant is done with at the first case in which the check it names fails, since what comes
//! after changes nothing. The summary is what a certificate carries about its examiner.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dispatch::Backend;
use reports::{Precision, Record, Shrunk, Verdict};
use serde::Serialize;

use crate::examine::{Examination, Session};
use crate::mutants::{self, Class, EQUIVALENT, Mutant, MutantBackend};
use crate::plan::{Plan, Tier, run_seed};
use crate::shrink::{Budget, shrink};
use crate::{CONTRACTS, Case, causes};

/// The version of the summary.
pub const FORMAT: u32 = 1;
/// How long one call of a mutant may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Found by the check it names.
    Killed,
    /// Found, but by other checks only.
    KilledByOther,
    /// Not found.
    Survived,
}

/// The smallest input on which a mutant is found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Smallest {
    /// Number of cells.
    pub cells: usize,
    /// Number of genes.
    pub genes: usize,
    /// Calls of the mutant that shrinking took.
    pub calls: u64,
    /// The recipe.
    pub recipe: String,
    /// One command that shows it.
    pub replay: String,
}

/// One mutant and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Its name.
    pub mutant: &'static str,
    /// The function it is made in.
    pub function: &'static str,
    /// The row of the specification; empty for mistakes beyond it.
    pub spec: &'static str,
    /// What kind of mistake it is.
    pub class: Class,
    /// The mistake.
    pub mistake: &'static str,
    /// The check it names.
    pub check: &'static str,
    /// What became of it.
    pub fate: Fate,
    /// The checks that failed on the way, each with the number of cases.
    pub found_by: BTreeMap<String, u64>,
    /// Cases run until it was found, or all of them.
    pub cases: u64,
    /// The smallest input that shows it, if it was found.
    pub shrunk: Option<Smallest>,
}

/// A change that no answer can show, and whether one did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Control {
    /// Its name.
    pub mutant: &'static str,
    /// The function it is made in.
    pub function: &'static str,
    /// Why no answer can show it.
    pub proof: &'static str,
    /// The case and check that found it all the same.
    pub refuted: Option<String>,
}

/// Killed of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Found by any check.
    pub killed: usize,
    /// All.
    pub of: usize,
}

/// A median, a high quantile and the largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// Half are at most this.
    pub median: u64,
    /// Nine of ten are at most this.
    pub p90: u64,
    /// The largest.
    pub max: u64,
}

/// What is known about the examiner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the examiner.
    pub examiner: &'static str,
    /// The tier whose settings were used.
    pub tier: &'static str,
    /// Over all mutants.
    pub all: Score,
    /// Over those that the specification asks for.
    pub spec: Score,
    /// How many of the killed were found by the check they name.
    pub by_named_check: usize,
    /// By function and class.
    pub by_function: BTreeMap<&'static str, BTreeMap<Class, Score>>,
    /// Cells of the shrunk inputs.
    pub cells: Spread,
    /// Genes of the shrunk inputs.
    pub genes: Spread,
    /// Calls of the backend that shrinking took.
    pub calls: Spread,
    /// Every mutant.
    pub mutants: Vec<Trial>,
    /// Every change that no answer can show.
    pub equivalent: Vec<Control>,
}

/// Runs the mutants of some functions on `jobs` threads; `progress` is told of each that is done.
pub fn measure(
    functions: &[String],
    tier: Tier,
    jobs: usize,
    progress: impl Fn(&str) + Sync,
) -> Summary {
    let wanted = |function: &str| functions.iter().any(|f| f == function);
    let chosen: Vec<&'static Mutant> = mutants::all().filter(|m| wanted(m.function)).collect();
    let controls: Vec<_> = EQUIVALENT.iter().filter(|e| wanted(e.function)).collect();
    let trials = in_parallel(jobs, &chosen, |mutant| {
        let trial = try_mutant(mutant, tier);
        progress(mutant.name);
        trial
    });
    let equivalent = in_parallel(jobs, &controls, |equivalent| {
        let backend = MutantBackend::equivalent(equivalent);
        let refuted = refutation(backend, equivalent.function, tier);
        progress(equivalent.name);
        let (mutant, function, proof) = (equivalent.name, equivalent.function, equivalent.proof);
        Control { mutant, function, proof, refuted }
    });
    Summary::of(tier, trials, equivalent)
}

/// `f` of each item, in order, on plain threads: a mutant may use rayon itself, and wait for ever for threads that
/// wait for it.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    jobs: usize,
    items: &[T],
    f: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((i, item)) = {
            let i = next.fetch_add(1, Ordering::Relaxed);
            items.get(i).map(|item| (i, item))
        } {
            done.push((i, f(item)));
        }
        done
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The examination of a backend by the reference, as `concord certify` sets it up, and its plan for one function.
fn set_up(backend: MutantBackend, function: &str, tier: Tier) -> (Examination, Plan) {
    let host: Arc<dyn Backend> = Arc::new(reference::backend());
    let seed = run_seed(backend.manifest(), host.manifest(), "");
    let generators: Vec<_> = generators::generator(function).into_iter().collect();
    let plan = Plan::generated(&generators, tier, seed);
    let host_name = host.manifest().name.clone();
    let backend_name = backend.manifest().name.clone();
    let backend: Arc<dyn Backend> = Arc::new(backend);
    let replay_args = String::new();
    let precision = Precision::P64;
    let deadline = DEADLINE;
    (Examination { host, backend, precision, deadline, host_name, backend_name, replay_args }, plan)
}

/// Runs one mutant until the check it names fails.
pub fn try_mutant(mutant: &'static Mutant, tier: Tier) -> Trial {
    let (examination, plan) = set_up(MutantBackend::new(mutant), mutant.function, tier);
    let mut session = examination.session();
    let mut trial = Trial {
        mutant: mutant.name,
        function: mutant.function,
        spec: mutant.spec,
        class: mutant.class,
        mistake: mutant.mistake,
        check: mutant.check,
        fate: Fate::Survived,
        found_by: BTreeMap::new(),
        cases: 0,
        shrunk: None,
    };
    let mut other: Option<(&Case, String)> = None;
    for (source, case) in &plan.cases {
        trial.cases += 1;
        let record = session.record(*source, case);
        let Some(check) = failed_check(&record) else { continue };
        *trial.found_by.entry(check.clone()).or_default() += 1;
        // What is looked for in smaller inputs says also which exception it was.
        let symptom = causes::failed_check(&record);
        if check == mutant.check {
            trial.shrunk = smallest(&mut session, case, &symptom);
            if trial.shrunk.is_some() {
                trial.fate = Fate::Killed;
                return trial;
            }
        }
        other.get_or_insert((case, symptom));
    }
    if let Some((case, check)) = other {
        trial.shrunk = smallest(&mut session, case, &check);
        trial.fate = Fate::KilledByOther;
    }
    trial
}

/// The check that fails in a case, if the verdict speaks against the backend; the verdict, if there was nothing to check.
fn failed_check(record: &Record) -> Option<String> {
    let name = || record.failed_check().map_or(record.verdict.name(), |check| &check.name);
    record.verdict.condemns().then(|| name().to_owned())
}

fn smallest(session: &mut Session<'_>, case: &Case, symptom: &str) -> Option<Smallest> {
    let Shrunk { n_obs, n_vars, calls, recipe, replay, .. } =
        shrink(session, case, symptom, Budget::default())?.shrunk;
    Some(Smallest { cells: n_obs, genes: n_vars, calls, recipe, replay })
}

/// The first case that shows a change that none should.
fn refutation(backend: MutantBackend, function: &str, tier: Tier) -> Option<String> {
    let (examination, plan) = set_up(backend, function, tier);
    let mut session = examination.session();
    plan.cases.iter().find_map(|(source, case)| {
        let record = session.record(*source, case);
        let infra = || (record.verdict == Verdict::Infra).then(|| record.reason.clone());
        let check = failed_check(&record).or_else(infra)?;
        Some(format!("{check} on {}", record.case))
    })
}

impl Summary {
    fn of(tier: Tier, mutants: Vec<Trial>, equivalent: Vec<Control>) -> Summary {
        let score = |keep: &dyn Fn(&Trial) -> bool| {
            let kept = || mutants.iter().filter(|t| keep(t));
            Score {
                killed: kept().filter(|t| t.fate != Fate::Survived).count(),
                of: kept().count(),
            }
        };
        let shrunk: Vec<&Smallest> = mutants.iter().filter_map(|t| t.shrunk.as_ref()).collect();
        let spread =
            |number: &dyn Fn(&Smallest) -> u64| Spread::of(shrunk.iter().map(|s| number(s)));
        let classes = |function: &'static str| {
            let of = |class| (class, score(&|t| t.function == function && t.class == class));
            Class::ALL.map(of).into_iter().filter(|(_, score)| score.of > 0).collect()
        };
        let functions = CONTRACTS.iter().map(|c| c.function);
        let functions = functions.filter(|f| mutants.iter().any(|t| t.function == *f));
        Summary {
            format: FORMAT,
            examiner: env!("CARGO_PKG_VERSION"),
            tier: tier.name(),
            all: score(&|_| true),
            spec: score(&|t| !t.spec.is_empty()),
            by_named_check: mutants.iter().filter(|t| t.fate == Fate::Killed).count(),
            by_function: functions.map(|f| (f, classes(f))).collect(),
            cells: spread(&|s| s.cells as u64),
            genes: spread(&|s| s.genes as u64),
            calls: spread(&|s| s.calls),
            mutants,
            equivalent,
        }
    }

    /// The mutants that were not found.
    pub fn survivors(&self) -> impl Iterator<Item = &Trial> {
        self.mutants.iter().filter(|t| t.fate == Fate::Survived)
    }

    /// Whether every mutant was found and no proof was refuted.
    pub fn is_adequate(&self) -> bool {
        self.survivors().next().is_none() && self.equivalent.iter().all(|e| e.refuted.is_none())
    }
}

impl Spread {
    /// Of some numbers; zeros if there are none. A quantile is the smallest number that enough are not above.
    fn of(numbers: impl Iterator<Item = u64>) -> Spread {
        let mut sorted: Vec<u64> = numbers.collect();
        sorted.sort_unstable();
        let at = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
        };
        Spread { median: at(0.5), p90: at(0.9), max: at(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numbers_that_occur() {
        let spread = |n: &[u64]| Spread::of(n.iter().copied());
        assert_eq!(spread(&[]), Spread::default());
        assert_eq!(spread(&[7]), Spread { median: 7, p90: 7, max: 7 });
        assert_eq!(spread(&[5, 1, 4, 2, 3, 10, 6, 9, 7, 8]), Spread { median: 5, p90: 9, max: 10 });
    }

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..40).collect();
        assert_eq!(
            in_parallel(3, &items, |i| 2 * i),
            items.iter().map(|i| 2 * i).collect::<Vec<_>>()
        );
    }
}
