//! Runs calls of one backend under a deadline, on a thread of its own.
//!
//! A backend in this process can hang or panic. A panic becomes a [`Fault::Failed`]; after a missed
//! deadline the thread is abandoned (Rust cannot stop one) and the next call gets a new one. A backend
//! that can crash belongs in another process; such a backend keeps the deadline itself, by ending the process.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use dispatch::{Backend, Call, Fault};

use crate::judge::Outcome;

/// The name of the threads that backends run on; the command line keeps their panics off the screen.
pub const THREAD_NAME: &str = "backend";

/// Calls of one backend, one after the other.
pub struct Executor {
    backend: Arc<dyn Backend>,
    deadline: Duration,
    lane: Option<Lane>,
}

struct Lane {
    calls: Sender<Arc<Call>>,
    outcomes: Receiver<Outcome>,
}

impl Executor {
    /// An executor; its thread starts with the first call.
    pub fn new(backend: Arc<dyn Backend>, deadline: Duration) -> Executor {
        Executor { backend, deadline, lane: None }
    }

    /// Runs one call.
    ///
    /// # Errors
    /// The backend's fault, or [`Fault::TimedOut`], or [`Fault::Failed`] if it panicked.
    pub fn run(&mut self, call: &Arc<Call>) -> Outcome {
        let lane = match self.lane.take() {
            Some(lane) => lane,
            None => Lane::start(self.backend.clone(), self.deadline)
                .map_err(|e| Fault::Failed(format!("start a thread: {e}")))?,
        };
        if lane.calls.send(call.clone()).is_err() {
            return Err(Fault::Failed("the thread of the backend is gone".to_owned()));
        }
        let wait = if self.backend.keeps_time() { Duration::MAX } else { self.deadline };
        match lane.outcomes.recv_timeout(wait) {
            Ok(outcome) => {
                self.lane = Some(lane);
                outcome
            }
            Err(RecvTimeoutError::Timeout) => Err(Fault::TimedOut(self.deadline)),
            Err(RecvTimeoutError::Disconnected) => {
                Err(Fault::Failed("the thread of the backend is gone".to_owned()))
            }
        }
    }
}

impl Lane {
    fn start(backend: Arc<dyn Backend>, deadline: Duration) -> std::io::Result<Lane> {
        let (calls, inbox) = channel::<Arc<Call>>();
        let (outbox, outcomes) = channel();
        std::thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(move || {
            for call in inbox {
                let run = AssertUnwindSafe(|| backend.run_within(&call, deadline));
                let outcome =
                    std::panic::catch_unwind(run).unwrap_or_else(|panic| Err(of_panic(&*panic)));
                if outbox.send(outcome).is_err() {
                    break;
                }
            }
        })?;
        Ok(Lane { calls, outcomes })
    }
}

fn of_panic(panic: &(dyn std::any::Any + Send)) -> Fault {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    Fault::Failed(format!("panicked: {text}"))
}
