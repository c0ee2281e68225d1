//! Compiles every kernel for every architecture with the NVRTC in `CONCORD_NVRTC`; no GPU and no driver is needed.
//!
//! Fails on spilled registers, on more registers than two blocks of 256 threads leave each thread, and on float atomics;
//! and if it would not see these, or if a failure of the compiler is not told.
//! With a folder as argument writes the cubins there, for a disassembler.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cuda_backend::cuda::nvrtc::{Compiled, Nvrtc};
use cuda_backend::kernels::{UNITS, Unit};
use dispatch::Fault;

/// From Turing to Blackwell.
const ARCHITECTURES: [&str; 7] = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"];
/// Two blocks of 256 threads on the 65,536 registers of a multiprocessor, as `__launch_bounds__` of every kernel asks.
const REGISTERS: u32 = 128;

/// Name, registers and bytes spilled of each kernel, as `ptxas -v` lists them.
fn resources(log: &str) -> Vec<(String, u32, u32)> {
    let number_before = |line: &str, word: &str| -> u32 {
        let before = line.split(word).next().unwrap_or_default();
        before.rsplit([' ', ',']).find_map(|part| part.parse().ok()).unwrap_or(0)
    };
    let (mut found, mut name, mut spilled) = (Vec::new(), String::new(), 0);
    for line in log.lines() {
        if let Some(rest) = line.split("Compiling entry function '").nth(1) {
            name = rest.split('\'').next().unwrap_or_default().to_owned();
        } else if line.contains("bytes spill stores") {
            spilled = number_before(line, " bytes spill stores")
                + number_before(line, " bytes spill loads");
        } else if line.contains(" registers") {
            found.push((name.clone(), number_before(line, " registers"), spilled));
        }
    }
    found
}

/// The first float atomic of a unit: its result would depend on the order of threads.
fn float_atomic(ptx: &str) -> Option<&str> {
    let atomic = |line: &&str| line.starts_with("atom.") || line.starts_with("red.");
    let float = |line: &&str| line.contains(".f32") || line.contains(".f64");
    ptx.lines().map(str::trim).filter(atomic).find(float)
}

fn check(name: &str, architecture: &str, expected: &[&str], compiled: &Compiled) -> Vec<String> {
    let mut wrong = Vec::new();
    let resources = resources(&compiled.log);
    if resources.len() != expected.len() || compiled.cubin.is_empty() {
        wrong.push(format!("{name} {architecture}: no report of all kernels:\n{}", compiled.log));
    }
    for (kernel, registers, spilled) in resources {
        println!(
            "{architecture:<7} {kernel:<22} {registers:>3} registers, {spilled} bytes spilled"
        );
        if registers > REGISTERS || spilled > 0 {
            wrong.push(format!(
                "{kernel} for {architecture}: {registers} registers, {spilled} bytes spilled"
            ));
        }
    }
    if let Some(line) = float_atomic(&compiled.ptx) {
        wrong.push(format!("{name} for {architecture} adds floats atomically: {line}"));
    }
    wrong
}

/// What the checks must find: a float atomic, a kernel that is no C++, an architecture that is none.
/// The first is written beside the cubins, as `control.cubin`.
fn controls(nvrtc: &Nvrtc, folder: Option<&Path>) -> Result<Vec<String>, Fault> {
    const ATOMIC: Unit = Unit {
        name: "atomic.cu",
        text: "extern \"C\" __global__ void add(float* x, double* y) { atomicAdd(x, 1.0f); atomicAdd(y, 1.0); }",
        kernels: &["add"],
    };
    const BROKEN: Unit =
        Unit { name: "broken.cu", text: "__global__ void k() { nothing }", kernels: &["k"] };
    let atomic = nvrtc.compile(&ATOMIC, "sm_90")?;
    if let Some(folder) = folder {
        write(&folder.join("control.cubin"), &atomic.cubin)?;
    }
    let broken = nvrtc.compile(&BROKEN, "sm_90");
    let unknown = nvrtc.compile(&ATOMIC, "sm_10");
    let mut wrong = Vec::new();
    if float_atomic(&atomic.ptx).is_none() {
        wrong.push("a float atomic was not found".to_owned());
    }
    if !matches!(&broken, Err(Fault::Failed(why)) if why.contains("broken.cu(1)")) {
        wrong.push(format!("a kernel that is no C++: {broken:?}"));
    }
    if !matches!(&unknown, Err(Fault::Unsupported(why)) if why.contains("does not know sm_10")) {
        wrong.push(format!("an architecture that is none: {unknown:?}"));
    }
    Ok(wrong)
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Fault> {
    std::fs::write(file, bytes)
        .map_err(|error| Fault::Failed(format!("write {}: {error}", file.display())))
}

fn run() -> Result<Vec<String>, Fault> {
    let nvrtc = Nvrtc::find()?;
    println!("NVRTC {}", nvrtc.version());
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let mut wrong = controls(&nvrtc, folder.as_deref())?;
    for architecture in ARCHITECTURES {
        for unit in UNITS {
            let compiled = nvrtc.compile(unit, architecture)?;
            wrong.extend(check(unit.name, architecture, unit.kernels, &compiled));
            if let Some(folder) = &folder {
                let file = folder.join(format!("{}.{architecture}.cubin", unit.name));
                write(&file, &compiled.cubin)?;
            }
        }
    }
    Ok(wrong)
}

fn main() -> ExitCode {
    match run() {
        Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
        Ok(wrong) => {
            eprintln!("{}", wrong.join("\n"));
            ExitCode::FAILURE
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}
