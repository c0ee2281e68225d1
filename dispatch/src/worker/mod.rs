//! A backend in processes of its own, which may crash, hang, or take all memory: one fault costs one call.
//!
//! A [`Worker`] keeps warm processes, because importing a library takes seconds; one that a fault ended is replaced by a fork of
//! a process that has imported and done nothing else, where the program offers that. Each call has a deadline; a process that
//! misses it, dies, or says what is no answer is ended with everything it started, and the next call gets a fresh one. What
//! the process wrote to standard error last, and the signal it died of, are in the [`Fault`]. No file is written, and
//! processes end with Concord, however that ends: a shell beside each sees to it.
//!
//! Processes are Unix processes here: groups, signals and limits are used.

mod body;
mod guard;
mod launch;
mod process;
mod seed;
mod tail;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use body::Body;
pub use launch::Launch;
use process::Process;
use seed::Seed;

use crate::{Backend, Call, Fault, Manifest, Reply};

/// Warm processes that answer the calls of one backend.
pub struct Worker {
    launch: Launch,
    manifest: Manifest,
    pool: Mutex<Pool>,
    returned: Condvar,
}

struct Pool {
    idle: Vec<Process>,
    /// Processes that are at work or about to be started.
    busy: usize,
    /// What forks new ones; none before the first is needed, after it died, and where a program does not fork.
    seed: Option<Arc<Seed>>,
}

impl Worker {
    /// Starts a first process and asks who it is.
    ///
    /// # Errors
    /// The process could not be started, died, or did not introduce itself within [`Launch::startup`].
    pub fn start(launch: Launch) -> Result<Worker, Fault> {
        let seed = launch.forks.then(|| plant(&launch)).transpose()?;
        let (process, manifest) = begin(&launch, seed.as_deref())?;
        let pool = Mutex::new(Pool { idle: vec![process], busy: 0, seed });
        Ok(Worker { launch, manifest, pool, returned: Condvar::new() })
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        // Nothing panics while it is held; were it so, the pool would still be a list of processes.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A warm process if there is one; waits while as many are at work as are allowed.
    fn take(&self) -> Option<Process> {
        let mut pool = self.pool();
        while self.launch.processes.is_some_and(|most| pool.busy >= most.get()) {
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        pool.busy += 1;
        pool.idle.pop()
    }

    fn give_back(&self, process: Option<Process>) {
        let mut pool = self.pool();
        pool.busy -= 1;
        pool.idle.extend(process);
        self.returned.notify_one();
    }

    fn fresh(&self) -> Result<Process, Fault> {
        let (process, manifest) = begin(&self.launch, self.seed()?.as_deref())?;
        let same = manifest.version == self.manifest.version
            && manifest.functions == self.manifest.functions
            && manifest.artifact == self.manifest.artifact;
        if same {
            return Ok(process);
        }
        Err(Fault::Protocol("a new process of the backend introduces itself as another".to_owned()))
    }

    /// What forks, if the program does; another one if the last has died.
    fn seed(&self) -> Result<Option<Arc<Seed>>, Fault> {
        let mut pool = self.pool();
        if self.launch.forks && !pool.seed.as_ref().is_some_and(|seed| seed.lives()) {
            pool.seed = Some(plant(&self.launch)?);
        }
        Ok(pool.seed.clone())
    }

    /// The outcome, and the process if it is still good.
    fn ask(
        &self,
        warm: Option<Process>,
        call: &Call,
        deadline: Duration,
    ) -> (Result<Reply, Fault>, Option<Process>) {
        let before = warm.as_ref().and_then(|process| process.last.clone());
        let first = match warm.map_or_else(|| self.fresh(), Ok) {
            Ok(process) => process.call(call, deadline),
            Err(fault) => return (Err(fault), None),
        };
        match (first, before) {
            // Perhaps an earlier call broke the process, or spoke late. Asked alone, this call answers for itself.
            (Err(fault @ (Fault::Crashed { .. } | Fault::Protocol(_))), Some(before)) => {
                match self.fresh().and_then(|process| process.call(call, deadline)) {
                    Ok((outcome, process)) => {
                        let outcome = outcome.map(|reply| Reply {
                            unsteady: Some(format!(
                                "a process that had answered {before} did not answer this call ({fault}); a fresh one did"
                            )),
                            ..reply
                        });
                        (outcome, Some(process))
                    }
                    Err(fault) => (Err(fault), None),
                }
            }
            (Ok((outcome, process)), _) => (outcome, Some(process)),
            (Err(fault), _) => (Err(fault), None),
        }
    }
}

fn plant(launch: &Launch) -> Result<Arc<Seed>, Fault> {
    let seed = Seed::start(launch);
    let seed =
        seed.map_err(|e| Fault::Failed(format!("start {}: {e}", launch.program.display())))?;
    Ok(Arc::new(seed))
}

/// A new process, forked where there is a seed.
fn begin(launch: &Launch, seed: Option<&Seed>) -> Result<(Process, Manifest), Fault> {
    let body = seed.map_or_else(|| Body::spawn(launch), |seed| Body::fork(seed, launch));
    Process::start(body, launch)
}

impl Backend for Worker {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        self.run_within(call, self.launch.deadline)
    }

    fn run_within(&self, call: &Call, deadline: Duration) -> Result<Reply, Fault> {
        let warm = self.take();
        let (outcome, process) = self.ask(warm, call, deadline.min(self.launch.deadline));
        self.give_back(process);
        outcome
    }

    fn keeps_time(&self) -> bool {
        true
    }
}
