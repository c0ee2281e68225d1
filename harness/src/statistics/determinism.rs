//! What a backend repeats: measured, not asked.
//!
//! The same call twice, the same call on one and on three threads (in-process backends that use the
//! ambient `rayon` pool), and the same call with another seed. Where the same seed must give the same permutations and another seed others,
//! that is a check; how many bits come back is a class, which goes on the report.

use std::sync::Arc;

use dispatch::{Backend, Call, Fault, Manifest, Reply, Value};
use reports::{Check, Verdict};

use super::subject::{Subject, asked};
use crate::compare::Checks;
use crate::examine::{Examination, Session};

/// How much of an answer comes back when the call is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeterminismClass {
    /// Every bit, on any number of threads.
    AnyThreads,
    /// Every bit, on the same number of threads.
    SameThreads,
    /// Every permutation, but not the last bits of what is computed from it.
    UpToRounding,
    /// Other permutations at each call.
    Unrepeatable,
}

impl DeterminismClass {
    /// The name on the report.
    pub fn name(self) -> &'static str {
        match self {
            DeterminismClass::AnyThreads => "the same bits on any number of threads",
            DeterminismClass::SameThreads => "the same bits on the same number of threads",
            DeterminismClass::UpToRounding => "the same permutations, but not the same last bits",
            DeterminismClass::Unrepeatable => "other permutations at each call",
        }
    }
}

/// What was measured.
pub(super) struct Measured {
    pub(super) class: DeterminismClass,
    pub(super) checks: Vec<Check>,
    pub(super) verdict: Verdict,
}

/// Permutations of the calls: enough that no two seeds agree by chance.
const PERMUTATIONS: usize = 99;
/// Threads of the two pools.
const THREADS: [usize; 2] = [1, 3];

/// Measures the class of a backend for one function on one call, large enough that work is worth splitting.
pub(super) fn measure(
    session: &mut Session<'_>,
    call: &Call,
    seed: u64,
) -> Result<Measured, Fault> {
    let random = is_random(call);
    let seeded = Subject::new(session).takes_seed(&call.function);
    let with = |seed: u64| {
        let mut asked = if random { asked(call, PERMUTATIONS, seed) } else { call.clone() };
        if !seeded {
            asked.params.remove("seed");
        }
        Arc::new(asked)
    };
    let call = with(seed);
    let once = session.answer(&call)?;
    let again = session.answer(&call)?;
    let pools = THREADS.map(|threads| on_threads(session.examination(), threads));
    let [one, three] = pools.map(|examination| examination?.session().answer(&call));
    let (one, three) = (one?, three?);
    let (same_bits, same_draws) =
        (|a: &Reply| a.data == once.data, |a: &Reply| draws(a) == draws(&once));
    let mut checks = Checks::default();
    if random && seeded {
        let yes = "the same permutations";
        checks.holds("same seed, same permutations", "", same_draws(&again), yes, || {
            "other ones at the second call".to_owned()
        });
        let other = session.answer(&with(seed + 1))?;
        checks.holds(
            "other seed, other permutations",
            "",
            !same_bits(&other),
            "other ones",
            || format!("those of seed {seed} again for seed {}", seed + 1),
        );
    } else if !random {
        // Counts are integers: no order of additions changes them.
        checks.holds("same call, same bits", "", same_bits(&again), "the same bits", || {
            "others at the second call".to_owned()
        });
    }
    let class = match [&again, &one, &three] {
        all if all.iter().all(|a| same_bits(a)) => DeterminismClass::AnyThreads,
        _ if same_bits(&again) => DeterminismClass::SameThreads,
        _ if same_draws(&again) => DeterminismClass::UpToRounding,
        _ => DeterminismClass::Unrepeatable,
    };
    let verdict = match checks.failed() {
        Some(_) => Verdict::Fail,
        None if class <= DeterminismClass::SameThreads => Verdict::Pass,
        None => Verdict::QualityWarning,
    };
    // Where nothing is demanded, the measurement is still one comparison.
    if checks.checks.is_empty() {
        checks.holds("same call twice", "", true, "", String::new);
    }
    Ok(Measured { class, checks: checks.checks, verdict })
}

fn is_random(call: &Call) -> bool {
    call.params.contains_key("n_perms")
}

/// The part of an answer that says which permutations were drawn, whatever was rounded after.
fn draws(reply: &Reply) -> Vec<u64> {
    let bits = |value: &Value| match value {
        Value::Dense(dense) => dense.to_f64().iter().map(|x| x.to_bits()).collect(),
        _ => Vec::new(),
    };
    match reply.data.get("result") {
        Some(Value::Frame(frame)) => frame.column("pval_sim").map(bits).unwrap_or_default(),
        Some(Value::Map(map)) => match map.get("pvalues") {
            Some(Value::Frame(frame)) => frame.columns.iter().flat_map(bits).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The same examination with a backend that finds itself in a pool of so many threads.
fn on_threads(examination: &Examination, threads: usize) -> Result<Examination, Fault> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Fault::Failed(format!("start {threads} threads: {e}")))?;
    let backend = Arc::new(Pooled { backend: examination.backend.clone(), pool });
    Ok(Examination { backend, ..examination.clone() })
}

struct Pooled {
    backend: Arc<dyn Backend>,
    pool: rayon::ThreadPool,
}

impl Backend for Pooled {
    fn manifest(&self) -> &Manifest {
        self.backend.manifest()
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        self.pool.install(|| self.backend.run(call))
    }
}
