//! What signatures do not say: which parameters change the answer, and what probes showed about defaults.
//!
//! Where a function has a [`Contract`](crate::Contract), that is where its semantic parameters are declared; all others are in
//! `signatures/semantics.toml`. The proofs in `signatures/proofs.json` are written by a script that calls the host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use dispatch::{Proof, Semantics, Signature, Value, python_equal};
use serde::Deserialize;

use super::{Described, Library, short};
use crate::contract;

/// The declarations for one function, or for any.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    #[serde(default)]
    semantic: BTreeSet<String>,
    #[serde(default)]
    neutral: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declarations {
    any: Declared,
    functions: BTreeMap<String, Declared>,
}

/// What calls of the host showed: passing `value` does the same as leaving the parameter out, or not.
///
/// Only the meaning of the host's own `None` can be shown in this way; a backend's is asked on the backend.
#[derive(Deserialize)]
struct Probed {
    host: String,
    function: String,
    parameter: String,
    value: Value,
    same: bool,
}

static DECLARED: LazyLock<Declarations> = LazyLock::new(|| {
    let text = include_str!("../../signatures/semantics.toml");
    toml::from_str(text).expect("semantics.toml is part of the program")
});

static PROBED: LazyLock<Vec<Probed>> = LazyLock::new(|| {
    let text = include_str!("../../signatures/proofs.json");
    serde_json::from_str(text).expect("proofs.json is part of the program")
});

/// What is known about a function of `host` beside its signature, when `backend` is to answer it.
pub fn semantics(host: &Library, function: &str, backend: &Described) -> Semantics {
    let shown = host.functions.get(function).map(|f| &f.signature);
    let name = short(function);
    let own = DECLARED.functions.get(name);
    let mut semantics = match contract(name) {
        Some(contract) => Semantics::new(contract.semantic.iter().copied()),
        None => {
            let takes = |parameter: &&String| shown.is_some_and(|s| s.get(parameter).is_some());
            let mut names: BTreeSet<String> =
                DECLARED.any.semantic.iter().filter(takes).cloned().collect();
            names.extend(own.iter().flat_map(|own| own.semantic.iter().cloned()));
            Semantics::new(names)
        }
    };
    let neutral = DECLARED.any.neutral.iter().chain(own.iter().flat_map(|own| &own.neutral));
    semantics = semantics.neutral(neutral.cloned());
    semantics.hidden = backend.hidden.clone();
    for probed in PROBED.iter().filter(|p| p.host == host.id() && p.function == function) {
        if shown.is_some_and(|host| probed.is_about(host, &backend.signature)) {
            let proof = if probed.same { Proof::Equal } else { Proof::Different };
            semantics = semantics.proof(&probed.parameter, proof);
        }
    }
    semantics
}

impl Probed {
    /// A proof holds for the host's `None` and the very value that was passed in its place.
    fn is_about(&self, host: &Signature, backend: &Signature) -> bool {
        let default =
            |s: &Signature| s.get(&self.parameter).and_then(|p| p.default_value().cloned());
        default(host) == Some(Value::None)
            && default(backend).is_some_and(|value| python_equal(&value, &self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_declared_in_one_place() {
        for (name, declared) in &DECLARED.functions {
            let twice = contract(name).is_some() && !declared.semantic.is_empty();
            assert!(!twice, "{name} has a contract, which declares its semantic parameters");
            let both: Vec<_> = declared.semantic.intersection(&declared.neutral).collect();
            assert!(both.is_empty(), "{name}: {both:?} cannot be semantic and neutral");
        }
    }

    #[test]
    fn what_is_declared_exists() {
        let stored: Vec<Library> =
            super::super::STORED.iter().map(|(_, text)| Library::parse(text).unwrap()).collect();
        let all = || stored.iter().flat_map(|library| &library.functions);
        for (name, declared) in &DECLARED.functions {
            let same: Vec<_> = all().filter(|(other, _)| short(other) == name).collect();
            assert!(!same.is_empty(), "no stored library has `{name}`");
            for parameter in declared.semantic.iter().chain(&declared.neutral) {
                let takes = |f: &Described| {
                    f.signature.get(parameter).is_some() || f.signature.has_var_keyword()
                };
                assert!(same.iter().any(|(_, f)| takes(f)), "`{name}` has no `{parameter}`");
            }
        }
        for probed in PROBED.iter() {
            let host = stored.iter().find(|library| library.id() == probed.host).unwrap();
            let function = &host.functions[&probed.function];
            assert!(function.signature.get(&probed.parameter).is_some(), "{}", probed.parameter);
        }
    }
}
