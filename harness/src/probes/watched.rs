//! A host whose calls are counted and which can be poisoned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dispatch::{Backend, Call, Fault, Manifest, Reply};

/// A host that counts its calls; poisoned, it answers none. What a backend answers meanwhile is its own.
pub struct Watched {
    host: Arc<dyn Backend>,
    calls: AtomicU64,
    poisoned: AtomicBool,
}

impl Watched {
    /// A host under watch. A backend that may call it must be given this one.
    pub fn new(host: Arc<dyn Backend>) -> Arc<Watched> {
        Arc::new(Watched { host, calls: AtomicU64::new(0), poisoned: AtomicBool::new(false) })
    }

    /// Runs `work` while the host answers nothing; returns how often it was called meanwhile.
    pub(super) fn poisoned<T>(&self, work: impl FnOnce() -> T) -> (T, u64) {
        let before = self.calls.load(Ordering::SeqCst);
        self.poisoned.store(true, Ordering::SeqCst);
        let done = work();
        self.poisoned.store(false, Ordering::SeqCst);
        (done, self.calls.load(Ordering::SeqCst) - before)
    }
}

impl Backend for Watched {
    fn manifest(&self) -> &Manifest {
        self.host.manifest()
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.poisoned.load(Ordering::SeqCst) {
            return Err(Fault::Failed("the host is poisoned".to_owned()));
        }
        self.host.run(call)
    }
}
