//! `concord certify`

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use dispatch::Device;
use indicatif::{ProgressBar, ProgressStyle};
use reports::certificate::RESULTS;
use reports::{Date, Header, Log, Precision, Record, decide, render};

use super::issue::Issue;
use crate::examine::{Examination, Examined, Options, header};
use crate::golden::Corpus;
use crate::journal::Journal;
use crate::plan::{Plan, Tier, run_seed};
use crate::shards::{self, Shard};
use crate::waivers::Waivers;
use crate::{Usage, backends, clock, file_case, recorded, regressions, statistics};

/// Runs a backend against a host, judges every answer, shrinks failures, and writes a report.
#[derive(Args)]
pub(super) struct Certify {
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
    challenge: String,
    /// Seconds that one call may take
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    deadline: f64,
    /// Class of arithmetic that is asked of the backend
    #[arg(long, value_enum, default_value_t = Class::P64, value_name = "CLASS")]
    precision: Class,
    /// Threads to use; default: all cores
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Differences that somebody decided to live with (`harness::waivers` describes the file)
    #[arg(long, value_name = "FILE.toml")]
    waivers: Option<PathBuf>,
    /// The day that decides which waivers have expired; default: today by the clock, in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    today: Option<Date>,
    /// Folder of capsules that run first; default: those of the project, where the cases are generated
    #[arg(long, value_name = "DIR")]
    regressions: Option<PathBuf>,
    /// Run only every N-th case, from the I-th on, and write no report: one part of a run on several machines
    #[arg(long, value_name = "I/N", conflicts_with_all = ["gather", "json"])]
    shard: Option<Shard>,
    /// Go on with the run of the same options that was interrupted in the folder of `--out`; without one, begin it
    #[arg(long, conflicts_with = "gather")]
    resume: bool,
    /// Run nothing: gather the parts that `--shard` wrote with the same options otherwise, by their folders
    #[arg(long, value_name = "DIR", num_args = 1..)]
    gather: Vec<PathBuf>,
    /// Folder for results.jsonl, the reports, the certificate, and the capsules of what differs
    #[arg(long, default_value = "out", value_name = "DIR")]
    out: PathBuf,
    /// Print a JSON summary instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    issue: Issue,
}

/// Classes of arithmetic by the names that are easy to type.
#[derive(Clone, Copy, ValueEnum)]
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

impl Certify {
    pub(super) fn run(&self) -> Result<u8> {
        let functions = super::functions(&self.functions)?;
        if !(self.deadline > 0.0 && self.deadline < 1e9) {
            return Err(Usage(format!(
                "--deadline {} is not a number of seconds above 0",
                self.deadline
            ))
            .into());
        }
        self.issue.check()?;
        let started = clock::now();
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.jobs.unwrap_or_else(cores);
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
        if !self.json {
            let (host, backend) = (&header.host, &header.backend);
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
                plan.cases.len(),
                header.planned.len()
            );
        }
        if let Some(shard) = self.shard {
            plan = shard.of(&plan);
        }
        let records = self.records(&examination, &plan, &header, jobs)?;
        if self.shard.is_some() {
            return write_part(&Log { header, records }, &self.out);
        }
        let dir = self.out.join("capsules");
        let place = dir.to_string_lossy();
        let options = Options { jobs, waivers: waivers.as_ref(), capsules: Some(&place) };
        let Examined { log, capsules } = examination.conclude(&plan, header, options, records);
        let decision = decide(&log);
        write_results(&log, &self.out)?;
        for capsule in &capsules {
            // The log holds the counterexample too; a file that cannot be written takes nothing from the verdict.
            if let Err(error) = capsule.write(&dir) {
                eprintln!("concord: {error:#}");
            }
        }
        for (waiver, problem) in
            log.header.waivers.iter().filter_map(|w| Some((w, w.problem.as_ref()?)))
        {
            eprintln!(
                "concord: waiver of {}, {}, where {}: {problem}",
                waiver.function, waiver.kind, waiver.select
            );
        }
        if self.json {
            super::print(&format!("{:#}\n", render::json_summary(&log)));
        } else {
            super::print(&render::text(
                &log,
                render::Style { color: super::colours(), width: 110 },
            ));
            super::print(&format!("\nThe log and the report are in {}\n", self.out.display()));
        }
        // A quick tier certifies nothing, and says so at the end of its report.
        if self.certifies(&log) {
            let said = self.issue.write(&log, &self.challenge, started, &self.out)?;
            if !self.json {
                super::print(&said);
            }
        }
        Ok(decision.outcome.exit_code())
    }

    /// One record for each case: gathered from parts, or judged here, each on disk as soon as it is there.
    fn records(
        &self,
        examination: &Examination,
        plan: &Plan,
        header: &Header,
        jobs: usize,
    ) -> Result<Vec<Record>> {
        if !self.gather.is_empty() {
            return Ok(shards::gather(plan, header, self.parts()?).map_err(Usage)?);
        }
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("create folder {}", self.out.display()))?;
        let path = self.out.join(RESULTS);
        let (journal, judged) = if self.resume {
            Journal::resume(&path, header, plan)?
        } else {
            (Journal::begin(&path, header)?, Vec::new())
        };
        let bar = progress_bar(plan.cases.len() as u64, self.json);
        if !judged.is_empty() && !self.json {
            let n = plan.cases.len();
            eprintln!("going on in {}: {} of {n} cases are judged", path.display(), judged.len());
        }
        bar.inc(judged.len() as u64);
        let progress = |record: &Record| {
            if let Err(error) = journal.add(record) {
                let path = path.display();
                bar.suspend(|| {
                    eprintln!("concord: the run cannot be resumed: write {path}: {error}")
                });
            }
            if record.verdict.condemns() {
                bar.set_message("differences found");
            }
            bar.inc(1);
        };
        let records = examination.records(plan, judged, jobs, progress);
        bar.finish_and_clear();
        Ok(records)
    }

    /// The parts of a run, by the names of their folders.
    fn parts(&self) -> Result<Vec<(String, Log)>> {
        let read = |dir: &PathBuf| {
            let path = dir.join(RESULTS);
            let file = File::open(&path).with_context(|| format!("open {}", path.display()))?;
            let log = Log::read(BufReader::new(file))
                .with_context(|| format!("read {}", path.display()))?;
            Ok((dir.display().to_string(), log))
        };
        self.gather.iter().map(read).collect()
    }

    /// Whether a certificate follows: cases that were generated, and enough of them.
    fn certifies(&self, log: &Log) -> bool {
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

/// A part has a log and no report: what it says stands only with the other parts.
fn write_part(log: &Log, out: &Path) -> Result<u8> {
    write_log(log, out)?;
    let n = log.records.len();
    super::print(&format!(
        "{n} cases in {}; `concord certify ... --gather DIR DIR` concludes\n",
        out.display()
    ));
    Ok(0)
}

fn progress_bar(len: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    // indicatif draws nothing when standard error is not a terminal.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} cases, {eta} left {msg}");
    ProgressBar::new(len).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Puts the log in the place of the journal, in one step: whoever is killed here leaves the one or the other.
fn write_log(log: &Log, out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("create folder {}", out.display()))?;
    let (path, new) = (out.join(RESULTS), out.join("results.jsonl.new"));
    let file = File::create(&new).with_context(|| format!("create {}", new.display()))?;
    log.write(BufWriter::new(file)).with_context(|| format!("write {}", new.display()))?;
    std::fs::rename(&new, &path).with_context(|| format!("write {}", path.display()))
}

fn write_results(log: &Log, out: &Path) -> Result<()> {
    write_log(log, out)?;
    let summary = format!("{:#}\n", render::json_summary(log));
    let page = render::html(log, None);
    let files = [
        ("report.md", render::markdown(log)),
        ("report.html", page),
        ("junit.xml", render::junit(log).context("write JUnit XML")?),
        ("summary.json", summary),
    ];
    for (name, text) in files {
        let path = out.join(name);
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}
