//! Kernels that are wrong on purpose, built by the host's compiler: each must give another answer, or a fault, on the
//! emulated device. What this file finds is what a change of a kernel cannot break unnoticed.
#![cfg(emulated)]
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

#[path = "inputs/counters.rs"]
mod counters;
mod inputs;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use counters::full_counters;
use cuda_backend::Gpu;
use cuda_backend::emulated::{Emulated, Launcher};
use cuda_backend::kernels::{HEADER, UNITS, Unit};
use dispatch::{Backend, Call, Digest, Value};
use generators::Recipe;
use inputs::{autocorr, close, cooc, crowded, infinite, ligrec, negated, with_null};
use serde::Deserialize;

/// A mistake of `mutants.toml`.
#[derive(Deserialize)]
struct Mutant {
    unit: String,
    mistake: String,
    right: String,
    wrong: String,
}

#[derive(Deserialize)]
struct Mutants {
    mutant: Vec<Mutant>,
}

/// A race may hide under the first schedules.
const SCHEDULES: [u64; 4] = [0, 1, 2, 3];

/// Recipes with values that the inputs of this folder do not have.
const LIGREC: &[&str] = &[
    "cells=33 genes=8 expression=negative threshold=0.5 n_perms=99 seed=2",
    "cells=64 genes=8 expression=gaussian threshold=0.5 n_perms=99 seed=3",
    "cells=33 genes=8 expression=negative missing=inf threshold=0 n_perms=99 seed=4",
    "cells=129 genes=3 clusters=3 expression=counts-1e8 threshold=0 n_perms=99 seed=5",
];

/// The mistakes compiled: mutant i is namespace `m<i>`, and its kernels are named so.
fn source(mutants: &[(usize, &Mutant)]) -> String {
    let mut text = "#include \"scheduler.h\"\n".to_owned();
    for (i, mutant) in mutants {
        let unit = unit(mutant);
        let whole = format!("{HEADER}\n{}", unit.text)
            .replace("#pragma once", "")
            .replace("#include \"concord.cuh\"", "");
        assert!(whole.contains(&mutant.right), "`{}` is not in {}", mutant.right, unit.name);
        let mutated = whole.replace(&mutant.right, &mutant.wrong);
        write!(text, "namespace m{i} {{\n{mutated}\n").unwrap();
        text += "static bool find(const char* name, const emulated::Argument* arguments, size_t count) {\n";
        unit.kernels.iter().for_each(|kernel| writeln!(text, "TRY({kernel})").unwrap());
        text += "return false;\n}\n}\n";
    }
    text +=
        "static bool find(const char* name, const emulated::Argument* arguments, size_t count) {\n";
    for (i, _) in mutants {
        let prefix = format!("m{i}/");
        let length = prefix.len();
        writeln!(text, "if (!std::strncmp(name, \"{prefix}\", {length})) return m{i}::find(name + {length}, arguments, count);").unwrap();
    }
    let entry = include_str!("../emulator/run.cpp").split("extern \"C\"").nth(1).unwrap();
    write!(text, "return false;\n}}\nextern \"C\"{entry}").unwrap();
    text
}

fn unit(mutant: &Mutant) -> &'static Unit {
    UNITS.iter().find(|unit| unit.name == mutant.unit).unwrap()
}

/// The library of some mutants, built beside the test's other files.
fn build(dir: &Path, name: &str, mutants: &[(usize, &Mutant)]) -> PathBuf {
    let (from, to) = (dir.join(format!("{name}.cpp")), dir.join(format!("{name}.so")));
    std::fs::write(&from, source(mutants)).unwrap();
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let mut command = Command::new(compiler);
    let emulator = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator");
    command.args(["-std=c++17", "-O1", "-w", "-ffp-contract=off", "-fno-strict-aliasing"]);
    command.args(["-fPIC", "-shared", "-DCONCORD_EMULATED", "-I"]).arg(emulator);
    let output = command.arg("-o").arg(&to).arg(&from).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    to
}

/// Whether a mutant gives another answer than the right one to some call under some schedule.
fn is_caught(
    mutant: &Mutant,
    launcher: Launcher,
    number: usize,
    schedules: &[u64],
    calls: &[Known],
) -> bool {
    schedules.iter().any(|&schedule| {
        let kernels = unit(mutant).kernels;
        let device = move |budget: Option<usize>| {
            let mut device = Emulated::default();
            device.schedule = schedule;
            device.budget = budget.unwrap_or(device.budget);
            for kernel in kernels {
                let name = format!("m{number}/{kernel}");
                device.substitutes.insert((*kernel).to_owned(), (launcher, name));
            }
            device
        };
        let backend =
            |budget| cuda_backend::on(Gpu::opened_by(move || Ok(Box::new(device(budget)))));
        let concerns = |known: &&Known| concerns(unit(mutant), &known.call);
        let differs = |known: &Known| answer(&backend(known.budget), &known.call) != known.right;
        calls.iter().filter(concerns).any(differs)
            || full_counters(device(None)) != full_counters(Emulated::default())
    })
}

/// Whether a call launches kernels of a unit.
fn concerns(unit: &Unit, call: &Call) -> bool {
    match unit.name {
        "autocorr.cu" => call.function == "spatial_autocorr",
        "cooc.cu" => call.function == "co_occurrence",
        "ligrec.cu" => call.function == "ligrec",
        _ => true,
    }
}

/// A call, bytes of a small device on which it comes in tiles, and the digest of its right answer.
struct Known {
    call: Call,
    budget: Option<usize>,
    right: Option<Digest>,
}

fn known() -> Vec<Known> {
    let right = cuda_backend::backend();
    let whole = calls_of_every_kind().into_iter().map(|call| (call, None));
    let tiled = calls_in_tiles().into_iter().map(|(call, budget)| (call, Some(budget)));
    let known = |(call, budget)| Known { right: answer(&right, &call), call, budget };
    whole.chain(tiled).map(known).collect()
}

/// Calls of which genes or rows of the graph come in tiles on a device of so many bytes.
fn calls_in_tiles() -> Vec<(Call, usize)> {
    let graph =
        |mode, null| (with_null(crowded(autocorr(1030, 1, mode, 0), 40), 9.into(), null), 500_000);
    vec![
        (ligrec(600, 12, 3, 40), 120_000),
        graph("moran", "squidpy"),
        graph("geary", "squidpy"),
        graph("moran", "relabel"),
    ]
}

fn answer(backend: &impl Backend, call: &Call) -> Option<Digest> {
    backend.run(call).ok().map(|reply| reply.data.digest())
}

/// Calls on which mistakes show: more than a leaf, a tile, a block of each kind, ties, negative weights and values.
fn calls_of_every_kind() -> Vec<Call> {
    let mut seeded = autocorr(30, 2, "moran", 20);
    seeded.params.insert("seed".to_owned(), (1i64 << 40).into());
    let mut calls = vec![negated(autocorr(5, 3, "moran", 60)), seeded];
    for (n, n_perms) in [(5, 40), (70, 1100), (700, 40), (1300, 3)] {
        calls.extend(["moran", "geary"].map(|mode| autocorr(n, 4, mode, n_perms)));
    }
    for mode in ["moran", "geary"] {
        let with = |n_perms: Value, null: &str| with_null(autocorr(70, 3, mode, 0), n_perms, null);
        calls.extend([with("exact".into(), "squidpy"), with("exact".into(), "relabel")]);
        calls.push(with(300.into(), "relabel"));
    }
    calls.extend([cooc(60, 2, 5), cooc(700, 1, 1), cooc(600, 3, 30), cooc(300, 2, 130)]);
    calls.extend([close(90), infinite(ligrec(12, 3, 3, 90)), ligrec(60, 4, 3, 1100)]);
    calls.extend([ligrec(90, 3, 18, 40), ligrec(600, 3, 33, 40)]);
    let made = |text: &&str| Recipe::parse(&generators::LIGREC, text).unwrap().build();
    calls.extend(LIGREC.iter().map(made));
    calls.push(autocorr(6, 3073, "moran", 0));
    calls
}

/// The mistakes among some mutants that no call shows.
fn survivors<'m>(
    dir: &Path,
    name: &str,
    mutants: &[(usize, &'m Mutant)],
    calls: &[Known],
) -> Vec<&'m str> {
    let library = build(dir, name, mutants);
    // SAFETY: built just now from this version's scheduler and entry point.
    let launcher = unsafe { Launcher::load(&library) }.unwrap();
    let survives = |(i, m): &&(usize, &Mutant)| !is_caught(m, launcher, *i, &SCHEDULES, calls);
    mutants.iter().filter(survives).map(|(_, mutant)| mutant.mistake.as_str()).collect()
}

/// What says that it is the mistake that is caught: the same build without one is not.
#[test]
fn kernels_without_a_mistake_are_not_caught() {
    let dir = tempfile::tempdir().unwrap();
    let none = |unit: &Unit| Mutant {
        unit: unit.name.to_owned(),
        mistake: "none".to_owned(),
        right: String::new(),
        wrong: String::new(),
    };
    let controls: Vec<Mutant> = UNITS.iter().map(none).collect();
    let numbered: Vec<(usize, &Mutant)> = controls.iter().enumerate().collect();
    let library = build(dir.path(), "controls", &numbered);
    // SAFETY: built just now from this version's scheduler and entry point.
    let launcher = unsafe { Launcher::load(&library) }.unwrap();
    let calls = known();
    for (number, control) in numbered {
        assert!(!is_caught(control, launcher, number, &[0], &calls), "{}", control.unit);
    }
}

#[test]
fn every_mutant_is_caught() {
    let all: Mutants = toml::from_str(include_str!("mutants.toml")).unwrap();
    let calls = known();
    let numbered: Vec<(usize, &Mutant)> = all.mutant.iter().enumerate().collect();
    let (first, second) = numbered.split_at(numbered.len() / 2);
    let dir = tempfile::tempdir().unwrap();
    let (dir, calls) = (dir.path(), &calls[..]);
    let mut left = Vec::new();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| survivors(dir, "second", second, calls));
        left.extend(survivors(dir, "first", first, calls));
        left.extend(other.join().unwrap());
    });
    assert_eq!(left, [""; 0], "of {} mutants", numbered.len());
}
