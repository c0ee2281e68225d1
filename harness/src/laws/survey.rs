//! Laws asked of a backend on many cases, without a host.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use reports::{Ratio, Shrunk};

use super::{Law, Trial};
use crate::Case;
use crate::examine::{Examination, Session};
use crate::shrink::{Budget, shrink_law};

/// What one law showed.
pub struct Tally {
    /// The law.
    pub law: &'static Law,
    /// Cases it said something about.
    pub cases: u64,
    /// Elements compared on them.
    pub compared: u64,
    /// The largest distance over its allowance.
    pub worst: Ratio,
    /// Cases on which it was broken.
    pub broken: u64,
    /// Cases on which no allowance could be derived.
    pub faults: u64,
    /// The first case on which it was broken and the check that failed, shrunk if it failed again.
    pub first: Option<(Case, String, Option<Shrunk>)>,
}

/// What all laws showed.
pub struct Survey {
    /// One entry per law, in the order in which the laws were given.
    pub tallies: Vec<Tally>,
    /// Cases that the backend answered.
    pub answered: u64,
}

/// One law on one case, without the answers.
struct Note {
    case: usize,
    compared: u64,
    worst: Ratio,
    failed: Option<String>,
    fault: bool,
}

/// Asks each law on each case of its function that the backend answers, on `jobs` threads; `progress` is told of each
/// case. Of the examination's host only the manifest is used: calls are written in its parameters.
pub fn survey(
    examination: &Examination,
    cases: &[Case],
    laws: &[&'static Law],
    jobs: usize,
    progress: impl Fn() + Sync,
) -> Survey {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut session = examination.session();
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(at) else { break done };
            let notes = on_case(&mut session, case, laws);
            done.push((at, notes));
            progress();
        }
    };
    // Plain threads: each waits for a backend, which may use rayon itself.
    let mut done: Vec<(usize, Option<Vec<Trial>>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    let answered = done.iter().filter(|(_, trials)| trials.is_some()).count() as u64;
    let mut notes: BTreeMap<&str, Vec<Note>> = BTreeMap::new();
    for (case, trials) in done {
        for trial in trials.into_iter().flatten() {
            notes.entry(trial.law.id).or_default().push(note(case, &trial));
        }
    }
    let mut session = examination.session();
    let tallies = laws
        .iter()
        .map(|law| {
            let notes = notes.remove(law.id).unwrap_or_default();
            tally(&mut session, cases, law, &notes)
        })
        .collect();
    Survey { tallies, answered }
}

/// `None` if the backend gave no answer.
fn on_case(session: &mut Session<'_>, case: &Case, laws: &[&'static Law]) -> Option<Vec<Trial>> {
    let call = case.build();
    let reply = session.answer(&call).ok()?;
    let mut trials = session.trials(&call, &reply, laws, usize::MAX);
    // The answers are large, and only the comparisons are needed.
    trials.iter_mut().for_each(|trial| trial.twisted = None);
    Some(trials)
}

fn note(case: usize, trial: &Trial) -> Note {
    let failed = trial.checks.iter().find(|check| check.finding.is_some());
    Note {
        case,
        compared: trial.checks.iter().map(|check| check.compared).sum(),
        worst: trial.checks.iter().map(|check| check.worst).fold(Ratio::EXACT, Ratio::worse),
        failed: failed.map(|check| check.name.clone()),
        fault: trial.fault.is_some(),
    }
}

fn tally(session: &mut Session<'_>, cases: &[Case], law: &'static Law, notes: &[Note]) -> Tally {
    let first = notes.iter().find_map(|note| {
        let check = note.failed.clone()?;
        let case = cases[note.case].clone();
        let shrunk = shrink_law(session, law, &case, &check, Budget::default());
        Some((case, check, shrunk))
    });
    let count = |which: fn(&Note) -> bool| notes.iter().filter(|note| which(note)).count() as u64;
    Tally {
        law,
        cases: count(|note| note.compared > 0),
        compared: notes.iter().map(|note| note.compared).sum(),
        worst: notes.iter().map(|note| note.worst).fold(Ratio::EXACT, Ratio::worse),
        broken: count(|note| note.failed.is_some()),
        faults: count(|note| note.fault),
        first,
    }
}
