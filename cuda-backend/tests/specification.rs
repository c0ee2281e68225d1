//! The likely mistakes that the specification lists (part E: A1-A10, B1-B10, G1-G10), made in this backend, row by row.
//!
//! Those of kernels are in `mutants.toml`, and `mutants.rs` catches them. Those of code around the kernels are here: one
//! stage on the host is wrong, the emulated device does the rest. What only stages can do that are shared with the reference
//! is left to the harness, by the names of its mutants, which a test of the harness looks up.
#![cfg(emulated)]
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

mod inputs;

use std::collections::BTreeSet;
use std::sync::Arc;

use cuda_backend::context::Context;
use cuda_backend::emulated::Emulated;
use cuda_backend::session::Session;
use cuda_backend::spatial_autocorr::Null;
use dispatch::{Backend, Call, Dataset, Dense, Index, Reply, Value};
use inputs::{autocorr, cooc, ligrec};
use reference::{co_occurrence, ligrec as ligrec_stages, spatial_autocorr};
use serde::Deserialize;

#[derive(Deserialize)]
struct Kernel {
    #[serde(default)]
    spec: String,
    mistake: String,
}

#[derive(Deserialize)]
struct Shared {
    spec: String,
    mutants: Vec<String>,
}

#[derive(Deserialize)]
struct Mutants {
    mutant: Vec<Kernel>,
    shared: Vec<Shared>,
}

/// A mistake around the kernels.
struct Host {
    spec: &'static str,
    mistake: &'static str,
    call: fn() -> Call,
    run: fn(&mut Session<'_>, &Call) -> Reply,
}

const HOST: &[Host] = &[
    Host {
        spec: "A8",
        mistake: "scores in another order than names",
        call: || autocorr(33, 4, "moran", 9),
        run: |session, call| {
            let task = spatial_autocorr::Task::read(&call.data, &call.params).unwrap();
            let mut found =
                cuda_backend::spatial_autocorr::statistics(session, &task, Null::Rows).unwrap();
            found.score.reverse();
            task.reply(found.table(&task))
        },
    },
    Host {
        spec: "B2",
        mistake: "`merge` does not add up what is nearer",
        call: || cooc(60, 3, 5),
        run: |session, call| {
            with_counts(session, call, |bins| {
                (1..bins.len()).rev().for_each(|r| bins[r] -= bins[r - 1]);
            })
        },
    },
    Host {
        spec: "B5",
        mistake: "`merge` fills one triangle",
        call: || cooc(60, 3, 5),
        run: |session, call| {
            let task = co_occurrence::Task::read(&call.data, &call.params).unwrap();
            let mut counts = cuda_backend::co_occurrence::counts(session, &task).unwrap();
            let (k, bins) = (counts.k, counts.bins);
            for cell in (0..k * k).filter(|cell| cell / k > cell % k) {
                counts.n[cell * bins..(cell + 1) * bins].fill(0);
            }
            task.reply(counts.ratios())
        },
    },
    Host {
        spec: "B8",
        mistake: "labels numbered as they first appear",
        call: || {
            let mut call = cooc(60, 3, 5);
            let data = Arc::make_mut(&mut call.data);
            // The first cell has the last label.
            let order: Vec<usize> = (0..60).map(|i| (i + 2) % 60).collect();
            *data = data.subset(Some(&order), None);
            call
        },
        run: |session, call| {
            with_positions(session, call, |task| {
                let mut seen: Vec<u32> = Vec::new();
                for label in &mut task.labels {
                    if !seen.contains(label) {
                        seen.push(*label);
                    }
                    *label = seen.iter().position(|s| s == label).unwrap() as u32;
                }
            })
        },
    },
    Host {
        spec: "B10",
        mistake: "three coordinates a cell read as two (rapids-singlecell)",
        call: in_space,
        run: |session, call| {
            let Some(Value::Dense(at)) = call.data.get("obsm/spatial") else { panic!("no place") };
            let flat = at.to_f64();
            with_positions(session, call, |task| {
                for i in 0..task.x.len() {
                    (task.x[i], task.y[i]) = (flat[2 * i] as f32, flat[2 * i + 1] as f32);
                }
            })
        },
    },
    Host {
        spec: "G9",
        mistake: "of genes with one name the last (rapids-singlecell)",
        call: one_name_twice,
        run: |session, call| {
            let genes: Vec<usize> = (0..call.data.n_vars()).rev().collect();
            tables(session, &call.data.subset(None, Some(&genes)), call, |_| ())
        },
    },
    Host {
        spec: "G9",
        mistake: "clusters ordered as numbers, 2 before 10",
        call: || ligrec(90, 3, 12, 40),
        run: |session, call| {
            tables(session, &call.data, call, |task| {
                let number = |c: u32| task.clusters[c as usize][1..].parse::<u32>().unwrap();
                task.pairs.sort_by_key(|[c, d]| (number(*c), number(*d)));
            })
        },
    },
];

/// `co_occurrence` with other counts within the thresholds of a pair of labels.
fn with_counts(session: &mut Session<'_>, call: &Call, change: fn(&mut [u64])) -> Reply {
    let task = co_occurrence::Task::read(&call.data, &call.params).unwrap();
    let mut counts = cuda_backend::co_occurrence::counts(session, &task).unwrap();
    let bins = counts.bins;
    counts.n.chunks_mut(bins).for_each(change);
    task.reply(counts.ratios())
}

/// `co_occurrence` of cells read otherwise.
fn with_positions(
    session: &mut Session<'_>,
    call: &Call,
    change: impl FnOnce(&mut co_occurrence::Task),
) -> Reply {
    let mut task = co_occurrence::Task::read(&call.data, &call.params).unwrap();
    change(&mut task);
    task.reply(cuda_backend::co_occurrence::counts(session, &task).unwrap().ratios())
}

/// `ligrec` of a dataset, read otherwise.
fn tables(
    session: &mut Session<'_>,
    data: &Dataset,
    call: &Call,
    change: impl FnOnce(&mut ligrec_stages::Task),
) -> Reply {
    let mut task = ligrec_stages::Task::read(data, &call.params).unwrap();
    change(&mut task);
    let (observed, exceeding) = cuda_backend::ligrec::answer(session, &task).unwrap();
    task.reply(task.tables(&observed, &exceeding))
}

/// Cells with a third coordinate.
fn in_space() -> Call {
    let mut call = cooc(60, 3, 5);
    let at: Vec<f32> = (0..180).map(|i| (i * i % 47) as f32 / 4.0).collect();
    Arc::make_mut(&mut call.data).set("obsm/spatial", Dense::new(vec![60, 3], at).into());
    call
}

/// Genes of which the first and the last have one name but for its case.
fn one_name_twice() -> Call {
    let mut call = ligrec(60, 4, 3, 40);
    let data = Arc::make_mut(&mut call.data);
    if let Some(Value::Frame(var)) = data.get_mut("var") {
        var.index = Index::text(["G0", "G1", "G2", "g0"].map(str::to_owned));
    }
    // Interactions among the genes that are left.
    if let Some(Value::Frame(pairs)) = call.params.get_mut("interactions") {
        let rows: Vec<usize> = (0..16).filter(|row| row / 4 < 3 && row % 4 < 3).collect();
        *pairs = pairs.take_rows(&rows);
    }
    call
}

#[test]
fn every_mistake_around_the_kernels_is_caught() {
    let right = cuda_backend::backend();
    let survives = |host: &&Host| {
        let call = (host.call)();
        let mut context = Context::new(Box::new(Emulated::default()));
        let wrong = (host.run)(&mut Session::new(&mut context), &call);
        wrong.data.digest() == right.run(&call).unwrap().data.digest()
    };
    let left: Vec<&str> = HOST.iter().filter(survives).map(|host| host.mistake).collect();
    assert_eq!(left, [""; 0]);
}

/// The table of README.md: for each row of part E what catches it here, and what is left to the harness.
fn table(all: &Mutants) -> Vec<String> {
    let rows = ["A", "B", "G"].into_iter().flat_map(|f| (1..=10).map(move |i| format!("{f}{i}")));
    let line = |row: String| {
        let kernels = all.mutant.iter().filter(|m| m.spec == row).map(|m| m.mistake.as_str());
        let host = HOST.iter().filter(|h| h.spec == row).map(|h| h.mistake);
        let shared = all.shared.iter().filter(|s| s.spec == row).flat_map(|s| &s.mutants);
        let shared: Vec<String> = shared.map(|name| format!("`{name}`")).collect();
        let join = |texts: Vec<&str>| texts.join("; ");
        let (kernels, host) = (join(kernels.collect()), join(host.collect()));
        format!("| {row} | {kernels} | {host} | {} |", shared.join(", "))
    };
    rows.map(line).collect()
}

#[test]
fn every_row_is_covered_and_readme_says_where() {
    let all: Mutants = toml::from_str(include_str!("mutants.toml")).unwrap();
    let known: BTreeSet<String> = table(&all)
        .iter()
        .map(|line| {
            let (row, rest) = line[2..].split_once(' ').unwrap();
            assert_ne!(rest.trim_matches(['|', ' ']), "", "nothing makes the mistake of row {row}");
            row.to_owned()
        })
        .collect();
    let tags = all.mutant.iter().map(|m| &m.spec).filter(|spec| !spec.is_empty());
    for tag in tags.chain(all.shared.iter().map(|s| &s.spec)) {
        assert!(known.contains(tag), "there is no row {tag}");
    }
    let expected = table(&all).join("\n");
    assert!(include_str!("../README.md").contains(&expected), "README.md should have\n{expected}");
}
