//! Backends by name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use dispatch::{Backend, Device};

use crate::backends_file::{By, Described};
use crate::contract_mutants::{self, ContractMutantBackend};
use crate::golden::Corpus;
use crate::recorded::Recorded;
use crate::{Usage, backends_file, mutants, python};

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
///
/// # Errors
/// When the file of `CONCORD_BACKENDS` cannot be read.
pub fn known() -> Result<Vec<Known>> {
    let reference = reference::backend();
    let cuda = cuda_backend::backend();
    let of = |m: &dispatch::Manifest| Known {
        name: m.name.clone(),
        summary: m.summary.clone(),
        device: m.device.clone(),
    };
    let recorded = crate::golden::recorded_manifest("recorded", "1.8.3");
    let exact = reference::exact::backend();
    let mut known =
        vec![of(reference.manifest()), of(exact.manifest()), of(&recorded), of(cuda.manifest())];
    let numeric = mutants::all().map(|m| (m.name, m.mistake));
    let of_contract = contract_mutants::all().map(|m| (m.name, m.mistake));
    known.extend(numeric.chain(of_contract).map(|(name, mistake)| Known {
        name: format!("mutant:{name}"),
        summary: mistake.to_owned(),
        device: Device::Cpu,
    }));
    known.extend(described()?.into_iter().map(|described| Known {
        summary: match described.by {
            By::Recorded(folder) => format!("stored answers in {}", folder.display()),
            By::Process(_) => "a process, started when it is asked".to_owned(),
        },
        name: described.name,
        device: Device::Cpu,
    }));
    Ok(known)
}

/// The backends of the user's file, then those that need none.
fn described() -> Result<Vec<Described>> {
    let mut described = backends_file::from_environment()?;
    let own = |name: &str, list: &[Described]| list.iter().any(|d| d.name == name);
    let more = backends_file::built_in()?.into_iter().filter(|d| !own(&d.name, &described));
    let more: Vec<_> = more.collect();
    described.extend(more);
    Ok(described)
}

/// What answers under a name of a file; `None` for what is built in, and for what nobody knows.
pub(crate) fn described_as(name: &str) -> Result<Option<By>> {
    Ok(described()?.into_iter().find(|described| described.name == name).map(|found| found.by))
}

/// A backend, and the stored calls it can answer if it can answer no others.
#[derive(Clone)]
pub struct Opened {
    /// The backend.
    pub backend: Arc<dyn Backend>,
    /// The only calls it answers.
    pub stored: Option<Arc<Corpus>>,
}

impl Opened {
    /// A backend that answers any call.
    pub fn live(backend: impl Backend + 'static) -> Opened {
        Opened { backend: Arc::new(backend), stored: None }
    }

    fn recorded(name: &str, dir: &Path) -> Result<Opened> {
        let corpus = Corpus::read(dir)?;
        let backend = Arc::new(Recorded::new(name, &corpus));
        Ok(Opened { backend, stored: Some(Arc::new(corpus)) })
    }
}

/// The backend of a name.
///
/// # Errors
/// [`Usage`] if there is none, with the nearest names; an error that names the file if stored answers cannot be read.
pub fn open(name: &str) -> Result<Opened> {
    open_beside(name, Arc::new(reference::backend()))
}

/// The backend of a name, in a process in which `host` can be called; some mutants do that in secret.
///
/// # Errors
/// As [`open`].
pub fn open_beside(name: &str, host: Arc<dyn Backend>) -> Result<Opened> {
    if let Some(mutant) = name.strip_prefix("mutant:").and_then(contract_mutants::find) {
        return Ok(Opened::live(ContractMutantBackend::beside(mutant, host)));
    }
    if let Some(mutant) = name.strip_prefix("mutant:").and_then(mutants::backend) {
        return Ok(Opened::live(mutant));
    }
    match name {
        "reference" => return Ok(Opened::live(reference::backend())),
        "exact" => return Ok(Opened::live(reference::exact::backend())),
        "cuda" => return Ok(Opened::live(cuda_backend::backend())),
        "recorded" => return Opened::recorded(name, &default_golden_dir()),
        _ => {}
    }
    match described_as(name)? {
        Some(By::Recorded(folder)) => return Opened::recorded(name, &folder),
        Some(By::Process(spec)) => return Ok(Opened::live(python::start(name, &spec)?)),
        None => {}
    }
    let names: Vec<String> = known()?.into_iter().map(|k| k.name).collect();
    Err(Usage::unknown("backend", name, names.iter().map(String::as_str)).into())
}
