//! Annotations of a GitHub workflow: a line on standard output for each of the worst failures.

use super::phrase;
use super::tally::{Failure, Tally};
use crate::Log;

/// GitHub shows ten annotations of a kind per step and drops the others in silence; two are left for others.
const MOST: usize = 8;

/// Workflow commands, worst failure first; the last says how many more there are.
pub fn annotations(log: &Log) -> String {
    let tally = Tally::of(log);
    let [host, _] = phrase::sides(&log.header);
    let shown = if tally.failures.len() > MOST { MOST - 1 } else { MOST };
    let line = |failure: &Failure<'_>| {
        let title = property(&format!("{}: {}", failure.function, failure.check));
        let replay = failure.shrunk().map(|s| format!("\n{}", s.replay)).unwrap_or_default();
        format!(
            "::error title={title}::{}\n",
            data(&format!("{}{replay}", phrase::claim(failure, &host)))
        )
    };
    let mut out: String = tally.failures.iter().take(shown).map(line).collect();
    if tally.failures.len() > shown {
        let more = tally.failures.len() - shown;
        out += &format!("::error title=concord::{more} more distinct failures are in the report\n");
    }
    out
}

/// A message; what ends or begins a command is escaped.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(phrase::clean).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
