//! `concord diff`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use reports::certificate::{FILE_NAME, RESULTS, Statement, from_bytes};
use reports::{ChangeKind, Log, difference};

use super::issue::read;

/// Compares two runs, and their certificates where they lie beside the logs: what was gained, lost, newly waived.
///
/// Exit code 1 if something was lost, else 0.
#[derive(Args)]
pub(super) struct Diff {
    /// The folder of a run, or a file in it
    before: PathBuf,
    /// The folder of a later run, or a file in it
    after: PathBuf,
}

impl Diff {
    pub(super) fn run(&self) -> Result<u8> {
        let ((before, old), (after, new)) = (load(&self.before)?, load(&self.after)?);
        let changes = difference(&before, &after);
        let mut lost = changes.iter().any(|c| c.kind == ChangeKind::Lost);
        let line = |c: &reports::Change| {
            format!("  {:<24} {:<18} {}\n", c.kind.name(), c.function, c.what)
        };
        let mut text: String = changes.iter().map(line).collect();
        if let (Some(old), Some(new)) = (old, new) {
            let both = old
                .predicate
                .granted
                .functions
                .keys()
                .chain(new.predicate.granted.functions.keys());
            for function in both.collect::<std::collections::BTreeSet<_>>() {
                let (then, now) = (old.level(function), new.level(function));
                if then != now {
                    lost |= now < then;
                    let word = if now < then { "lost" } else { "gained" };
                    text +=
                        &format!("  {word:<24} {function:<18} level {then} before, {now} now\n");
                }
            }
        }
        if text.is_empty() {
            text += "  nothing was gained or lost\n";
        }
        super::print(&text);
        Ok(u8::from(lost))
    }
}

/// The log of a run, and the certificate beside it.
fn load(path: &Path) -> Result<(Log, Option<Statement>)> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let log = Log::read(read(&folder.join(RESULTS))?.as_slice())
        .with_context(|| format!("read {}", folder.display()))?;
    let certificate = std::fs::read(folder.join(FILE_NAME)).ok();
    Ok((log, certificate.map(|bytes| from_bytes(&bytes)).transpose()?))
}
