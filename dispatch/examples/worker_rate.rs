//! How many calls a second a warm worker answers.
//!
//! ```sh
//! cargo run --release -p dispatch --example worker_rate -- FUNCTION PROGRAM [ARGUMENT ...]
//! # for instance, with the worker on PYTHONPATH=python/src:
//! ... -- trivial python3 -m concord_worker --adapter python/probes/trivial.py
//! ... -- spatial_autocorr python3 -m concord_worker --module squidpy.gr --set show_progress_bar=false
//! ```
//!
//! The input has 64 cells on a ring, 8 genes in float32, a graph with two neighbours a cell, and three clusters.

use std::time::{Duration, Instant};

use dispatch::worker::{Launch, Worker};
use dispatch::{
    Backend, Call, Categorical, Dataset, Dense, Fault, Frame, Index, Params, Phase, Sparse,
};

const CELLS: usize = 64;
const GENES: usize = 8;
const CALLS: u32 = 300;

fn main() -> Result<(), Fault> {
    let mut args = std::env::args().skip(1);
    let (Some(function), Some(program)) = (args.next(), args.next()) else {
        eprintln!("expected: FUNCTION PROGRAM [ARGUMENT ...]");
        std::process::exit(2);
    };
    let mut launch = Launch::new(program);
    launch.args = args.map(Into::into).collect();
    let start = Instant::now();
    let worker = Worker::start(launch)?;
    println!("{}", worker.manifest().summary);
    println!("started in {:.1} s", start.elapsed().as_secs_f64());
    let call = Call::new(function, data(), Params::new());
    // The first calls compile and fill caches.
    for _ in 0..5 {
        worker.run(&call)?;
    }
    let mut phases = [Duration::ZERO; 3];
    let start = Instant::now();
    for _ in 0..CALLS {
        for (phase, time) in worker.run(&call)?.phases {
            phases[phase as usize] += time;
        }
    }
    let elapsed = start.elapsed();
    let each = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(CALLS);
    println!(
        "{:.0} calls/s, {:.2} ms each",
        f64::from(CALLS) / elapsed.as_secs_f64(),
        each(elapsed)
    );
    for phase in [Phase::Upload, Phase::Compute, Phase::Download] {
        println!("  {phase:?}: {:.2} ms", each(phases[phase as usize]));
    }
    Ok(())
}

fn data() -> Dataset {
    let labels = |prefix: &str, n: usize| Index::text((0..n).map(|i| format!("{prefix}{i}")));
    let clusters = Categorical::new((0..CELLS as i32).map(|i| i % 3).collect(), ["a", "b", "c"]);
    let none: [(&str, dispatch::Value); 0] = [];
    let x: Vec<f32> = (0..CELLS * GENES).map(|i| ((i * 37 + i / 7) % 11) as f32).collect();
    let ring = |i: usize| [(i + CELLS - 1) % CELLS, (i + 1) % CELLS];
    let mut neighbours: Vec<i32> = Vec::new();
    for i in 0..CELLS {
        let mut both = ring(i).map(|j| j as i32);
        both.sort_unstable();
        neighbours.extend(both);
    }
    let starts = (0..=CELLS as i32).map(|i| 2 * i).collect();
    let graph = Sparse::csr((CELLS, CELLS), starts, neighbours, vec![1f32; 2 * CELLS]);
    let mut data = Dataset::new();
    data.set("X", Dense::new(vec![CELLS, GENES], x).into());
    data.set("obs", Frame::new(labels("cell", CELLS), [("cluster", clusters.into())]).into());
    data.set("var", Frame::new(labels("gene", GENES), none).into());
    data.set("obsp/spatial_connectivities", graph.into());
    data
}
