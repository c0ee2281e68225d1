//! What a GPU does with the kernels, as JSON: conformance, determinism, and times beside floors and predictions.
//!
//! One program without arguments to build by; it needs a driver and NVRTC (`CONCORD_NVRTC`), and tells of whatever
//! device it finds: on the emulated one its times mean nothing and it says so. `--cases N` draws N recipes of
//! each function beside the covering array; `--full` times the sizes of the design, else small ones; `--quick`
//! leaves the times out (for a sanitizer).

#[path = "../tests/inputs/mod.rs"]
mod inputs;
#[path = "gpu-check/timed.rs"]
mod timed;

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
}

fn options() -> Result<Options, String> {
    let mut options = Options { cases: 600, full: false, quick: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--full" => options.full = true,
            "--quick" => options.quick = true,
            "--cases" => {
                let number = words.next().and_then(|number| number.parse().ok());
                options.cases = number.ok_or("--cases needs a number")?;
            }
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    Ok(options)
}

/// The GPU, or the emulated device, with every launch timed.
fn device(times: &Times) -> Gpu {
    let (first, second) = (times.clone(), times.clone());
    let gpu = Gpu::opened_by(move || {
        Ok(Box::new(Timed::new(Box::new(Cuda::open(&Cache::of_this_user())?), first.clone())?))
    });
    let emulated = std::env::var_os("CONCORD_CUDA").is_some_and(|device| device == "emulated");
    match gpu.device() {
        Device::Cuda { .. } if !emulated => gpu,
        _ => emulated_device(second),
    }
}

#[cfg(emulated)]
fn emulated_device(times: Times) -> Gpu {
    let emulated = || Box::new(cuda_backend::emulated::Emulated::default());
    Gpu::opened_by(move || Ok(Box::new(Timed::new(emulated(), times.clone())?)))
}

#[cfg(not(emulated))]
fn emulated_device(_: Times) -> Gpu {
    Gpu::of_this_machine()
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

/// Bit-equality with the reference, over generated cases.
fn conformance(backend: &impl Backend, drawn: usize, heavy: bool) -> Value {
    let host = reference::backend();
    let of = |generator: &&'static Generator| {
        let recipes = recipes(generator, drawn, heavy);
        let differs = |recipe: &&Recipe| {
            let call = recipe.build();
            digest(&host, &call) != digest(backend, &call)
        };
        let differing: Vec<String> =
            recipes.iter().filter(differs).map(Recipe::to_string).collect();
        json!({ "function": generator.function, "cases": recipes.len(), "differing": differing })
    };
    GENERATORS.iter().map(of).collect()
}

/// A call to be timed, what it cannot be faster than, and what the design predicts on an H200.
struct Timing {
    name: &'static str,
    call: Call,
    floor_ms: f64,
    predicted_ms: Option<[f64; 2]>,
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
    let at_full = |range: [f64; 2]| full.then_some(range);
    vec![
        // Each value and its column once; four instructions for each value and permutation; ten for each pair.
        Timing {
            name: "Moran's I",
            floor_ms: 1e3 * 8.0 * x / BYTES,
            call: statistic,
            predicted_ms: at_full([0.2, 0.4]),
        },
        Timing {
            name: "Moran's I, permuted rows",
            floor_ms: 1e3 * 4.0 * x * perms as f64 / LANES,
            call: permuted,
            predicted_ms: at_full([45.0, 180.0]),
        },
        Timing {
            name: "co_occurrence",
            floor_ms: 1e3 * 10.0 * pairs / LANES,
            call: cooc,
            predicted_ms: at_full([1.1, 2.0]),
        },
        Timing {
            name: "ligrec",
            floor_ms: 1e3 * 4.0 * y * draws as f64 / LANES,
            call: ligrec,
            predicted_ms: None,
        },
    ]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Times one call, and compares the digests of its answers.
fn time(
    backend: &impl Backend,
    times: &Times,
    timing: &Timing,
    on_gpu: bool,
) -> Result<Value, Fault> {
    let first = digest(backend, &timing.call)?;
    let (mut kernels, mut whole, mut same) = (Vec::new(), Vec::new(), true);
    let mut by_kernel = Value::Null;
    for _ in 0..REPEATS {
        times.clear();
        let start = Instant::now();
        same &= digest(backend, &timing.call)? == first;
        whole.push(start.elapsed().as_secs_f64() * 1e3);
        kernels.push(times.total_ms());
        by_kernel = times.by_kernel();
    }
    let kernel_ms = median(kernels);
    Ok(json!({
        "what": timing.name, "stored values": stored(&timing.call), "kernels ms": kernel_ms,
        "end to end ms": median(whole), "floor ms": timing.floor_ms,
        "fraction of floor": on_gpu.then(|| timing.floor_ms / kernel_ms), "predicted ms": timing.predicted_ms,
        "kernels of the last run": by_kernel, "same answer every time": same,
    }))
}

fn run(options: &Options) -> Result<(Value, bool), Fault> {
    let times = Times::default();
    let gpu = device(&times);
    let device = gpu.device().clone();
    let on_gpu = matches!(device, Device::Cuda { .. });
    let backend = cuda_backend::on(gpu);
    let conformance = conformance(&backend, options.cases, on_gpu && options.full);
    let timings = match options.quick {
        true => Vec::new(),
        false => timings(options.full && on_gpu),
    };
    let table: Result<Vec<Value>, Fault> =
        timings.iter().map(|timing| time(&backend, &times, timing, on_gpu)).collect();
    let table = table?;
    let differs = |of: &Value| of["differing"].as_array().is_some_and(|d| !d.is_empty());
    let good = !conformance.as_array().is_some_and(|all| all.iter().any(differs))
        && table.iter().all(|row| row["same answer every time"] == true);
    let kind = if on_gpu {
        "measured"
    } else {
        "not run: no GPU; the times below are the emulated device's"
    };
    Ok((
        json!({
            "device": device, "on a GPU": kind, "conformance": conformance, "times": table,
            "rapids-singlecell on the same data": "not run", "artifact": backend.manifest().artifact,
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
