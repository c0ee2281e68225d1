//! Arguments ignored, values read from the wrong place or taken for what they are not.

use dispatch::{Dataset, Params, Value};
use reference::spatial_autocorr::{Mode, Task};

use super::{Class, Mutant, answer, names, of, right, with_statistics, with_values};
use crate::mutants::change::{flag, keep_columns, misread_order, replaced, text, with_slot};

const INPUTS: Mutant = of(Class::Inputs);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "autocorr-ignores-use-raw",
        spec: "A8",
        mistake: "reads X where `use_raw` asks for raw",
        origin: "a dropped argument; in tests raw holds what X holds",
        check: "I: value",
        run: |data, params| {
            let layer = Value::None;
            let by = [("use_raw", false.into()), ("layer", layer)];
            match flag(params, "use_raw", false) {
                true => right(data, &replaced(params, by)),
                false => right(data, params),
            }
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-ignores-layer",
        spec: "A8",
        mistake: "reads X where `layer` names another matrix",
        origin: "a dropped argument; in tests all layers hold the same",
        check: "I: value",
        run: |data, params| match text(params, "attr", "X") {
            "X" => right(data, &replaced(params, [("layer", Value::None)])),
            _ => right(data, params),
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-layer-before-raw",
        spec: "A8",
        mistake: "reads the layer where both a layer and raw are asked for",
        origin: "squidpy lets raw win; no upstream test gives both",
        check: "I: value",
        run: |data, params| match params.get("layer") {
            Some(Value::Text(_)) => right(data, &replaced(params, [("use_raw", false.into())])),
            _ => right(data, params),
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-sorts-gene-names",
        spec: "A8",
        mistake: "sorts the names of the genes asked for and leaves their values in the order asked for",
        origin: "Python sets between names and values; genes in alphabetical order do not show it",
        check: "I: value",
        run: |data, params| {
            let mut task = Task::read(data, params)?;
            let mut labels = task.features.labels.labels();
            labels.sort();
            if !labels.iter().all(|label| label.parse::<i64>().is_ok()) {
                task.features.labels = names(labels);
            }
            Ok(answer(&task, &task.statistics()))
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-raw-by-position",
        spec: "A8",
        mistake: "takes the column of a gene in X for its column in raw",
        origin: "raw usually has more genes, in tests the same",
        check: "I: value",
        run: |data, params| {
            let mut genes = data.var_names();
            let moved = with_slot(data, "raw/var", |var| {
                if let Value::Frame(var) = var {
                    genes.extend((genes.len()..var.index.len()).map(|i| format!("Other{i}")));
                    genes.truncate(var.index.len());
                    var.index = names(genes);
                }
            });
            right(&moved, params)
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-ignores-attr",
        spec: "A8",
        mistake: "computes on X where `attr` asks for obs or obsm",
        origin: "rapids-singlecell 0.18.1 has no such parameter, and a dispatcher drops it with a warning",
        check: "rows: form",
        run: |data, params| match text(params, "attr", "X") {
            "obs" | "obsm" => {
                right(data, &replaced(params, [("attr", "X".into()), ("layer", Value::None)]))
            }
            _ => right(data, params),
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-ignores-genes",
        spec: "A8",
        mistake: "computes all genes, whichever are asked for",
        origin: "a dropped argument; tests that look at some rows do not see the others",
        check: "rows: form",
        run: |data, params| right(data, &replaced(params, [("genes", Value::None)])),
        ..INPUTS
    },
    Mutant {
        name: "autocorr-ignores-highly-variable",
        mistake: "computes all genes where some are marked as highly variable",
        origin: "the default of `genes` depends on the data; tests mark none",
        check: "rows: form",
        run: |data, params| {
            let unmarked = with_slot(data, "var", |var| {
                if let Value::Frame(frame) = var {
                    *frame = keep_columns(frame, |name| name != "highly_variable");
                }
            });
            right(&unmarked, params)
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-drops-repeated-genes",
        mistake: "answers a gene once that is asked for twice",
        origin: "names made unique on the way; nobody tests it",
        check: "rows: form",
        run: |data, params| {
            let mut params = params.clone();
            if let Some(Value::List(genes)) = params.get_mut("genes") {
                let mut seen: Vec<Value> = Vec::new();
                genes.retain(|gene| {
                    let new = !seen.contains(gene);
                    seen.push(gene.clone());
                    new
                });
            }
            right(data, &params)
        },
        ..INPUTS
    },
    Mutant {
        name: "geary-is-moran",
        mistake: "computes Moran's I for both modes, under the name asked for",
        origin: "a dropped argument; both are numbers, with p-values in range",
        check: "C: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                if task.mode == Mode::Geary {
                    let mut moran = task.clone();
                    moran.mode = Mode::Moran;
                    *s = moran.statistics();
                }
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-drifted-default",
        mistake: "does not normalise rows unless `transformation` is given",
        origin: "a default that drifted from the host's: a dispatcher passes only what the caller passed",
        check: "I: value",
        run: |data, params| match params.contains_key("transformation") {
            true => right(data, params),
            false => right(data, &replaced(params, [("transformation", false.into())])),
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-nan-is-zero",
        mistake: "takes NaN in the values for 0",
        origin: "`nan_to_num` before the upload; tests have no missing values",
        check: "I: value",
        run: |data, params| {
            with_values(data, params, |_, x| {
                x.iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = 0.0)
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-nan-is-mean",
        mistake: "leaves NaN in the values out of every sum",
        origin: "`nanmean` for `mean`; tests have no missing values",
        check: "I: value",
        run: |data, params| {
            with_values(data, params, |_, x| {
                let known: Vec<f64> = x.iter().copied().filter(|x| !x.is_nan()).collect();
                let mean = known.iter().sum::<f64>() / known.len() as f64;
                x.iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = mean);
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-constant-gene-is-zero",
        spec: "A9",
        mistake: "answers 0 for a gene without variance, not NaN",
        origin: "a guard against dividing by 0; no test has a constant gene",
        check: "I: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                if task.moments.s0 != 0.0 {
                    s.score.iter_mut().filter(|s| s.is_nan()).for_each(|s| *s = 0.0);
                }
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "autocorr-column-major-read-as-row-major",
        mistake: "reads a column-major X as a row-major one",
        origin: "memory taken without its strides; arrays of tests are row-major or sparse",
        check: "I: value",
        run: |data, params| right(&misread(data, params), params),
        ..INPUTS
    },
    Mutant {
        name: "autocorr-truncates-to-integers",
        mistake: "drops the fractions of the values",
        origin: "counts expected, log-normalised values given",
        check: "I: value",
        run: |data, params| {
            with_values(data, params, |_, x| x.iter_mut().for_each(|x| *x = x.trunc()))
        },
        ..INPUTS
    },
];

/// The data with the matrix under test misread.
fn misread(data: &Dataset, params: &Params) -> Dataset {
    let layer = match params.get("layer") {
        Some(Value::Text(layer)) => Some(layer.as_str()),
        _ => None,
    };
    let path = match (text(params, "attr", "X"), flag(params, "use_raw", false), layer) {
        ("obsm", _, Some(layer)) => format!("obsm/{layer}"),
        ("X", true, _) => "raw/X".to_owned(),
        ("X", false, Some(layer)) => format!("layers/{layer}"),
        _ => "X".to_owned(),
    };
    with_slot(data, &path, misread_order)
}
