//! `concord golden`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use indicatif::ProgressBar;
use reports::{Blame, Outcome, render};
use serde_json::json;

use crate::golden::{Corpus, GoldenResult};
use crate::{Usage, backends};

/// Compares a backend with stored answers of a real host.
#[derive(Args)]
pub(super) struct Golden {
    /// Folder with cases.json, inputs/ and expected/; default: the slice that comes with the project
    dir: Option<PathBuf>,
    /// The backend to compare
    #[arg(long, default_value = "reference", value_name = "NAME")]
    backend: String,
    /// Show only cases whose id contains this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Seconds that one call may take
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    deadline: f64,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Golden {
    pub(super) fn run(&self) -> Result<u8> {
        let backend = backends::open(&self.backend)?.backend;
        let mut corpus =
            Corpus::read(&self.dir.clone().unwrap_or_else(backends::default_golden_dir))?;
        if let Some(only) = &self.only {
            corpus.cases.retain(|case| case.id.contains(only.as_str()));
            if corpus.cases.is_empty() {
                return Err(Usage(format!("no case has an id that contains `{only}`")).into());
            }
        }
        let bar = ProgressBar::new(corpus.cases.len() as u64);
        let results =
            corpus
                .compare(&backend, Duration::from_secs_f64(self.deadline.max(1e-3)), || bar.inc(1));
        bar.finish_and_clear();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for result in &results {
            *counts.entry(result.word()).or_default() += 1;
        }
        let compared: u64 =
            results.iter().flat_map(|r| &r.exchange.judgement.checks).map(|c| c.compared).sum();
        super::print(&if self.json {
            as_json(&results, &counts)
        } else {
            as_text(&results, &counts, compared)
        });
        let outcome = if counts.contains_key("differ") {
            Outcome::NotConformant
        } else if compared == 0 {
            Outcome::Inconclusive
        } else {
            Outcome::Conformant
        };
        Ok(outcome.exit_code())
    }
}

fn as_text(results: &[GoldenResult<'_>], counts: &BTreeMap<&str, usize>, compared: u64) -> String {
    let mut out = String::new();
    for result in results {
        let judgement = &result.exchange.judgement;
        let worst = judgement
            .checks
            .iter()
            .map(|c| c.worst)
            .fold(reports::Ratio::EXACT, reports::Ratio::worse);
        let n: u64 = judgement.checks.iter().map(|c| c.compared).sum();
        let measured = if n > 0 {
            format!("{n} compared, worst {worst} of the allowance")
        } else {
            String::new()
        };
        let reason = if judgement.reason.is_empty() {
            String::new()
        } else {
            format!(" ({})", judgement.reason)
        };
        out += &format!("{:<16} {:<36} {measured}{reason}\n", result.word(), result.case.id);
        for finding in judgement.checks.iter().filter_map(|c| c.finding.as_ref()) {
            out += &format!(
                "    {} {}: host {}, backend {}, allowance {}, ratio {}\n",
                finding.slot,
                finding.at,
                finding.expected,
                finding.actual,
                finding.allowance,
                finding.ratio
            );
        }
        if let Some(ruling) = result.ruling.as_ref().filter(|r| r.blame != Blame::Neither) {
            let said = render::ruling(ruling, "host", "backend");
            out += &format!("    exact arithmetic: {said}\n");
        }
        if let Some(objection) = result.null.and_then(|null| null.objection()) {
            out += &format!("    host: {objection}\n");
        }
    }
    let list: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
    out + &format!("\n{} cases: {}; {compared} elements compared\n", results.len(), list.join(", "))
}

fn as_json(results: &[GoldenResult<'_>], counts: &BTreeMap<&str, usize>) -> String {
    let cases: Vec<_> = results
        .iter()
        .map(|r| {
            let judgement = &r.exchange.judgement;
            json!({"id": r.case.id, "function": r.case.call.function, "outcome": r.word(), "reason": judgement.reason, "checks": judgement.checks, "ruling": r.ruling})
        })
        .collect();
    format!("{:#}\n", json!({"format": 1, "counts": counts, "cases": cases}))
}
