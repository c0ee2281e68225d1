//! Whether an answer depends on anything but its call: what came before, threads, a remembered signature.

use std::sync::Arc;

use dispatch::{Backend, Call, Fault, Manifest, Reply, Rule, Value};

use super::bench::{Asked, Bench};
use super::content::difference;
use super::{Conclusion, Findings, Probe};
use crate::executor::Executor;
use crate::judge::Outcome;

pub(super) const SAME_CALL_SAME_BITS: Probe = Probe {
    name: "same-call-same-bits",
    rule: Rule::C9,
    asks: "makes the same call three times in a row: the same bits",
    run: same_call_same_bits,
};

fn same_call_same_bits(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    for asked in bench.bases() {
        let first = bench.ask(&asked);
        for _ in 0..2 {
            findings.ask();
            if let Some(how) = difference(&first, &bench.ask(&asked)) {
                findings.violate(None, &asked, format!("called again: {how}"));
            }
        }
    }
    findings.conclude("there is nothing to call")
}

pub(super) const OTHER_CALLS_BETWEEN: Probe = Probe {
    name: "other-calls-between",
    rule: Rule::C9,
    asks: "makes every call of the sweep again after all others, in reverse order: the same bits",
    run: other_calls_between,
};

fn other_calls_between(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    for swept in bench.sweep().iter().rev() {
        findings.ask();
        if let Some(how) = difference(&swept.backend, &bench.ask(&swept.asked)) {
            findings.violate(None, &swept.asked, format!("called again after others: {how}"));
        }
    }
    findings.conclude("there is nothing to call")
}

/// Numbers of threads, and of jobs, that answers are compared for.
const COUNTS: [usize; 2] = [1, 3];

pub(super) const THREADS: Probe = Probe {
    name: "threads",
    rule: Rule::C9,
    asks: "makes the same call in pools of one and three rayon threads, and with n_jobs=1 and n_jobs=3: the same \
           bits (another process does not see the pool)",
    run: threads,
};

fn threads(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let mut pools = Vec::new();
    for count in COUNTS {
        match Pooled::new(bench.backend.clone(), count) {
            Ok(pooled) => pools.push(Executor::new(Arc::new(pooled), bench.deadline)),
            Err(error) => return Conclusion::NotApplicable(format!("no pool of threads: {error}")),
        }
    }
    // The permutations of NumPy are drawn in chunks, one per job: only the stream of the project is free of that.
    let jobs = bench.streams.backend == Some("concord") && bench.signature.get("n_jobs").is_some();
    for asked in bench.bases() {
        let Ok(call) = bench.routed(&asked, 0).map(Arc::new) else { continue };
        let outcomes: Vec<Outcome> = pools.iter_mut().map(|pool| pool.run(&call)).collect();
        compare(&mut findings, &asked, "threads", &outcomes);
        if jobs {
            let with_jobs = COUNTS.map(|n| asked.with("n_jobs", Value::Int(n as i64)));
            let outcomes: Vec<Outcome> = with_jobs.iter().map(|asked| bench.ask(asked)).collect();
            compare(&mut findings, &asked, "jobs", &outcomes);
        }
    }
    findings.conclude("no call can be formed")
}

fn compare(findings: &mut Findings, asked: &Asked, what: &str, outcomes: &[Outcome]) {
    if let [one, several] = outcomes {
        findings.ask();
        if let Some(how) = difference(one, several) {
            let [fewer, more] = COUNTS;
            findings.violate(None, asked, format!("{more} {what} instead of {fewer}: {how}"));
        }
    }
}

/// A backend that runs in a pool of its own.
struct Pooled {
    backend: Arc<dyn Backend>,
    pool: rayon::ThreadPool,
}

impl Pooled {
    fn new(backend: Arc<dyn Backend>, n: usize) -> Result<Pooled, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .thread_name(|_| crate::executor::THREAD_NAME.to_owned());
        Ok(Pooled { backend, pool: pool.build()? })
    }
}

impl Backend for Pooled {
    fn manifest(&self) -> &Manifest {
        self.backend.manifest()
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        self.pool.install(|| self.backend.run(call))
    }
}

pub(super) const NO_REMEMBERED_SIGNATURE: Probe = Probe {
    name: "no-remembered-signature",
    rule: Rule::D29,
    asks: "makes each call after one with as many arguments of other names, and after one with fewer: the same bits",
    run: no_remembered_signature,
};

fn no_remembered_signature(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let asked = bench.recipe(bench.inputs.bases[0]);
    let needed = |name: &str| bench.inputs.needed.contains(&name);
    let optional: Vec<String> = (asked.call.params.keys())
        .filter(|name| !needed(name) && bench.signature.get(name).is_some_and(|p| !p.is_required()))
        .cloned()
        .collect();
    // Each leaves another argument out, so that all have equally many.
    let calls: Vec<Asked> = optional.iter().map(|name| asked.without(name)).collect();
    let fewer = |call: &Asked| optional.iter().fold(call.clone(), |call, name| call.without(name));
    for (i, call) in calls.iter().enumerate() {
        let other = &calls[(i + 1) % calls.len()];
        // Only what is asked last counts; the others set the stage.
        let _ = bench.ask(&fewer(call));
        let fresh = bench.ask(call);
        let _ = (bench.ask(&fewer(call)), bench.ask(other));
        findings.ask();
        if let Some(how) = difference(&fresh, &bench.ask(call)) {
            findings.violate(None, call, format!("after \"{other}\": {how}"));
        }
    }
    findings.conclude("no two calls have as many arguments of other names")
}
