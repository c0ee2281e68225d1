//! Labels and positions read from the wrong place or in the wrong order.

use dispatch::{Dataset, Params, Value};
use reference::co_occurrence::Task;

use super::{Class, Mutant, of, positions, right, with_task};
use crate::mutants::change::{misread_order, replaced, text, with_slot};

const INPUTS: Mutant = of(Class::Inputs);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "cooc-labels-by-appearance",
        spec: "B8",
        mistake: "numbers the clusters in the order in which they first appear",
        origin: "`factorize` for the codes of the column; tests have their cells sorted by label",
        check: "occ: value",
        run: |data, params| {
            with_task(data, params, |task| {
                let mut seen: Vec<u32> = Vec::new();
                for label in &mut task.labels {
                    let at = seen.iter().position(|s| s == label);
                    let new = seen.len();
                    if at.is_none() {
                        seen.push(*label);
                    }
                    *label = at.unwrap_or(new) as u32;
                }
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-labels-by-name",
        spec: "B8",
        mistake: "orders the clusters by name, not by category",
        origin: "`np.unique` of the labels; categories of tests are sorted",
        check: "occ: value",
        run: |data, params| {
            let Some(names) = used_names(data, params) else { return right(data, params) };
            with_task(data, params, |task| {
                let mut order: Vec<usize> = (0..names.len()).collect();
                order.sort_by(|&a, &b| names[a].cmp(&names[b]));
                let rank = |label: u32| order.iter().position(|&o| o == label as usize);
                for label in &mut task.labels {
                    *label = rank(*label).unwrap_or(0) as u32;
                }
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-unused-category-overruns",
        spec: "B8",
        mistake: "sizes the table by the labels that are present and indexes it by category code",
        origin: "squidpy 1.8.3 itself; categories of tests are all used",
        check: "occ: value",
        run: |data, params| {
            let codes = codes(data, params);
            with_task(data, params, |task| {
                let kept: Vec<usize> = (0..task.labels.len())
                    .filter(|&i| codes.get(i).is_none_or(|&c| (c as usize) < task.k))
                    .collect();
                // What is written past the end is lost.
                task.labels = kept.iter().map(|&i| codes[i] as u32).collect();
                task.x = kept.iter().map(|&i| task.x[i]).collect();
                task.y = kept.iter().map(|&i| task.y[i]).collect();
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-unused-category-row",
        spec: "B8",
        mistake: "gives an unused category a row of zeros",
        origin: "rapids-singlecell 0.18.1: the table has a row for each code up to the largest",
        check: "shape: form",
        run: |data, params| {
            let codes = codes(data, params);
            with_task(data, params, |task| {
                if codes.len() == task.labels.len() {
                    task.labels = codes.iter().map(|&c| c as u32).collect();
                    task.k = codes.iter().max().map_or(0, |c| *c as usize + 1);
                }
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-stride-two",
        spec: "B10",
        mistake: "reads coordinates with three columns as if they had two",
        origin: "the kernel of rapids-singlecell 0.18.1; invisible in 2-D",
        check: "occ: value",
        run: |data, params| placed(data, params, |flat, _, i| [flat[2 * i], flat[2 * i + 1]]),
        ..INPUTS
    },
    Mutant {
        name: "cooc-last-two-axes",
        spec: "B10",
        mistake: "takes the last two of three coordinates",
        origin: "images count z first; invisible in 2-D",
        check: "occ: value",
        run: |data, params| {
            placed(data, params, |flat, width, i| {
                [flat[width * i + width - 2], flat[width * i + width - 1]]
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-units-per-axis",
        spec: "B10",
        mistake: "scales each axis to its own extent",
        origin: "positions normalised on load; square tissue does not show it",
        check: "occ: value",
        run: |data, params| {
            let Some((flat, width)) = positions(data, params) else { return right(data, params) };
            let extent = |axis: usize| {
                let along = || flat.iter().skip(axis).step_by(width).copied();
                along().fold(f64::MIN, f64::max) - along().fold(f64::MAX, f64::min)
            };
            let scale = if extent(1) > 0.0 { extent(0) / extent(1) } else { 1.0 };
            placed(data, params, |flat, width, i| [flat[width * i], scale * flat[width * i + 1]])
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-one-axis-twice",
        mistake: "reads the first coordinate for both",
        origin: "an index copied; distances along a diagonal look right",
        check: "occ: value",
        run: |data, params| {
            placed(data, params, |flat, width, i| [flat[width * i], flat[width * i]])
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-distances-in-space",
        mistake: "takes all three coordinates for distances",
        origin: "what 3-D positions suggest; the host takes two",
        check: "occ: value",
        run: |data, params| {
            let Some((flat, width)) = positions(data, params) else { return right(data, params) };
            super::with_pairs(data, params, |_, i, j, t| {
                let one = |axis: usize| (flat[width * i + axis] - flat[width * j + axis]) as f32;
                (0..width).map(|axis| one(axis) * one(axis)).sum::<f32>() <= t
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-column-major-read-as-row-major",
        mistake: "reads column-major positions as row-major ones",
        origin: "memory taken without its strides; arrays of tests are row-major",
        check: "occ: value",
        run: |data, params| {
            let path = format!("obsm/{}", text(params, "spatial_key", "spatial"));
            right(&with_slot(data, &path, misread_order), params)
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-integer-positions",
        mistake: "drops the fractions of the positions",
        origin: "pixels expected, microns given; lattices do not show it",
        check: "occ: value",
        run: |data, params| {
            placed(data, params, |flat, width, i| {
                [flat[width * i].trunc(), flat[width * i + 1].trunc()]
            })
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-ignores-spatial-key",
        mistake: "reads the positions under the usual key, whatever `spatial_key` says",
        origin: "tests have one array of positions",
        check: "occ: value",
        run: |data, params| right(data, &replaced(params, [("spatial_key", "spatial".into())])),
        ..INPUTS
    },
    Mutant {
        name: "cooc-ignores-cluster-key",
        mistake: "takes the first categorical column for the clusters, and stores under the name asked for",
        origin: "tests have one column of labels",
        check: "shape: form",
        run: |data, params| {
            let asked = Task::read(data, params)?;
            let task = Task::read(data, &replaced(params, [("cluster_key", "cluster".into())]))?;
            Ok(Task { key: asked.key, ..task.clone() }.reply(task.counts().ratios()))
        },
        ..INPUTS
    },
    Mutant {
        name: "cooc-ignores-interval",
        mistake: "uses fifty automatic distances, whatever `interval` says",
        origin: "the default; tests of the default do not see it",
        check: "shape: form",
        run: |data, params| right(data, &replaced(params, [("interval", Value::Int(50))])),
        ..INPUTS
    },
];

/// Everything right with cells at other places: `place(positions, width, i)`.
fn placed(
    data: &Dataset,
    params: &Params,
    place: impl Fn(&[f64], usize, usize) -> [f64; 2],
) -> super::Answer {
    let Some((flat, width)) = positions(data, params) else { return right(data, params) };
    with_task(data, params, |task| {
        for i in 0..task.x.len() {
            let [x, y] = place(&flat, width, i);
            (task.x[i], task.y[i]) = (x as f32, y as f32);
        }
    })
}

/// The codes of the labels.
fn codes(data: &Dataset, params: &Params) -> Vec<i32> {
    match data.get(&format!("obs/{}", text(params, "cluster_key", ""))) {
        Some(Value::Categorical(column)) => column.codes.clone(),
        _ => Vec::new(),
    }
}

/// The names of the categories that cells have, in their order.
fn used_names(data: &Dataset, params: &Params) -> Option<Vec<String>> {
    match data.get(&format!("obs/{}", text(params, "cluster_key", "")))? {
        Value::Categorical(column) => {
            let names = column.names().into_iter().enumerate();
            Some(
                names
                    .filter(|(c, _)| column.codes.contains(&(*c as i32)))
                    .map(|(_, n)| n)
                    .collect(),
            )
        }
        _ => None,
    }
}
