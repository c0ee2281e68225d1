//! Right numbers in the wrong slot, column, row, order or type.

use dispatch::{Frame, Reply};
use reference::spatial_autocorr::Mode;

use super::{Class, Mutant, names, of, right, with_table};
use crate::mutants::change::{flag, keep_columns, moved, nullable};

const STRUCTURE: Mutant = of(Class::Structure);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "autocorr-returns-always",
        mistake: "returns the table although `copy=False` asks to store it",
        origin: "a dropped argument; tests look at the returned value",
        check: "slots written",
        run: |data, params| Ok(moved(right(data, params)?, |_| "result".to_owned())),
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-stores-always",
        mistake: "stores the table although `copy=True` asks to return it",
        origin: "a dropped argument; tests look at `uns`",
        check: "slots written",
        run: |data, params| {
            let slot = match crate::mutants::change::text(params, "mode", "moran") {
                "geary" => Mode::Geary.slot(),
                _ => Mode::Moran.slot(),
            };
            Ok(moved(right(data, params)?, |_| slot.to_owned()))
        },
        ..STRUCTURE
    },
    Mutant {
        name: "geary-stored-as-moran",
        mistake: "stores both statistics under `moranI`",
        origin: "a key written once; tests of one mode do not see it",
        check: "slots written",
        run: |data, params| {
            let to = |path: &str| path.replace("gearyC", "moranI");
            Ok(moved(right(data, params)?, to))
        },
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-columns-sorted",
        mistake: "orders the columns by name",
        origin: "a dict of columns through a sorted container; tests look columns up by name",
        check: "columns: form",
        run: |data, params| {
            with_table(data, params, |_, table| {
                let mut columns: Vec<_> =
                    table.column_names().into_iter().zip(table.columns).collect();
                columns.sort_by(|a, b| a.0.cmp(&b.0));
                Frame::new(table.index, columns)
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-without-variance",
        mistake: "leaves `var_sim` out",
        origin: "an intermediate result dropped; tests ask for p-values",
        check: "columns: form",
        run: |data, params| {
            with_table(data, params, |_, table| keep_columns(&table, |name| name != "var_sim"))
        },
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-columns-swapped",
        mistake: "writes `pval_sim` and `pval_z_sim` into each other's column",
        origin: "columns by position; both are p-values",
        check: "pval_sim: value",
        run: |data, params| {
            super::with_columns(data, params, |_, _, columns| {
                let at = |name: &str| columns.iter().position(|(n, _)| n == name);
                if let (Some(a), Some(b)) = (at("pval_sim"), at("pval_z_sim")) {
                    let (a_values, b_values) = (columns[a].1.clone(), columns[b].1.clone());
                    (columns[a].1, columns[b].1) = (b_values, a_values);
                }
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-nullable-columns",
        mistake: "answers columns of pandas' nullable type",
        origin: "missing values in a mask: `np.isnan` of such a column fails; values compare equal",
        check: "column dtypes: form",
        run: |data, params| {
            with_table(data, params, |_, mut table| {
                table.columns.iter_mut().for_each(nullable);
                table
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-rows-by-number",
        mistake: "labels rows by number, not by gene",
        origin: "a frame built from arrays; tests that read `.values` do not see it",
        check: "rows: form",
        run: |data, params| {
            with_table(data, params, |_, mut table| {
                table.index = names((0..table.index.len()).map(|i| format!("{i}.")).collect());
                table
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-labels-not-sorted-along",
        spec: "A8",
        mistake: "sorts the rows and leaves the labels in the order asked for",
        origin: "values and index taken apart for the sort; sorted columns look right",
        check: "I: value",
        run: |data, params| {
            with_table(data, params, |task, mut table| {
                table.index = task.features.labels.clone();
                table
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-rows-not-sorted",
        spec: "A9",
        mistake: "leaves the rows in the order asked for",
        origin: "a forgotten sort; comparisons by label do not see it",
        check: "rows: order",
        run: |data, params| {
            with_table(data, params, |task, table| {
                let wanted = task.features.labels.labels();
                let labels = table.index.labels();
                let rows: Vec<usize> =
                    wanted.iter().filter_map(|w| labels.iter().position(|l| l == w)).collect();
                table.take_rows(&rows)
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "geary-sorted-falling",
        spec: "A9",
        mistake: "sorts Geary's C as Moran's I, falling",
        origin: "one sort for two statistics; comparisons by label do not see it",
        check: "rows: order",
        run: |data, params| {
            with_table(data, params, |task, table| {
                let rows: Vec<usize> = (0..table.index.len()).rev().collect();
                if task.mode == Mode::Geary { table.take_rows(&rows) } else { table }
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-nan-first",
        spec: "A9",
        mistake: "sorts NaN to the top",
        origin: "NaN as the largest number of a falling sort; tests have no constant gene",
        check: "rows: order",
        run: |data, params| {
            with_table(data, params, |_, table| {
                let rows: Vec<usize> = (0..table.index.len()).collect();
                let first = match table.columns.first() {
                    Some(dispatch::Value::Dense(score)) => score.to_f64(),
                    _ => Vec::new(),
                };
                let (nan, rest): (Vec<usize>, Vec<usize>) =
                    rows.into_iter().partition(|&i| first.get(i).is_some_and(|x| x.is_nan()));
                table.take_rows(&[nan, rest].concat())
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-drops-nan-genes",
        spec: "A9",
        mistake: "leaves genes without a statistic out of the table",
        origin: "`dropna` before the correction; tests have no constant gene",
        check: "rows: form",
        run: |data, params| {
            with_table(data, params, |_, table| {
                let defined: Vec<usize> = match table.columns.first() {
                    Some(dispatch::Value::Dense(score)) => {
                        let score = score.to_f64();
                        (0..score.len()).filter(|&i| !score[i].is_nan()).collect()
                    }
                    _ => Vec::new(),
                };
                table.take_rows(&defined)
            })
        },
        ..STRUCTURE
    },
    Mutant {
        name: "autocorr-normalises-in-place",
        mistake: "normalises the caller's graph in place",
        origin: "`normalize(copy=False)` on a view of `obsp`; nobody hashes the input",
        check: "input unchanged",
        run: |data, params| {
            let reply = right(data, params)?;
            let mutated = match flag(params, "transformation", true) {
                true => vec!["obsp/spatial_connectivities".to_owned()],
                false => Vec::new(),
            };
            Ok(Reply { mutated, ..reply })
        },
        ..STRUCTURE
    },
];
