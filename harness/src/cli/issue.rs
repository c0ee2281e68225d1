//! The certificate that `concord certify` writes beside its report.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use dispatch::Digest;
use reports::certificate::{
    ADEQUACY, Assurance, Challenge, Circumstances, Digests, Execution, FILE_NAME, POLICY, Policy,
    RESULTS, Statement, Subject, issue, to_bytes,
};
use reports::{Log, render, wheel};
use serde::{Deserialize, Serialize};

use super::environment::Watched;
use crate::{Usage, clock};

/// What `concord adequacy --json` measured for this version of the examiner.
const MEASURED: &str = include_str!("../../adequacy.json");

/// What a certificate asserts and evidence cannot show.
#[derive(Args, Serialize, Deserialize)]
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
        watched: &Watched,
        out: &Path,
    ) -> Result<String> {
        let results = read(&out.join(RESULTS))?;
        let (adequacy, policy) = (self.adequacy()?, self.policy()?);
        let circumstances = self.circumstances(log, challenge, watched)?;
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

    fn circumstances(
        &self,
        log: &Log,
        challenge: &str,
        watched: &Watched,
    ) -> Result<Circumstances> {
        let (subject, distribution) = match &self.artifact {
            None => (Vec::new(), None),
            Some(path) => subject(path, &log.header.backend.version)?,
        };
        let challenge = (!challenge.is_empty()).then(|| Challenge {
            value: challenge.to_owned(),
            source: self.challenge_source.clone(),
        });
        let parent = self.parent.as_deref().map(read).transpose()?;
        let now = clock::now();
        Ok(Circumstances {
            subject,
            distribution,
            issued_at: now,
            parent: parent.map(|bytes| Digest::of_bytes(&bytes)),
            verifier: self.verifier.clone(),
            assurance: self.assurance()?,
            suite: Digests { sha256: program()?, wheel_record1: None },
            challenge,
            environment: watched.environment(&log.header.backend.device),
            execution: Execution {
                started_at: watched.started,
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

/// The digest of the program that runs.
pub(super) fn program() -> Result<Digest> {
    let path = std::env::current_exe().context("find the program that runs")?;
    Ok(Digest::of_bytes(&read(&path)?))
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
