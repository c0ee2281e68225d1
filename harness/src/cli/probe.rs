//! `concord probe`

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::probes::{Conclusion, PROBES, Probe as Question, ProbeResult, Watched, probe_with};
use crate::{Usage, backends};

const EXAMPLES: &str = "\
Examples:
  concord probe cuda                                        every probe on every function
  concord probe mutant:contract-falls-back-in-silence       see the host caught at the work
  concord probe reference --function ligrec --probe threads
  concord check --explain C9                                what a rule means

Exit codes: 0 no rule is broken, 1 some are, 2 usage, 4 nothing could be asked.";

/// Asks what a backend does with a call: purity, copies, seeds, defaults, keywords, refusals, who did the work.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Probe {
    /// The backend (`concord list` shows the names)
    backend: String,
    /// Whose calls are handed over
    #[arg(long, default_value = "reference", value_name = "NAME")]
    host: String,
    /// Probe only this function (may be given several times)
    #[arg(long = "function", value_name = "F")]
    functions: Vec<String>,
    /// Ask only this question (may be given several times)
    #[arg(long = "probe", value_name = "PROBE")]
    probes: Vec<String>,
    /// Seconds that one call may take
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    deadline: f64,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Probe {
    pub(super) fn run(&self) -> Result<u8> {
        let functions = super::functions(&self.functions)?;
        let probes = self.chosen()?;
        let deadline = Duration::try_from_secs_f64(self.deadline)
            .map_err(|e| Usage(format!("--deadline {}: {e}", self.deadline)))?;
        let host = Watched::new(live(&self.host, backends::open(&self.host)?)?);
        // Beside the watched host, so that a call back to it is seen.
        let backend = live(&self.backend, backends::open_beside(&self.backend, host.clone())?)?;
        let results: Vec<ProbeResult> = functions
            .iter()
            .flat_map(|function| probe_with(&probes, &backend, &host, function, deadline))
            .collect();
        super::print(&if self.json { self.as_json(&results) } else { self.as_text(&results) });
        let applies = |r: &&ProbeResult| !matches!(r.outcome, Conclusion::NotApplicable(_));
        Ok(match results.iter().filter(applies).count() {
            0 => 4,
            _ => u8::from(results.iter().any(|r| !r.violations().is_empty())),
        })
    }

    fn chosen(&self) -> Result<Vec<&'static Question>, Usage> {
        let known = || PROBES.iter().map(|p| p.name);
        if let Some(unknown) = self.probes.iter().find(|name| !known().any(|k| k == name.as_str()))
        {
            let names = known().collect::<Vec<_>>().join(", ");
            return Err(Usage(format!("unknown probe `{unknown}`: the probes are {names}")));
        }
        let asked =
            |p: &&Question| self.probes.is_empty() || self.probes.iter().any(|n| n == p.name);
        Ok(PROBES.iter().filter(asked).collect())
    }

    fn as_text(&self, results: &[ProbeResult]) -> String {
        let mut out = String::new();
        let mut function = "";
        for result in results {
            if result.function != function {
                function = &result.function;
                out += &format!("\n{function}\n");
            }
            let (word, detail) = match &result.outcome {
                Conclusion::Holds => ("holds", String::new()),
                Conclusion::NotApplicable(why) => ("not asked", format!("  {why}")),
                Conclusion::Violated(_) => ("violated", String::new()),
            };
            out += &format!("  {:<4} {:<24} {word}{detail}\n", result.rule, result.probe.name);
            for violation in result.violations() {
                out += &format!("       {violation}\n");
            }
            if !result.violations().is_empty() {
                out += &format!("       rule: {}\n", result.rule.title());
                out += &format!("       again: {}\n", result.replay(&self.host, &self.backend));
            }
        }
        let count = |of: fn(&Conclusion) -> bool| results.iter().filter(|r| of(&r.outcome)).count();
        out += &format!(
            "\n{} probes hold, {} are violated, {} could not be asked\n",
            count(|c| matches!(c, Conclusion::Holds)),
            count(|c| matches!(c, Conclusion::Violated(_))),
            count(|c| matches!(c, Conclusion::NotApplicable(_))),
        );
        out
    }

    fn as_json(&self, results: &[ProbeResult]) -> String {
        let entry = |r: &ProbeResult| {
            let (outcome, why) = match &r.outcome {
                Conclusion::Holds => ("holds", None),
                Conclusion::Violated(_) => ("violated", None),
                Conclusion::NotApplicable(why) => ("not-applicable", Some(why)),
            };
            let violations: Vec<_> = r
                .violations()
                .iter()
                .map(|v| json!({"parameter": v.parameter, "message": v.message, "call": v.call}))
                .collect();
            json!({
                "function": r.function,
                "rule": r.rule.id(),
                "probe": r.probe.name,
                "asks": r.probe.asks,
                "outcome": outcome,
                "why": why,
                "violations": violations,
                "replay": r.replay(&self.host, &self.backend),
            })
        };
        let probes: Vec<_> = results.iter().map(entry).collect();
        let report = json!({
            "format": 1, "host": self.host, "backend": self.backend, "probes": probes,
        });
        format!("{report:#}\n")
    }
}

/// A backend that answers any call.
fn live(name: &str, opened: backends::Opened) -> Result<Arc<dyn dispatch::Backend>, Usage> {
    match opened.stored {
        None => Ok(opened.backend),
        Some(_) => Err(Usage(format!(
            "`{name}` repeats stored answers and cannot be probed: probes make calls of their own"
        ))),
    }
}
