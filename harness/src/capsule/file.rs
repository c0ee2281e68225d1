//! Capsules on disk. Whatever stands in a folder, reading it gives a capsule or an error that says what is wrong.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use dispatch::{Call, Dataset, Dense, Digest, Fault, Manifest, Map, Order, Params, Reply, Value};
use dispatch::{Warning, Witness};
use reports::{Check, Verdict};
use serde::{Deserialize, Serialize};

use super::{Capsule, Side, id, is_id, script};
use crate::judge::Outcome;

/// The format of `capsule.json` that this version reads and writes.
const FORMAT: u32 = 1;
/// The largest `capsule.json` that is read; a shrunk one has a few thousand bytes.
const LARGEST: u64 = 64 << 20;

const INPUT: &str = "input.h5ad";
const CONTENT: &str = "capsule.json";
const SCRIPT: &str = "reproduce.py";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    id: String,
    function: String,
    params: Params,
    /// Digest of the call: function, data and parameters.
    input: Digest,
    /// Matrices of the input in column-major order, which `.h5ad` does not keep.
    fortran: Vec<String>,
    origin: String,
    check: String,
    verdict: Verdict,
    reason: String,
    checks: Vec<Check>,
    host: StoredSide,
    backend: StoredSide,
    environment: Environment,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Environment {
    examiner: String,
    platform: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSide {
    name: String,
    manifest: Manifest,
    outcome: StoredOutcome,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StoredOutcome {
    Answer {
        slots: Map,
        mutated: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warnings: Option<Vec<Warning>>,
        witness: Witness,
    },
    Fault(Fault),
}

impl Capsule {
    /// Writes the capsule as a folder inside `dir`.
    ///
    /// # Errors
    /// When a file cannot be written, or when `.h5ad` cannot hold the input exactly; names the slot.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let folder = dir.join(self.id());
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("create folder {}", folder.display()))?;
        let written = self.fill(&folder).with_context(|| format!("write capsule {}", self.id()));
        if written.is_err() {
            // Half a capsule is an error for whoever lists the folder; the first error is the one to report.
            let _ = std::fs::remove_dir_all(&folder);
        }
        written
    }

    fn fill(&self, folder: &Path) -> Result<()> {
        let fortran = column_major(&self.call.data);
        anndata_io::write(&folder.join(INPUT), &self.call.data)?;
        let stored = input(folder, &fortran)?;
        if stored != *self.call.data {
            let differs =
                self.call.data.leaves().into_iter().find(|(p, v)| stored.get(p) != Some(v));
            let slot = differs.map_or_else(|| "a slot".to_owned(), |(path, _)| format!("`{path}`"));
            bail!("an .h5ad file does not hold {slot} as it is");
        }
        let text = serde_json::to_string_pretty(&self.content(fortran.clone()))?;
        for (name, text) in [(CONTENT, text + "\n"), (SCRIPT, script(self, &fortran))] {
            let path = folder.join(name);
            std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }

    fn content(&self, fortran: Vec<String>) -> Content {
        let side = |side: &Side| StoredSide {
            name: side.name.clone(),
            manifest: side.manifest.clone(),
            outcome: match &side.outcome {
                Ok(reply) => StoredOutcome::Answer {
                    slots: reply.data.root().clone(),
                    mutated: reply.mutated.clone(),
                    warnings: reply.warnings.clone(),
                    witness: reply.witness.clone(),
                },
                Err(fault) => StoredOutcome::Fault(fault.clone()),
            },
        };
        Content {
            format: FORMAT,
            id: self.id(),
            function: self.call.function.clone(),
            params: self.call.params.clone(),
            input: self.call.digest(),
            fortran,
            origin: self.origin.clone(),
            check: self.check.clone(),
            verdict: self.verdict,
            reason: self.reason.clone(),
            checks: self.checks.clone(),
            host: side(&self.host),
            backend: side(&self.backend),
            environment: Environment {
                examiner: format!("concord {}", env!("CARGO_PKG_VERSION")),
                platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            },
        }
    }
}

impl StoredSide {
    fn side(self) -> Side {
        let outcome: Outcome = match self.outcome {
            StoredOutcome::Answer { slots, mutated, warnings, witness } => {
                Ok(Reply { data: slots.into(), mutated, warnings, witness, ..Reply::default() })
            }
            StoredOutcome::Fault(fault) => Err(fault),
        };
        Side { name: self.name, manifest: self.manifest, outcome }
    }
}

/// Reads the capsule in a folder.
///
/// # Errors
/// When a file is missing, cut off or not what it should be, or when the input is not the one that the name of the
/// capsule was made from.
pub fn read(folder: &Path) -> Result<Capsule> {
    read_folder(folder).with_context(|| format!("read capsule {}", folder.display()))
}

fn read_folder(folder: &Path) -> Result<Capsule> {
    let path = folder.join(CONTENT);
    let size = std::fs::metadata(&path).with_context(|| format!("open {}", path.display()))?.len();
    ensure!(size <= LARGEST, "{CONTENT} has {size} bytes, at most {LARGEST} are read");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {CONTENT}"))?;
    let content: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("parse {CONTENT}"))?;
    // Before the rest: another format may have other fields.
    match content.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        other => bail!("{CONTENT} has format {other:?}, this version reads format {FORMAT}"),
    }
    let content: Content =
        serde_json::from_value(content).with_context(|| format!("parse {CONTENT}"))?;
    let data = input(folder, &content.fortran)?;
    let call = Call::new(content.function, data, content.params);
    let digest = call.digest();
    ensure!(
        digest == content.input && content.id == id(&call),
        "its input is not the one it was made from: the digest is {digest}, expected {} ({})",
        content.input,
        content.id
    );
    Ok(Capsule {
        call: Arc::new(call),
        origin: content.origin,
        check: content.check,
        verdict: content.verdict,
        reason: content.reason,
        checks: content.checks,
        host: content.host.side(),
        backend: content.backend.side(),
    })
}

/// The capsules in a folder, in the order of their names; whatever is not named like a capsule is passed over.
///
/// # Errors
/// When the folder or one of the capsules cannot be read.
pub fn list(dir: &Path) -> Result<Vec<Capsule>> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.with_context(|| format!("list {}", dir.display()))?.file_name());
    }
    names.sort();
    let named = names.iter().filter_map(|name| name.to_str()).filter(|name| is_id(name));
    let capsules: Vec<Capsule> = named.map(|name| read(&dir.join(name))).collect::<Result<_>>()?;
    Ok(capsules)
}

/// The AnnData of a capsule, with the matrices at `fortran` in column-major order again.
fn input(folder: &Path, fortran: &[String]) -> Result<Dataset> {
    let mut data = anndata_io::read(&folder.join(INPUT))?.data;
    let empty = |(name, value): (&String, &Value)| value.is_empty().then(|| name.clone());
    let groups = data.root().iter().filter(|(_, value)| matches!(value, Value::Map(_)));
    let empty: Vec<String> = groups.filter_map(empty).collect();
    empty.iter().for_each(|name| drop(data.remove(name)));
    for path in fortran {
        match data.get_mut(path) {
            Some(Value::Dense(dense)) if dense.shape.len() > 1 => {
                *dense = dense.to_order(Order::F);
            }
            other => {
                let got = other.map_or("nothing", |value| value.type_name());
                return Err(anyhow!("`{path}` is listed as a column-major matrix, got {got}"));
            }
        }
    }
    Ok(data)
}

/// The paths of the matrices in column-major order.
fn column_major(data: &Dataset) -> Vec<String> {
    let is_fortran = |value: &Value| matches!(value, Value::Dense(Dense { shape, order: Order::F, .. }) if shape.len() > 1);
    let leaves = data.leaves().into_iter();
    leaves.filter(|(_, value)| is_fortran(value)).map(|(path, _)| path).collect()
}
