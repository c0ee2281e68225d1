//! A counterexample as data: what anybody needs to see a difference again, and nothing of ours but the file formats.
//!
//! A capsule is a folder `CX-<12 hex digits>`, named by the digest of its call: the AnnData as `input.h5ad`, everything
//! else as `capsule.json` (function, parameters, both outputs, the checks with their allowances, who was called), and
//! `reproduce.py`, a short script that needs the host and anndata only. It holds no clock and no name of a machine, so
//! the same counterexample gives the same bytes. Because it is data, it survives every change of the generators: a
//! folder of capsules is a list of regressions.

mod file;
mod literal;
mod script;

use std::sync::Arc;

use dispatch::{Call, Dataset, Manifest, Map, Value};
use reports::{Check, Verdict};

use crate::examine::{Exchange, Session};
use crate::judge::{Judgement, Outcome};

pub use file::{list, read};
pub use literal::literal;
pub use script::script;

/// Where `certify` stores capsules and `replay` looks for them, unless told otherwise.
pub const DEFAULT_DIR: &str = "out/capsules";

/// A stored counterexample.
#[derive(Clone, Debug)]
pub struct Capsule {
    /// The call.
    pub call: Arc<Call>,
    /// The text of the case that the call was shrunk from.
    pub origin: String,
    /// The check that fails.
    pub check: String,
    /// What was concluded.
    pub verdict: Verdict,
    /// Why, in one sentence, where the verdict needs one.
    pub reason: String,
    /// The comparisons made, with their allowances where they failed.
    pub checks: Vec<Check>,
    /// Who defined the right answer, and what it was.
    pub host: Side,
    /// Who was examined, and what it answered.
    pub backend: Side,
}

/// One side of a capsule.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its name on the command line.
    pub name: String,
    /// Name, version, device and signatures.
    pub manifest: Manifest,
    /// What it said.
    pub outcome: Outcome,
}

impl Capsule {
    /// The capsule of an exchange; `check` is what fails in it.
    pub fn of(session: &Session<'_>, exchange: &Exchange, origin: &str, check: &str) -> Capsule {
        let examination = session.examination();
        // The other functions of a library are no part of a counterexample, and make most of its manifest.
        let of_function = |manifest: &Manifest| {
            let mut manifest = manifest.clone();
            manifest.functions.retain(|name, _| *name == exchange.call.function);
            manifest
        };
        let host = of_function(examination.host.manifest());
        let backend = of_function(examination.backend.manifest());
        let Judgement { verdict, reason, checks } = exchange.judgement.clone();
        Capsule {
            call: without_empty_groups(&exchange.call),
            origin: origin.to_owned(),
            check: check.to_owned(),
            verdict,
            reason,
            checks,
            host: Side {
                name: examination.host_name.clone(),
                manifest: host,
                outcome: exchange.host.clone(),
            },
            backend: Side {
                name: examination.backend_name.clone(),
                manifest: backend,
                outcome: exchange.backend.clone(),
            },
        }
    }

    /// Its name.
    pub fn id(&self) -> String {
        id(&self.call)
    }
}

/// The call without groups that hold nothing: every `.h5ad` file has all groups of AnnData, so they mean nothing.
fn without_empty_groups(call: &Arc<Call>) -> Arc<Call> {
    let is_empty = |value: &Value| matches!(value, Value::Map(map) if map.is_empty());
    if !call.data.root().values().any(is_empty) {
        return call.clone();
    }
    let slots: Map = call.data.root().clone().into_iter().filter(|(_, v)| !is_empty(v)).collect();
    let data = Dataset::from(slots);
    Arc::new(Call::new(call.function.clone(), data, call.params.clone()))
}

/// The name of the capsule that holds a call: `CX-` and 12 hexadecimal digits of its digest.
pub fn id(call: &Call) -> String {
    format!("CX-{}", call.digest().short(12))
}

/// Whether a text looks like the name of a capsule.
pub fn is_id(text: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.strip_prefix("CX-").is_some_and(|rest| rest.len() == 12 && rest.bytes().all(hex))
}
