//! `concord check`

use anyhow::Result;
use clap::Args;
use dispatch::{Assessment, Semantics, Verdict, dispatchable};
use serde_json::json;

use crate::{backends, contract};

/// Checks the static contract: what may be handed to a backend, and which rules it breaks.
#[derive(Args)]
pub(super) struct Check {
    /// The backend (`concord list` shows the names)
    backend: String,
    /// Whose calls are handed over
    #[arg(long, default_value = "reference", value_name = "NAME")]
    host: String,
    /// Check only this function (may be given several times)
    #[arg(long = "function", value_name = "F")]
    functions: Vec<String>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self) -> Result<u8> {
        let functions = super::functions(&self.functions)?;
        let (host, backend) = (backends::open(&self.host)?, backends::open(&self.backend)?);
        let (host, backend) = (host.backend.manifest(), backend.backend.manifest());
        let mut lines = Vec::new();
        let (mut dispatched, mut forbidden) = (0, 0);
        for function in &functions {
            let semantic = contract(function).map(|c| c.semantic).unwrap_or_default();
            let assessment = match (host.functions.get(function), backend.functions.get(function)) {
                (Some(h), Some(b)) => {
                    Some(dispatchable(h, b, &Semantics::new(semantic.iter().copied())))
                }
                (None, _) | (_, None) => None,
            };
            match assessment.as_ref().map(|a| a.verdict) {
                Some(Verdict::No) => forbidden += 1,
                Some(Verdict::Yes | Verdict::Warns) => dispatched += 1,
                None => {}
            }
            lines.push((function, assessment));
        }
        if self.json {
            let entry = |(function, a): &(&String, Option<Assessment>)| {
                let findings = a.iter().flat_map(|a| &a.findings).map(|f| {
                    json!({"rule": f.rule.id(), "parameter": f.parameter, "message": f.message})
                });
                json!({"function": function, "verdict": word(a.as_ref()), "findings": findings.collect::<Vec<_>>()})
            };
            let functions: Vec<_> = lines.iter().map(entry).collect();
            super::print(&format!("{:#}\n", json!({"format": 1, "functions": functions})));
        } else {
            for (function, assessment) in &lines {
                super::print(&format!("{:<10} {function}\n", word(assessment.as_ref())));
                for finding in assessment.iter().flat_map(|a| &a.findings) {
                    super::print(&format!("    {} {}\n", finding.rule.id(), finding.message));
                }
            }
            let n = lines.len();
            super::print(&format!(
                "\n{dispatched} of {n} functions may be dispatched, {forbidden} must not\n"
            ));
        }
        // Not offering a function breaks no rule; offering nothing at all leaves nothing to check.
        Ok(if forbidden > 0 {
            1
        } else if dispatched == 0 {
            4
        } else {
            0
        })
    }
}

fn word(assessment: Option<&Assessment>) -> &'static str {
    match assessment.map(|a| a.verdict) {
        Some(Verdict::Yes) => "yes",
        Some(Verdict::Warns) => "warns",
        Some(Verdict::No) => "no",
        None => "absent",
    }
}
