//! What the lab says, with the clock of this machine, of two equal backends and of one that is 5 % slower.
//!
//! `cargo run --release -p harness --example lab_on_this_clock [MEASUREMENTS]` makes so many measurements of each (20) and counts the
//! verdicts. They say something about this machine now; `harness/tests/bench.rs` asks the same of a simulated one, and must be right.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dispatch::{Backend, Call, Fault, Manifest, Reply};
use generators::sized::Shape;
use harness::bench::{Generated, Inputs, Lab, Monotonic, Subject};
use reports::Time;
use reports::perf::compare::{SpeedVerdict, comparisons};
use reports::perf::{Environment, PERF_FORMAT, PerfLog, Settings};

/// The reference, and busy for a share of the time that it took.
struct Delayed {
    inner: Box<dyn Backend>,
    share: f64,
}

impl Backend for Delayed {
    fn manifest(&self) -> &Manifest {
        self.inner.manifest()
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        let start = Instant::now();
        let reply = self.inner.run(call);
        let until = start.elapsed().mul_f64(1.0 + self.share);
        while start.elapsed() < until {
            std::hint::spin_loop();
        }
        reply
    }
}

fn main() {
    let measurements = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(20);
    for (what, share) in [("equal", 0.0), ("5 % slower", 0.05)] {
        let mut verdicts = BTreeMap::new();
        for seed in 0..measurements {
            match verdict(seed, share) {
                Ok(verdict) => *verdicts.entry(verdict).or_insert(0) += 1,
                Err(error) => eprintln!("measurement {seed}: {error}"),
            }
        }
        println!("{what}: {verdicts:?} of {measurements}");
    }
}

fn verdict(seed: u64, share: f64) -> Result<SpeedVerdict, String> {
    let subjects = [subject("base", 0.0), subject("other", share)];
    let settings = Settings {
        band: 0.02,
        least_blocks: 8,
        most_blocks: 60,
        half_width: 0.02f64.ln_1p() / 2.0,
        seed,
        deadline_ms: 600_000,
        memory_bytes: None,
        base: "base".to_owned(),
    };
    let lab = Lab {
        host: &subjects[0],
        subjects: &subjects,
        settings: settings.clone(),
        budget: Duration::from_secs(3600),
        clock: &Monotonic::start(),
    };
    let inputs = Inputs::Generated(Generated {
        function: "spatial_autocorr".to_owned(),
        shape: Shape { cells: 1500, genes: 2, clusters: 2, stored: 2 },
        n_perms: None,
    });
    let (backends, workloads) = lab.sweep(&[inputs], &|_| {}).map_err(|e| e.to_string())?;
    let log = PerfLog {
        format: PERF_FORMAT,
        examiner: env!("CARGO_PKG_VERSION").to_owned(),
        started: Time::from_seconds(0),
        environment: Environment::default(),
        settings,
        backends,
        workloads,
    };
    comparisons(&log).first().map(|c| c.verdict).ok_or_else(|| "nothing was compared".to_owned())
}

fn subject(name: &'static str, share: f64) -> Subject {
    Subject::new(name, move || {
        Ok(Arc::new(Delayed { inner: Box::new(reference::backend()), share }) as Arc<dyn Backend>)
    })
}
