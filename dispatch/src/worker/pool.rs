//! The processes of one backend: warm ones, and from the first fault on spare ones that have answered nothing.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::process::Process;
use super::seed::Seed;
use super::{Launch, begin, plant};
use crate::{Fault, Manifest};

/// Processes that wait for a fault, which may need two: one asks the call again, and if that ends too one goes on.
const SPARES: usize = 2;

pub(super) struct Pool {
    pub(super) launch: Launch,
    pub(super) manifest: Manifest,
    state: Mutex<State>,
    returned: Condvar,
    wanted: Condvar,
}

struct State {
    idle: Vec<Process>,
    /// Forked and introduced, and asked nothing yet.
    spares: Vec<Process>,
    /// Whether spares are made: nothing has failed yet, or nothing can be started, where they are not.
    keeps: bool,
    closed: bool,
    /// Processes that are at work or about to be started.
    busy: usize,
    /// What forks new ones; none before the first is needed, after it died, and where a program does not fork. It outlives those
    /// above, because it reaps them.
    seed: Option<Arc<Seed>>,
}

impl Pool {
    /// Starts a first process.
    pub(super) fn start(launch: Launch) -> Result<Pool, Fault> {
        let seed = launch.forks.then(|| plant(&launch)).transpose()?;
        let (process, manifest) = begin(&launch, seed.as_deref())?;
        let (idle, spares) = (vec![process], Vec::new());
        let state = State { idle, spares, keeps: false, closed: false, busy: 0, seed };
        let (state, returned, wanted) = (Mutex::new(state), Condvar::new(), Condvar::new());
        Ok(Pool { launch, manifest, state, returned, wanted })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; were it so, the pool would still be a list of processes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A warm process if there is one; waits while as many are at work as are allowed.
    pub(super) fn take(&self) -> Option<Process> {
        let mut state = self.state();
        while self.launch.processes.is_some_and(|most| state.busy >= most.get()) {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.busy += 1;
        state.idle.pop()
    }

    pub(super) fn give_back(&self, process: Option<Process>) {
        let mut state = self.state();
        state.busy -= 1;
        state.idle.extend(process);
        self.returned.notify_one();
    }

    /// A process that has answered nothing.
    pub(super) fn fresh(&self) -> Result<Process, Fault> {
        loop {
            let spare = self.state().spares.pop();
            self.wanted.notify_one();
            match spare {
                // One that died while it waited must not be taken for the fault of a call.
                Some(spare) if !spare.lives() => {}
                Some(spare) => return Ok(spare),
                None => return self.another(),
            }
        }
    }

    fn another(&self) -> Result<Process, Fault> {
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
        let mut state = self.state();
        if self.launch.forks && !state.seed.as_ref().is_some_and(|seed| seed.lives()) {
            state.seed = Some(plant(&self.launch)?);
        }
        Ok(state.seed.clone())
    }

    /// One fault seldom comes alone.
    pub(super) fn expect_faults(&self) {
        self.state().keeps = true;
        self.wanted.notify_one();
    }

    /// Makes spares whenever some are missing, until the pool is closed.
    pub(super) fn keep_spares(&self) {
        loop {
            let mut state = self.state();
            while !state.closed && (!state.keeps || state.spares.len() >= SPARES) {
                state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.closed {
                return;
            }
            drop(state);
            let spare = self.another();
            let mut state = self.state();
            // Whoever needs a process next is told why there is none.
            state.keeps = spare.is_ok();
            state.spares.extend(spare);
        }
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
        self.wanted.notify_all();
    }
}
