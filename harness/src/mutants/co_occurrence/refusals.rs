//! Bad input answered, or good input refused.

use dispatch::{Categorical, Fault, Value};

use super::{Class, Mutant, of, right};
use crate::mutants::change::{replaced, where_refused};

const REFUSALS: Mutant = of(Class::Refusals);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "cooc-unlabelled-left-out",
        mistake: "leaves cells without a label out",
        origin: "`dropna`; the host raises KeyError, and no test has such cells",
        check: "refusal",
        run: |data, params| {
            where_refused(right(data, params), "KeyError", || {
                let key = crate::mutants::change::text(params, "cluster_key", "cluster");
                match data.get(&format!("obs/{key}")) {
                    Some(Value::Categorical(column)) => {
                        let labelled: Vec<usize> =
                            (0..column.codes.len()).filter(|&i| column.codes[i] >= 0).collect();
                        right(&data.subset(Some(&labelled), None), params)
                    }
                    _ => right(data, params),
                }
            })
        },
        ..REFUSALS
    },
    Mutant {
        name: "cooc-text-labels-accepted",
        mistake: "makes categories of a column of text",
        origin: "a courtesy; the host raises TypeError",
        check: "refusal",
        run: |data, params| {
            where_refused(right(data, params), "TypeError", || {
                let key = crate::mutants::change::text(params, "cluster_key", "cluster");
                let Some(Value::Strings(texts)) = data.get(&format!("obs/{key}")) else {
                    return right(data, params);
                };
                let mut names: Vec<String> = texts.values.iter().flatten().cloned().collect();
                names.sort();
                names.dedup();
                let code = |t: &Option<String>| {
                    t.as_ref()
                        .and_then(|t| names.iter().position(|n| n == t))
                        .map_or(-1, |c| c as i32)
                };
                let codes = texts.values.iter().map(code).collect();
                let mut converted = data.clone();
                converted.set(&format!("obs/{key}"), Categorical::new(codes, names.clone()).into());
                right(&converted, params)
            })
        },
        ..REFUSALS
    },
    Mutant {
        name: "cooc-numpy-count-accepted",
        mistake: "takes a NumPy integer for a number of distances",
        origin: "`int(interval)`; for the host it is no `int`",
        check: "refusal",
        run: |data, params| {
            where_refused(right(data, params), "TypeError", || match params.get("interval") {
                Some(Value::Dense(d)) if d.shape.is_empty() => {
                    let count = d.data.f64_at(0).unwrap_or(0.0) as i64;
                    right(data, &replaced(params, [("interval", Value::Int(count))]))
                }
                _ => right(data, params),
            })
        },
        ..REFUSALS
    },
    Mutant {
        name: "cooc-one-distance-accepted",
        mistake: "takes a single distance for an interval from 0",
        origin: "a courtesy; the host raises ValueError",
        check: "refusal",
        run: |data, params| {
            where_refused(right(data, params), "ValueError", || match params.get("interval") {
                Some(Value::List(one)) if one.len() == 1 => {
                    let both = Value::List(vec![Value::Float(0.0), one[0].clone()]);
                    right(data, &replaced(params, [("interval", both)]))
                }
                _ => right(data, params),
            })
        },
        ..REFUSALS
    },
    Mutant {
        name: "cooc-one-cluster-refused",
        mistake: "refuses labels that are all alike",
        origin: "\"at least two clusters\", as ligrec demands; the host answers 1",
        check: "refusal",
        run: |data, params| match reference::co_occurrence::Task::read(data, params)?.k {
            1 => Err(Fault::rejected("ValueError", "expected two clusters or more")),
            _ => right(data, params),
        },
        ..REFUSALS
    },
];
