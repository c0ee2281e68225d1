//! `concord trust`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use dispatch::Digest;
use reports::certificate::{CertificateError, FILE_NAME, Standing};
use reports::signature;
use reports::trust::{Certified, Identities, Target, TrustedList, build};

use super::issue::read;
use super::sign::signatures;
use super::verify::{INVALID, Known, Trust, line};
use crate::Usage;

/// The file that a host library loads.
const LIST: &str = "trusted-backends.toml";

/// Makes and checks the list of trusted builds that a host library loads.
///
/// The folder holds `certificates/NAME/` (what `concord certify` wrote, signed), `policy.toml`, `allowed_signers`,
/// `backends.toml` (who may be trusted at all), and, where there are any, `revoked_keys` and `revoked.toml`.
#[derive(Args)]
pub(super) struct TrustVerb {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Checks every certificate and writes trusted-backends.toml; one refusal, and nothing is written
    Build(Build),
    /// Makes the list again and compares every byte; for continuous integration
    Check(Check),
}

#[derive(Args)]
struct Build {
    /// The folder
    dir: PathBuf,
    /// The host library the list is for
    #[arg(long, value_name = "NAME")]
    host: String,
    /// Accept certificates of builds that were examined against this host too, as if it were the host itself; the list
    /// says so
    #[arg(long, value_name = "NAME")]
    stand_in: Option<String>,
    /// What time it is; default: by the clock
    #[arg(long, value_name = "YYYY-MM-DDThh:mm:ssZ")]
    now: Option<reports::Time>,
}

#[derive(Args)]
struct Check {
    /// The folder
    dir: PathBuf,
    /// The list that was published before: the serial must have grown
    #[arg(long, value_name = "FILE.toml")]
    previous: Option<PathBuf>,
    /// What time it is; default: by the clock
    #[arg(long, value_name = "YYYY-MM-DDThh:mm:ssZ")]
    now: Option<reports::Time>,
}

impl TrustVerb {
    pub(super) fn run(&self) -> Result<u8> {
        match &self.verb {
            Verb::Build(build) => build.run(),
            Verb::Check(check) => check.run(),
        }
    }
}

impl Build {
    fn run(&self) -> Result<u8> {
        let path = self.dir.join(LIST);
        let serial = match path.is_file() {
            true => read_list(&path)?.serial + 1,
            false => 1,
        };
        let known = known(&self.dir, self.now)?;
        let Some(certified) = certified(&self.dir, &known)? else { return Ok(INVALID) };
        let target = Target { host: &self.host, stand_in: self.stand_in.as_deref() };
        let list = match list(&self.dir, target, &certified, &known, (serial, known.now)) {
            Err(error) if error.is::<CertificateError>() => return refuse(&format!("{error:#}")),
            other => other?,
        };
        std::fs::write(&path, list.to_toml()?)
            .with_context(|| format!("write {}", path.display()))?;
        let grants: usize = list.trusted_backends.values().map(|b| b.grants.len()).sum();
        super::print(&format!(
            "{}: serial {serial}, {grants} grants (sign it: concord sign {0})\n",
            path.display()
        ));
        Ok(0)
    }
}

impl Check {
    fn run(&self) -> Result<u8> {
        let path = self.dir.join(LIST);
        let text = String::from_utf8(read(&path)?)?;
        let stored = TrustedList::parse(&text)?;
        let time = |t: &toml::value::Datetime| {
            t.to_string().parse::<reports::Time>().map_err(anyhow::Error::msg)
        };
        let known = known(&self.dir, self.now)?;
        let (made, ends) = (time(&stored.generated_at)?, time(&stored.not_after)?);
        if known.now > ends {
            return refuse(&format!("the list expired at {ends}, now is {}", known.now));
        }
        if let Some(previous) = &self.previous {
            let previous = read_list(previous)?.serial;
            if stored.serial <= previous {
                return refuse(&format!(
                    "the serial is {}, the list before it has {previous}",
                    stored.serial
                ));
            }
        }
        for signature in signatures(&path)? {
            let Some(signers) = known.signers() else {
                bail!("the list is signed, but there is no allowed_signers")
            };
            let bytes = text.as_bytes();
            if let Err(error) =
                signers.verify(bytes, &signature, signature::TRUSTED_LIST, known.now)
            {
                return refuse(&error.to_string());
            }
        }
        let Some(certified) = certified(&self.dir, &known)? else { return Ok(INVALID) };
        let target = Target { host: &stored.host, stand_in: stored.host_stand_in.as_deref() };
        let again =
            list(&self.dir, target, &certified, &known, (stored.serial, made))?.to_toml()?;
        if again != text {
            let line = again.lines().zip(text.lines()).take_while(|(a, b)| a == b).count() + 1;
            return refuse(&format!("line {line} of {LIST} is not what the certificates give"));
        }
        super::print(&format!(
            "{}: serial {}, to {ends}, every byte follows from its certificates\n",
            path.display(),
            stored.serial
        ));
        Ok(0)
    }
}

fn refuse(why: &str) -> Result<u8> {
    super::print(&format!("  REFUSED  {why}\n"));
    Ok(INVALID)
}

fn read_list(path: &Path) -> Result<TrustedList> {
    Ok(TrustedList::parse(&String::from_utf8(read(path)?)?)?)
}

/// Whom and what the folder trusts.
fn known(dir: &Path, now: Option<reports::Time>) -> Result<Known> {
    let there = |name: &str| Some(dir.join(name)).filter(|path| path.is_file());
    let needed = |name: &str| -> Result<Option<PathBuf>> {
        ensure!(
            dir.join(name).is_file(),
            Usage(format!("there is no {}", dir.join(name).display()))
        );
        Ok(there(name))
    };
    let trust = Trust {
        policy: needed("policy.toml")?,
        allowed_signers: needed("allowed_signers")?,
        revoked_keys: there("revoked_keys"),
        revoked: there("revoked.toml"),
        now,
    };
    trust.read()
}

/// Every certificate of the folder, checked; `None` if one is refused, after saying why. A revoked one stays in the
/// folder and is passed over.
fn certified(dir: &Path, known: &Known) -> Result<Option<Vec<Certified>>> {
    let folder = dir.join("certificates");
    let entries =
        std::fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path().join(FILE_NAME))).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    let mut all = Vec::new();
    let mut refused = false;
    for path in paths {
        let sha256 = Digest::of_bytes(&read(&path)?);
        if let Some(reason) = known.revoked.reason(&sha256) {
            super::print(&format!("{}: revoked, {reason}\n", path.display()));
            continue;
        }
        let (findings, statement) = known.verify(&path, None, &[])?;
        // The files themselves need not be here: the host compares what is installed.
        let wrong: Vec<_> = findings
            .iter()
            .filter(|f| match f.standing {
                Standing::Refused(_) => true,
                Standing::NotChecked(_) => f.topic != reports::certificate::Topic::Artifact,
                Standing::Holds(_) => false,
            })
            .collect();
        match (wrong.is_empty(), statement) {
            (true, Some(statement)) => all.push(Certified { sha256, statement }),
            _ => {
                refused = true;
                let lines: String = wrong.into_iter().map(line).collect();
                super::print(&format!("{}\n{lines}", path.display()));
            }
        }
    }
    Ok((!refused).then_some(all))
}

fn list(
    dir: &Path,
    target: Target<'_>,
    certified: &[Certified],
    known: &Known,
    made: (u64, reports::Time),
) -> Result<TrustedList> {
    let text = |name: &str| Ok::<_, anyhow::Error>(String::from_utf8(read(&dir.join(name))?)?);
    let identities = Identities::parse(&text("backends.toml")?)?;
    Ok(build(
        target,
        &identities,
        certified,
        &known.revoked,
        text("policy.toml")?.as_bytes(),
        made,
    )?)
}
