//! What is written when all records of a run are there: the log, the reports, the capsules, the certificate.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use reports::certificate::RESULTS;
use reports::{Log, Record, decide, render};

use super::environment::Watched;
use super::request::{Prepared, Request};
use crate::examine::{Examined, Options};

/// Where results go.
#[derive(Args)]
pub(super) struct Destination {
    /// Folder for results.jsonl, the reports, the certificate, and the capsules of what differs
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Print a JSON summary instead of text
    #[arg(long)]
    pub(super) json: bool,
}

impl Destination {
    /// Waives, shrinks and decides, writes everything, and returns the exit code. The records are all of the plan, in
    /// its order; whether one run made them or several does not matter.
    pub(super) fn conclude(
        &self,
        request: &Request,
        prepared: Prepared,
        records: Vec<Record>,
        watched: &Watched,
    ) -> Result<u8> {
        let Prepared { examination, plan, header, waivers } = prepared;
        let dir = self.out.join("capsules");
        let place = dir.to_string_lossy();
        let options =
            Options { waivers: waivers.as_ref(), capsules: Some(&place), ..Options::default() };
        let Examined { log, capsules } = examination.conclude(&plan, header, options, records);
        write_results(&log, &self.out)?;
        for capsule in &capsules {
            // The log holds the counterexample too; a file that cannot be written takes nothing from the verdict.
            if let Err(error) = capsule.write(&dir) {
                eprintln!("concord: {error:#}");
            }
        }
        for (w, problem) in log.header.waivers.iter().filter_map(|w| Some((w, w.problem.as_ref()?)))
        {
            let (function, kind, select) = (&w.function, &w.kind, &w.select);
            eprintln!("concord: waiver of {function}, {kind}, where {select}: {problem}");
        }
        if self.json {
            super::print(&format!("{:#}\n", render::json_summary(&log)));
        } else {
            let style = render::Style { color: super::colours(), width: 110 };
            super::print(&render::text(&log, style));
            super::print(&format!("\nThe log and the report are in {}\n", self.out.display()));
        }
        // A quick tier certifies nothing, and says so at the end of its report.
        if request.certifies(&log) {
            let said = request.issue.write(&log, &request.challenge, watched, &self.out)?;
            if !self.json {
                super::print(&said);
            }
        }
        Ok(decide(&log).outcome.exit_code())
    }
}

/// Puts the log in the place of the journal, in one step: whoever is killed here leaves the one or the other.
pub(super) fn write_log(log: &Log, out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("create folder {}", out.display()))?;
    let (path, new) = (out.join(RESULTS), out.join("results.jsonl.new"));
    let file = File::create(&new).with_context(|| format!("create {}", new.display()))?;
    log.write(BufWriter::new(file)).with_context(|| format!("write {}", new.display()))?;
    std::fs::rename(&new, &path).with_context(|| format!("write {}", path.display()))
}

fn write_results(log: &Log, out: &Path) -> Result<()> {
    write_log(log, out)?;
    let summary = format!("{:#}\n", render::json_summary(log));
    let files = [
        ("report.md", render::markdown(log)),
        ("report.html", render::html(log, None)),
        ("junit.xml", render::junit(log).context("write JUnit XML")?),
        ("summary.json", summary),
    ];
    for (name, text) in files {
        let path = out.join(name);
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}
