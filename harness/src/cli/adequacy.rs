//! `concord adequacy`

use std::fmt::Write;
use std::io::IsTerminal;

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::adequacy::{Fate, Score, Summary, Trial, measure};
use crate::mutants::{self, Class, EQUIVALENT};
use crate::plan::Tier;

/// Runs every mutant with the settings of `certify`: which are found, by which check, and how small the case becomes.
///
/// Exit code 0 if no mutant survives, 1 otherwise.
#[derive(Args)]
pub(super) struct Adequacy {
    /// Whose plan is used
    #[arg(long, value_enum, default_value_t = Tier::Quick)]
    tier: Tier,
    /// Only the mutants of this function (may be given several times)
    #[arg(long = "function", value_name = "F")]
    functions: Vec<String>,
    /// Threads to use; default: all cores
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

impl Adequacy {
    pub(super) fn run(&self) -> Result<u8> {
        let functions = super::functions(&self.functions)?;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = |f: &&'static str| functions.iter().any(|name| name == f);
        let total = mutants::all().map(|m| m.function).filter(wanted).count()
            + EQUIVALENT.iter().map(|e| e.function).filter(wanted).count();
        let bar = if self.json { ProgressBar::hidden() } else { ProgressBar::new(total as u64) };
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} mutants, {eta} left {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        // A bar draws nothing where there is no terminal, and the whole run takes a while.
        let (step, is_drawn) = (total.div_ceil(20) as u64, std::io::stderr().is_terminal());
        let summary = measure(&functions, self.tier, self.jobs.unwrap_or_else(cores), |name| {
            bar.set_message(name.to_owned());
            bar.inc(1);
            if !is_drawn && !self.json && bar.position().is_multiple_of(step) {
                eprintln!("{} of {total} mutants", bar.position());
            }
        });
        bar.finish_and_clear();
        super::print(&match self.json {
            true => format!("{}\n", serde_json::to_string_pretty(&summary)?),
            false => as_text(&summary),
        });
        Ok(if summary.is_adequate() { 0 } else { 1 })
    }
}

fn as_text(summary: &Summary) -> String {
    let mut out = format!("Mutants found with the settings of tier `{}`\n\n", summary.tier);
    table(summary, &mut out);
    let Summary { all, spec, by_named_check, cells, genes, calls, .. } = summary;
    let _ = writeln!(
        out,
        "\n{} of all ({:.1} %), {} of those the specification asks for; {by_named_check} by the check they name.",
        fraction(*all),
        100.0 * all.killed as f64 / all.of.max(1) as f64,
        fraction(*spec),
    );
    let _ = writeln!(
        out,
        "Shrunk to {} cells x {} genes in {} calls (median), {} x {} in {} (nine of ten), {} x {} in {} (at most).",
        cells.median,
        genes.median,
        calls.median,
        cells.p90,
        genes.p90,
        calls.p90,
        cells.max,
        genes.max,
        calls.max
    );
    let by_other: Vec<&Trial> =
        summary.mutants.iter().filter(|t| t.fate == Fate::KilledByOther).collect();
    if !by_other.is_empty() {
        out += "\nFound by another check than the one they name\n";
        for t in by_other {
            let checks: Vec<&str> = t.found_by.keys().map(String::as_str).collect();
            let _ = writeln!(
                out,
                "  {:<40} named `{}`, found by `{}`",
                t.mutant,
                t.check,
                checks.join("`, `")
            );
        }
    }
    let survivors: Vec<&Trial> = summary.survivors().collect();
    if !survivors.is_empty() {
        out += "\nSurvivors: what this examination does not see\n";
        for t in survivors {
            let spec = if t.spec.is_empty() { String::new() } else { format!(" [{}]", t.spec) };
            let _ = writeln!(out, "  {:<40} {}{spec}, in {} cases", t.mutant, t.mistake, t.cases);
        }
    }
    let _ = writeln!(
        out,
        "\n{} changes that no answer can show were run too: {}.",
        summary.equivalent.len(),
        match summary.equivalent.iter().filter(|e| e.refuted.is_some()).count() {
            0 => "none was found, as it should be".to_owned(),
            n => format!("{n} were found, so their proofs are wrong"),
        }
    );
    for e in &summary.equivalent {
        if let Some(refuted) = &e.refuted {
            let _ = writeln!(out, "  {:<40} {refuted}", e.mutant);
        }
    }
    out
}

/// Functions down, classes across.
fn table(summary: &Summary, out: &mut String) {
    let _ = write!(out, "{:<18}", "");
    for class in Class::ALL {
        let _ = write!(out, "{:>13}", class.name());
    }
    out.push('\n');
    for (function, classes) in &summary.by_function {
        let _ = write!(out, "{function:<18}");
        for class in Class::ALL {
            let score = classes.get(&class).map_or_else(|| "-".to_owned(), |s| fraction(*s));
            let _ = write!(out, "{score:>13}");
        }
        out.push('\n');
    }
}

fn fraction(score: Score) -> String {
    format!("{}/{}", score.killed, score.of)
}
