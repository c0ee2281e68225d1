//! `concord certify`

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reports::{Log, Verdict};

use super::conclude::Destination;
use super::environment::Watch;
use super::merge;
use super::request::{Prepared, Request};
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
        let cases = part.as_ref().unwrap_or(plan);
        let bar = progress_bar(cases.cases.len() as u64, self.destination.json);
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let records =
            examination.records(cases, self.jobs.unwrap_or_else(cores), |verdict: Verdict| {
                if verdict.condemns() {
                    bar.set_message("differences found");
                }
                bar.inc(1);
            });
        bar.finish_and_clear();
        let watched = watch.end(device);
        match self.shard {
            None => self.destination.conclude(&self.request, prepared, records, &watched),
            Some(shard) => {
                let log = Log { header: header.clone(), records };
                merge::write_part(&log, shard, &self.request, watched, &self.destination.out)
            }
        }
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
