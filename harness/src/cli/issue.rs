//! The certificate that `concord certify` writes beside its report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use dispatch::Digest;
use reports::certificate::{
    ADEQUACY, Accelerator, Assurance, Challenge, Circumstances, Digests, Environment, Execution,
    FILE_NAME, Machine, POLICY, Policy, RESULTS, Runner, Statement, Subject, issue, to_bytes,
};
use reports::{Log, Time, render, wheel};

use crate::{Usage, clock};

/// What `concord adequacy --json` measured for this version of the examiner.
const MEASURED: &str = include_str!("../../adequacy.json");
/// Variables of the environment that can change results or the place where they are computed.
const VARIABLES: [&str; 5] = [
    "CONCORD_BACKENDS",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
];

/// What a certificate asserts and evidence cannot show.
#[derive(Args)]
pub(super) struct Issue {
    /// The file that is certified: the wheel, the shared library
    #[arg(long, value_name = "FILE", help_heading = "Certificate")]
    artifact: Option<PathBuf>,
    /// What each level takes; default: policy 1.0 of the project
    #[arg(long, value_name = "FILE.toml", help_heading = "Certificate")]
    policy: Option<PathBuf>,
    /// What `concord adequacy --json` printed; default: as measured for this version
    #[arg(long, value_name = "FILE.json", help_heading = "Certificate")]
    adequacy: Option<PathBuf>,
    /// On whose word the results stand: self-attested, ci-attested, third-party, reproduced
    #[arg(
        long,
        default_value = "self-attested",
        value_name = "WORD",
        help_heading = "Certificate"
    )]
    assurance: String,
    /// Whose installation this is, as a URI
    #[arg(
        long,
        default_value = "https://concord/unnamed",
        value_name = "URI",
        help_heading = "Certificate"
    )]
    verifier: String,
    /// Who chose the challenge: `maintainer`, or a round of a public beacon
    #[arg(long, default_value = "maintainer", value_name = "WHO", help_heading = "Certificate")]
    challenge_source: String,
    /// The certificate that this one follows or confirms
    #[arg(long, value_name = "FILE", help_heading = "Certificate")]
    parent: Option<PathBuf>,
}

impl Issue {
    /// Refuses before hours of examination what would be refused after them.
    pub(super) fn check(&self) -> Result<()> {
        self.assurance()?;
        for path in
            [&self.artifact, &self.policy, &self.adequacy, &self.parent].into_iter().flatten()
        {
            read(path)?;
        }
        Policy::parse(&String::from_utf8_lossy(&self.policy()?))?;
        Ok(())
    }

    /// Writes the certificate and its evidence into the folder of a run, and says in a few lines what it grants.
    pub(super) fn write(
        &self,
        log: &Log,
        challenge: &str,
        started: Time,
        out: &Path,
    ) -> Result<String> {
        let results = read(&out.join(RESULTS))?;
        let (adequacy, policy) = (self.adequacy()?, self.policy()?);
        let circumstances = self.circumstances(log, challenge, started)?;
        let statement = issue([&results, &adequacy, &policy], &circumstances)?;
        let bytes = to_bytes(&statement)?;
        let page = render::html(log, Some(&statement)).into_bytes();
        let now = statement.predicate.issued_at;
        let svg = render::badge_svg(&statement, now).into_bytes();
        let shields = format!("{:#}\n", render::badge_endpoint(&statement, now)).into_bytes();
        let files = [
            (ADEQUACY, &adequacy),
            (POLICY, &policy),
            (FILE_NAME, &bytes),
            ("report.html", &page),
            ("badge.svg", &svg),
            ("badge.json", &shields),
        ];
        for (name, bytes) in files {
            let path = out.join(name);
            std::fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(says(&statement, &out.join(FILE_NAME)))
    }

    fn circumstances(&self, log: &Log, challenge: &str, started: Time) -> Result<Circumstances> {
        let (subject, distribution) = match &self.artifact {
            None => (Vec::new(), None),
            Some(path) => subject(path, &log.header.backend.version)?,
        };
        let challenge = (!challenge.is_empty()).then(|| Challenge {
            value: challenge.to_owned(),
            source: self.challenge_source.clone(),
        });
        let program = std::env::current_exe().context("find the program that runs")?;
        let parent = self.parent.as_deref().map(read).transpose()?;
        let now = clock::now();
        Ok(Circumstances {
            subject,
            distribution,
            issued_at: now,
            parent: parent.map(|bytes| Digest::of_bytes(&bytes)),
            verifier: self.verifier.clone(),
            assurance: self.assurance()?,
            suite: Digests { sha256: Digest::of_bytes(&read(&program)?), wheel_record1: None },
            challenge,
            environment: Environment {
                machine: machine(),
                accelerators: Accelerator::of(&log.header.backend.device).into_iter().collect(),
                variables: variables(),
                runner: runner(),
            },
            execution: Execution {
                started_at: started,
                finished_at: now,
                argv: std::env::args().collect(),
            },
        })
    }

    fn assurance(&self) -> Result<Assurance> {
        let parsed = serde_json::from_value(self.assurance.clone().into());
        parsed.map_err(|_| {
            let message =
                "--assurance: expected self-attested, ci-attested, third-party or reproduced";
            Usage(format!("{message}, got `{}`", self.assurance)).into()
        })
    }

    fn policy(&self) -> Result<Vec<u8>> {
        self.policy.as_deref().map_or_else(|| Ok(Policy::DEFAULT.into()), read)
    }

    fn adequacy(&self) -> Result<Vec<u8>> {
        self.adequacy.as_deref().map_or_else(|| Ok(MEASURED.into()), read)
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("read {}", path.display()))
}

fn says(statement: &Statement, path: &Path) -> String {
    let granted = &statement.predicate.granted;
    let mut text = format!(
        "\nCertificate, to {}: overall {}\n",
        statement.predicate.not_after.date(),
        granted.overall
    );
    for (function, level) in &granted.functions {
        text += &format!("  {function:<18} {level}\n");
    }
    for reason in &granted.reasons {
        text += &format!("    {reason}\n");
    }
    text + &format!("  {} (sign it: concord sign {0})\n", path.display())
}

/// The file as a subject; of a wheel also its distribution, whose version must be the backend's.
fn subject(path: &Path, version: &str) -> Result<(Vec<Subject>, Option<String>)> {
    let bytes = read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sha256 = Digest::of_bytes(&bytes);
    let Some(stem) = name.strip_suffix(".whl") else {
        let digest = Digests { sha256, wheel_record1: None };
        return Ok((vec![Subject { name, digest }], None));
    };
    let mut parts = stem.split('-');
    let (distribution, of_wheel) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if of_wheel != version {
        let message =
            format!("the wheel {name} has version {of_wheel}, the examined backend {version}");
        return Err(Usage(message).into());
    }
    let wheel_record1 = Some(wheel::record_digest(&name, &bytes)?);
    let distribution = distribution.replace('_', "-").to_lowercase();
    Ok((vec![Subject { name, digest: Digests { sha256, wheel_record1 } }], Some(distribution)))
}

fn variables() -> BTreeMap<String, String> {
    let set = |name: &&str| Some(((*name).to_owned(), std::env::var(name).ok()?));
    VARIABLES.iter().filter_map(set).collect()
}

/// What Linux says about the machine; elsewhere only what Rust knows.
fn machine() -> Machine {
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str, separator: char| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(separator)).map(|(_, value)| value);
        value.unwrap_or_default().trim().trim_matches('"').to_owned()
    };
    let kib = field(&file("/proc/meminfo"), "MemTotal", ':');
    let kib: u64 = kib.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let os = field(&file("/etc/os-release"), "PRETTY_NAME", '=');
    Machine {
        os: if os.is_empty() { std::env::consts::OS.to_owned() } else { os },
        kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cpu: field(&file("/proc/cpuinfo"), "model name", ':'),
        cores: std::thread::available_parallelism().map_or(0, |n| n.get() as u64),
        mem_bytes: kib * 1024,
    }
}

fn runner() -> Runner {
    let variable = |name| std::env::var(name).ok();
    if variable("GITHUB_ACTIONS").is_some() {
        let parts = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(variable);
        let uri = match parts {
            [Some(server), Some(repository), Some(run)] => {
                Some(format!("{server}/{repository}/actions/runs/{run}"))
            }
            _ => None,
        };
        return Runner { kind: "github-actions".to_owned(), uri };
    }
    let kind = match (variable("GITLAB_CI"), variable("CI")) {
        (Some(_), _) => "gitlab-ci",
        (None, Some(_)) => "other-ci",
        (None, None) => "local",
    };
    Runner { kind: kind.to_owned(), uri: variable("CI_JOB_URL") }
}
