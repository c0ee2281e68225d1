//! What a GPU does with the kernels, as JSON: conformance, determinism, and times beside floors and predictions.
//!
//! It needs a driver and NVRTC (`CONCORD_NVRTC`), and tells of whatever device it finds: on the emulated one it times
//! nothing and says so. `--cases N` draws N recipes of each function beside the covering array; `--full` times the sizes
//! of the design, else small ones; `--quick` leaves the times out (for a sanitizer). `--write FOLDER` leaves the calls that are timed,
//! and their answers, there for another library (`rapids.py`).

#[path = "../tests/inputs/mod.rs"]
mod inputs;
#[path = "gpu-check/timed.rs"]
mod timed;
#[path = "gpu-check/written.rs"]
mod written;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use cuda_backend::Gpu;
use cuda_backend::cuda::{Cache, Cuda};
use dispatch::{Backend, Call, Device, Fault};
use generators::{GENERATORS, Generator, Recipe, plan, strategy};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use timed::{Timed, Times};

/// Lane instructions a second of an H200 (design, part 2).
const LANES: f64 = 3.0e13;
/// Bytes a second that an H200 copies on the device (design, part 2).
const BYTES: f64 = 4.3e12;
/// Repetitions of a timing; the median counts.
const REPEATS: usize = 5;

struct Options {
    cases: usize,
    full: bool,
    quick: bool,
    write: Option<PathBuf>,
}

fn options() -> Result<Options, String> {
    let mut options = Options { cases: 600, full: false, quick: false, write: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--full" => options.full = true,
            "--quick" => options.quick = true,
            "--write" => options.write = Some(words.next().ok_or("--write needs a folder")?.into()),
            "--cases" => {
                let number = words.next().and_then(|number| number.parse().ok());
                options.cases = number.ok_or("--cases needs a number")?;
            }
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    Ok(options)
}

/// A GPU on which every launch is timed; `None` where there is none.
fn timed(times: &Times) -> Option<impl Backend + use<>> {
    let times = times.clone();
    let gpu = Gpu::opened_by(move || {
        let cuda = Box::new(Cuda::open(&Cache::of_this_user())?);
        Ok(Box::new(Timed::new(cuda, times.clone())))
    });
    matches!(gpu.device(), Device::Cuda { .. }).then(|| cuda_backend::on(gpu))
}

fn recipes(generator: &'static Generator, drawn: usize, heavy: bool) -> Vec<Recipe> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let any = strategy::recipes(generator);
    let mut recipes = plan::pairwise(generator, 1);
    recipes.extend((0..drawn).filter_map(|_| any.new_tree(&mut runner).ok().map(|t| t.current())));
    recipes.extend(plan::ladder(generator, heavy, 1));
    recipes.retain(|recipe| heavy || !plan::is_heavy(recipe));
    recipes
}

fn digest(backend: &impl Backend, call: &Call) -> Result<String, Fault> {
    backend.run(call).map(|reply| reply.data.digest().to_string())
}

/// Bit-equality with the reference, and of two runs with each other, over generated cases.
fn conformance(backend: &impl Backend, drawn: usize, heavy: bool) -> Value {
    let host = reference::backend();
    let of = |generator: &&'static Generator| {
        let recipes = recipes(generator, drawn, heavy);
        let (mut differing, mut unsteady) = (Vec::new(), Vec::new());
        for recipe in &recipes {
            let call = recipe.build();
            let (expected, got) = (digest(&host, &call), digest(backend, &call));
            if digest(backend, &call) != got {
                unsteady.push(recipe.to_string());
            }
            if got != expected {
                differing.push(recipe.to_string());
            }
        }
        json!({
            "function": generator.function, "cases": recipes.len(), "differing": differing,
            "another answer in the second run": unsteady,
        })
    };
    GENERATORS.iter().map(of).collect()
}

/// A call to be timed, what it cannot be faster than, and what the design predicts on an H200, scaled to its size.
struct Timing {
    name: &'static str,
    call: Call,
    floor_ms: f64,
    predicted_ms: [f64; 2],
}

fn stored(call: &Call) -> f64 {
    match call.data.get("X") {
        Some(dispatch::Value::Sparse(x)) => x.nnz() as f64,
        Some(dispatch::Value::Dense(x)) => x.to_f64().iter().filter(|v| **v != 0.0).count() as f64,
        _ => 0.0,
    }
}

fn timings(full: bool) -> Vec<Timing> {
    // Cells, genes and permutations of autocorr; cells, clusters and thresholds of cooc; cells, genes, clusters and
    // permutations of ligrec. The first of each pair is the design's size.
    let [n, genes, perms] = if full { [100_000, 2000, 1000] } else { [600, 20, 64] };
    let [places, labels, bins] = if full { [50_000, 30, 50] } else { [600, 3, 50] };
    let [cells, ligands, k, draws] = if full { [50_000, 45, 20, 1000] } else { [300, 6, 4, 64] };
    let (statistic, permuted) =
        (inputs::autocorr(n, genes, "moran", 0), inputs::autocorr(n, genes, "moran", perms));
    let (cooc, ligrec) =
        (inputs::cooc(places, labels, bins), inputs::ligrec(cells, ligands, k, draws));
    let (x, y) = (stored(&statistic), stored(&ligrec));
    let pairs = (places * places) as f64 / 2.0;
    let scaled = |range: [f64; 2], by: f64| range.map(|ms| ms * by);
    vec![
        // Each value and its column once; four instructions for each value and permutation; ten for each pair.
        Timing {
            name: "Moran's I",
            floor_ms: 1e3 * 8.0 * x / BYTES,
            call: statistic,
            predicted_ms: scaled([0.2, 0.3], x / 2e7),
        },
        Timing {
            name: "Moran's I, permuted rows",
            floor_ms: 1e3 * 4.0 * x * perms as f64 / LANES,
            call: permuted,
            predicted_ms: scaled([20.0, 45.0], x * perms as f64 / 2e10),
        },
        Timing {
            name: "co_occurrence",
            floor_ms: 1e3 * 10.0 * pairs / LANES,
            call: cooc,
            predicted_ms: scaled([1.1, 1.3], pairs / 1.25e9),
        },
        Timing {
            name: "ligrec",
            floor_ms: 1e3 * 4.0 * y * draws as f64 / LANES,
            call: ligrec,
            predicted_ms: scaled([4.0, 5.0], y * draws as f64 / 5e9),
        },
    ]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Times one call: its kernels one by one, and the whole of it as a user waits for it, copies overlapping kernels.
fn time(
    plain: &impl Backend,
    timed: &impl Backend,
    times: &Times,
    timing: &Timing,
) -> Result<Value, Fault> {
    let first = plain.run(&timing.call)?;
    let (mut kernels, mut whole, mut same) = (Vec::new(), Vec::new(), true);
    let mut by_kernel = Value::Null;
    for _ in 0..REPEATS {
        let start = Instant::now();
        same &= plain.run(&timing.call)?.data.digest() == first.data.digest();
        whole.push(start.elapsed().as_secs_f64() * 1e3);
        times.clear();
        same &= timed.run(&timing.call)?.data.digest() == first.data.digest();
        kernels.push(times.total_ms());
        by_kernel = times.by_kernel();
    }
    let kernel_ms = median(kernels);
    Ok(json!({
        "what": timing.name, "stored values": stored(&timing.call), "kernels ms": kernel_ms,
        "end to end ms": median(whole), "floor ms": timing.floor_ms,
        "fraction of floor": timing.floor_ms / kernel_ms, "predicted ms": timing.predicted_ms,
        "kernels of the last run": by_kernel, "same answer every time": same, "witness": first.witness,
    }))
}

/// The timing table, or why there is none.
fn table(plain: &impl Backend, options: &Options) -> Result<Value, Fault> {
    let times = Times::default();
    let Some(timed) = timed(&times) else {
        return Ok(json!("not run: no GPU, and an emulated device's times mean nothing"));
    };
    if options.quick {
        return Ok(json!("not run: --quick"));
    }
    timings(options.full).iter().map(|timing| time(plain, &timed, &times, timing)).collect()
}

fn run(options: &Options) -> Result<(Value, bool), Fault> {
    let backend = cuda_backend::backend();
    let device = backend.manifest().device.clone();
    let kind = match &device {
        Device::Cuda { .. } => "measured".to_owned(),
        Device::Emulated => "not run: the device is emulated, no evidence about a GPU".to_owned(),
        Device::Cpu | Device::Absent { .. } => {
            return Err(Fault::Unsupported("neither a GPU nor the emulated device".to_owned()));
        }
    };
    let on_gpu = matches!(device, Device::Cuda { .. });
    let conformance = conformance(&backend, options.cases, on_gpu && options.full);
    let times = table(&backend, options)?;
    if let Some(folder) = &options.write {
        let timings = timings(options.full);
        let calls = timings.iter().map(|timing| (timing.name, &timing.call));
        written::write(folder, &backend, calls).map_err(Fault::Failed)?;
    }
    let wrong = |of: &Value| {
        let some = |list: &str| of[list].as_array().is_some_and(|found| !found.is_empty());
        some("differing") || some("another answer in the second run")
    };
    let rows = times.as_array();
    let good = !conformance.as_array().is_some_and(|all| all.iter().any(wrong))
        && rows.is_none_or(|rows| rows.iter().all(|row| row["same answer every time"] == true));
    Ok((
        json!({
            "device": device, "on a GPU": kind, "conformance": conformance, "times": times,
            "artifact": backend.manifest().artifact,
        }),
        good,
    ))
}

fn main() -> ExitCode {
    let outcome = options().map_err(Fault::Failed).and_then(|options| run(&options));
    match outcome {
        Ok((report, good)) => {
            println!("{report:#}");
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(fault) => {
            eprintln!("gpu-check: {fault}");
            ExitCode::from(3)
        }
    }
}
