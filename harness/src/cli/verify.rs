//! `concord verify`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use dispatch::Digest;
use reports::Time;
use reports::certificate::{Dossier, Finding, Standing, Statement, verify};
use reports::signature::Signers;
use reports::trust::Revocations;

use super::issue::read;
use super::sign::signatures;
use crate::{clock, replan};

/// The exit code of a certificate in which something is refused.
pub(super) const INVALID: u8 = 5;

/// Checks a certificate: signature, period, evidence, policy, every figure and level recomputed, seeds and cases, files.
///
/// Exit code 0: everything was asked and holds; 5: something is refused; 4: nothing is refused, not everything was
/// asked.
#[derive(Args)]
pub(super) struct Verify {
    /// The certificate
    certificate: PathBuf,
    /// The file at hand that should be the certified one
    #[arg(long, value_name = "FILE")]
    artifact: Vec<PathBuf>,
    /// The folder of the evidence; default: where the certificate lies
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
}

/// Whom and what the reader trusts.
#[derive(Args)]
pub(super) struct Trust {
    /// The policy that the reader trusts
    #[arg(long, value_name = "FILE.toml")]
    pub(super) policy: Option<PathBuf>,
    /// Whose signatures count, as for `ssh-keygen -Y verify`
    #[arg(long, value_name = "FILE")]
    pub(super) allowed_signers: Option<PathBuf>,
    /// Public keys that no longer count, one a line
    #[arg(long, value_name = "FILE")]
    pub(super) revoked_keys: Option<PathBuf>,
    /// Certificates that were taken back: [[revoked]] with certificate_sha256, reason, at
    #[arg(long, value_name = "FILE.toml")]
    pub(super) revoked: Option<PathBuf>,
    /// What time it is; default: by the clock
    #[arg(long, value_name = "YYYY-MM-DDThh:mm:ssZ")]
    pub(super) now: Option<Time>,
}

/// What [`Trust`] names, read.
pub(super) struct Known {
    policy: Option<Vec<u8>>,
    signers: Option<Signers>,
    pub(super) revoked: Revocations,
    pub(super) now: Time,
}

impl Trust {
    pub(super) fn read(&self) -> Result<Known> {
        let text = |path: &Option<PathBuf>| -> Result<Option<String>> {
            let read = |path: &PathBuf| {
                std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
            };
            path.as_ref().map(read).transpose()
        };
        let revoked_keys = text(&self.revoked_keys)?.unwrap_or_default();
        let signers =
            text(&self.allowed_signers)?.map(|allowed| Signers::parse(&allowed, &revoked_keys));
        let revoked = text(&self.revoked)?.map(|t| Revocations::parse(&t)).transpose()?;
        Ok(Known {
            policy: self.policy.as_deref().map(read).transpose()?,
            signers: signers.transpose()?,
            revoked: revoked.unwrap_or_default(),
            now: self.now.unwrap_or_else(clock::now),
        })
    }
}

impl Known {
    /// Whether a list of signers was given.
    pub(super) fn signers(&self) -> Option<&Signers> {
        self.signers.as_ref()
    }

    /// Asks everything about the certificate in a file.
    pub(super) fn verify(
        &self,
        certificate: &Path,
        evidence: Option<&Path>,
        artifacts: &[PathBuf],
    ) -> Result<(Vec<Finding>, Option<Statement>)> {
        let bytes = read(certificate)?;
        let folder = evidence.or(certificate.parent()).unwrap_or(Path::new("")).to_owned();
        let artifact = |path: &PathBuf| Ok((path.display().to_string(), read(path)?));
        let artifacts: Vec<(String, Vec<u8>)> =
            artifacts.iter().map(artifact).collect::<Result<_>>()?;
        Ok(verify(&Dossier {
            certificate: &bytes,
            evidence: &|name| std::fs::read(folder.join(name)).ok(),
            policy: self.policy.as_deref(),
            artifacts: &artifacts,
            signatures: &signatures(certificate)?,
            signers: self.signers.as_ref(),
            revoked: &|digest: &Digest| self.revoked.reason(digest),
            now: self.now,
            replan: Some(&replan::replan),
        }))
    }
}

impl Verify {
    pub(super) fn run(&self) -> Result<u8> {
        let known = self.trust.read()?;
        let (findings, statement) =
            known.verify(&self.certificate, self.evidence.as_deref(), &self.artifact)?;
        let mut text = String::new();
        if let Some(statement) = &statement {
            let backend = &statement.predicate.backend;
            text += &format!("{} {} for {}\n", backend.name, backend.version, backend.host);
        }
        text += &findings.iter().map(line).collect::<String>();
        if let (Some(statement), false) = (&statement, is_refused(&findings)) {
            for (function, level) in &statement.predicate.granted.functions {
                text += &format!("  {function:<18} {level}\n");
            }
        }
        let code = exit_code(&findings);
        text += match code {
            0 => "holds\n",
            INVALID => "REFUSED\n",
            _ => "nothing is refused, but not everything was asked\n",
        };
        super::print(&text);
        Ok(code)
    }
}

pub(super) fn line(finding: &Finding) -> String {
    let (mark, why) = match &finding.standing {
        Standing::Holds(why) => ("ok     ", why),
        Standing::Refused(why) => ("REFUSED", why),
        Standing::NotChecked(why) => ("-      ", why),
    };
    format!("  {mark}  {:<10}  {why}\n", finding.topic.name())
}

pub(super) fn is_refused(findings: &[Finding]) -> bool {
    findings.iter().any(|f| matches!(f.standing, Standing::Refused(_)))
}

fn exit_code(findings: &[Finding]) -> u8 {
    let unasked = findings.iter().any(|f| matches!(f.standing, Standing::NotChecked(_)));
    match (is_refused(findings), unasked) {
        (true, _) => INVALID,
        (false, true) => reports::Outcome::Inconclusive.exit_code(),
        (false, false) => 0,
    }
}
