//! Right numbers in the wrong slot, axis or type.

use dispatch::{Dense, Reply, Value};

use super::{Class, Mutant, of, right};
use crate::mutants::change::{each_array, moved};

const STRUCTURE: Mutant = of(Class::Structure);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "cooc-returns-always",
        mistake: "returns the answer although `copy=False` asks to store it",
        origin: "a dropped argument; tests look at the returned value",
        check: "slots written",
        run: |data, params| {
            let reply = right(data, params)?;
            let leaves = reply.data.leaves();
            match leaves.as_slice() {
                [(_, interval), (_, occ)] => {
                    let both = Value::Tuple(vec![(*occ).clone(), (*interval).clone()]);
                    Ok(Reply { warnings: reply.warnings.clone(), ..Reply::returning(both) })
                }
                _ => Ok(reply),
            }
        },
        ..STRUCTURE
    },
    Mutant {
        name: "cooc-fixed-key",
        mistake: "stores under `cluster_co_occurrence`, whatever the column is called",
        origin: "a key written once; the column of tests is called `cluster`",
        check: "slots written",
        run: |data, params| {
            let to = |path: &str| path.replace("other_co_occurrence", "cluster_co_occurrence");
            Ok(moved(right(data, params)?, to))
        },
        ..STRUCTURE
    },
    Mutant {
        name: "cooc-without-interval",
        mistake: "stores the ratios only, not the distances",
        origin: "the plot needs both; tests look at the ratios",
        check: "slots written",
        run: |data, params| {
            let mut reply = right(data, params)?;
            let paths: Vec<String> =
                reply.data.leaves().into_iter().map(|(path, _)| path).collect();
            for path in paths.iter().filter(|path| path.ends_with("/interval")) {
                reply.data.remove(path);
            }
            Ok(reply)
        },
        ..STRUCTURE
    },
    Mutant {
        name: "cooc-interval-first",
        mistake: "returns (interval, occ)",
        origin: "a tuple in another order",
        check: "shape: form",
        run: |data, params| {
            let mut reply = right(data, params)?;
            if let Some(Value::Tuple(items)) = reply.data.get_mut("result") {
                items.reverse();
            }
            Ok(reply)
        },
        ..STRUCTURE
    },
    Mutant {
        name: "cooc-distances-first",
        mistake: "answers (distances, clusters, clusters), not (clusters, clusters, distances)",
        origin: "the layout in which a kernel writes; a plot of one cluster looks right",
        check: "shape: form",
        run: |data, params| reshaped(data, params, |k, bins| vec![bins, k, k]),
        ..STRUCTURE
    },
    Mutant {
        name: "cooc-flattened",
        mistake: "answers one row per pair of clusters",
        origin: "two axes in one; the numbers stand in the right order",
        check: "shape: form",
        run: |data, params| {
            Ok(each_array(right(data, params)?, &|dense: &mut Dense| {
                if let [k, c, bins] = *dense.shape {
                    dense.shape = vec![k * c, bins];
                }
            }))
        },
        ..STRUCTURE
    },
    Mutant {
        name: "cooc-memory-order",
        mistake: "writes the table in column-major order into a row-major array",
        origin: "Fortran order lost on the way; shapes are right",
        check: "occ: value",
        run: |data, params| {
            Ok(each_array(right(data, params)?, &|dense: &mut Dense| {
                if dense.shape.len() == 3 {
                    let shape = dense.shape.clone();
                    let data = dense.to_order(dispatch::Order::F).data;
                    *dense = Dense { shape, data, order: dispatch::Order::C };
                }
            }))
        },
        ..STRUCTURE
    },
    Mutant {
        name: "cooc-removes-unused-categories",
        mistake: "drops unused categories from the caller's column",
        origin: "`cat.remove_unused_categories(inplace)`; nobody hashes the input",
        check: "input unchanged",
        run: |data, params| {
            let key = crate::mutants::change::text(params, "cluster_key", "cluster");
            let unused = match data.get(&format!("obs/{key}")) {
                Some(Value::Categorical(column)) => {
                    (0..column.names().len()).any(|c| !column.codes.contains(&(c as i32)))
                }
                _ => false,
            };
            let mutated = if unused { vec![format!("obs/{key}")] } else { Vec::new() };
            Ok(Reply { mutated, ..right(data, params)? })
        },
        ..STRUCTURE
    },
];

/// The table of ratios with its axes in another order, numbers moved along.
fn reshaped(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    shape: impl Fn(usize, usize) -> Vec<usize>,
) -> super::Answer {
    Ok(each_array(right(data, params)?, &|dense: &mut Dense| {
        if let [k, _, bins] = *dense.shape {
            let old = dense.to_f64();
            let at = |r: usize, pair: usize| old[pair * bins + r];
            let values: Vec<f64> = (0..bins)
                .flat_map(|r| (0..k * k).map(move |pair| (r, pair)))
                .map(|(r, p)| at(r, p))
                .collect();
            *dense = Dense::new(shape(k, bins), values);
        }
    }))
}
