//! Arguments that are swallowed, mixed up or taken for absent.

use dispatch::{Backend, Call, Rule, Value};

use super::{Caught, ContractMutant, HONEST, Seat, forced};

pub(super) const MUTANTS: &[ContractMutant] = &[
    ContractMutant {
        name: "contract-swallows-unknown",
        function: "co_occurrence",
        mistake: "ignores keywords it does not know, though its signature takes none",
        origin: "an adapter that filters its arguments by name; a misspelt parameter has no effect",
        caught: Caught::Rule(Rule::D23),
        answer: |seat, call| seat.answer(&only_known(seat, call)),
        ..HONEST
    },
    ContractMutant {
        name: "contract-swaps-values",
        function: "ligrec",
        mistake: "hands `alpha` to the threshold and `threshold` to the level",
        origin: "an adapter that forwards by position; at the defaults 0.01 and 0.05 nothing shows on small data",
        caught: Caught::Rule(Rule::C11),
        answer: |seat, mut call| {
            let (threshold, alpha) = (call.params.remove("threshold"), call.params.remove("alpha"));
            call = forced(call, "threshold", alpha.unwrap_or(Value::Float(0.05)));
            seat.answer(&forced(call, "alpha", threshold.unwrap_or(Value::Float(0.01))))
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-ignores-mode",
        function: "spatial_autocorr",
        mistake: "computes Moran's I whatever `mode` says, and stores it where it was asked",
        origin: "an option that is read and not used",
        caught: Caught::Rule(Rule::C11),
        answer: |seat, call| {
            let geary = call.param("mode").and_then(Value::as_text) == Some("geary");
            let mut reply = seat.answer(&forced(call, "mode", "moran"))?;
            if let (true, Some(table)) = (geary, reply.data.remove("uns/moranI")) {
                reply.data.set("uns/gearyC", table);
            }
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-falsy-is-absent",
        function: "ligrec",
        mistake: "takes `False`, `0` and `0.0` for arguments that were left out",
        origin: "`threshold or 0.01` in Python",
        caught: Caught::Rule(Rule::C11),
        answer: |seat, mut call| {
            call.params.retain(|_, value| {
                !matches!(value, Value::Bool(false) | Value::Int(0)) && value.as_f64() != Some(0.0)
            });
            seat.answer(&call)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-false-is-absent",
        function: "spatial_autocorr",
        mistake: "takes `transformation=False` for an argument that was left out",
        origin: "`transformation or True` in Python",
        caught: Caught::Rule(Rule::C11),
        answer: |seat, mut call| {
            call.params.retain(|_, value| *value != Value::Bool(false));
            seat.answer(&call)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-none-is-absent",
        function: "spatial_autocorr",
        mistake: "takes `corr_method=None` for an argument that was left out, and corrects",
        origin: "None as the sign of absence where it has a meaning of its own",
        caught: Caught::Rule(Rule::C11),
        answer: |seat, mut call| {
            call.params.retain(|_, value| *value != Value::None);
            seat.answer(&call)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-ignores-seed",
        function: "ligrec",
        mistake: "accepts a seed and always draws from 0",
        origin: "kernels with a fixed seed; the answer repeats, which tests take for honouring it",
        caught: Caught::Rule(Rule::C10),
        answer: |seat, call| seat.answer(&forced(call, "seed", 0)),
        ..HONEST
    },
    ContractMutant {
        name: "contract-seed-plus-one",
        function: "spatial_autocorr",
        mistake: "draws from seed + 1",
        origin: "a loop that counts permutations from one; the answer repeats and changes with the seed",
        caught: Caught::Rule(Rule::C10),
        answer: |seat, call| match call.param("seed") {
            Some(Value::Int(seed)) if *seed >= 0 => {
                let next = seed + 1;
                seat.answer(&forced(call, "seed", next))
            }
            _ => seat.answer(&call),
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-remembers-names",
        function: "spatial_autocorr",
        mistake: "binds a call with as many arguments as the last one to the names of the last one",
        origin: "upstream's cache of parameter sets by object id, which misroutes when an id is reused (D29)",
        caught: Caught::Rule(Rule::D29),
        answer: |seat, call| seat.answer(&bound_as_last(seat, call)),
        ..HONEST
    },
];

/// The call without keywords that the reference does not know.
pub(super) fn only_known(seat: &Seat<'_>, mut call: Call) -> Call {
    let signature = seat.reference.manifest().functions.get(&call.function);
    call.params.retain(|name, _| signature.is_some_and(|s| s.get(name).is_some()));
    call
}

/// The call with the names of the last call that had as many arguments.
fn bound_as_last(seat: &Seat<'_>, call: Call) -> Call {
    let names = &mut seat.memory().names;
    if names.len() != call.params.len() {
        *names = call.params.keys().cloned().collect();
    }
    let params = names.iter().cloned().zip(call.params.into_values()).collect();
    Call { params, ..call }
}
