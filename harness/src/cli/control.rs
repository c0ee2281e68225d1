//! `concord control`

use std::fmt::Write;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reports::Precision;

use crate::backends;
use crate::control::{Control, Rate, control};
use crate::examine::Examination;

/// Examines a backend that is known to be right again and again, and counts the alarms.
///
/// Exit code 0 if there was none, 1 otherwise.
#[derive(Args)]
pub(super) struct ControlRun {
    /// The backend, known to be right
    #[arg(default_value = "reference")]
    backend: String,
    /// The host; `exact` compares with exact arithmetic, which is slower and says more
    #[arg(long, default_value = "reference", value_name = "NAME")]
    host: String,
    /// Cases to judge, drawn at random
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    cases: u64,
    /// Examinations of the random columns of each function
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    studies: u64,
    /// Only this function (may be given several times)
    #[arg(long = "function", value_name = "F")]
    functions: Vec<String>,
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

impl ControlRun {
    pub(super) fn run(&self) -> Result<u8> {
        let functions = super::functions(&self.functions)?;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let examination = Examination {
            host: backends::open(&self.host)?.backend,
            backend: backends::open(&self.backend)?.backend,
            precision: Precision::P64,
            deadline: Duration::from_secs_f64(self.deadline.clamp(1e-3, 1e9)),
            host_name: self.host.clone(),
            backend_name: self.backend.clone(),
            replay_args: String::new(),
        };
        let total = self.cases + self.studies * functions.len() as u64;
        let bar = if self.json { ProgressBar::hidden() } else { ProgressBar::new(total) };
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let sizes = [self.cases, self.studies];
        let jobs = self.jobs.unwrap_or_else(cores);
        let found = control(&examination, &functions, sizes, jobs, || bar.inc(1));
        bar.finish_and_clear();
        super::print(&match self.json {
            true => format!("{}\n", serde_json::to_string_pretty(&found)?),
            false => as_text(&self.backend, &self.host, &found),
        });
        Ok(if found.is_quiet() { 0 } else { 1 })
    }
}

fn as_text(backend: &str, host: &str, found: &Control) -> String {
    let [first, second] = Control::stated();
    let mut out = format!("Alarms where nothing is wrong: {backend} against {host}\n\n");
    let mut line = |what: &str, rate: Rate, stated: &str| {
        let Rate { alarms, trials } = rate;
        if trials == 0 {
            return;
        }
        let (low, high) = rate.interval();
        let _ = writeln!(
            out,
            "  {what:<36} {alarms:>6} of {trials:<8} rate {low:.1e} to {high:.1e} (95 %); stated {stated}"
        );
    };
    line("cases judged", found.cases, "0");
    line("random columns, first stage", found.first_stage, &format!("at most {first:.0e}"));
    line("random columns, confirmed", found.studies, &format!("at most {second:.0e}"));
    let Control { compared, worst, declined, .. } = found;
    let _ = writeln!(
        out,
        "\n{compared} numbers compared, the worst at {worst:.2} of its allowance; {declined} cases declined."
    );
    for alarm in &found.alarms {
        let _ = writeln!(out, "ALARM  {alarm}");
    }
    out
}
