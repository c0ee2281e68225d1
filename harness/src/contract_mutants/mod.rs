//! Backends that break the dispatch contract on purpose.
//!
//! The other [mutants](crate::mutants) get numbers wrong; these get the right numbers and break a promise: a
//! signature that says something else, a keyword swallowed, a slot too many, the host asked in secret. Each names
//! the rule that must find it, and measures the predicate and the [probes](crate::probes).

mod arguments;
mod effects;
mod form;
mod presence;
mod refusals;
mod shape;
mod signatures;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dispatch::{
    Backend, Call, Digest, Fault, Manifest, Param, Reply, Rule, Signature, Table, Value,
};

/// One broken promise.
pub struct ContractMutant {
    /// The name after `mutant:`; starts with `contract-`.
    pub name: &'static str,
    /// The function it is made in; the others are the reference's.
    pub function: &'static str,
    /// What is broken, as a person would describe it.
    pub mistake: &'static str,
    /// Where it was seen or why it is likely, and why usual tests miss it.
    pub origin: &'static str,
    /// Who must find it.
    pub caught: Caught,
    /// The signature in the manifest, made from the reference's.
    pub signature: fn(Signature) -> Signature,
    /// The wrong function.
    pub answer: fn(&Seat<'_>, Call) -> Result<Reply, Fault>,
}

/// Who must find a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// A rule: a finding of the predicate or a violation of a probe.
    Rule(Rule),
    /// A check of the judge, by its name.
    Check(&'static str),
}

/// Where a mutant sits: what it can ask and what it remembers.
pub struct Seat<'a> {
    reference: &'a Table<()>,
    host: &'a dyn Backend,
    memory: &'a Mutex<Memory>,
}

/// What a backend should not remember from call to call.
#[derive(Default)]
struct Memory {
    calls: u64,
    names: Vec<String>,
    answer: Option<(Digest, Reply)>,
    option: Option<Value>,
}

impl Seat<'_> {
    /// The right answer.
    ///
    /// # Errors
    /// As the reference.
    pub fn answer(&self, call: &Call) -> Result<Reply, Fault> {
        self.reference.run(call)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A backend without a mistake, for `..HONEST`.
const HONEST: ContractMutant = ContractMutant {
    name: "contract-honest",
    function: "",
    mistake: "",
    origin: "",
    caught: Caught::Rule(Rule::D30),
    signature: |signature| signature,
    answer: |seat, call| seat.answer(&call),
};

/// All contract mutants.
pub const CONTRACT_MUTANTS: &[&[ContractMutant]] = &[
    signatures::MUTANTS,
    shape::MUTANTS,
    arguments::MUTANTS,
    effects::MUTANTS,
    state::MUTANTS,
    presence::MUTANTS,
    refusals::MUTANTS,
    form::MUTANTS,
];

/// All contract mutants, one after the other.
pub fn all() -> impl Iterator<Item = &'static ContractMutant> {
    CONTRACT_MUTANTS.iter().copied().flatten()
}

/// The contract mutant of a name.
pub fn find(name: &str) -> Option<&'static ContractMutant> {
    all().find(|m| m.name == name)
}

/// A contract mutant as a backend.
pub struct ContractMutantBackend {
    manifest: Manifest,
    mutant: &'static ContractMutant,
    reference: Table<()>,
    host: Arc<dyn Backend>,
    memory: Mutex<Memory>,
}

impl ContractMutantBackend {
    /// The backend of a mutant, in a process in which `host` can be called.
    pub fn beside(
        mutant: &'static ContractMutant,
        host: Arc<dyn Backend>,
    ) -> ContractMutantBackend {
        let reference = reference::backend();
        let mut manifest = Manifest {
            name: format!("mutant:{}", mutant.name),
            summary: mutant.mistake.to_owned(),
            artifact: Digest::of_bytes(mutant.name.as_bytes()),
            ..reference.manifest().clone()
        };
        if let Some(signature) = manifest.functions.get_mut(mutant.function) {
            *signature = (mutant.signature)(std::mem::take(signature));
        }
        ContractMutantBackend { manifest, mutant, reference, host, memory: Mutex::default() }
    }

    /// The backend of a mutant, with the reference for a host.
    pub fn new(mutant: &'static ContractMutant) -> ContractMutantBackend {
        ContractMutantBackend::beside(mutant, Arc::new(reference::backend()))
    }
}

impl Backend for ContractMutantBackend {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        if call.function != self.mutant.function {
            return self.reference.run(call);
        }
        let seat = Seat { reference: &self.reference, host: &*self.host, memory: &self.memory };
        (self.mutant.answer)(&seat, call.clone())
    }
}

/// The signature with one parameter changed.
fn changed(mut signature: Signature, name: &str, change: impl Fn(&mut Param)) -> Signature {
    signature.params.iter_mut().filter(|p| p.name == name).for_each(change);
    signature
}

/// The signature with another default for one parameter.
fn defaulting(signature: Signature, name: &str, default: impl Into<Value>) -> Signature {
    let default = Some(dispatch::DefaultValue::Value(default.into()));
    changed(signature, name, |p| p.default = default.clone())
}

/// The signature without one parameter.
fn lacking(mut signature: Signature, name: &str) -> Signature {
    signature.params.retain(|p| p.name != name);
    signature
}

/// The signature with one more parameter at a place.
fn inserted(mut signature: Signature, at: usize, param: Param) -> Signature {
    let at = at.min(signature.params.len());
    signature.params.insert(at, param);
    signature
}

/// The call with an argument under another name.
fn renamed(mut call: Call, from: &str, to: &str) -> Call {
    if let Some(value) = call.params.remove(from) {
        call.params.insert(to.to_owned(), value);
    }
    call
}

/// The call with an argument, unless it was passed.
fn or_default(mut call: Call, name: &str, value: impl Into<Value>) -> Call {
    call.params.entry(name.to_owned()).or_insert_with(|| value.into());
    call
}

/// The call with an argument, whatever was passed.
fn forced(mut call: Call, name: &str, value: impl Into<Value>) -> Call {
    call.params.insert(name.to_owned(), value.into());
    call
}

/// The call without an argument.
fn dropped(mut call: Call, name: &str) -> Call {
    call.params.remove(name);
    call
}
