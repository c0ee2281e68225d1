//! One backend during the sizes of a sweep: a process, and what is known about it so far.

use std::sync::Arc;
use std::time::Duration;

use dispatch::{Backend, Call, Fault, Manifest};
use reports::perf::{Cold, Contender, Fate, Judged, Lane, Sample};

use super::settings::Given;
use super::{Stopwatch, Subject, judging};
use crate::deliver;
use crate::executor::Executor;
use crate::judge::Outcome;

/// A started backend, or why there is none.
pub(super) struct Runner {
    pub(super) name: String,
    pub(super) again: bool,
    given: Given,
    state: Result<Started, Fate>,
    start_ns: Option<u64>,
}

struct Started {
    backend: Arc<dyn Backend>,
    executor: Executor,
}

impl Runner {
    pub(super) fn start(
        subject: &Subject,
        again: bool,
        deadline: Duration,
        clock: &dyn Stopwatch,
    ) -> Runner {
        let before = clock.now();
        let started = subject.start();
        let start_ns = Some(nanoseconds(clock.now() - before));
        let state = match started {
            Ok(backend) => {
                Ok(Started { executor: Executor::new(backend.clone(), deadline), backend })
            }
            // What a backend that cannot be timed says of itself is no answer to a call.
            Err(Fault::Unsupported(why)) => Err(Fate::Excluded { why }),
            Err(fault) => Err(judging::of_fault(&fault)),
        };
        Runner { name: subject.name.clone(), again, given: subject.given.clone(), state, start_ns }
    }

    pub(super) fn manifest(&self) -> Option<&Manifest> {
        self.state.as_ref().ok().map(|started| started.backend.manifest())
    }

    pub(super) fn contender(&self, host: bool) -> Option<Contender> {
        let manifest = self.manifest()?;
        let set = self.given.shown(manifest);
        let Manifest { version, summary, device, artifact, .. } = manifest.clone();
        Some(Contender { name: self.name.clone(), version, summary, device, artifact, host, set })
    }

    /// Among how many jobs it splits the permutations of a function.
    pub(super) fn jobs(&self, function: &str) -> i64 {
        self.manifest().map_or(1, |manifest| self.given.jobs(manifest, function))
    }

    /// A lane of the log that nothing has been asked of yet.
    pub(super) fn lane(&self) -> Lane {
        Lane {
            backend: self.name.clone(),
            again: self.again,
            fate: self.state.as_ref().err().cloned().unwrap_or(Fate::Timed),
            cold: None,
            judged: Judged::default(),
            repeated_ns: Vec::new(),
            peak_bytes: None,
            samples: Vec::new(),
        }
    }

    /// No larger input is given to a backend that could not answer this one.
    pub(super) fn give_up_after(&mut self, cells: usize, fate: &Fate) {
        if matches!(fate, Fate::TimedOut { .. } | Fate::OutOfMemory { .. } | Fate::Failed { .. }) {
            let why = format!("not asked: at {cells} cells: {}", fate.sentence());
            self.state = Err(Fate::Excluded { why });
        }
    }

    /// Asks, in the parameters of `host`; the time is what the caller waited.
    pub(super) fn ask(
        &mut self,
        call: &Arc<Call>,
        host: &Manifest,
        clock: &dyn Stopwatch,
    ) -> (Outcome, u64) {
        let Ok(Started { backend, executor }) = &mut self.state else {
            return (Err(Fault::Unsupported("it was not started".to_owned())), 0);
        };
        let delivered = match deliver::deliver(call, host, backend.manifest()) {
            Ok(delivered) => delivered,
            Err(fault) => return (Err(fault), 0),
        };
        let before = clock.now();
        let outcome = executor.run(&delivered);
        (outcome, nanoseconds(clock.now() - before))
    }

    /// The first call of a size.
    pub(super) fn cold(&mut self, call_ns: u64) -> Cold {
        Cold { start_ns: self.start_ns.take(), call_ns }
    }
}

/// Notes what a reply says about memory.
pub(super) fn note_peak(lane: &mut Lane, outcome: &Outcome) {
    if let Ok(reply) = outcome {
        lane.peak_bytes = lane.peak_bytes.max(reply.peak_bytes);
    }
}

/// The sample of a call; `None` if it gave no answer.
pub(super) fn sample(
    (block, half, order): (usize, usize, usize),
    wall_ns: u64,
    outcome: &Outcome,
) -> Option<Sample> {
    let reply = outcome.as_ref().ok()?;
    Some(Sample {
        block: block as u32,
        half: half as u32,
        order: order as u32,
        wall_ns,
        elapsed_ns: reply.elapsed.map(nanoseconds),
        phases_ns: reply.phases.iter().map(|(phase, time)| (*phase, nanoseconds(*time))).collect(),
        answer: reply.data.digest().short(32),
    })
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
