//! How often the statistics reject what is wrong, and how often what is right.
//!
//! `cargo run -p harness --example power [quick|standard|full] [repetitions] [name]` examines the reference and every backend of
//! `harness::statistics::wrong` again and again with other seeds and prints how often each was rejected, with the interval of
//! Clopper and Pearson at 95 %, by which checks, and what it cost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dispatch::{Backend, Call, Fault, Manifest, Reply};
use harness::examine::Examination;
use harness::mutants::MutantBackend;
use harness::statistics::wrong::WRONG;
use harness::statistics::{Budget, clopper_pearson, examine};

/// A backend that counts its calls.
struct Counting(Arc<dyn Backend>, AtomicU64);

impl Backend for Counting {
    fn manifest(&self) -> &Manifest {
        self.0.manifest()
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.run(call)
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let budget = arguments.next().unwrap_or_else(|| "standard".to_owned());
    let Some(budget) = Budget::ALL.into_iter().find(|b| b.name() == budget) else {
        return eprintln!("unknown budget `{budget}`, expected quick, standard or full");
    };
    let repetitions = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(20);
    let only = arguments.next();
    println!("{:<40} {:>9}  {:<15} {:>7} {:>9}  by", "backend", "rejected", "95 %", "calls", "ms");
    for function in ["spatial_autocorr", "ligrec", "co_occurrence"] {
        line(&format!("reference: {function}"), reference(), function, budget, repetitions, &only);
    }
    for mutant in WRONG {
        let backend = Arc::new(MutantBackend::new(mutant));
        line(mutant.name, backend, mutant.function, budget, repetitions, &only);
    }
}

fn reference() -> Arc<dyn Backend> {
    Arc::new(reference::backend())
}

fn line(
    name: &str,
    backend: Arc<dyn Backend>,
    function: &str,
    budget: Budget,
    repetitions: u64,
    only: &Option<String>,
) {
    if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
        return;
    }
    let counting = Arc::new(Counting(backend, AtomicU64::new(0)));
    let examination = Examination {
        host: reference(),
        backend: counting.clone(),
        precision: reports::Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: "reference".to_owned(),
        backend_name: name.to_owned(),
        replay_args: String::new(),
    };
    // What is known about the inputs is found out once.
    examine(&examination, function, Budget::Quick, 0);
    counting.1.store(0, Ordering::Relaxed);
    let start = Instant::now();
    let mut by: BTreeMap<String, u64> = BTreeMap::new();
    let mut rejected = 0;
    for repetition in 0..repetitions {
        let records = examine(&examination, function, budget, (repetition + 1) << 32);
        let failed = records.iter().filter(|r| r.verdict.condemns());
        let mut checks: Vec<&str> = failed
            .flat_map(|r| &r.checks)
            .filter(|c| c.finding.is_some())
            .map(|c| c.name.as_str())
            .collect();
        rejected += u64::from(!checks.is_empty());
        checks.sort_unstable();
        checks.dedup();
        checks.into_iter().for_each(|check| *by.entry(check.to_owned()).or_default() += 1);
    }
    let (low, high) = clopper_pearson(rejected, repetitions, 0.05);
    let by = by.iter().map(|(check, n)| format!("{check} {n}")).collect::<Vec<_>>().join(", ");
    let calls = counting.1.load(Ordering::Relaxed) / repetitions;
    let ms = start.elapsed().as_millis() as u64 / repetitions;
    let interval = format!("{low:.3} to {high:.3}");
    println!("{name:<40} {rejected:>4}/{repetitions:<4}  {interval:<15} {calls:>7} {ms:>9}  {by}");
}
