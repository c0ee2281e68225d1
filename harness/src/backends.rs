//! Backends by name.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use dispatch::{Backend, Device};

use crate::golden::Corpus;
use crate::recorded::Recorded;
use crate::{Usage, mutants};

/// Where the stored answers are that come with the project, unless the command line names others.
pub fn default_golden_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// One line of `concord list`.
pub struct Known {
    /// The name to use on the command line.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Whether it can run here, and if not, why.
    pub device: Device,
}

/// Every backend that can be named.
pub fn known() -> Vec<Known> {
    let reference = reference::backend();
    let cuda = cuda_backend::backend();
    let of = |m: &dispatch::Manifest| Known {
        name: m.name.clone(),
        summary: m.summary.clone(),
        device: m.device.clone(),
    };
    let recorded = crate::golden::recorded_manifest("1.8.3");
    let mut known = vec![of(reference.manifest()), of(&recorded), of(cuda.manifest())];
    known.extend(mutants::MUTANTS.iter().map(|m| Known {
        name: format!("mutant:{}", m.name),
        summary: m.mistake.to_owned(),
        device: Device::Cpu,
    }));
    known
}

/// The backend of a name.
///
/// # Errors
/// [`Usage`] if there is none, with the nearest names; an error that names the file if stored answers cannot be read.
pub fn open(name: &str) -> Result<Arc<dyn Backend>> {
    if let Some(mutant) = name.strip_prefix("mutant:").and_then(mutants::find) {
        return Ok(Arc::new(mutants::MutantBackend::new(mutant)));
    }
    match name {
        "reference" => Ok(Arc::new(reference::backend())),
        "cuda" => Ok(Arc::new(cuda_backend::backend())),
        "recorded" => Ok(Arc::new(Recorded::new(&Corpus::read(&default_golden_dir())?))),
        _ => {
            let names: Vec<String> = known().into_iter().map(|k| k.name).collect();
            Err(Usage::unknown("backend", name, names.iter().map(String::as_str)).into())
        }
    }
}
