//! Right p-values, wrong corrections for many tests.

use reference::ligrec::{Axis, Tables, Task};
use reference::stats::Correction;

use super::{Class, Mutant, of, right, with_tables, with_task};
use crate::mutants::change::replaced;
use dispatch::Value;

const CORRECTIONS: Mutant = of(Class::PValues);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ligrec-fdr-axis-swapped",
        spec: "G8",
        mistake: "corrects along the other axis",
        origin: "axis 0 for 1; upstream's test of it never passes `corr_method` and compares NaN with NaN",
        check: "pvalues: value",
        run: |data, params| {
            with_task(data, params, |task| {
                if let Some((_, _, axis)) = &mut task.correction {
                    *axis = match axis {
                        Axis::Clusters => Axis::Interactions,
                        Axis::Interactions => Axis::Clusters,
                    };
                }
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "ligrec-ignores-corr-axis",
        spec: "G8",
        mistake: "corrects each pair of clusters, whatever `corr_axis` says",
        origin: "a dropped argument; tests use the default",
        check: "pvalues: value",
        run: |data, params| right(data, &replaced(params, [("corr_axis", "clusters".into())])),
        ..CORRECTIONS
    },
    Mutant {
        name: "ligrec-fdr-over-table",
        spec: "G8",
        mistake: "corrects all p-values of the table together",
        origin: "a flattened array; one row or one column does not show it",
        check: "pvalues: value",
        run: |data, params| {
            corrected(data, params, |_, method, p| {
                let ones: Vec<f64> = p.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect();
                restored(p, method.adjust(&ones))
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "ligrec-fdr-without-undefined",
        spec: "G8",
        mistake: "does not count undefined p-values among the tests",
        origin: "the better statistics, but not the host's; tables without NaN do not show it",
        check: "pvalues: value",
        run: |data, params| {
            corrected(data, params, |task, method, p| {
                families(task, p, |family| method.adjust(family))
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "ligrec-fdr-loses-undefined",
        spec: "G8",
        mistake: "answers the corrected 1 where there is no p-value",
        origin: "NaN replaced by 1 for the correction and not put back; tables without NaN do not show it",
        check: "pvalues: undefined where they should be",
        run: |data, params| {
            corrected(data, params, |task, method, p| {
                let ones: Vec<f64> = p.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect();
                families(task, &ones, |family| method.adjust(family))
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "ligrec-ignores-corr-method",
        mistake: "corrects by Benjamini-Hochberg, whatever `corr_method` says",
        origin: "no upstream test passes another method",
        check: "pvalues: value",
        run: |data, params| {
            with_task(data, params, |task| {
                if let Some((method, _, _)) = &mut task.correction {
                    *method = Correction::BenjaminiHochberg;
                }
            })
        },
        ..CORRECTIONS
    },
    Mutant {
        name: "ligrec-never-corrects",
        spec: "G8",
        mistake: "does not correct",
        origin: "a dropped argument; no upstream test passes it",
        check: "pvalues: value",
        run: |data, params| right(data, &replaced(params, [("corr_method", Value::None)])),
        ..CORRECTIONS
    },
    Mutant {
        name: "ligrec-ignores-alpha",
        mistake: "uses 0.05, whatever `alpha` says",
        origin: "it changes nothing but the two-stage corrections, which nobody tests",
        check: "pvalues: value",
        run: |data, params| right(data, &replaced(params, [("alpha", Value::Float(0.05))])),
        ..CORRECTIONS
    },
];

/// Everything right but the correction of a table of p-values.
fn corrected(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    correct: impl Fn(&Task, Correction, &[f64]) -> Vec<f64>,
) -> super::Answer {
    with_tables(data, params, |task| {
        let correction = task.correction.take();
        let observed = task.observed();
        let counts = task.exceedances(&observed, None).strict;
        let Tables { means, pvalues } = task.tables(&observed, &counts);
        task.correction = correction;
        match correction {
            Some((method, ..)) => Tables { means, pvalues: correct(task, method, &pvalues) },
            None => Tables { means, pvalues },
        }
    })
}

/// Corrects the families of a table, NaN left out.
fn families(task: &Task, p: &[f64], adjust: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let (rows, width) = (task.interactions.len(), task.pairs.len());
    let by_columns = matches!(task.correction, Some((_, _, Axis::Clusters)));
    let mut out = vec![0.0; p.len()];
    for family in 0..if by_columns { width } else { rows } {
        let size = if by_columns { rows } else { width };
        let at = |m: usize| if by_columns { m * width + family } else { family * width + m };
        let members: Vec<f64> = (0..size).map(|m| p[at(m)]).collect();
        adjust(&members).into_iter().enumerate().for_each(|(m, q)| out[at(m)] = q);
    }
    out
}

/// NaN put back where it was.
fn restored(p: &[f64], adjusted: Vec<f64>) -> Vec<f64> {
    p.iter().zip(adjusted).map(|(p, q)| if p.is_nan() { f64::NAN } else { q }).collect()
}
