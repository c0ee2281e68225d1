//! `concord diff`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use reports::certificate::{FILE_NAME, RESULTS, Statement, from_bytes};
use reports::perf::PerfLog;
use reports::perf::history::{Movement, Series, in_order};
use reports::{ChangeKind, Log, difference};

use super::issue::read;
use crate::Usage;

/// What `concord bench` leaves in its folder.
const TIMES: &str = "perf.json";

const EXAMPLES: &str = "\
Examples:
  concord diff before after                  two folders of `certify`, of `bench`, or of both
  concord diff before/perf.json after/perf.json

Times are compared where both have a perf.json: the ratio to the base of the same run, by the rules of `concord bench --compare`.
Of two runs nobody can tell which was odd, so a slower function is said, and does not change the exit code.";

/// Compares two runs, and their certificates and times where both have them: what was gained, lost, newly waived, slowed.
///
/// Exit code 1 if something was lost, else 0.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Diff {
    /// The folder of a run, or a file in it; or a perf.json
    before: PathBuf,
    /// The folder of a later run, or a file in it; or a perf.json
    after: PathBuf,
}

impl Diff {
    pub(super) fn run(&self) -> Result<u8> {
        let (before, after) = (Side::open(&self.before)?, Side::open(&self.after)?);
        let runs = before.run.as_ref().zip(after.run.as_ref());
        let times = before.times.as_ref().zip(after.times.as_ref());
        if runs.is_none() && times.is_none() {
            let why = format!("nothing to compare: both need a {RESULTS}, or both a {TIMES}");
            return Err(Usage(why).into());
        }
        let one_sided = |is: bool, what: &str, file: &str| match is {
            true => format!("  {what} are not compared: only one of both has a {file}\n"),
            false => String::new(),
        };
        let changes = runs.map(|(old, new)| of_runs(old, new));
        let mut text = match &changes {
            Some(changes) if changes.is_empty() => "  nothing was gained or lost\n".to_owned(),
            Some(changes) => changes.iter().map(|(_, line)| line.as_str()).collect(),
            None => one_sided(before.run.is_some() != after.run.is_some(), "answers", RESULTS),
        };
        text += &match times {
            Some((old, new)) => of_times(old, new),
            None => one_sided(before.times.is_some() != after.times.is_some(), "times", TIMES),
        };
        super::print(&text);
        Ok(u8::from(changes.iter().flatten().any(|(lost, _)| *lost)))
    }
}

/// What there is of a run.
struct Side {
    run: Option<Run>,
    times: Option<PerfLog>,
}

struct Run {
    log: Log,
    certificate: Option<Statement>,
}

impl Side {
    fn open(path: &Path) -> Result<Side> {
        if !path.is_dir()
            && let Ok(text) = std::fs::read_to_string(path)
            && let Ok(times) = PerfLog::from_json(&text)
        {
            return Ok(Side { run: None, times: Some(times) });
        }
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
        let times = folder.join(TIMES);
        let times = match std::fs::read_to_string(&times) {
            Ok(text) => Some(
                PerfLog::from_json(&text).with_context(|| format!("read {}", times.display()))?,
            ),
            Err(_) => None,
        };
        let results = folder.join(RESULTS);
        let run = match times.is_some() && !results.exists() {
            true => None,
            false => Some(Run::open(folder)?),
        };
        Ok(Side { run, times })
    }
}

impl Run {
    fn open(folder: &Path) -> Result<Run> {
        let log = Log::read(read(&folder.join(RESULTS))?.as_slice())
            .with_context(|| format!("read {}", folder.display()))?;
        let certificate = std::fs::read(folder.join(FILE_NAME)).ok();
        Ok(Run { log, certificate: certificate.map(|bytes| from_bytes(&bytes)).transpose()? })
    }
}

fn line(word: &str, function: &str, what: &str) -> String {
    format!("  {word:<24} {function:<18} {what}\n")
}

/// Lines about what changed, and whether each is a loss.
fn of_runs(before: &Run, after: &Run) -> Vec<(bool, String)> {
    let changes = difference(&before.log, &after.log);
    let said = |c: &reports::Change| {
        (c.kind == ChangeKind::Lost, line(c.kind.name(), &c.function, &c.what))
    };
    let mut lines: Vec<(bool, String)> = changes.iter().map(said).collect();
    if let (Some(old), Some(new)) = (&before.certificate, &after.certificate) {
        let names = |of: &Statement| of.predicate.granted.functions.keys().cloned().collect();
        let functions: BTreeSet<String> =
            [old, new].map(names).into_iter().flat_map(|names: Vec<_>| names).collect();
        for function in functions {
            let (then, now) = (old.level(&function), new.level(&function));
            if then != now {
                let word = if now < then { "lost" } else { "gained" };
                let what = format!("level {then} before, {now} now");
                lines.push((now < then, line(word, &function, &what)));
            }
        }
    }
    lines
}

/// What is slower or faster, of the workloads that both runs have on one machine and beside one base.
fn of_times(before: &PerfLog, after: &PerfLog) -> String {
    let all = in_order(&[before, after]);
    let moved: String = all.iter().filter_map(movement).collect();
    let both = all.iter().filter(|one| one.movement() != Movement::Alone).count();
    match (both, moved.is_empty()) {
        (0, _) => "  times are not compared: no workload was timed in both on one machine, beside one base\n".to_owned(),
        (_, true) => format!("  no time changed by more than noise explains, of {both} that both have\n"),
        _ => moved,
    }
}

fn movement(one: &Series) -> Option<String> {
    let Movement::Moved(ratio) = one.movement() else { return None };
    let word = if ratio.at > 1.0 { "slower" } else { "faster" };
    let (function, asked) = one.workload.split_once(' ').unwrap_or((&one.workload, ""));
    let what = format!(
        "{asked}: {} takes {:.2} times what it took [{:.2}, {:.2}], beside {}; measure again",
        one.backend, ratio.at, ratio.low, ratio.high, one.base
    );
    Some(line(word, function, &what))
}
