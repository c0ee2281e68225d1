//! Wrong distances: which of them count, and how an automatic interval comes about.

use dispatch::{Dataset, Params, Value};
use reference::co_occurrence::{Counts, Task};

use super::{Class, Mutant, distance, of, positions, right, with_counts, with_task};

const INTERVALS: Mutant = of(Class::Formula);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "cooc-lower-ends",
        spec: "B3",
        mistake: "takes the lower end of each interval for its threshold",
        origin: "`interval[:-1]` for `interval[1:]`; one step among fifty that look alike",
        check: "occ: value",
        run: |data, params| {
            with_task(data, params, |task| {
                let lower = &task.interval[..task.interval.len() - 1];
                task.thresholds = lower.iter().map(|t| t * t).collect();
            })
        },
        ..INTERVALS
    },
    Mutant {
        name: "cooc-first-distance-counts",
        spec: "B3",
        mistake: "answers for the first distance too, which only stands for \"from here\"",
        origin: "m slices for m - 1; tests compare shapes with themselves",
        check: "shape: form",
        run: |data, params| {
            with_task(data, params, |task| {
                task.thresholds = task.interval.iter().map(|t| t * t).collect();
            })
        },
        ..INTERVALS
    },
    Mutant {
        name: "cooc-ascending-search",
        spec: "B+",
        mistake: "searches thresholds by bisection as if they rose, and adds the slots up",
        origin: "rapids-singlecell 0.18.1; an automatic interval may fall, and does on four cells",
        check: "occ: value",
        run: |data, params| with_counts(data, params, searched),
        ..INTERVALS
    },
    Mutant {
        name: "cooc-automatic-not-halved",
        spec: "B9",
        mistake: "leaves the /2 of the largest automatic distance out",
        origin: "`t_max = |x_p - x_q| / 2`; tests pass an explicit interval",
        check: "interval: value",
        run: |data, params| automatic(data, params, |_, low, high, _| (low, 2.0 * high)),
        ..INTERVALS
    },
    Mutant {
        name: "cooc-automatic-in-f64",
        spec: "B9",
        mistake: "spaces an automatic interval in float64 and rounds at the end",
        origin: "`linspace` before the cast to float32: 24 of 50 distances differ in the last bit, which moves pairs",
        check: "interval: spacing",
        run: |data, params| {
            respaced(data, params, |low, high, i, last| {
                let (low, high) = (f64::from(low), f64::from(high));
                (low + (high - low) * i as f64 / last as f64) as f32
            })
        },
        ..INTERVALS
    },
    Mutant {
        name: "cooc-automatic-bounding-box",
        spec: "B9",
        mistake: "takes half the diagonal of the bounding box for the largest automatic distance",
        origin: "what the host's sum of coordinates means to be, and is on a rectangle",
        check: "interval: value",
        run: |data, params| {
            automatic(data, params, |positions, low, _, width| {
                let side = |axis: usize| {
                    let along = || positions.iter().skip(axis).step_by(width).copied();
                    along().fold(f64::MIN, f64::max) - along().fold(f64::MAX, f64::min)
                };
                let square: f64 = (0..width).map(|axis| side(axis).powi(2)).sum();
                (low, (square.sqrt() / 2.0) as f32)
            })
        },
        ..INTERVALS
    },
    Mutant {
        name: "cooc-automatic-from-zero",
        spec: "B9",
        mistake: "lets an automatic interval begin at 0",
        origin: "`linspace(0, t_max)`; the first distance is not used, but it moves the others",
        check: "interval: value",
        run: |data, params| automatic(data, params, |_, _, high, _| (0.0, high)),
        ..INTERVALS
    },
    Mutant {
        name: "cooc-automatic-sorted",
        spec: "B9",
        mistake: "turns a falling automatic interval around",
        origin: "a sort for good measure; nobody has seen a falling one",
        check: "interval: value",
        run: |data, params| {
            automatic(data, params, |_, low, high, _| (low.min(high), low.max(high)))
        },
        ..INTERVALS
    },
    Mutant {
        name: "cooc-automatic-without-end",
        mistake: "leaves the end of an automatic interval out",
        origin: "`arange` for `linspace`; the shape is right",
        check: "interval: value",
        run: |data, params| {
            respaced(data, params, |low, high, i, last| {
                low + (high - low) * (i as f32 / (last + 1) as f32)
            })
        },
        ..INTERVALS
    },
    Mutant {
        name: "cooc-automatic-plane-only",
        mistake: "takes the first two coordinates for an automatic interval, not all of them",
        origin: "3-D positions; the pairs do use two only",
        check: "interval: value",
        run: |data, params| {
            let path =
                format!("obsm/{}", crate::mutants::change::text(params, "spatial_key", "spatial"));
            let flat = crate::mutants::change::with_slot(data, &path, |value| {
                *value = value.take_columns(&[0, 1]);
            });
            right(&flat, params)
        },
        ..INTERVALS
    },
    Mutant {
        name: "cooc-unsorted-interval",
        mistake: "leaves a given interval in the order given",
        origin: "the host sorts; tests pass sorted ones",
        check: "interval: value",
        run: |data, params| {
            let given: Vec<f32> = match params.get("interval") {
                Some(Value::Dense(d)) if d.shape.len() == 1 => {
                    d.to_f64().iter().map(|t| *t as f32).collect()
                }
                _ => return right(data, params),
            };
            with_task(data, params, |task| {
                task.thresholds = given.iter().skip(1).map(|t| t * t).collect();
                task.interval = given;
            })
        },
        ..INTERVALS
    },
    Mutant {
        name: "cooc-unique-interval",
        mistake: "drops distances that are given twice",
        origin: "`np.unique` for `np.sort`; tests repeat none",
        check: "shape: form",
        run: |data, params| {
            with_task(data, params, |task| {
                task.interval.dedup();
                if task.interval.len() > 1 {
                    task.thresholds = task.interval[1..].iter().map(|t| t * t).collect();
                }
            })
        },
        ..INTERVALS
    },
    Mutant {
        name: "cooc-drifted-default",
        mistake: "asks for 49 distances unless `interval` is given",
        origin: "a default that drifted from the host's 50: a dispatcher passes only what the caller passed",
        check: "shape: form",
        run: |data, params| match params.contains_key("interval") {
            true => right(data, params),
            false => {
                let by = [("interval", Value::Int(49))];
                right(data, &crate::mutants::change::replaced(params, by))
            }
        },
        ..INTERVALS
    },
];

/// The slot that bisection finds for each pair, added up over the slots before it.
fn searched(task: &Task, counts: &mut Counts) {
    let bins = counts.bins;
    counts.n.fill(0);
    for (i, &a) in task.labels.iter().enumerate() {
        for (j, &b) in task.labels.iter().enumerate().filter(|(j, _)| *j != i) {
            let d = distance(task, i, j);
            let slot = task.thresholds.partition_point(|t| *t < d);
            if slot < bins {
                counts.n[(a as usize * counts.k + b as usize) * bins + slot] += 1;
            }
        }
    }
    for slots in counts.n.chunks_mut(bins) {
        for r in 1..slots.len() {
            slots[r] += slots[r - 1];
        }
    }
}

/// Whether the interval of a call is automatic.
fn is_automatic(params: &Params) -> bool {
    matches!(params.get("interval"), None | Some(Value::Int(_)))
}

/// Everything right on an automatic interval with other ends: `ends(positions, t_min, t_max, width)`.
fn automatic(
    data: &Dataset,
    params: &Params,
    ends: impl FnOnce(&[f64], f32, f32, usize) -> (f32, f32),
) -> super::Answer {
    let task = Task::read(data, params)?;
    let Some((positions, width)) = positions(data, params) else { return right(data, params) };
    let m = task.interval.len();
    let (low, high) = ends(&positions, task.interval[0], task.interval[m - 1], width);
    respaced(data, params, |_, _, i, last| {
        let step = (high - low) / last as f32;
        if i == last { high } else { i as f32 * step + low }
    })
}

/// Everything right on an automatic interval of other distances: `at(t_min, t_max, i, last)`.
fn respaced(
    data: &Dataset,
    params: &Params,
    at: impl Fn(f32, f32, usize, usize) -> f32,
) -> super::Answer {
    with_task(data, params, |task| {
        if is_automatic(params) {
            let last = task.interval.len() - 1;
            let (low, high) = (task.interval[0], task.interval[last]);
            task.interval = (0..=last).map(|i| at(low, high, i, last)).collect();
            task.thresholds = task.interval[1..].iter().map(|t| t * t).collect();
        }
    })
}
