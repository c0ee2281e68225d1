//! `concord report`

use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use reports::certificate::{FILE_NAME, from_bytes};
use reports::{Log, decide, render};

/// Renders the log of an earlier run again.
#[derive(Args)]
pub(super) struct Report {
    /// The folder of a run, or its results.jsonl
    path: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
    /// One page; with the certificate that lies beside the log
    Html,
    /// JUnit XML
    Junit,
    /// Workflow commands of GitHub Actions
    Annotations,
}

impl Report {
    pub(super) fn run(&self) -> Result<u8> {
        let path =
            if self.path.is_dir() { self.path.join("results.jsonl") } else { self.path.clone() };
        let file = std::fs::File::open(&path).with_context(|| {
            format!("open {}: `concord certify` writes one into its --out folder", path.display())
        })?;
        let log =
            Log::read(BufReader::new(file)).with_context(|| format!("read {}", path.display()))?;
        super::print(&match self.format {
            Format::Text => {
                render::text(&log, render::Style { color: super::colours(), width: 110 })
            }
            Format::Markdown => render::markdown(&log),
            Format::Json => format!("{:#}\n", render::json_summary(&log)),
            Format::Junit => render::junit(&log)?,
            Format::Annotations => render::annotations(&log),
            Format::Html => {
                let beside = std::fs::read(path.with_file_name(FILE_NAME)).ok();
                let certificate = beside.map(|bytes| from_bytes(&bytes)).transpose()?;
                render::html(&log, certificate.as_ref())
            }
        });
        Ok(decide(&log).outcome.exit_code())
    }
}
