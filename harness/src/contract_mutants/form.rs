//! Right numbers in the wrong form.

use dispatch::{Buffer, Dense, Frame, Index, Map, Reply, Rule, Value};

use super::{Caught, ContractMutant, HONEST};

pub(super) const MUTANTS: &[ContractMutant] = &[
    ContractMutant {
        name: "contract-float32",
        function: "spatial_autocorr",
        mistake: "answers in float32 where the host answers in float64",
        origin: "what the device computed in; values agree to single precision",
        caught: Caught::Rule(Rule::C15),
        answer: |seat, call| {
            let mut reply = seat.answer(&call)?;
            each_dense(&mut reply, |dense| {
                if let Buffer::F64(values) = &dense.data {
                    dense.data = Buffer::F32(values.iter().map(|x| *x as f32).collect());
                }
            });
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-numbered-rows",
        function: "spatial_autocorr",
        mistake: "labels rows by their number instead of their gene",
        origin: "a frame built from device arrays; the numbers in it are right",
        caught: Caught::Rule(Rule::C15),
        answer: |seat, call| {
            let mut reply = seat.answer(&call)?;
            each_frame(&mut reply, |frame| {
                let numbers: Vec<i64> = (0..frame.index.len() as i64).collect();
                frame.index =
                    Index { names: vec![None], levels: vec![Dense::vector(numbers).into()] };
            });
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-flat-columns",
        function: "ligrec",
        mistake: "joins the two levels of the columns into one text",
        origin: "cuDF has no MultiIndex on columns",
        caught: Caught::Rule(Rule::C15),
        answer: |seat, call| {
            let mut reply = seat.answer(&call)?;
            each_frame(&mut reply, |frame| {
                frame.column_index = Index::text(frame.column_names());
            });
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-list-for-tuple",
        function: "co_occurrence",
        mistake: "returns a list where the host returns a tuple",
        origin: "JSON between processes has no tuples",
        caught: Caught::Rule(Rule::C15),
        answer: |seat, call| {
            let mut reply = seat.answer(&call)?;
            if let Some(Value::Tuple(items)) = reply.data.remove("result") {
                reply.data.set("result", Value::List(items));
            }
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-unsorted",
        function: "spatial_autocorr",
        mistake: "leaves the rows in the order of the genes",
        origin: "the sort is the last line of the host; a test that joins by gene is blind",
        caught: Caught::Check("rows: order"),
        answer: |seat, call| {
            let mut reply = seat.answer(&call)?;
            each_frame(&mut reply, sort_rows);
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-sorted-interactions",
        function: "ligrec",
        mistake: "sorts the rows, which the host leaves in the order of the interactions",
        origin: "a group-by that sorts; each row is right",
        caught: Caught::Check("means rows: form"),
        answer: |seat, call| {
            let mut reply = seat.answer(&call)?;
            each_frame(&mut reply, sort_rows);
            Ok(reply)
        },
        ..HONEST
    },
];

/// Sorts the rows of a frame by their labels.
fn sort_rows(frame: &mut Frame) {
    let labels = frame.index.labels();
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&i, &j| labels[i].cmp(&labels[j]));
    *frame = frame.take_rows(&order);
}

/// Changes every float64 of an answer.
pub(super) fn each_number(reply: &mut Reply, change: impl Fn(f64) -> f64) {
    each_dense(reply, |dense| {
        if let Buffer::F64(values) = &mut dense.data {
            values.iter_mut().for_each(|x| *x = change(*x));
        }
    });
}

fn each_dense(reply: &mut Reply, change: impl Fn(&mut Dense)) {
    each_value(reply, &mut |value| match value {
        Value::Dense(dense) => change(dense),
        Value::Frame(frame) => frame.columns.iter_mut().for_each(|column| {
            if let Value::Dense(dense) = column {
                change(dense);
            }
        }),
        _ => {}
    });
}

fn each_frame(reply: &mut Reply, change: impl Fn(&mut Frame)) {
    each_value(reply, &mut |value| {
        if let Value::Frame(frame) = value {
            change(frame);
        }
    });
}

/// Visits every value of an answer that is no container.
fn each_value(reply: &mut Reply, visit: &mut impl FnMut(&mut Value)) {
    let mut root: Map = reply.data.root().clone();
    root.values_mut().for_each(|value| descend(value, visit));
    reply.data = root.into();
}

fn descend(value: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Map(map) => map.values_mut().for_each(|item| descend(item, visit)),
        Value::List(items) | Value::Tuple(items) => {
            items.iter_mut().for_each(|item| descend(item, visit));
        }
        other => visit(other),
    }
}
