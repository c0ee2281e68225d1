//! Names of genes and interactions read otherwise: case, duplicates, complexes, containers.

use dispatch::{Dataset, Params, Strings, Value};
use reference::ligrec::Task;

use super::{Class, Mutant, of, right};
use crate::mutants::change::{flag, replaced, text, with_slot};

const GENES: Mutant = of(Class::Inputs);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ligrec-last-duplicate-wins",
        spec: "G9",
        mistake: "takes the last of several genes of one name",
        origin: "rapids-singlecell 0.18.1, a dict filled in order; names of tests differ in more than case",
        check: "means: value",
        run: |data, params| right(&with_last_of_each(data, params), params),
        ..GENES
    },
    Mutant {
        name: "ligrec-case-matters",
        spec: "G9",
        mistake: "does not take gene names in upper case",
        origin: "names of tests are upper case already",
        check: "refusal",
        run: |data, params| {
            let known = gene_names(data, params);
            let exact =
                |name: &str| match name.split('_').all(|part| known.iter().any(|k| k == part)) {
                    true => name.to_owned(),
                    false => "no such gene".to_owned(),
                };
            right(data, &renamed(params, exact))
        },
        ..GENES
    },
    Mutant {
        name: "ligrec-duplicated-interactions-kept",
        spec: "G9",
        mistake: "answers an interaction as often as it is given",
        origin: "the host drops repetitions; lists of tests have none",
        check: "means rows: form",
        run: |data, params| {
            let (source, _) = (params.get("interactions"), ());
            let given = source.and_then(Value::len).unwrap_or(0);
            super::with_tables(data, params, |task| {
                let repeated = given > task.interactions.len()
                    && matches!(source, Some(Value::List(v)) if v.len() != 2 && v[0].as_text().is_none());
                let rows: Vec<usize> = if repeated {
                    (0..task.interactions.len()).chain([0]).collect()
                } else {
                    (0..task.interactions.len()).collect()
                };
                task.interactions = rows.iter().map(|&i| task.interactions[i]).collect();
                task.metadata = task.metadata.take_rows(&rows);
                let observed = task.observed();
                let counts = task.exceedances(&observed, None).strict;
                task.tables(&observed, &counts)
            })
        },
        ..GENES
    },
    Mutant {
        name: "ligrec-complex-by-maximum",
        spec: "G10",
        mistake: "takes the component of a complex with the largest mean",
        origin: "`max` for `min`; lists of tests have no complexes",
        check: "means rows: form",
        run: |data, params| by_policy(data, params, |mean| -mean.total),
        ..GENES
    },
    Mutant {
        name: "ligrec-complex-by-cluster",
        spec: "G10",
        mistake: "takes the component of a complex with the smallest mean in any cluster",
        origin: "the minimum of a table of means; the mean over all cells decides",
        check: "means rows: form",
        run: |data, params| by_policy(data, params, |mean| mean.least),
        ..GENES
    },
    Mutant {
        name: "ligrec-complex-first-component",
        spec: "G10",
        mistake: "takes the first component of a complex",
        origin: "`split('_')[0]`; right where the first is the smallest",
        check: "means rows: form",
        run: |data, params| by_policy(data, params, |_| 0.0),
        ..GENES
    },
    Mutant {
        name: "ligrec-complexes-dropped",
        spec: "G10",
        mistake: "leaves interactions of complexes out",
        origin: "no gene is called `A_B`; lists of tests have no complexes",
        check: "means rows: form",
        run: |data, params| right(data, &renamed(params, |name| name.replace('_', " and "))),
        ..GENES
    },
    Mutant {
        name: "ligrec-complexes-always-exploded",
        spec: "G10",
        mistake: "takes every component of a complex, whatever `complex_policy` says",
        origin: "a dropped argument; lists of tests have no complexes",
        check: "means rows: form",
        run: |data, params| policy(data, params, "all"),
        ..GENES
    },
    Mutant {
        name: "ligrec-complexes-never-exploded",
        spec: "G10",
        mistake: "takes the smallest component of a complex, whatever `complex_policy` says",
        origin: "a dropped argument; lists of tests have no complexes",
        check: "means rows: form",
        run: |data, params| policy(data, params, "min"),
        ..GENES
    },
    Mutant {
        name: "ligrec-two-tuples-are-columns",
        mistake: "reads a list of two pairs as (sources, targets)",
        origin: "squidpy 1.8.3, which unpacks any sequence of two",
        check: "means rows: form",
        run: |data, params| {
            let mut params = params.clone();
            if let Some(Value::List(items)) = params.get_mut("interactions") {
                let columns = |items: &[Value]| match items {
                    [Value::Tuple(a), Value::Tuple(b)] if a.len() == 2 && b.len() == 2 => {
                        Some(vec![
                            Value::Tuple(vec![a[0].clone(), b[0].clone()]),
                            Value::Tuple(vec![a[1].clone(), b[1].clone()]),
                        ])
                    }
                    _ => None,
                };
                if let Some(turned) = columns(items) {
                    *items = turned;
                }
            }
            right(data, &params)
        },
        ..GENES
    },
    Mutant {
        name: "ligrec-names-without-self",
        mistake: "does not pair a gene of a list with itself",
        origin: "`permutations` for `product`; hardly anybody passes a list of names",
        check: "means rows: form",
        run: |data, params| {
            let mut params = params.clone();
            if let Some(Value::List(names)) = params.get_mut("interactions")
                && names.len() > 2
                && names.iter().all(|n| n.as_text().is_some())
            {
                let pair = |s: &Value, t: &Value| Value::Tuple(vec![s.clone(), t.clone()]);
                let pairs = names
                    .iter()
                    .flat_map(|s| names.iter().filter(move |t| *t != s).map(move |t| pair(s, t)));
                *names = pairs.collect();
            }
            right(data, &params)
        },
        ..GENES
    },
    Mutant {
        name: "ligrec-ignores-gene-symbols",
        mistake: "takes the index of `var` for gene names, whatever `gene_symbols` says",
        origin: "a dropped argument; the index of tests holds symbols",
        check: "refusal",
        run: |data, params| right(data, &replaced(params, [("gene_symbols", Value::None)])),
        ..GENES
    },
    Mutant {
        name: "ligrec-ignores-use-raw",
        spec: "G10",
        mistake: "reads X where `use_raw` asks for raw",
        origin: "a dropped argument; in tests raw holds what X holds",
        check: "means rows: form",
        run: |data, params| right(data, &replaced(params, [("use_raw", false.into())])),
        ..GENES
    },
    Mutant {
        name: "ligrec-drifted-default",
        spec: "G10",
        mistake: "reads X unless `use_raw` is given",
        origin: "the host's default is True here and False elsewhere; in tests raw holds what X holds",
        check: "means rows: form",
        run: |data, params| match params.contains_key("use_raw") {
            true => right(data, params),
            false => right(data, &replaced(params, [("use_raw", false.into())])),
        },
        ..GENES
    },
];

/// The arguments with every name in `interactions` replaced.
fn renamed(params: &Params, name: impl Fn(&str) -> String) -> Params {
    let mut params = params.clone();
    if let Some(value) = params.get_mut("interactions") {
        rename(value, &name);
    }
    params
}

fn rename(value: &mut Value, name: &impl Fn(&str) -> String) {
    match value {
        Value::Text(text) => *text = name(text),
        Value::List(items) | Value::Tuple(items) => items.iter_mut().for_each(|i| rename(i, name)),
        Value::Map(map) => map.values_mut().for_each(|item| rename(item, name)),
        Value::Strings(Strings { values, .. }) => {
            values.iter_mut().flatten().for_each(|text| *text = name(text));
        }
        Value::Frame(frame) => {
            for (column, value) in frame.column_names().iter().zip(&mut frame.columns) {
                if column == "source" || column == "target" {
                    rename(value, name);
                }
            }
        }
        _ => {}
    }
}

/// Where gene names stand: `var` or `raw/var`.
fn frame_of_genes(params: &Params) -> &'static str {
    if flag(params, "use_raw", true) { "raw/var" } else { "var" }
}

fn gene_names(data: &Dataset, params: &Params) -> Vec<String> {
    let frame = data.frame(frame_of_genes(params));
    match params.get("gene_symbols") {
        Some(Value::Text(key)) => {
            frame.and_then(|f| f.column(key)).map(dispatch::text_of).unwrap_or_default()
        }
        _ => frame.map(|f| f.index.labels()).unwrap_or_default(),
    }
}

/// The data with all but the last gene of each name, upper case, called otherwise.
fn with_last_of_each(data: &Dataset, params: &Params) -> Dataset {
    let symbols = text(params, "gene_symbols", "");
    with_slot(data, frame_of_genes(params), |value| {
        let Value::Frame(frame) = value else { return };
        let hide = |names: &mut Value| {
            let Value::Strings(strings) = names else { return };
            let upper: Vec<Option<String>> =
                strings.values.iter().map(|n| n.as_ref().map(|n| n.to_uppercase())).collect();
            for (i, name) in strings.values.iter_mut().enumerate() {
                if upper[i + 1..].contains(&upper[i]) {
                    *name = Some(format!("hidden {i}"));
                }
            }
        };
        if symbols.is_empty() {
            frame.index.levels.iter_mut().for_each(hide);
        } else {
            let names = frame.column_names();
            frame
                .columns
                .iter_mut()
                .zip(names)
                .filter(|(_, n)| n == symbols)
                .for_each(|(c, _)| hide(c));
        }
    })
}

fn policy(data: &Dataset, params: &Params, policy: &str) -> super::Answer {
    match text(params, "complex_policy", "min") {
        "min" | "all" => right(data, &replaced(params, [("complex_policy", policy.into())])),
        _ => right(data, params),
    }
}

/// What decides between the components of a complex.
struct Mean {
    /// Over all cells.
    total: f64,
    /// The smallest of a cluster.
    least: f64,
}

/// Everything right but which component stands for a complex under `min`: the first with the smallest `order`.
fn by_policy(data: &Dataset, params: &Params, order: impl Fn(Mean) -> f64) -> super::Answer {
    if text(params, "complex_policy", "min") != "min" {
        return right(data, params);
    }
    let mean = |name: &str| -> Option<f64> {
        // The gene alone, with itself.
        let pair = || Value::List(vec![name.into()]);
        let alone = Value::Tuple(vec![pair(), pair()]);
        let all = replaced(params, [("interactions", alone), ("clusters", Value::None)]);
        let task = Task::read(data, &all).ok()?;
        let total = task.columns.first()?.values.iter().sum::<f64>() / task.labels.len() as f64;
        let least = task.observed().means.into_iter().fold(f64::INFINITY, f64::min);
        Some(order(Mean { total, least }))
    };
    let choose = |name: &str| {
        if !name.contains('_') {
            return name.to_owned();
        }
        let parts = name.split('_').filter_map(|part| Some((mean(part)?, part)));
        let best = parts.reduce(|best, next| if next.0 < best.0 { next } else { best });
        best.map_or_else(|| name.to_owned(), |(_, part)| part.to_owned())
    };
    right(data, &renamed(params, choose))
}
