//! `concord certify`

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reports::certificate::RESULTS;
use reports::{Header, Log, Record};

use super::conclude::Destination;
use super::environment::Watch;
use super::merge;
use super::request::{Prepared, Request};
use crate::examine::Examination;
use crate::journal::Journal;
use crate::plan::Plan;
use crate::shards::Shard;

/// Runs a backend against a host, judges every answer, shrinks failures, and writes a report.
#[derive(Args)]
pub(super) struct Certify {
    #[command(flatten)]
    request: Request,
    /// Threads to use; default: all cores
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Run only every N-th case, from the I-th on, and conclude nothing: one part of a run on several machines, for
    /// `concord merge`
    #[arg(long, value_name = "I/N", conflicts_with = "json")]
    shard: Option<Shard>,
    /// Go on with the run of the same options that was interrupted in the folder of `--out`; without one, begin it
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    destination: Destination,
}

impl Certify {
    pub(super) fn run(&self) -> Result<u8> {
        let prepared = self.request.prepare()?;
        if !self.destination.json {
            prepared.announce();
        }
        let Prepared { examination, plan, header, .. } = &prepared;
        let device = &header.backend.device;
        let watch = Watch::begin(device);
        let part = self.shard.map(|shard| shard.of(plan));
        let records = self.records(examination, part.as_ref().unwrap_or(plan), header)?;
        let watched = watch.end(device);
        match self.shard {
            None => self.destination.conclude(&self.request, prepared, records, &watched),
            Some(shard) => {
                let log = Log { header: header.clone(), records };
                merge::write_part(&log, shard, &self.request, watched, &self.destination.out)
            }
        }
    }

    /// One record for each case, each on disk as soon as it is there.
    fn records(
        &self,
        examination: &Examination,
        plan: &Plan,
        header: &Header,
    ) -> Result<Vec<Record>> {
        let Destination { out, json } = &self.destination;
        std::fs::create_dir_all(out).with_context(|| format!("create folder {}", out.display()))?;
        let path = out.join(RESULTS);
        let (journal, judged) = if self.resume {
            Journal::resume(&path, header, plan)?
        } else {
            (Journal::begin(&path, header)?, Vec::new())
        };
        let bar = progress_bar(plan.cases.len() as u64, *json);
        if !judged.is_empty() && !json {
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
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.jobs.unwrap_or_else(cores);
        let records = examination.records(plan, judged, jobs, progress);
        bar.finish_and_clear();
        Ok(records)
    }
}

fn progress_bar(len: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    // indicatif draws nothing when standard error is not a terminal.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} cases, {eta} left {msg}");
    ProgressBar::new(len).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
