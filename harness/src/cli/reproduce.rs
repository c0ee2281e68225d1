//! `concord reproduce`

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use generators::Recipe;
use reports::certificate::{RESULTS, from_bytes};
use reports::{Log, Record, Source, Verdict};

use super::issue::read;
use super::verify::INVALID;
use crate::examine::{Examination, Session};
use crate::plan::{Plan, Tier, run_seed};
use crate::statistics::StudyCase;
use crate::{Case, Usage, backends};

/// Runs cases of a certificate again and compares what becomes of them; the strongest check short of a certificate of
/// one's own.
///
/// Exit code 0: every case gives the same verdict; 5: one does not; 2: the backend is another one.
#[derive(Args)]
pub(super) struct Reproduce {
    /// The certificate; its evidence lies beside it
    certificate: PathBuf,
    /// Share of the cases in percent, taken evenly
    #[arg(long, default_value_t = 5, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    sample: u8,
    /// Examine as many cases of a new plan instead, whose seeds follow from this text: none may differ
    #[arg(long, value_name = "HEX")]
    challenge: Option<String>,
    /// The backend, where it has another name here
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// Seconds that one call may take
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    deadline: f64,
}

impl Reproduce {
    pub(super) fn run(&self) -> Result<u8> {
        from_bytes(&read(&self.certificate)?)?;
        let folder = self.certificate.parent().unwrap_or(Path::new(""));
        let log =
            Log::read(read(&folder.join(RESULTS))?.as_slice()).context("read the evidence")?;
        let header = &log.header;
        let [host_name, name] = header.called();
        let name = self.backend.as_deref().unwrap_or(name);
        let (host, backend) = (backends::open(host_name)?, backends::open(name)?);
        let (here, there) = (backend.backend.manifest().artifact, header.backend.artifact);
        ensure!(
            here == there,
            Usage(format!(
                "the backend here is build {}, the certificate is about {}",
                here.short(12),
                there.short(12)
            ))
        );
        let examination = Examination {
            host: host.backend,
            backend: backend.backend,
            deadline: Duration::from_secs_f64(self.deadline.max(1e-3)),
            host_name: host_name.to_owned(),
            backend_name: name.to_owned(),
            replay_args: String::new(),
            precision: header.precision,
        };
        match &self.challenge {
            None => self.again(&examination, &log),
            Some(challenge) => self.anew(&examination, &log, challenge),
        }
    }

    /// The same cases again.
    fn again(&self, examination: &Examination, log: &Log) -> Result<u8> {
        let (mut session, mut same, mut text) = (examination.session(), 0, String::new());
        let chosen: Vec<&Record> =
            self.evenly(log.records.iter().filter(|r| is_repeatable(r)).collect());
        for stated in &chosen {
            match difference(&mut session, stated) {
                None => same += 1,
                Some(what) => text += &format!("  {}: {what}\n", stated.case),
            }
        }
        conclude(same, chosen.len(), "gives what the certificate says", text)
    }

    /// Other cases of the same functions.
    fn anew(&self, examination: &Examination, log: &Log, challenge: &str) -> Result<u8> {
        let seed = run_seed(&log.header.backend, &log.header.host, challenge);
        let generators: Vec<_> =
            log.header.planned.keys().filter_map(|f| generators::generator(f)).collect();
        let tier = [Tier::Standard, Tier::Full].into_iter().find(|t| t.name() == log.header.tier);
        let plan = Plan::generated(&generators, tier.unwrap_or(Tier::Quick), seed);
        let (mut session, mut same, mut text) = (examination.session(), 0, String::new());
        let chosen = self.evenly(plan.cases);
        for (source, case) in &chosen {
            let record = session.record(*source, case);
            match record.verdict.condemns() {
                false => same += 1,
                true => text += &format!("  {}: {}\n", record.case, record.verdict),
            }
        }
        conclude(same, chosen.len(), "does not differ", text)
    }

    fn evenly<T>(&self, all: Vec<T>) -> Vec<T> {
        let share = usize::from(self.sample);
        let is_chosen = |i: usize| (i + 1) * share / 100 > i * share / 100;
        all.into_iter().enumerate().filter(|(i, _)| is_chosen(*i)).map(|(_, item)| item).collect()
    }
}

/// Whether the text of a case builds it again, without a file or a capsule.
fn is_repeatable(record: &Record) -> bool {
    // A waived failure was one; a flaky one need not fail again.
    let settled = !matches!(record.verdict, Verdict::Waived | Verdict::Flaky);
    settled && matches!(record.source, Source::MustPass | Source::Sampled | Source::Statistical)
}

/// What became of a case that the certificate does not say.
fn difference(session: &mut Session<'_>, stated: &Record) -> Option<String> {
    let text = stated.case.strip_prefix(&stated.function).unwrap_or_default().trim();
    let case = match StudyCase::parse(&stated.function, text) {
        Some(study) => Case::Study(study),
        None => {
            let generator = generators::generator(&stated.function)?;
            match Recipe::parse(generator, text) {
                Ok(recipe) => Case::Recipe(recipe),
                Err(error) => return Some(error.to_string()),
            }
        }
    };
    let record = session.record(stated.source, &case);
    if record.input != stated.input {
        return Some("the input is another one".to_owned());
    }
    let (is, was) = (record.verdict, stated.verdict);
    (is != was).then(|| format!("is {is}, the certificate says {was}"))
}

fn conclude(same: usize, all: usize, good: &str, differences: String) -> Result<u8> {
    ensure!(all > 0, Usage("the sample is empty: ask for a larger --sample".to_owned()));
    super::print(&format!("{same} of {all} cases: each {good}\n{differences}"));
    Ok(if same == all { 0 } else { INVALID })
}
