//! Properties of an input that have a name, for waivers on inputs that no knob makes.

use std::collections::BTreeSet;

use dispatch::{Call, Dense, Frame, Sparse, Value};

/// A property of a call.
pub struct Predicate {
    /// Its name in `waivers.toml`.
    pub name: &'static str,
    /// What it says, as a sentence about the input.
    pub says: &'static str,
    /// Whether a call has it.
    pub holds: fn(&Call) -> bool,
}

/// Every property that can be named.
pub const PREDICATES: &[Predicate] = &[
    Predicate {
        name: "isolated-cells",
        says: "a graph has a cell without a stored neighbour",
        holds: isolated,
    },
    Predicate {
        name: "explicit-zeros",
        says: "a sparse matrix stores a zero",
        holds: explicit_zeros,
    },
    Predicate {
        name: "duplicate-entries",
        says: "a sparse matrix stores a place twice",
        holds: duplicates,
    },
    Predicate {
        name: "unsorted-indices",
        says: "a sparse matrix has unsorted indices",
        holds: unsorted,
    },
    Predicate { name: "missing-values", says: "`X`, `raw` or a layer has NaN", holds: missing },
    Predicate {
        name: "unused-category",
        says: "a categorical column of obs has a category without cells",
        holds: unused,
    },
    Predicate {
        name: "missing-label",
        says: "a categorical column of obs has a cell without a label",
        holds: unlabelled,
    },
    Predicate { name: "float32-graph", says: "a graph is stored in float32", holds: float32_graph },
    Predicate {
        name: "one-cell",
        says: "there is one cell or none",
        holds: |call| call.data.n_obs() <= 1,
    },
];

/// The property of a name.
pub fn find(name: &str) -> Option<&'static Predicate> {
    PREDICATES.iter().find(|p| p.name == name)
}

fn sparse(call: &Call) -> impl Iterator<Item = &Sparse> {
    call.data.leaves().into_iter().filter_map(|(_, value)| match value {
        Value::Sparse(s) => Some(s),
        _ => None,
    })
}

fn graphs(call: &Call) -> impl Iterator<Item = &Sparse> {
    let leaves = call.data.leaves().into_iter();
    leaves.filter(|(path, _)| path.starts_with("obsp/")).filter_map(|(_, value)| match value {
        Value::Sparse(s) => Some(s),
        _ => None,
    })
}

fn any_lane(matrix: &Sparse, holds: impl Fn(&[(usize, f64)]) -> bool) -> bool {
    (0..matrix.major()).any(|i| holds(&matrix.lane(i).collect::<Vec<_>>()))
}

fn isolated(call: &Call) -> bool {
    graphs(call).any(|graph| any_lane(graph, |lane| lane.is_empty()))
}

fn explicit_zeros(call: &Call) -> bool {
    sparse(call).any(|matrix| matrix.data.to_f64().contains(&0.0))
}

fn duplicates(call: &Call) -> bool {
    let repeated = |lane: &[(usize, f64)]| {
        lane.iter().map(|(j, _)| j).collect::<BTreeSet<_>>().len() < lane.len()
    };
    sparse(call).any(|matrix| any_lane(matrix, repeated))
}

fn unsorted(call: &Call) -> bool {
    sparse(call).any(|matrix| any_lane(matrix, |lane| !lane.is_sorted_by_key(|(j, _)| *j)))
}

fn missing(call: &Call) -> bool {
    let is_matrix = |path: &str| path == "X" || path == "raw/X" || path.starts_with("layers/");
    let leaves = call.data.leaves().into_iter().filter(|(path, _)| is_matrix(path));
    let numbers = |value: &Value| match value {
        Value::Dense(Dense { data, .. }) | Value::Sparse(Sparse { data, .. }) => data.to_f64(),
        _ => Vec::new(),
    };
    leaves.into_iter().any(|(_, value)| numbers(value).iter().any(|x| x.is_nan()))
}

/// Codes and number of categories of each categorical column of obs.
fn labels(call: &Call) -> Vec<(&[i32], usize)> {
    let columns = call.data.frame("obs").map_or(&[][..], |Frame { columns, .. }| columns);
    (columns.iter())
        .filter_map(|column| match column {
            Value::Categorical(c) => Some((c.codes.as_slice(), c.categories.len().unwrap_or(0))),
            _ => None,
        })
        .collect()
}

fn unused(call: &Call) -> bool {
    let is_unused = |codes: &[i32], code: usize| !codes.contains(&(code as i32));
    labels(call).into_iter().any(|(codes, n)| (0..n).any(|code| is_unused(codes, code)))
}

fn unlabelled(call: &Call) -> bool {
    labels(call).into_iter().any(|(codes, _)| codes.contains(&-1))
}

fn float32_graph(call: &Call) -> bool {
    graphs(call).any(|graph| graph.data.dtype() == dispatch::Dtype::F32)
}
