//! Bad input answered, good input refused, or refused with the wrong error.

use dispatch::{Fault, Value};

use super::{Class, Mutant, of, right};
use crate::mutants::change::{replaced, where_refused, without};

const REFUSALS: Mutant = of(Class::Refusals);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "autocorr-unknown-mode-is-moran",
        mistake: "takes a mode that it does not know for Moran",
        origin: "an `else` without a check; only `geary` is compared with",
        check: "refusal",
        run: |data, params| {
            where_refused(right(data, params), "ValueError", || {
                let known = params.get("mode").and_then(Value::as_text);
                match known {
                    Some("moran" | "geary") | None => right(data, params),
                    Some(_) => right(data, &without(params, "mode")),
                }
            })
        },
        ..REFUSALS
    },
    Mutant {
        name: "autocorr-zero-permutations-is-none",
        mistake: "takes `n_perms=0` for None",
        origin: "`if n_perms:`; upstream tests pass positive numbers",
        check: "refusal",
        run: |data, params| match params.get("n_perms") {
            Some(Value::Int(0)) => right(data, &without(params, "n_perms")),
            _ => right(data, params),
        },
        ..REFUSALS
    },
    Mutant {
        name: "autocorr-skips-unknown-genes",
        mistake: "leaves genes out that the data do not have",
        origin: "an intersection of names, as squidpy does for raw",
        check: "refusal",
        run: |data, params| {
            where_refused(right(data, params), "KeyError", || {
                let known = data.var_names();
                let mut params = params.clone();
                if let Some(Value::List(genes)) = params.get_mut("genes") {
                    genes.retain(|g| g.as_text().is_none_or(|g| known.iter().any(|k| k == g)));
                }
                right(data, &params)
            })
        },
        ..REFUSALS
    },
    Mutant {
        name: "autocorr-missing-raw-is-x",
        mistake: "falls back to X where there is no raw",
        origin: "a warning for an error, as in squidpy's sepal",
        check: "refusal",
        run: |data, params| {
            where_refused(right(data, params), "AttributeError", || {
                right(data, &replaced(params, [("use_raw", false.into())]))
            })
        },
        ..REFUSALS
    },
    Mutant {
        name: "autocorr-wrong-error-class",
        mistake: "refuses a missing key with ValueError for KeyError",
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
    Mutant {
        name: "autocorr-refuses-constant-genes",
        spec: "A9",
        mistake: "refuses data in which some gene is constant",
        origin: "rapids-singlecell 0.18.1; no test has a constant gene",
        check: "refusal",
        run: |data, params| {
            let task = reference::spatial_autocorr::Task::read(data, params)?;
            let constant = |x: &Vec<f64>| x.windows(2).all(|pair| pair[0] == pair[1]);
            match super::values(&task).iter().any(constant) {
                true => Err(Fault::rejected("ValueError", "a gene has no variance")),
                false => right(data, params),
            }
        },
        ..REFUSALS
    },
];
