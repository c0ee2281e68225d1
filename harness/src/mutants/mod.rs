//! Backends that are wrong on purpose.
//!
//! A verdict is worth what the examiner is worth, and these measure it: each is the reference with one
//! likely mistake, most of them seen in real code, and each names the check that must find it and the
//! blind spot of today's upstream tests that lets it pass. A mutant that survives is a blind spot of ours.
//! Mistakes that no answer can show are listed apart ([`EQUIVALENT`]), each with its proof, and run too.
//!
//! How one is written: read the call ([`mod@reference`]'s `Task`), change one stage, let the reference do the rest.

mod change;
mod co_occurrence;
mod equivalent;
mod ligrec;
mod spatial_autocorr;

use dispatch::{Backend, Call, Dataset, Digest, Fault, Manifest, Params, Reply, Table};
use serde::Serialize;

pub use equivalent::{EQUIVALENT, Equivalent};

/// A function of a backend.
pub type Run = fn(&Dataset, &Params) -> Result<Reply, Fault>;

/// What kind of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A wrong formula.
    Formula,
    /// Wrong permutations, or too many, too few, the same.
    Permutations,
    /// Right statistics, wrong p-values or corrections.
    PValues,
    /// An argument ignored, or data read from the wrong place.
    Inputs,
    /// The right formula in too little precision, or in one that cancels.
    Numerics,
    /// Something is left out where a block, a tile, a buffer or an integer ends.
    Sizes,
    /// Right numbers in the wrong slot, column, row, order or type.
    Structure,
    /// Bad input answered, good input refused, or refused with the wrong error.
    Refusals,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 8] = [
        Class::Formula,
        Class::Permutations,
        Class::PValues,
        Class::Inputs,
        Class::Numerics,
        Class::Sizes,
        Class::Structure,
        Class::Refusals,
    ];

    /// The name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Class::Formula => "formula",
            Class::Permutations => "permutations",
            Class::PValues => "p-values",
            Class::Inputs => "inputs",
            Class::Numerics => "numerics",
            Class::Sizes => "sizes",
            Class::Structure => "structure",
            Class::Refusals => "refusals",
        }
    }
}

/// One mistake.
#[derive(Clone, Copy)]
pub struct Mutant {
    /// The name after `mutant:`.
    pub name: &'static str,
    /// The function it is made in; the others are the reference's.
    pub function: &'static str,
    /// The row of the specification's list of likely mistakes (part E) that asks for it; empty for those beyond it.
    pub spec: &'static str,
    /// What kind of mistake it is.
    pub class: Class,
    /// The mistake, as a person would describe it.
    pub mistake: &'static str,
    /// Where it was seen or why it is likely, and why today's tests let it pass.
    pub origin: &'static str,
    /// The check that must find it.
    pub check: &'static str,
    /// The wrong function.
    pub run: Run,
}

impl Mutant {
    /// A mutant of a function and class, to be filled in.
    pub(crate) const fn of(function: &'static str, class: Class) -> Mutant {
        Mutant {
            name: "",
            function,
            spec: "",
            class,
            mistake: "",
            origin: "",
            check: "",
            run: |_, _| Err(Fault::Unsupported(String::new())),
        }
    }
}

impl std::fmt::Debug for Mutant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mutant({})", self.name)
    }
}

/// All mutants, by function.
pub fn all() -> impl Iterator<Item = &'static Mutant> {
    let functions = [spatial_autocorr::MUTANTS, co_occurrence::MUTANTS, ligrec::MUTANTS];
    functions.into_iter().flatten().copied().flatten()
}

/// The mutant of a name.
pub fn find(name: &str) -> Option<&'static Mutant> {
    all().find(|m| m.name == name)
}

/// The backend of a mutant or of an equivalent one, by its name.
pub fn backend(name: &str) -> Option<MutantBackend> {
    let equivalent = || EQUIVALENT.iter().find(|e| e.name == name).map(MutantBackend::equivalent);
    find(name).map(MutantBackend::new).or_else(equivalent)
}

/// A mutant as a backend.
pub struct MutantBackend {
    manifest: Manifest,
    function: &'static str,
    run: Run,
    reference: Table<()>,
}

impl MutantBackend {
    /// The backend of a mutant.
    pub fn new(mutant: &Mutant) -> MutantBackend {
        MutantBackend::named(mutant.name, mutant.mistake, mutant.function, mutant.run)
    }

    /// The backend of a mutant that no answer can show.
    pub fn equivalent(mutant: &Equivalent) -> MutantBackend {
        MutantBackend::named(mutant.name, mutant.change, mutant.function, mutant.run)
    }

    fn named(name: &str, summary: &str, function: &'static str, run: Run) -> MutantBackend {
        let reference = reference::backend();
        let manifest = Manifest {
            name: format!("mutant:{name}"),
            summary: summary.to_owned(),
            artifact: Digest::of_bytes(name.as_bytes()),
            ..reference.manifest().clone()
        };
        MutantBackend { manifest, function, run, reference }
    }
}

impl Backend for MutantBackend {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        if call.function == self.function {
            (self.run)(&call.data, &call.params)
        } else {
            self.reference.run(call)
        }
    }
}
