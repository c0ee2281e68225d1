//! One reading of a `.h5ad` file in a fresh process: the Rust side of `python/against_anndata.py`.
//!
//! `read_h5ad FILE` reads, then prints one line of JSON: the seconds it took, the memory of the process before and at
//! its peak, and sums over every stored bit, which the caller compares with those of anndata. `read_h5ad FILE
//! --rewrite OTHER` writes what was read, so that both sides can be asked for a file of either writer.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use dispatch::{Buffer, Dataset, Indices, Sparse, Value};
use serde_json::json;

/// As in `concord`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, rewrite) = match arguments.as_slice() {
        [file] => (file, None),
        [file, option, other] if option == "--rewrite" => (file, Some(other)),
        _ => bail!("expected FILE.h5ad [--rewrite OTHER.h5ad], got {arguments:?}"),
    };
    let before = kib("VmRSS")?;
    let (start, cpu) = (Instant::now(), processor_s()?);
    let data = anndata_io::read(Path::new(file)).with_context(|| format!("read {file}"))?.data;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), processor_s()? - cpu);
    let peak = kib("VmHWM")?;
    if let Some(other) = rewrite {
        anndata_io::write(Path::new(other), &data).with_context(|| format!("write {other}"))?;
    }
    let sums = sums(&data)?;
    println!(
        "{}",
        json!({ "wall_s": wall, "cpu_s": cpu, "before_kib": before, "peak_kib": peak, "sums": sums })
    );
    Ok(())
}

/// Processor seconds of all threads, also of those that have ended; the kernel counts hundredths.
fn processor_s() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("times are read on Linux")?;
    let fields = stat.rsplit_once(") ").context("no name of the program")?.1;
    let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}

/// A line of what the kernel says about this process.
fn kib(name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("memory is read on Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|rest| rest.split_whitespace().next()).context("no such line")?;
    Ok(number.parse()?)
}

/// Of each part of `X` and of the names: the sum of its elements' bits, each times its place, modulo 2^64.
fn sums(data: &Dataset) -> anyhow::Result<serde_json::Value> {
    let names = |names: Vec<String>| weighted(names.join("\n").bytes().map(u64::from));
    let (obs, var) = (names(data.obs_names()), names(data.var_names()));
    let x = match data.get("X") {
        Some(Value::Sparse(Sparse { indptr, indices, data, .. })) => {
            json!({ "indptr": index(indptr), "indices": index(indices), "data": buffer(data)? })
        }
        Some(Value::Dense(dense)) => json!({ "data": buffer(&dense.data)? }),
        other => bail!("expected a matrix X, got {:?}", other.map(Value::type_name)),
    };
    Ok(json!({ "X": x, "obs_names": obs, "var_names": var }))
}

fn index(indices: &Indices) -> u64 {
    match indices {
        Indices::I32(v) => weighted(v.iter().map(|&i| i as u64)),
        Indices::I64(v) => weighted(v.iter().map(|&i| i as u64)),
    }
}

fn buffer(buffer: &Buffer) -> anyhow::Result<u64> {
    match buffer {
        Buffer::F32(v) => Ok(weighted(v.iter().map(|x| u64::from(x.to_bits())))),
        Buffer::F64(v) => Ok(weighted(v.iter().map(|x| x.to_bits()))),
        other => bail!("expected floats of 32 or 64 bits, got {}", other.dtype().name()),
    }
}

fn weighted(bits: impl Iterator<Item = u64>) -> u64 {
    (1u64..).zip(bits).fold(0, |sum, (place, bits)| sum.wrapping_add(place.wrapping_mul(bits)))
}
