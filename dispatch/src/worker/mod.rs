//! A backend in processes of its own, which may crash, hang, or take all memory: one fault costs one call.
//!
//! A [`Worker`] keeps warm processes, because importing a library takes seconds; one that a fault ended is replaced by a fork of
//! a process that has imported and done nothing else, where the program offers that, and from the first fault on two such are
//! kept ready. Each call has a deadline; a process that misses it, dies, or says what is no answer is ended with everything it
//! started, and the next call gets a fresh one. What the process wrote to standard error last, and the signal it died of, are in
//! the [`Fault`]. No file is written, and processes end with Concord, however that ends: a shell beside each sees to it.
//!
//! Processes are Unix processes here: groups, signals and limits are used.

mod body;
mod guard;
mod launch;
mod pool;
mod process;
mod seed;
mod tail;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use body::Body;
pub use launch::Launch;
use pool::Pool;
use process::Process;
use seed::Seed;

use crate::{Backend, Call, Fault, Manifest, Reply};

/// Warm processes that answer the calls of one backend.
pub struct Worker {
    pool: Arc<Pool>,
    /// Makes processes ahead of the next fault.
    keeper: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a first process and asks who it is.
    ///
    /// # Errors
    /// The process could not be started, died, or did not introduce itself within [`Launch::startup`].
    pub fn start(launch: Launch) -> Result<Worker, Fault> {
        let pool = Arc::new(Pool::start(launch)?);
        let keeper = pool.launch.forks.then(|| {
            let pool = pool.clone();
            let keeper = std::thread::Builder::new().name("spares".to_owned());
            keeper.spawn(move || pool.keep_spares())
        });
        let keeper = keeper.transpose();
        let keeper = keeper.map_err(|error| Fault::Failed(format!("start a thread: {error}")))?;
        Ok(Worker { pool, keeper })
    }

    /// The outcome, and the process if it is still good.
    fn ask(
        &self,
        warm: Option<Process>,
        call: &Call,
        deadline: Duration,
    ) -> (Result<Reply, Fault>, Option<Process>) {
        let before = warm.as_ref().and_then(|process| process.last.clone());
        let first = match warm.map_or_else(|| self.pool.fresh(), Ok) {
            Ok(process) => process.call(call, deadline),
            Err(fault) => return (Err(fault), None),
        };
        if first.is_err() {
            self.pool.expect_faults();
        }
        match (first, before) {
            // Perhaps an earlier call broke the process, or spoke late. Asked alone, this call answers for itself.
            (Err(fault @ (Fault::Crashed { .. } | Fault::Protocol(_))), Some(before)) => {
                match self.pool.fresh().and_then(|process| process.call(call, deadline)) {
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

impl Drop for Worker {
    fn drop(&mut self) {
        self.pool.close();
        if let Some(keeper) = self.keeper.take() {
            // It does not panic; were it so, there would be nobody to tell.
            let _ = keeper.join();
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
        &self.pool.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        self.run_within(call, self.pool.launch.deadline)
    }

    fn run_within(&self, call: &Call, deadline: Duration) -> Result<Reply, Fault> {
        let warm = self.pool.take();
        let (outcome, process) = self.ask(warm, call, deadline.min(self.pool.launch.deadline));
        self.pool.give_back(process);
        outcome
    }

    fn keeps_time(&self) -> bool {
        true
    }
}
