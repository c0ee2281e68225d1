//! How many calls a second a warm worker answers, and what each costs on either side.
//!
//! ```sh
//! cargo run --release -p dispatch --example worker_rate -- FUNCTION PROGRAM [ARGUMENT ...] [--forks]
//! # for instance, with the worker on PYTHONPATH=python/src:
//! ... -- trivial python3 -m concord_worker --adapter python/probes/trivial.py
//! ... -- spatial_autocorr python3 -m concord_worker --module squidpy.gr --set show_progress_bar=false
//! ```
//!
//! The input has 64 cells and 8 genes. Processor time is what the machine's other work does not change much.

mod shared;

use std::time::{Duration, Instant};

use dispatch::worker::Worker;
use dispatch::{Backend, Call, Fault, Params, Phase};

/// Calls of a round, and rounds: a shared machine takes processors away for seconds at a time.
const CALLS: u32 = 100;
const ROUNDS: u32 = 15;

fn main() -> Result<(), Fault> {
    let (function, launch) = shared::arguments();
    let start = Instant::now();
    let worker = Worker::start(launch)?;
    println!("{}", worker.manifest().summary);
    println!("started in {:.1} s", start.elapsed().as_secs_f64());
    let call = Call::new(function, shared::data(), Params::new());
    // The first calls compile and fill caches.
    for _ in 0..5 {
        worker.run(&call)?;
    }
    let mut phases = [Duration::ZERO; 3];
    let mut rounds = Vec::new();
    let before = shared::processor();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CALLS {
            for (phase, time) in worker.run(&call)?.phases {
                phases[phase as usize] += time;
            }
        }
        rounds.push(f64::from(CALLS) / start.elapsed().as_secs_f64());
    }
    let after = shared::processor();
    rounds.sort_by(f64::total_cmp);
    let each = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(ROUNDS * CALLS);
    println!(
        "calls/s in {ROUNDS} rounds of {CALLS}: {:.0} to {:.0}, median {:.0}; of a call on average",
        rounds[0],
        rounds[rounds.len() - 1],
        rounds[rounds.len() / 2]
    );
    for phase in [Phase::Upload, Phase::Compute, Phase::Download] {
        println!("  {phase:?}: {:.2} ms", each(phases[phase as usize]));
    }
    let [concord, worker_process] = [0, 1].map(|side| each(after[side] - before[side]));
    println!("  processor time: {concord:.2} ms of Concord, {worker_process:.2} ms of the worker");
    Ok(())
}
