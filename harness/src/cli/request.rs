//! What one examination is asked to do: the options that every part of a run must share.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use dispatch::Device;
use reports::{Date, Header, Log, Precision};
use serde::{Deserialize, Serialize};

use super::issue::Issue;
use crate::examine::{Examination, header};
use crate::golden::Corpus;
use crate::plan::{Plan, Tier, run_seed};
use crate::waivers::Waivers;
use crate::{Usage, backends, clock, file_case, recorded, regressions, statistics};

/// Who is examined, against whom, with which cases, and what a certificate would assert.
#[derive(Args, Serialize, Deserialize)]
pub(super) struct Request {
    /// The backend to examine (`concord list` shows the names)
    backend: String,
    /// Who defines the right answer
    #[arg(long, default_value = "reference", value_name = "NAME")]
    host: String,
    /// How much is examined
    #[arg(long, value_enum, default_value_t = Tier::Quick)]
    tier: Tier,
    /// Examine only this function (may be given several times)
    #[arg(long = "function", value_name = "F")]
    functions: Vec<String>,
    /// Make the cases from this file instead of generating them: subsets of its cells and genes, other graphs,
    /// relabelled clusters
    #[arg(long, value_name = "FILE.h5ad")]
    data: Option<PathBuf>,
    /// Text that changes every seed of the run, chosen by somebody else than who made the backend
    #[arg(long, default_value = "", value_name = "HEX")]
    pub(super) challenge: String,
    /// Seconds that one call may take
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    deadline: f64,
    /// Class of arithmetic that is asked of the backend
    #[arg(long, value_enum, default_value_t = Class::P64, value_name = "CLASS")]
    precision: Class,
    /// Differences that somebody decided to live with (`harness::waivers` describes the file)
    #[arg(long, value_name = "FILE.toml")]
    waivers: Option<PathBuf>,
    /// The day that decides which waivers have expired; default: today by the clock, in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    today: Option<Date>,
    /// Folder of capsules that run first; default: those of the project, where the cases are generated
    #[arg(long, value_name = "DIR")]
    regressions: Option<PathBuf>,
    #[command(flatten)]
    pub(super) issue: Issue,
}

/// Classes of arithmetic by the names that are easy to type.
#[derive(Clone, Copy, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Class {
    /// Everything in float64
    P64,
    /// Inputs rounded to float32, everything else in float64
    P32in,
    /// Everything in float32; no law is asked then, since what laws allow is for float64
    P32acc,
}

impl From<Class> for Precision {
    fn from(class: Class) -> Precision {
        match class {
            Class::P64 => Precision::P64,
            Class::P32in => Precision::P32In,
            Class::P32acc => Precision::P32Acc,
        }
    }
}

/// A request in which every name was found and every file read, before the first call.
pub(super) struct Prepared {
    pub(super) examination: Examination,
    pub(super) plan: Plan,
    pub(super) header: Header,
    pub(super) waivers: Option<Waivers>,
}

impl Request {
    /// Opens host and backend and plans the cases. The same request gives the same plan in every part of a run.
    pub(super) fn prepare(&self) -> Result<Prepared> {
        let functions = super::functions(&self.functions)?;
        if !(self.deadline > 0.0 && self.deadline < 1e9) {
            let got = self.deadline;
            return Err(
                Usage(format!("--deadline {got} is not a number of seconds above 0")).into()
            );
        }
        self.issue.check()?;
        let today = self.today.unwrap_or_else(|| clock::now().date());
        let waivers = self.waivers.as_deref().map(|path| Waivers::read(path, today)).transpose()?;
        let data = self.data.as_deref().map(|path| format!(" --data {}", path.display()));
        let (host, backend) = (backends::open(&self.host)?, backends::open(&self.backend)?);
        let stored = backend.stored.or(host.stored);
        let examination = Examination {
            host: host.backend,
            backend: backend.backend,
            precision: self.precision.into(),
            deadline: Duration::from_secs_f64(self.deadline),
            host_name: self.host.clone(),
            backend_name: self.backend.clone(),
            replay_args: data.unwrap_or_default(),
        };
        let seed =
            run_seed(examination.backend.manifest(), examination.host.manifest(), &self.challenge);
        let (mut plan, tier) = self.plan(&functions, stored.as_deref(), seed)?;
        let peers = [&*examination.host, &*examination.backend];
        let left_out = plan.leave_out_heavy(self.tier, peers);
        if stored.is_none() {
            let budget = self.tier.budget();
            plan.cases.extend(statistics::cases(&examination, &functions, budget, seed));
        }
        if plan.cases.is_empty() {
            let message = "the plan is empty, so nothing would be compared: ask for another --function or --data file";
            return Err(Usage(message.to_owned()).into());
        }
        let mut header = header(&examination, &plan, &tier, seed);
        header.limitations.extend(left_out);
        Ok(Prepared { examination, plan, header, waivers })
    }

    /// Whether a certificate follows: cases that were generated, and enough of them.
    pub(super) fn certifies(&self, log: &Log) -> bool {
        self.tier != Tier::Quick && log.header.tier == self.tier.name()
    }

    /// The cases, regressions first, and what they were made from.
    fn plan(
        &self,
        functions: &[String],
        stored: Option<&Corpus>,
        seed: u64,
    ) -> Result<(Plan, String)> {
        let (mut plan, tier) = self.new_cases(functions, stored, seed)?;
        // Who answers stored calls only knows no others, and a file is examined for its own sake.
        let generates = self.data.is_none() && stored.is_none();
        let usual = Some(regressions::default_dir()).filter(|dir| generates && dir.is_dir());
        if let Some(dir) = self.regressions.clone().or(usual) {
            regressions::prepend(&mut plan, &dir, functions)?;
        }
        Ok((plan, tier))
    }

    fn new_cases(
        &self,
        functions: &[String],
        stored: Option<&Corpus>,
        seed: u64,
    ) -> Result<(Plan, String)> {
        if let Some(path) = &self.data {
            let file = file_case::RealFile::open(path)?;
            for line in file.describe() {
                eprintln!("{line}");
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            return Ok((
                file_case::plan(&file, functions, self.tier, seed),
                format!("{}, file {name}", self.tier.name()),
            ));
        }
        if let Some(corpus) = stored {
            return Ok((recorded::plan(corpus, functions), "stored answers".to_owned()));
        }
        let chosen: Vec<_> =
            functions.iter().filter_map(|name| generators::generator(name)).collect();
        ensure!(chosen.len() == functions.len(), "a function has a contract but no generator");
        Ok((Plan::generated(&chosen, self.tier, seed), self.tier.name().to_owned()))
    }
}

impl Prepared {
    /// Says on standard error what is about to run.
    pub(super) fn announce(&self) {
        let Header { host, backend, planned, tier, .. } = &self.header;
        let place = match backend.device {
            Device::Emulated => " on an emulated GPU, no evidence about a real one,",
            Device::Cpu | Device::Cuda { .. } | Device::Absent { .. } => "",
        };
        eprintln!(
            "examining {} {}{place} against {} {}: {} cases of {} functions ({tier})",
            backend.name,
            backend.version,
            host.name,
            host.version,
            self.plan.cases.len(),
            planned.len()
        );
    }
}
