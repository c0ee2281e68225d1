//! Backends that are wrong on purpose.
//!
//! A verdict is worth what the examiner is worth, and these measure it: each is the reference with one
//! likely mistake, most of them seen in real code, and each names the check that must find it. A mutant
//! that survives is a blind spot.

mod co_occurrence;
mod ligrec;
mod spatial_autocorr;

use dispatch::{Backend, Call, Dataset, Digest, Fault, Manifest, Params, Reply, Table};

/// One mistake.
pub struct Mutant {
    /// The name after `mutant:`.
    pub name: &'static str,
    /// The function it is made in; the others are the reference's.
    pub function: &'static str,
    /// The mistake, as a person would describe it.
    pub mistake: &'static str,
    /// Where it was seen or why it is likely.
    pub origin: &'static str,
    /// The check that must find it.
    pub check: &'static str,
    /// The wrong function.
    pub run: fn(&Dataset, &Params) -> Result<Reply, Fault>,
}

/// All mutants.
pub const MUTANTS: &[Mutant] = &[
    spatial_autocorr::WITHOUT_N_OVER_S0,
    spatial_autocorr::NORMALISES_ALWAYS,
    spatial_autocorr::P_WITHOUT_PLUS_ONE,
    spatial_autocorr::MORAN_VARIANCE_FOR_GEARY,
    co_occurrence::STRICT_THRESHOLD,
    co_occurrence::ANNULI,
    co_occurrence::SELF_PAIRS,
    co_occurrence::STRIDE_TWO,
    ligrec::COUNTS_TIES,
    ligrec::PLUS_ONE,
    ligrec::MEAN_OF_EXPRESSING,
    ligrec::STRICT_FRACTION,
];

/// The mutant of a name.
pub fn find(name: &str) -> Option<&'static Mutant> {
    MUTANTS.iter().find(|m| m.name == name)
}

/// A mutant as a backend.
pub struct MutantBackend {
    manifest: Manifest,
    mutant: &'static Mutant,
    reference: Table<()>,
}

impl MutantBackend {
    /// The backend of a mutant.
    pub fn new(mutant: &'static Mutant) -> MutantBackend {
        let reference = reference::backend();
        let manifest = Manifest {
            name: format!("mutant:{}", mutant.name),
            summary: mutant.mistake.to_owned(),
            artifact: Digest::of_bytes(mutant.name.as_bytes()),
            ..reference.manifest().clone()
        };
        MutantBackend { manifest, mutant, reference }
    }
}

impl Backend for MutantBackend {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        if call.function == self.mutant.function {
            (self.mutant.run)(&call.data, &call.params)
        } else {
            self.reference.run(call)
        }
    }
}
