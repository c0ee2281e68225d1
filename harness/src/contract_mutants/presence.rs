//! Work that somebody else did.

use dispatch::{Rule, Value, Witness};

use super::{Caught, ContractMutant, HONEST};

pub(super) const MUTANTS: &[ContractMutant] = &[
    ContractMutant {
        name: "contract-falls-back-in-silence",
        function: "spatial_autocorr",
        mistake: "asks the host for Geary's C and says that it is its own work",
        origin: "adapters that catch NotImplementedError; the answers agree perfectly",
        caught: Caught::Rule(Rule::D16),
        answer: |seat, call| match call.param("mode").and_then(Value::as_text) {
            Some("geary") => seat.host.run(&call),
            _ => seat.answer(&call),
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-falls-back-on-error",
        function: "ligrec",
        mistake: "asks the host whenever its own code refuses raw counts",
        origin: "`except Exception: return host(...)`",
        caught: Caught::Rule(Rule::D16),
        answer: |seat, call| match call.param("use_raw") {
            Some(Value::Bool(true)) => seat.host.run(&call),
            _ => seat.answer(&call),
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-no-witness",
        function: "ligrec",
        mistake: "does not show that it did the work",
        origin: "a worker that cannot count calls: agreement proves nothing",
        caught: Caught::Rule(Rule::C13),
        answer: |seat, call| {
            let reply = seat.answer(&call)?;
            Ok(dispatch::Reply { witness: Witness::Unproven, ..reply })
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-counted-nothing",
        function: "co_occurrence",
        mistake: "counted calls of its function: none",
        origin: "the counter sits on the function that the host's name still points to",
        caught: Caught::Rule(Rule::C13),
        answer: |seat, call| {
            let reply = seat.answer(&call)?;
            let witness = Witness::Counted { calls: 0, launches: None, moved: None };
            Ok(dispatch::Reply { witness, ..reply })
        },
        ..HONEST
    },
];
