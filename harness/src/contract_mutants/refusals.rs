//! Refusals of another kind, and refusals that do not come.

use dispatch::{Call, Fault, Reply, Rule, Value};

use super::form::each_number;
use super::{Caught, ContractMutant, HONEST, Seat, forced};

pub(super) const MUTANTS: &[ContractMutant] = &[
    ContractMutant {
        name: "contract-value-error-for-key",
        function: "spatial_autocorr",
        mistake: "raises ValueError where a key is missing",
        origin: "messages are compared by eye, classes by `except KeyError`",
        caught: Caught::Rule(Rule::C12),
        answer: |seat, call| raising(seat, call, "KeyError", "ValueError"),
        ..HONEST
    },
    ContractMutant {
        name: "contract-value-error-for-type",
        function: "co_occurrence",
        mistake: "raises ValueError for an argument of the wrong type",
        origin: "one check for everything",
        caught: Caught::Rule(Rule::C12),
        answer: |seat, call| raising(seat, call, "TypeError", "ValueError"),
        ..HONEST
    },
    ContractMutant {
        name: "contract-runtime-error",
        function: "ligrec",
        mistake: "raises RuntimeError for values out of range",
        origin: "assertions of a kernel that come out as cudaErrorInvalidValue",
        caught: Caught::Rule(Rule::C12),
        answer: |seat, call| raising(seat, call, "ValueError", "RuntimeError"),
        ..HONEST
    },
    ContractMutant {
        name: "contract-bare-exception",
        function: "spatial_autocorr",
        mistake: "raises Exception for everything",
        origin: "`raise Exception(...)`: a superclass is not caught by `except ValueError`",
        caught: Caught::Rule(Rule::C12),
        answer: |seat, call| raising(seat, call, "ValueError", "Exception"),
        ..HONEST
    },
    ContractMutant {
        name: "contract-nan-for-refusal",
        function: "spatial_autocorr",
        mistake: "answers a mode it does not know with NaN",
        origin: "an error swallowed on the device; the table looks like any other",
        caught: Caught::Rule(Rule::C12),
        answer: |seat, call| match seat.answer(&call) {
            Err(Fault::Rejected { kind, .. }) if kind == "ValueError" => {
                let plain = forced(forced(call, "mode", "moran"), "n_perms", Value::None);
                let mut reply = seat.answer(&plain)?;
                each_number(&mut reply, |_| f64::NAN);
                Ok(reply)
            }
            outcome => outcome,
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-clamps-n-perms",
        function: "ligrec",
        mistake: "takes n_perms=0 for 1",
        origin: "`max(n_perms, 1)` for the sake of a division",
        caught: Caught::Rule(Rule::C12),
        answer: |seat, call| match call.param("n_perms") {
            Some(Value::Int(0)) => seat.answer(&forced(call, "n_perms", 1)),
            _ => seat.answer(&call),
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-warning-is-error",
        function: "co_occurrence",
        mistake: "refuses what the host only warns of",
        origin: "`-W error` in the backend's tests, left on",
        caught: Caught::Rule(Rule::C12),
        answer: |seat, call| {
            let reply = seat.answer(&call)?;
            match reply.warnings.iter().flatten().next() {
                Some(warning) => Err(Fault::rejected(&warning.category, warning.message.clone())),
                None => Ok(reply),
            }
        },
        ..HONEST
    },
];

/// The answer, with one exception class for another.
fn raising(seat: &Seat<'_>, call: Call, class: &str, instead: &str) -> Result<Reply, Fault> {
    match seat.answer(&call) {
        Err(Fault::Rejected { kind, message, .. }) if kind == class => {
            Err(Fault::rejected(instead, message))
        }
        outcome => outcome,
    }
}
