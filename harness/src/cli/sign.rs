//! `concord sign`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use reports::signature;

use super::issue::read;

/// Signs a certificate or a trusted list with an SSH key, as `ssh-keygen -Y sign` does.
#[derive(Args)]
pub(super) struct Sign {
    /// What is signed
    file: PathBuf,
    /// An Ed25519 key in OpenSSH form, without a passphrase; with one: `ssh-keygen -Y sign`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the signature is for; by default what the name of the file says
    #[arg(long, value_enum)]
    purpose: Option<Purpose>,
    /// A second signature beside the first: FILE.sig.WHO
    #[arg(long, value_name = "WHO")]
    also: Option<String>,
    /// Write a DSSE envelope for Sigstore, FILE.dsse.json, instead of a detached signature
    #[arg(long)]
    dsse: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Purpose {
    /// A certificate of a build
    Certificate,
    /// A list of trusted builds
    TrustedList,
}

impl Sign {
    pub(super) fn run(&self) -> Result<u8> {
        let bytes = read(&self.file)?;
        let key = std::fs::read_to_string(&self.key)
            .with_context(|| format!("read {}", self.key.display()))?;
        let is_list = self.file.extension().is_some_and(|e| e == "toml");
        let usual = if is_list { Purpose::TrustedList } else { Purpose::Certificate };
        let namespace = match self.purpose.unwrap_or(usual) {
            Purpose::Certificate => signature::CERTIFICATE,
            Purpose::TrustedList => signature::TRUSTED_LIST,
        };
        let (suffix, text) = match self.dsse {
            true => {
                (".dsse.json".to_owned(), format!("{:#}\n", signature::envelope(&bytes, &key)?))
            }
            false => {
                let who = self.also.as_ref().map(|who| format!(".{who}")).unwrap_or_default();
                (format!(".sig{who}"), signature::sign(&bytes, &key, namespace)?)
            }
        };
        let path = beside(&self.file, &suffix);
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        super::print(&format!("{} ({namespace})\n", path.display()));
        Ok(0)
    }
}

/// The file of that name with a suffix.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The detached signatures beside a file: `FILE.sig` and `FILE.sig.WHO`, in order of their names.
pub(super) fn signatures(file: &Path) -> Result<Vec<String>> {
    let first = beside(file, ".sig");
    let prefix = first.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut names: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&prefix)))
        .collect();
    names.sort();
    let text = |path: PathBuf| {
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    };
    names.into_iter().map(text).collect()
}
