//! Right numbers in the wrong slot, table, row, column or type.

use dispatch::{Frame, Index, Reply, Strings, Value};

use super::{Class, Mutant, of, right};
use crate::mutants::change::{moved, nullable, replaced};

const STRUCTURE: Mutant = of(Class::Structure);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ligrec-returns-always",
        mistake: "returns the tables although `copy=False` asks to store them",
        origin: "a dropped argument; tests look at the returned value",
        check: "slots written",
        run: |data, params| right(data, &replaced(params, [("copy", true.into())])),
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-ignores-key-added",
        mistake: "stores under the usual key, whatever `key_added` says",
        origin: "a dropped argument; tests use the default",
        check: "slots written",
        run: |data, params| right(data, &replaced(params, [("key_added", Value::None)])),
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-tables-swapped",
        mistake: "stores means under `pvalues` and the other way round",
        origin: "a tuple unpacked in another order; both are tables of numbers",
        check: "means: value",
        run: |data, params| {
            Ok(moved(right(data, params)?, |path| match path.rsplit_once('/') {
                Some((group, "means")) => format!("{group}/pvalues"),
                Some((group, "pvalues")) => format!("{group}/means"),
                _ => path.to_owned(),
            }))
        },
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-without-metadata",
        mistake: "leaves the other columns of the interactions out",
        origin: "a frame of two columns is enough to compute; no test has more",
        check: "metadata columns: form",
        run: |data, params| {
            on_tables(data, params, &["metadata"], |frame| {
                Frame::new(frame.index.clone(), [] as [(&str, Value); 0])
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-metadata-of-other-rows",
        spec: "G6",
        mistake: "carries metadata along in another order of rows",
        origin: "a filter applied to one frame and not to the other",
        check: "metadata: value",
        run: |data, params| {
            on_tables(data, params, &["metadata"], |frame| {
                let rows: Vec<usize> = (0..frame.index.len()).rev().collect();
                Frame { index: frame.index.clone(), ..frame.take_rows(&rows) }
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-rows-sorted",
        mistake: "orders rows by name",
        origin: "a pivot sorts; comparisons by label do not see it",
        check: "means rows: form",
        run: |data, params| {
            on_tables(data, params, &["means", "pvalues", "metadata"], |frame| {
                let labels = frame.index.labels();
                let mut rows: Vec<usize> = (0..labels.len()).collect();
                rows.sort_by(|&a, &b| labels[a].cmp(&labels[b]));
                frame.take_rows(&rows)
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-labels-swapped",
        spec: "G6",
        mistake: "swaps source with target and cluster 1 with cluster 2, labels and all",
        origin: "values alone cannot show it: T is symmetric in its two sides",
        check: "means rows: form",
        run: |data, params| {
            on_tables(data, params, &["means", "pvalues", "metadata"], |mut frame| {
                frame.index.levels.reverse();
                frame.column_index.levels.reverse();
                frame
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-cluster-labels-swapped",
        spec: "G6",
        mistake: "swaps the two levels of the columns",
        origin: "cluster 1 for cluster 2 in the labels only; the set of columns is the same",
        check: "means columns: form",
        run: |data, params| {
            on_tables(data, params, &["means", "pvalues"], |mut frame| {
                frame.column_index.levels.reverse();
                frame
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-joined-labels",
        mistake: "labels rows by number",
        origin: "a frame built from an array; tests that read `.values` do not see it",
        check: "means rows: form",
        run: |data, params| {
            on_tables(data, params, &["means", "pvalues"], |mut frame| {
                let numbers = (0..frame.index.len()).map(|i| i.to_string());
                frame.index =
                    Index { names: vec![None], levels: vec![Strings::new(numbers).into()] };
                frame
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-lower-case-labels",
        mistake: "labels rows with the names as given, not in upper case",
        origin: "names of tests are upper case already",
        check: "means rows: form",
        run: |data, params| {
            on_tables(data, params, &["means", "pvalues", "metadata"], |mut frame| {
                for level in &mut frame.index.levels {
                    *level =
                        Strings::new(dispatch::text_of(level).iter().map(|n| n.to_lowercase()))
                            .into();
                }
                frame
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-nullable-pvalues",
        mistake: "answers p-values of pandas' nullable type",
        origin: "undefined ones in a mask: `np.isnan` of such a column fails",
        check: "pvalues dtypes: form",
        run: |data, params| {
            on_tables(data, params, &["pvalues"], |mut frame| {
                frame.columns.iter_mut().for_each(nullable);
                frame
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "ligrec-upper-cases-in-place",
        spec: "G10",
        mistake: "writes upper-case names into the caller's data frame",
        origin: "rapids-singlecell 0.18.1; nobody hashes the input",
        check: "input unchanged",
        run: |data, params| {
            let reply = right(data, params)?;
            let mutated = match params.get("interactions") {
                Some(Value::Frame(_)) => vec!["interactions".to_owned()],
                _ => Vec::new(),
            };
            Ok(Reply { mutated, ..reply })
        },
        ..STRUCTURE
    },
];

/// The answer after a change to some of its tables.
fn on_tables(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    tables: &[&str],
    change: impl Fn(Frame) -> Frame,
) -> super::Answer {
    let mut reply = right(data, params)?;
    let paths: Vec<String> = reply.data.leaves().into_iter().map(|(path, _)| path).collect();
    for path in paths {
        on_table(reply.data.get_mut(&path), "", tables, &change);
        if let Some((_, name)) = path.rsplit_once('/') {
            on_table(reply.data.get_mut(&path), name, tables, &change);
        }
    }
    Ok(reply)
}

fn on_table(
    value: Option<&mut Value>,
    name: &str,
    tables: &[&str],
    change: &impl Fn(Frame) -> Frame,
) {
    match value {
        Some(Value::Frame(frame)) if tables.contains(&name) => *frame = change(frame.clone()),
        Some(Value::Map(map)) => {
            for (name, value) in map.iter_mut() {
                on_table(Some(value), name, tables, change);
            }
        }
        _ => {}
    }
}
