//! `concord laws`

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use dispatch::Backend;
use indicatif::ProgressBar;
use reports::Outcome;
use serde_json::json;

use crate::examine::Examination;
use crate::laws::{self, Law, Survey, Tally, survey};
use crate::plan::{Plan, Tier, run_seed};
use crate::{Case, Usage, backends};

/// Asks a backend alone, without a host, whether its answers keep the laws that every right answer keeps.
#[derive(Args)]
pub(super) struct Laws {
    /// The backend to ask (`concord list` shows the names)
    backend: String,
    /// Ask only laws of this function (may be given several times)
    #[arg(long = "function", value_name = "F")]
    functions: Vec<String>,
    /// Ask only this law (may be given several times)
    #[arg(long = "law", value_name = "ID")]
    ids: Vec<String>,
    /// On how many cases
    #[arg(long, value_enum, default_value_t = Tier::Quick)]
    tier: Tier,
    /// Text that changes every seed of the run
    #[arg(long, default_value = "", value_name = "HEX")]
    challenge: String,
    /// Seconds that one call may take
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    deadline: f64,
    /// Threads to use; default: all cores
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Laws {
    pub(super) fn run(&self) -> Result<u8> {
        let laws = self.laws()?;
        let backend = backends::open(&self.backend)?.backend;
        let examination = Examination {
            // Only its signatures are read: calls are written in the parameters of the host.
            host: Arc::new(reference::backend()),
            backend,
            precision: reports::Precision::P64,
            deadline: Duration::from_secs_f64(self.deadline.clamp(1e-3, 1e9)),
            host_name: "reference".to_owned(),
            backend_name: self.backend.clone(),
            replay_args: String::new(),
        };
        let cases = self.cases(&laws, examination.backend.as_ref(), examination.host.as_ref());
        let bar =
            if self.json { ProgressBar::hidden() } else { ProgressBar::new(cases.len() as u64) };
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.jobs.unwrap_or_else(cores);
        let survey = survey(&examination, &cases, &laws, jobs, || bar.inc(1));
        bar.finish_and_clear();
        super::print(&if self.json { as_json(&survey) } else { as_text(&survey, cases.len()) });
        Ok(outcome(&survey).exit_code())
    }

    fn laws(&self) -> Result<Vec<&'static Law>> {
        let functions = super::functions(&self.functions)?;
        let asked = self.ids.iter().map(|id| laws::find(id)).collect::<Result<Vec<_>, _>>()?;
        let wanted = |law: &&Law| {
            functions.iter().any(|f| f == law.function)
                && (asked.is_empty() || asked.iter().any(|other| other.id == law.id))
        };
        let laws: Vec<&'static Law> = laws::all().filter(wanted).collect();
        if laws.is_empty() {
            return Err(
                Usage("no law is left: --law names laws of other functions".to_owned()).into()
            );
        }
        Ok(laws)
    }

    fn cases(&self, laws: &[&'static Law], backend: &dyn Backend, host: &dyn Backend) -> Vec<Case> {
        let has_laws = |g: &&&generators::Generator| laws.iter().any(|l| l.function == g.function);
        let chosen: Vec<_> = generators::GENERATORS.iter().filter(has_laws).copied().collect();
        let seed = run_seed(backend.manifest(), host.manifest(), &self.challenge);
        let plan = Plan::generated(&chosen, self.tier, seed);
        plan.cases.into_iter().map(|(_, case)| case).collect()
    }
}

fn outcome(survey: &Survey) -> Outcome {
    let any = |which: fn(&Tally) -> bool| survey.tallies.iter().any(which);
    if any(|tally| tally.broken > 0) {
        Outcome::NotConformant
    } else if any(|tally| tally.faults > 0) {
        Outcome::Infrastructure
    } else if any(|tally| tally.compared == 0) {
        Outcome::Inconclusive
    } else {
        Outcome::Conformant
    }
}

fn as_text(survey: &Survey, cases: usize) -> String {
    let mut out = format!(
        "{:<5} {:>6} {:>9} {:>9} {:>7}  statement\n",
        "law", "cases", "compared", "worst", "broken"
    );
    for Tally { law, cases, compared, worst, broken, .. } in &survey.tallies {
        out += &format!(
            "{:<5} {cases:>6} {compared:>9} {worst:>9} {broken:>7}  {}\n",
            law.id, law.statement
        );
    }
    for Tally { law, first, .. } in &survey.tallies {
        let Some((case, check, shrunk)) = first else { continue };
        out += &format!("\n{} broken by {} on {}\n", check, law.function, case.text());
        let Some(shrunk) = shrunk else {
            out += "  it was kept when asked again: flaky\n";
            continue;
        };
        out += &format!("  shrunk to {} cells x {} genes\n", shrunk.n_obs, shrunk.n_vars);
        for f in &shrunk.findings {
            out += &format!(
                "  {} {}: expected {}, got {}, allowance {}, ratio {}\n",
                f.slot, f.at, f.expected, f.actual, f.allowance, f.ratio
            );
        }
        out += &format!("  replay: {}\n", shrunk.replay);
    }
    let broken = survey.tallies.iter().filter(|t| t.broken > 0).count();
    let silent = survey.tallies.iter().filter(|t| t.compared == 0).count();
    let laws = survey.tallies.len();
    out + &format!(
        "\n{broken} of {laws} laws broken, {silent} said nothing; {} of {cases} cases answered\n",
        survey.answered
    )
}

fn as_json(survey: &Survey) -> String {
    let entry = |tally: &Tally| {
        let first = tally.first.as_ref().map(
            |(case, check, shrunk)| json!({"case": case.name(), "check": check, "shrunk": shrunk}),
        );
        json!({
            "id": tally.law.id, "function": tally.law.function, "statement": tally.law.statement,
            "cases": tally.cases, "compared": tally.compared, "worst": tally.worst,
            "broken": tally.broken, "faults": tally.faults, "first": first
        })
    };
    let laws: Vec<_> = survey.tallies.iter().map(entry).collect();
    format!("{:#}\n", json!({"format": 1, "answered": survey.answered, "laws": laws}))
}
