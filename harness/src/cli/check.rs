//! `concord check`

use anyhow::Result;
use clap::Args;
use dispatch::Rule;
use serde_json::json;

use crate::Usage;
use crate::signatures::{Comparison, Library, sarif, text};

const EXAMPLES: &str = "\
A library is a stored dump (squidpy@1.8.3, scanpy@1.12.4, rapids-singlecell@0.18.1), the path of a dump
that concord-signatures wrote, or a backend of `concord list`.

Examples:
  concord check cuda                                   the CUDA backend against the reference
  concord check --host squidpy@1.8.3 --backend rapids-singlecell@0.18.1
  concord check --host squidpy@1.8.3 --backend rapids.json --sarif
  concord check --explain S1b

Exit codes: 0 every shared function may be dispatched, 1 some must not, 2 usage, 4 no function to compare.";

/// Checks the static contract: what may be handed to a backend, and which rules it breaks.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// The backend
    #[arg(value_name = "BACKEND", required_unless_present_any = ["backend", "explain"])]
    positional: Option<String>,
    /// The backend, by name
    #[arg(long, value_name = "LIBRARY", conflicts_with = "positional")]
    backend: Option<String>,
    /// Whose calls are handed over
    #[arg(long, default_value = "reference", value_name = "LIBRARY")]
    host: String,
    /// Check only this function, and say what each finding means (may be given several times)
    #[arg(long = "function", value_name = "F")]
    functions: Vec<String>,
    /// Say what each finding means
    #[arg(long)]
    details: bool,
    /// Print JSON instead of text
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// Print SARIF 2.1.0 instead of text
    #[arg(long)]
    sarif: bool,
    /// Print the text of a rule and stop
    #[arg(long, value_name = "RULE")]
    explain: Option<String>,
}

impl Check {
    pub(super) fn run(&self) -> Result<u8> {
        if let Some(rule) = &self.explain {
            super::print(&text::explain(rule.parse::<Rule>().map_err(Usage)?));
            return Ok(0);
        }
        // One of them is there: clap asks for it.
        let backend = self.backend.as_ref().or(self.positional.as_ref());
        let backend = backend.map(|name| Library::open(name)).transpose()?;
        let (host, Some(backend)) = (Library::open(&self.host)?, backend) else { return Ok(2) };
        let wanted = self.wanted(&host, &backend)?;
        let comparison = Comparison::new(&host, &backend, |name| {
            wanted.is_empty() || wanted.iter().any(|w| names(w, name))
        });
        let summary = comparison.summary();
        super::print(&if self.sarif {
            format!("{:#}\n", sarif::render(&comparison))
        } else if self.json {
            let mut out = serde_json::to_value(&comparison)?;
            out["format"] = json!(1);
            out["summary"] = serde_json::to_value(summary)?;
            format!("{out:#}\n")
        } else {
            text::render(&comparison, self.details || !wanted.is_empty())
        });
        // Not offering a function breaks no rule; offering nothing at all leaves nothing to check.
        Ok(match (comparison.functions.is_empty(), summary.no) {
            (true, _) => 4,
            (false, 0) => 0,
            (false, _) => 1,
        })
    }

    /// The functions asked for; each is known to one side at least.
    fn wanted(&self, host: &Library, backend: &Library) -> Result<&[String]> {
        let known = || host.functions.keys().chain(backend.functions.keys());
        match self.functions.iter().find(|wanted| !known().any(|name| names(wanted, name))) {
            None => Ok(&self.functions),
            Some(unknown) => {
                let full = known().map(String::as_str);
                let last = known().filter_map(|name| Some(name.rsplit_once('.')?.1));
                let Usage(why) = Usage::unknown("function", unknown, full.chain(last));
                let neither = format!("neither {} nor {} has it", host.id(), backend.id());
                Err(Usage(why.replace("`concord list` shows all of them", &neither)).into())
            }
        }
    }
}

/// Whether `asked` is the full name of a function or its last part.
fn names(asked: &str, name: &str) -> bool {
    name == asked || name.rsplit_once('.').is_some_and(|(_, last)| last == asked)
}
