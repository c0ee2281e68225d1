//! `concord index`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use reports::certificate::{FILE_NAME, Finding, Standing, Topic};
use reports::render::{self, Listed};

use super::verify::{INVALID, Trust};

/// Writes a page of all certificates below a folder: backends and functions, and the history of each.
///
/// Each certificate is checked with the evidence beside it, as `concord verify` does; one that is refused is shown with
/// the reason and without a level, and the exit code is 5. That one has expired is no refusal here.
#[derive(Args)]
pub(super) struct Index {
    /// The folder; certificates may lie at any depth
    dir: PathBuf,
    /// Where to write the page; default: index.html in the folder
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
}

impl Index {
    pub(super) fn run(&self) -> Result<u8> {
        let known = self.trust.read()?;
        let out = self.out.clone().unwrap_or_else(|| self.dir.join("index.html"));
        let (mut listed, mut refused) = (Vec::new(), 0);
        for path in certificates(&self.dir)? {
            let (findings, statement) = known.verify(&path, None, &[])?;
            let why = reason(&findings);
            if let Some(why) = &why {
                refused += 1;
                eprintln!("concord: {}: {why}", path.display());
            }
            if let Some(certificate) = statement {
                listed.push(Listed { certificate, page: page(&path, &out), refused: why });
            }
        }
        let text = render::index(&listed, known.now);
        std::fs::write(&out, text).with_context(|| format!("write {}", out.display()))?;
        let certificates = listed.len();
        super::print(&format!(
            "{}: {certificates} certificates, {refused} refused\n",
            out.display()
        ));
        Ok(if refused == 0 { 0 } else { INVALID })
    }
}

/// Why a certificate is refused; its age is shown on the page.
fn reason(findings: &[Finding]) -> Option<String> {
    findings.iter().filter(|f| f.topic != Topic::Period).find_map(|f| match &f.standing {
        Standing::Refused(why) => Some(format!("{}: {why}", f.topic.name())),
        Standing::Holds(_) | Standing::NotChecked(_) => None,
    })
}

/// Every certificate below a folder, in order of the paths.
fn certificates(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("list {}", dir.display()))?;
        let kind =
            entry.file_type().with_context(|| format!("look at {}", entry.path().display()))?;
        if kind.is_dir() {
            paths.extend(certificates(&entry.path())?);
        } else if entry.file_name() == FILE_NAME {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// The address of the report beside a certificate, from the page; empty where there is none or no relative path leads there.
fn page(certificate: &Path, index: &Path) -> String {
    let report = certificate.with_file_name("report.html");
    let folder = index.parent().unwrap_or(Path::new(""));
    match report.strip_prefix(folder) {
        Ok(relative) if report.is_file() => {
            let parts = relative.components().map(|c| encoded(&c.as_os_str().to_string_lossy()));
            parts.collect::<Vec<String>>().join("/")
        }
        _ => String::new(),
    }
}

/// A part of a path as a part of an address (RFC 3986, unreserved characters).
fn encoded(part: &str) -> String {
    let byte = |b: u8| match b {
        b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    part.bytes().map(byte).collect()
}
