//! Bad input answered, or refused with the wrong error.

use dispatch::{Fault, Value};

use super::{Class, Mutant, of, right};
use crate::mutants::change::{replaced, text, where_refused};

const REFUSALS: Mutant = of(Class::Refusals);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ligrec-unused-category-accepted",
        mistake: "leaves a category out that no cell has",
        origin: "a courtesy; the host raises ValueError for a cluster without cells",
        check: "refusal",
        run: |data, params| {
            where_refused(right(data, params), "ValueError", || {
                let key = text(params, "cluster_key", "cluster");
                let used = match data.get(&format!("obs/{key}")) {
                    Some(Value::Categorical(column)) => {
                        let names = column.names();
                        let used = (0..names.len()).filter(|c| column.codes.contains(&(*c as i32)));
                        used.map(|c| Value::Text(names[c].clone())).collect()
                    }
                    _ => Vec::new(),
                };
                match params.get("clusters") {
                    Some(Value::None) | None if used.len() > 1 => {
                        right(data, &replaced(params, [("clusters", Value::List(used))]))
                    }
                    _ => right(data, params),
                }
            })
        },
        ..REFUSALS
    },
    Mutant {
        name: "ligrec-unknown-cluster-skipped",
        mistake: "leaves clusters out that there are none of",
        origin: "an intersection of names; the host raises ValueError",
        check: "refusal",
        run: |data, params| {
            where_refused(right(data, params), "ValueError", || match params.get("clusters") {
                Some(Value::List(asked)) => {
                    let known = asked.iter().filter(|c| c.as_text() != Some("nowhere")).cloned();
                    right(data, &replaced(params, [("clusters", Value::List(known.collect()))]))
                }
                _ => right(data, params),
            })
        },
        ..REFUSALS
    },
    Mutant {
        name: "ligrec-zero-permutations-accepted",
        mistake: "takes `n_perms=0` for the default",
        origin: "`n_perms or 1000`; the host raises ValueError",
        check: "refusal",
        run: |data, params| match params.get("n_perms") {
            Some(Value::Int(0)) => right(data, &replaced(params, [("n_perms", Value::Int(1000))])),
            _ => right(data, params),
        },
        ..REFUSALS
    },
    Mutant {
        name: "ligrec-missing-raw-is-x",
        mistake: "falls back to X where there is no raw",
        origin: "a warning for an error; the host raises AttributeError",
        check: "refusal",
        run: |data, params| {
            where_refused(right(data, params), "AttributeError", || {
                right(data, &replaced(params, [("use_raw", false.into())]))
            })
        },
        ..REFUSALS
    },
    Mutant {
        name: "ligrec-unknown-policy-is-min",
        mistake: "takes a policy that it does not know for `min`",
        origin: "an `else` without a check; only `all` is compared with",
        check: "refusal",
        run: |data, params| match text(params, "complex_policy", "min") {
            "min" | "all" => right(data, params),
            _ => right(data, &replaced(params, [("complex_policy", "min".into())])),
        },
        ..REFUSALS
    },
    Mutant {
        name: "ligrec-wrong-error-class",
        mistake: "refuses a missing column with ValueError for KeyError",
        origin: "callers that catch the host's exception do not catch this one; tests ask for any error",
        check: "error class",
        run: |data, params| {
            right(data, params).map_err(|fault| match fault {
                Fault::Rejected { kind, message, .. } if kind == "KeyError" => {
                    Fault::rejected("ValueError", message)
                }
                other => other,
            })
        },
        ..REFUSALS
    },
];
