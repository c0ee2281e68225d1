//! Clusters, labels and values read otherwise.

use dispatch::{Fault, Value};

use super::{Class, Mutant, of, right, with_observed, with_task};
use crate::mutants::change::{flag, misread_order, replaced, text, with_slot};

const INPUTS: Mutant = of(Class::Inputs);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ligrec-numeric-labels-refused",
        spec: "G9",
        mistake: "looks clusters up by text in a map of numbers",
        origin: "rapids-singlecell 0.18.1; labels of tests are text",
        check: "refusal",
        run: |data, params| {
            let key = text(params, "cluster_key", "cluster");
            match data.get(&format!("obs/{key}")) {
                Some(Value::Categorical(c)) if matches!(*c.categories, Value::Dense(_)) => {
                    right(data, params)?;
                    Err(Fault::rejected("KeyError", "'0'"))
                }
                _ => right(data, params),
            }
        },
        ..INPUTS
    },
    Mutant {
        name: "ligrec-columns-sorted-as-numbers",
        spec: "G9",
        mistake: "orders clusters that are numbers by value",
        origin: "the host orders names as text, 10 before 2; fewer than eleven clusters do not show it",
        check: "means columns: form",
        run: |data, params| {
            with_task(data, params, |task| {
                let number = |c: u32| task.clusters[c as usize].parse::<i64>().unwrap_or(0);
                if task.clusters.iter().all(|name| name.parse::<i64>().is_ok()) {
                    task.pairs.sort_by_key(|[c, d]| (number(*c), number(*d)));
                }
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "ligrec-columns-by-category",
        spec: "G9",
        mistake: "orders columns by category, not by name",
        origin: "the order of the codes; categories of tests are sorted",
        check: "means columns: form",
        run: |data, params| {
            let key = text(params, "cluster_key", "cluster");
            let names = match data.get(&format!("obs/{key}")) {
                Some(Value::Categorical(column)) => column.names(),
                _ => Vec::new(),
            };
            with_task(data, params, |task| {
                let at = |c: u32| names.iter().position(|n| *n == task.clusters[c as usize]);
                task.pairs.sort_by_key(|[c, d]| (at(*c), at(*d)));
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "ligrec-ignores-clusters",
        mistake: "answers for all clusters, whichever `clusters` names",
        origin: "a dropped argument; tests ask for all",
        check: "means columns: form",
        run: |data, params| right(data, &replaced(params, [("clusters", Value::None)])),
        ..INPUTS
    },
    Mutant {
        name: "ligrec-pairs-are-names",
        mistake: "answers for all pairs of the clusters that the given pairs name",
        origin: "a list of pairs flattened; tests pass names or nothing",
        check: "means columns: form",
        run: |data, params| {
            with_task(data, params, |task| {
                let k = task.k() as u32;
                task.pairs = (0..k).flat_map(|c| (0..k).map(move |d| [c, d])).collect();
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "ligrec-means-of-all-cells",
        spec: "G5",
        mistake: "counts cells outside the listed clusters in none of them, but divides by all cells",
        origin: "sizes from the whole column; tests ask for all clusters",
        check: "means: value",
        run: |data, params| {
            let cells = data.n_obs() as f64;
            with_observed(data, params, |task, observed| {
                let kept = task.labels.len() as f64;
                observed.means.iter_mut().for_each(|mean| *mean *= kept / cells);
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "ligrec-nan-spreads",
        mistake: "lets NaN in X spread to the mean of its cluster",
        origin: "the host takes NaN for 0; tests have no missing values",
        check: "means: value",
        run: |data, params| {
            // A value no sum survives, where NaN stood.
            let path = if flag(params, "use_raw", true) { "raw/X" } else { "X" };
            let spread = with_slot(data, path, |value| {
                if let Value::Dense(dense) = value {
                    let marked: Vec<f64> = dense
                        .data
                        .to_f64()
                        .into_iter()
                        .map(|x| if x.is_nan() { 1e9 } else { x })
                        .collect();
                    dense.data = dispatch::Buffer::from_f64(dense.dtype(), &marked);
                }
            });
            right(&spread, params)
        },
        ..INPUTS
    },
    Mutant {
        name: "ligrec-nan-left-out",
        mistake: "divides by the number of cells that have a value",
        origin: "`nanmean`; the host takes NaN for 0, and tests have no missing values",
        check: "means: value",
        run: |data, params| {
            let path = if flag(params, "use_raw", true) { "raw/X" } else { "X" };
            let missing = |value: &Value| match value {
                Value::Dense(dense) => dense.to_f64().iter().any(|x| x.is_nan()),
                Value::Sparse(sparse) => sparse.data.to_f64().iter().any(|x| x.is_nan()),
                _ => false,
            };
            let any = data.get(path).is_some_and(missing);
            with_observed(data, params, |task, observed| {
                let k = task.k();
                for (at, mean) in observed.means.iter_mut().enumerate().filter(|_| any) {
                    let size = observed.sizes[at % k] as f64;
                    *mean *= size / (size - 1.0).max(1.0);
                }
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "ligrec-column-major-read-as-row-major",
        mistake: "reads a column-major X as a row-major one",
        origin: "memory taken without its strides; arrays of tests are row-major or sparse",
        check: "means: value",
        run: |data, params| {
            let path = if flag(params, "use_raw", true) { "raw/X" } else { "X" };
            right(&with_slot(data, path, misread_order), params)
        },
        ..INPUTS
    },
    Mutant {
        name: "ligrec-truncates-to-integers",
        mistake: "drops the fractions of the values",
        origin: "counts expected, log-normalised values given",
        check: "means: value",
        run: |data, params| {
            with_task(data, params, |task| {
                for column in &mut task.columns {
                    column.values.iter_mut().for_each(|v| *v = v.trunc());
                }
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "ligrec-infinity-is-zero",
        mistake: "takes infinite values for 0",
        origin: "`nan_to_num(posinf=0)`; tests have none",
        check: "means: value",
        run: |data, params| {
            with_task(data, params, |task| {
                for column in &mut task.columns {
                    column.values.iter_mut().filter(|v| v.is_infinite()).for_each(|v| *v = 0.0);
                }
            })
        },
        ..INPUTS
    },
];
