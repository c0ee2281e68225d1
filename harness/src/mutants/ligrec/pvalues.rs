//! Right permutations, wrong p-values, or p-values where there should be none.

use reference::ligrec::{Observed, Task};

use super::{Class, Mutant, of, sides, with_p, with_pvalues};

const PVALUES: Mutant = of(Class::PValues);
const UNDEFINED: &str = "pvalues: undefined where they should be";

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ligrec-counts-ties",
        spec: "G1",
        mistake: "counts permutations that only equal the observed mean",
        origin: "`>=` for `>`; continuous data never tie",
        check: "pvalues: value",
        run: |data, params| {
            super::with_counts(data, params, |task, observed| {
                let counts = task.exceedances(observed, None);
                counts.strict.iter().zip(&counts.ties).map(|(n, ties)| n + ties).collect()
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "ligrec-plus-one",
        spec: "G2",
        mistake: "takes (count + 1)/(N + 1) for the p-value",
        origin: "the usual rank p-value, which this function does not use; hardly visible with many permutations",
        check: "pvalues: value",
        run: |data, params| {
            with_p(data, params, |task, n| f64::from(n + 1) / (task.n_perms + 1) as f64)
        },
        ..PVALUES
    },
    Mutant {
        name: "ligrec-over-n-plus-one",
        spec: "G2",
        mistake: "divides by N + 1",
        origin: "off by one; hardly visible with many permutations",
        check: "pvalues: value",
        run: |data, params| {
            with_p(data, params, |task, n| f64::from(n) / (task.n_perms + 1) as f64)
        },
        ..PVALUES
    },
    Mutant {
        name: "ligrec-lower-tail",
        mistake: "counts permutations that do not exceed the observed mean",
        origin: "a comparison turned around; p-values stay in range",
        check: "pvalues: value",
        run: |data, params| {
            with_p(data, params, |task, n| 1.0 - f64::from(n) / task.n_perms as f64)
        },
        ..PVALUES
    },
    Mutant {
        name: "ligrec-two-sided",
        mistake: "doubles the smaller tail",
        origin: "what a two-sided test would do; strong signals keep p = 0",
        check: "pvalues: value",
        run: |data, params| {
            with_p(data, params, |task, n| {
                let p = f64::from(n) / task.n_perms as f64;
                2.0 * p.min(1.0 - p)
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "ligrec-strict-threshold",
        spec: "G4",
        mistake: "asks for a share of expressing cells above the threshold, not at it or above",
        origin: "`>` for `>=`; invisible unless a share equals the threshold",
        check: UNDEFINED,
        run: |data, params| {
            super::with_task(data, params, |task| task.threshold = task.threshold.next_up())
        },
        ..PVALUES
    },
    Mutant {
        name: "ligrec-threshold-on-all-cells",
        spec: "G4",
        mistake: "takes the share of expressing cells over all cells, not per cluster",
        origin: "one share per gene; at 0.01 either is above",
        check: UNDEFINED,
        run: |data, params| {
            undefined_where(data, params, |task, o, at| {
                let gene = at / task.k() * task.k();
                let expressing: u64 = o.expressing[gene..gene + task.k()].iter().sum();
                let share = expressing as f64 / task.labels.len() as f64;
                !(o.means[at] > 0.0 && share >= task.threshold)
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "ligrec-ignores-threshold",
        spec: "G4",
        mistake: "uses 0.01, whatever `threshold` says",
        origin: "a dropped argument; tests use the default",
        check: UNDEFINED,
        run: |data, params| super::with_task(data, params, |task| task.threshold = 0.01),
        ..PVALUES
    },
    Mutant {
        name: "ligrec-source-threshold-only",
        spec: "G4",
        mistake: "asks the threshold of the source only",
        origin: "half of a condition; at 0.01 both are above",
        check: UNDEFINED,
        run: |data, params| {
            with_pvalues(data, params, |task, o| {
                let defined = |[s, t]: [usize; 2]| {
                    o.means[s] > 0.0 && o.means[t] > 0.0 && o.shares[s] >= task.threshold
                };
                let p = probabilities(task, o, f64::NAN);
                let keep = sides(task).into_iter().map(defined);
                p.into_iter()
                    .zip(keep)
                    .map(|(p, keep)| match keep {
                        true if p.is_nan() => 0.5,
                        true => p,
                        false => f64::NAN,
                    })
                    .collect()
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "ligrec-counts-nonzero-as-expressing",
        spec: "G4",
        mistake: "takes cells with a negative value for expressing cells",
        origin: "`x != 0` for `x > 0`, the number of stored entries; counts are not negative",
        check: UNDEFINED,
        run: |data, params| {
            let task = Task::read(data, params)?;
            let k = task.k();
            let mut nonzero = vec![0.0; task.columns.len() * k];
            for (gene, column) in task.columns.iter().enumerate() {
                for cell in &column.cells {
                    nonzero[gene * k + task.labels[*cell as usize] as usize] += 1.0;
                }
            }
            super::with_counts(data, params, |task, observed| {
                task.exceedances(observed, None).strict
            })?;
            super::with_tables(data, params, |task| {
                let mut observed = task.observed();
                for (at, share) in observed.shares.iter_mut().enumerate() {
                    *share = nonzero[at] / observed.sizes[at % k] as f64;
                }
                let counts = task.exceedances(&observed, None).strict;
                task.tables(&observed, &counts)
            })
        },
        ..PVALUES
    },
    Mutant {
        name: "ligrec-zero-for-undefined",
        spec: "G7",
        mistake: "answers p = 0 where there is no p-value",
        origin: "a zeroed buffer; \"highly significant\" where nothing is expressed",
        check: UNDEFINED,
        run: |data, params| with_pvalues(data, params, |task, o| probabilities(task, o, 0.0)),
        ..PVALUES
    },
    Mutant {
        name: "ligrec-one-for-undefined",
        spec: "G7",
        mistake: "answers p = 1 where there is no p-value",
        origin: "what an undefined one counts as in the correction; dense expression does not show it",
        check: UNDEFINED,
        run: |data, params| with_pvalues(data, params, |task, o| probabilities(task, o, 1.0)),
        ..PVALUES
    },
    Mutant {
        name: "ligrec-p-where-means-not-positive",
        spec: "G7",
        mistake: "answers p-values where a mean is not positive",
        origin: "the first condition forgotten; counts above a threshold have positive means",
        check: UNDEFINED,
        run: |data, params| {
            with_pvalues(data, params, |task, o| {
                let known = probabilities(task, o, f64::NAN).into_iter().zip(sides(task));
                known
                    .map(|(p, [s, t])| match o.shares[s].min(o.shares[t]) >= task.threshold {
                        true if p.is_nan() => 0.5,
                        _ => p,
                    })
                    .collect()
            })
        },
        ..PVALUES
    },
];

/// Right p-values before correction, `undefined` where there is none.
fn probabilities(task: &Task, observed: &Observed, undefined: f64) -> Vec<f64> {
    let counts = task.exceedances(observed, None).strict;
    let defined = task.defined(observed);
    let p = |(n, defined): (&u32, &bool)| match defined {
        true => f64::from(*n) / task.n_perms as f64,
        false => undefined,
    };
    counts.iter().zip(&defined).map(p).collect()
}

/// Right p-values with NaN where one side is out; where the reference has none and this does, 1/2.
fn undefined_where(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    out: impl Fn(&Task, &Observed, usize) -> bool,
) -> super::Answer {
    with_pvalues(data, params, |task, observed| {
        let right = probabilities(task, observed, 0.5).into_iter().zip(sides(task));
        right
            .map(|(p, [s, t])| match out(task, observed, s) || out(task, observed, t) {
                true => f64::NAN,
                false => p,
            })
            .collect()
    })
}
