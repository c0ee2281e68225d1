//! What the lab says, with the clock of this machine, of two equal backends and of one that is 5 % slower.
//!
//! `cargo run --release -p harness --example lab_on_this_clock [EQUAL [SLOWER [MINUTES]]]` compares equal backends so many times
//! (200) and a slower one so many (100), in random order, within so many minutes (10), and says how often it was right, wrong, and silent.
//! It exits with 1 if more than one verdict in a hundred was wrong. The rates are those of this machine under the load that is
//! printed beside them: on a busy one more comparisons are inconclusive, and none more should be wrong. `harness/tests/bench.rs` asks the same of a
//! simulated machine.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dispatch::{Backend, Call, Fault, Manifest, Reply};
use generators::Random;
use generators::sized::Shape;
use harness::bench::{
    Generated, Inputs, LEAST_BLOCKS, Lab, MOST_BLOCKS, Monotonic, Subject, machine,
};
use reports::Time;
use reports::perf::compare::{SpeedVerdict, comparisons};
use reports::perf::{Environment, PERF_FORMAT, PerfLog, Settings};

/// How much slower the slower one is.
const PLANTED: f64 = 0.05;
/// Seconds between two lines of progress.
const SILENCE: u64 = 15;
/// 1.96: the quantile of the standard normal distribution for 95 %.
const Z: f64 = 1.96;

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

/// Verdicts on one kind of pair.
#[derive(Default)]
struct Count(BTreeMap<SpeedVerdict, usize>);

impl Count {
    fn of(&self, wanted: &[SpeedVerdict]) -> usize {
        wanted.iter().filter_map(|verdict| self.0.get(verdict)).sum()
    }

    fn all(&self) -> usize {
        self.0.values().sum()
    }

    fn shown(&self) -> String {
        let word = |(verdict, n): (&SpeedVerdict, &usize)| format!("{n} {}", verdict.name());
        let words: Vec<String> = self.0.iter().map(word).collect();
        if words.is_empty() { "nothing yet".to_owned() } else { words.join(", ") }
    }
}

fn main() -> ExitCode {
    let given =
        |n, default| std::env::args().nth(n).map_or(Some(default), |text| text.parse().ok());
    let (Some(equal), Some(slower), Some(minutes)) = (given(1, 200), given(2, 100), given(3, 10))
    else {
        eprintln!("expected [EQUAL [SLOWER [MINUTES]]], three whole numbers");
        return ExitCode::from(2);
    };
    let mut plan: Vec<f64> = [vec![0.0; equal], vec![PLANTED; slower]].concat();
    Random::new(1, "plan").shuffle(&mut plan);
    let (start, limit) = (Instant::now(), Duration::from_secs(60 * minutes as u64));
    let (before, used) = (Load::now(), Used::now());
    let (mut same, mut slow, mut highest) = (Count::default(), Count::default(), before);
    let mut told = Instant::now();
    for (i, &share) in plan.iter().enumerate() {
        // What fast ones leave is for the others.
        let budget = limit.saturating_sub(start.elapsed()) / (plan.len() - i) as u32;
        match verdict(i as u64, share, budget) {
            Ok(verdict) => {
                let count = if share == 0.0 { &mut same } else { &mut slow };
                *count.0.entry(verdict).or_insert(0) += 1;
            }
            Err(error) => eprintln!("comparison {i}: {error}"),
        }
        highest = highest.max(Load::now());
        if told.elapsed() > Duration::from_secs(SILENCE) || i + 1 == plan.len() {
            told = Instant::now();
            eprintln!(
                "{:4} s: {} of {}; equal: {}; 5 % slower: {}",
                start.elapsed().as_secs(),
                i + 1,
                plan.len(),
                same.shown(),
                slow.shown()
            );
        }
    }
    let unlike = [SpeedVerdict::Faster, SpeedVerdict::Slower];
    let wrong = [same.of(&unlike), slow.of(&[SpeedVerdict::Faster, SpeedVerdict::Same])];
    println!("equal: {}", same.shown());
    println!("  called different: {}", rate(wrong[0], same.all()));
    println!("5 % slower: {}", slow.shown());
    println!("  found: {}", rate(slow.of(&[SpeedVerdict::Slower]), slow.all()));
    println!("  called faster or the same: {}", rate(wrong[1], slow.all()));
    println!("load average: {before} before, {highest} at most, {} after", Load::now());
    println!("{}", used.since());
    println!("{} s", start.elapsed().as_secs());
    ExitCode::from(u8::from(100 * (wrong[0] + wrong[1]) > same.all() + slow.all()))
}

/// A share with the 95 % interval of Wilson.
fn rate(hits: usize, of: usize) -> String {
    if of == 0 {
        return "none compared".to_owned();
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let [at, low, high] =
        [p, (middle - half).max(0.0), (middle + half).min(1.0)].map(|x| 100.0 * x);
    format!("{hits} of {of}, {at:.1} % [{low:.1}, {high:.1}]")
}

fn verdict(seed: u64, share: f64, budget: Duration) -> Result<SpeedVerdict, String> {
    let subjects = [subject("base", 0.0), subject("other", share)];
    let settings = Settings {
        band: 0.02,
        least_blocks: LEAST_BLOCKS,
        most_blocks: MOST_BLOCKS,
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
        budget,
        clock: &Monotonic::start(),
    };
    let inputs = Inputs::Generated(Generated {
        function: "spatial_autocorr".to_owned(),
        shape: Shape { cells: 1500, genes: 20, clusters: 2, stored: 10 },
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

/// The load average of one minute, this program's own included.
#[derive(Clone, Copy)]
struct Load(Option<f64>);

impl Load {
    fn now() -> Load {
        Load(machine::load())
    }

    fn max(self, other: Load) -> Load {
        Load(self.0.into_iter().chain(other.0).reduce(f64::max))
    }
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(load) => write!(f, "{load:.1}"),
            None => write!(f, "unknown"),
        }
    }
}

/// Processor time so far, in ticks: of all processors, of what they were busy for, and of this program.
struct Used(Option<[f64; 3]>);

impl Used {
    fn now() -> Used {
        let read = || {
            let stat = std::fs::read_to_string("/proc/stat").ok()?;
            // user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in user already.
            let line = stat.lines().next()?.split_whitespace().skip(1).take(8);
            let ticks: Vec<f64> = line.filter_map(|n| n.parse().ok()).collect();
            let all: f64 = ticks.iter().sum();
            let own = std::fs::read_to_string("/proc/self/stat").ok()?;
            // The name of the program, in brackets, may hold blanks: fields are counted from behind it.
            let own = own.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
            let own: f64 = own.filter_map(|n| n.parse::<f64>().ok()).sum();
            Some([all, all - ticks.get(3)? - ticks.get(4)?, own])
        };
        Used(read())
    }

    /// Who used the processors since.
    fn since(&self) -> String {
        let (Some(then), Some(now)) = (self.0, Used::now().0) else {
            return "processors: unknown who used them".to_owned();
        };
        let [all, busy, own] = std::array::from_fn(|i| now[i] - then[i]);
        let percent = |ticks: f64| 100.0 * ticks / all.max(1.0);
        format!(
            "processors: {:.0} % of their time for this program, {:.0} % for others, the rest idle",
            percent(own),
            percent((busy - own).max(0.0))
        )
    }
}
