//! A device that times every launch: by its own clock between two marks, where it has one, else by the host's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use cuda_backend::driver::{Argument, Driver, Grid, Mark, Memory, Pinned, Queue};
use dispatch::{Device, Fault};
use serde_json::{Value, json};

/// Launches and milliseconds, by kernel.
#[derive(Clone, Default)]
pub(crate) struct Times(Arc<Mutex<BTreeMap<String, (u64, f64)>>>);

impl Times {
    fn with<R>(&self, work: impl FnOnce(&mut BTreeMap<String, (u64, f64)>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        self.with(BTreeMap::clear);
    }

    /// Milliseconds of all kernels.
    pub(crate) fn total_ms(&self) -> f64 {
        self.with(|times| times.values().map(|(_, ms)| ms).sum())
    }

    /// Launches and milliseconds of each kernel.
    pub(crate) fn by_kernel(&self) -> Value {
        let row = |(kernel, (launches, ms)): (&String, &(u64, f64))| {
            (kernel.clone(), json!({ "launches": launches, "ms": ms }))
        };
        Value::Object(self.with(|times| times.iter().map(row).collect()))
    }
}

/// A device that is timed. Every launch is waited for, so nothing overlaps: what a call takes from end to end is timed
/// without it.
pub(crate) struct Timed {
    inner: Box<dyn Driver>,
    times: Times,
}

impl Timed {
    pub(crate) fn new(inner: Box<dyn Driver>, times: Times) -> Timed {
        Timed { inner, times }
    }
}

impl Driver for Timed {
    fn device(&self) -> Device {
        self.inner.device()
    }

    fn budget(&self) -> usize {
        self.inner.budget()
    }

    fn piece(&self) -> usize {
        self.inner.piece()
    }

    fn allocate(&mut self, bytes: usize) -> Result<Memory, Fault> {
        self.inner.allocate(bytes)
    }

    fn free(&mut self, memory: Memory) {
        self.inner.free(memory);
    }

    fn pin(&mut self, bytes: usize) -> Result<Pinned, Fault> {
        self.inner.pin(bytes)
    }

    fn unpin(&mut self, pinned: Pinned) {
        self.inner.unpin(pinned);
    }

    fn pinned(&mut self, pinned: Pinned) -> Result<&mut [u8], Fault> {
        self.inner.pinned(pinned)
    }

    fn upload(&mut self, from: Pinned, to: Memory) -> Result<(), Fault> {
        self.inner.upload(from, to)
    }

    fn download(&mut self, from: Memory, to: Pinned) -> Result<(), Fault> {
        self.inner.download(from, to)
    }

    fn clear(&mut self, memory: Memory) -> Result<(), Fault> {
        self.inner.clear(memory)
    }

    fn forget(&mut self, memory: Memory) -> Result<(), Fault> {
        self.inner.forget(memory)
    }

    fn launch(&mut self, kernel: &str, grid: Grid, arguments: &[Argument]) -> Result<(), Fault> {
        // What was asked for before is not this kernel's.
        let before = self.inner.mark(Queue::Kernels)?;
        self.inner.wait(before)?;
        let (clock, start) = (Instant::now(), self.inner.mark(Queue::Kernels)?);
        self.inner.launch(kernel, grid, arguments)?;
        let end = self.inner.mark(Queue::Kernels)?;
        let by_device = self.inner.elapsed_ms(start, end)?;
        let took = by_device.unwrap_or_else(|| clock.elapsed().as_secs_f64() * 1e3);
        self.times.with(|times| {
            let (launches, ms) = times.entry(kernel.to_owned()).or_default();
            *launches += 1;
            *ms += took;
        });
        Ok(())
    }

    fn mark(&mut self, queue: Queue) -> Result<Mark, Fault> {
        self.inner.mark(queue)
    }

    fn follow(&mut self, queue: Queue, mark: Mark) -> Result<(), Fault> {
        self.inner.follow(queue, mark)
    }

    fn wait(&mut self, mark: Mark) -> Result<(), Fault> {
        self.inner.wait(mark)
    }
}
