//! What a call leaves behind besides its answer.

use dispatch::{Rule, Value};

use super::{Caught, ContractMutant, HONEST, forced};

pub(super) const MUTANTS: &[ContractMutant] = &[
    ContractMutant {
        name: "contract-mutates-graph",
        function: "spatial_autocorr",
        mistake: "normalises the rows of the caller's graph in place",
        origin: "scipy's in-place operations; the second call on the same AnnData is another question",
        caught: Caught::Rule(Rule::C7),
        answer: |seat, call| {
            let mut reply = seat.answer(&call)?;
            reply.mutated.push("obsp/spatial_connectivities".to_owned());
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-mutates-interactions",
        function: "ligrec",
        mistake: "upper-cases the names in the caller's frame of interactions",
        origin: "rapids-singlecell; harmless in the test that builds the frame anew",
        caught: Caught::Rule(Rule::C7),
        answer: |seat, call| {
            let is_frame = matches!(call.param("interactions"), Some(Value::Frame(_)));
            let mut reply = seat.answer(&call)?;
            if is_frame {
                reply.mutated.push("params/interactions".to_owned());
            }
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-writes-a-workspace",
        function: "spatial_autocorr",
        mistake: "leaves a column with its labels in `obs`",
        origin: "intermediate results stored where the caller sees them",
        caught: Caught::Rule(Rule::C8),
        answer: |seat, call| {
            let mut reply = seat.answer(&call)?;
            if reply.data.get("result").is_none() {
                reply.data.set("obs/_workspace", Value::Int(0));
            }
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-forgets-interval",
        function: "co_occurrence",
        mistake: "stores the ratios and not the interval",
        origin: "what only a plot reads is not missed by a numeric test",
        caught: Caught::Rule(Rule::C8),
        answer: |seat, call| {
            let mut reply = seat.answer(&call)?;
            for slot in ["uns/cluster_co_occurrence/interval", "uns/other_co_occurrence/interval"] {
                reply.data.remove(slot);
            }
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-other-slot",
        function: "spatial_autocorr",
        mistake: "stores Moran's I under `uns/moran`",
        origin: "the name of the mode taken for that of the slot",
        caught: Caught::Rule(Rule::C8),
        answer: |seat, call| {
            let mut reply = seat.answer(&call)?;
            if let Some(table) = reply.data.remove("uns/moranI") {
                reply.data.set("uns/moran", table);
            }
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-ignores-copy",
        function: "ligrec",
        mistake: "stores its answer even for copy=True",
        origin: "an adapter that drops what the wrapped function lacks",
        caught: Caught::Rule(Rule::C8),
        answer: |seat, call| seat.answer(&forced(call, "copy", false)),
        ..HONEST
    },
    ContractMutant {
        name: "contract-copy-writes-too",
        function: "co_occurrence",
        mistake: "returns a copy and stores it as well",
        origin: "the write stands before the `if copy`; who looks at the return value sees no fault",
        caught: Caught::Rule(Rule::C8),
        answer: |seat, call| {
            let stored = seat.answer(&forced(call.clone(), "copy", false))?;
            let mut reply = seat.answer(&call)?;
            if let Some(group) = stored.data.get("uns") {
                reply.data.set("uns", group.clone());
            }
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-copy-lacks-columns",
        function: "spatial_autocorr",
        mistake: "returns a table without the corrected p-values that it stores",
        origin: "two code paths, one of them tested",
        caught: Caught::Rule(Rule::C8),
        answer: |seat, call| {
            let returned = matches!(call.param("copy"), Some(Value::Bool(true)));
            seat.answer(&if returned { forced(call, "corr_method", Value::None) } else { call })
        },
        ..HONEST
    },
];
