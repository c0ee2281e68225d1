//! Signatures that promise something else than the host's.

use dispatch::{DefaultValue, Rule, Value};

use super::{Caught, ContractMutant, HONEST, changed, defaulting, lacking, or_default, renamed};

pub(super) const MUTANTS: &[ContractMutant] = &[
    ContractMutant {
        name: "contract-renames-data",
        function: "spatial_autocorr",
        mistake: "calls the AnnData `data`",
        origin: "squidpy's own spatial_neighbors_* and calculate_niche; by name the argument never arrives",
        caught: Caught::Rule(Rule::C1),
        signature: |s| changed(s, "adata", |p| p.name = "data".to_owned()),
        ..HONEST
    },
    ContractMutant {
        name: "contract-renames-required",
        function: "ligrec",
        mistake: "calls the required `cluster_key` `groupby`",
        origin: "scanpy's word for it; tests that pass it by position see nothing",
        caught: Caught::Rule(Rule::C1),
        signature: |s| changed(s, "cluster_key", |p| p.name = "groupby".to_owned()),
        answer: |seat, call| seat.answer(&renamed(call, "groupby", "cluster_key")),
    },
    ContractMutant {
        name: "contract-renames-optional",
        function: "spatial_autocorr",
        mistake: "calls `n_perms` `n_permutations`",
        origin: "an upstream rename that was not followed; the call is answered, without permutations",
        caught: Caught::Rule(Rule::S1a),
        signature: |s| changed(s, "n_perms", |p| p.name = "n_permutations".to_owned()),
        answer: |seat, call| seat.answer(&renamed(call, "n_permutations", "n_perms")),
    },
    ContractMutant {
        name: "contract-renames-seed",
        function: "ligrec",
        mistake: "calls `seed` `random_state`",
        origin: "nine functions of scanpy and rapids-singlecell; the answer looks as random as any",
        caught: Caught::Rule(Rule::C2),
        signature: |s| changed(s, "seed", |p| p.name = "random_state".to_owned()),
        answer: |seat, call| seat.answer(&renamed(call, "random_state", "seed")),
    },
    ContractMutant {
        name: "contract-drops-seed",
        function: "spatial_autocorr",
        mistake: "has no seed",
        origin: "spatial_autocorr of rapids-singlecell 0.18.1",
        caught: Caught::Rule(Rule::S1a),
        signature: |s| lacking(s, "seed"),
        ..HONEST
    },
    ContractMutant {
        name: "contract-lacks-attr",
        function: "spatial_autocorr",
        mistake: "has no `attr` and computes on `X` whatever is asked",
        origin: "spatial_autocorr of rapids-singlecell 0.18.1",
        caught: Caught::Rule(Rule::S1a),
        signature: |s| lacking(s, "attr"),
        ..HONEST
    },
    ContractMutant {
        name: "contract-lacks-clusters",
        function: "ligrec",
        mistake: "has no keyword `clusters` and answers all pairs",
        origin: "host parameters that come through **kwargs are easily forgotten",
        caught: Caught::Rule(Rule::S2),
        signature: |s| lacking(s, "clusters"),
        ..HONEST
    },
    ContractMutant {
        name: "contract-other-default-transformation",
        function: "spatial_autocorr",
        mistake: "does not normalise rows unless asked",
        origin: "a shared default that differs; every test that passes it explicitly is blind",
        caught: Caught::Rule(Rule::S1b),
        signature: |s| defaulting(s, "transformation", false),
        answer: |seat, call| seat.answer(&or_default(call, "transformation", false)),
    },
    ContractMutant {
        name: "contract-other-default-interval",
        function: "co_occurrence",
        mistake: "takes 100 distances unless told otherwise, where the host takes 50",
        origin: "leiden's n_iterations of -1 and 100",
        caught: Caught::Rule(Rule::S1b),
        signature: |s| defaulting(s, "interval", 100),
        answer: |seat, call| seat.answer(&or_default(call, "interval", 100)),
    },
    ContractMutant {
        name: "contract-other-default-threshold",
        function: "ligrec",
        mistake: "uses a threshold of 0.1 unless told otherwise, where the host uses 0.01",
        origin: "a shared default that differs by a digit",
        caught: Caught::Rule(Rule::S1b),
        signature: |s| defaulting(s, "threshold", 0.1),
        answer: |seat, call| seat.answer(&or_default(call, "threshold", 0.1)),
    },
    ContractMutant {
        name: "contract-other-default-in-code",
        function: "spatial_autocorr",
        mistake: "shows two_tailed=False and means True when it is left out",
        origin: "a default resolved inside the function; no signature shows it",
        caught: Caught::Rule(Rule::S1b),
        answer: |seat, call| seat.answer(&or_default(call, "two_tailed", true)),
        ..HONEST
    },
    ContractMutant {
        name: "contract-none-means-other",
        function: "spatial_autocorr",
        mistake: "shows corr_method=None and corrects by Bonferroni when it is left out",
        origin: "use_approx_neighbors=None against True: None read as `the usual`, which is not the host's usual",
        caught: Caught::Rule(Rule::C4),
        signature: |s| defaulting(s, "corr_method", Value::None),
        answer: |seat, call| seat.answer(&or_default(call, "corr_method", "bonferroni")),
    },
    ContractMutant {
        name: "contract-requires-optional",
        function: "co_occurrence",
        mistake: "requires `spatial_key`",
        origin: "a default that was lost in a refactoring; tests that pass everything are blind",
        caught: Caught::Rule(Rule::S1b),
        signature: |s| changed(s, "spatial_key", |p| p.default = None),
        ..HONEST
    },
    ContractMutant {
        name: "contract-default-object",
        function: "spatial_autocorr",
        mistake: "has a default that is known only by how it prints",
        origin: "Key.obsp.spatial_conn() as a default of squidpy",
        caught: Caught::Rule(Rule::C5),
        signature: |s| {
            changed(s, "connectivity_key", |p| {
                p.default = Some(DefaultValue::Repr("Key.obsp.spatial_conn()".to_owned()));
            })
        },
        ..HONEST
    },
];
