//! A device that is asked to finish after every launch, and how long that took.
//!
//! The time of a kernel is that of the host's clock from launch to a copy of 16 bytes that waits for it, so it holds
//! some ten microseconds of the driver's own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cuda_backend::driver::{Argument, Driver, Grid, Memory};
use dispatch::{Device, Fault};
use serde_json::{Value, json};

/// Launches and time, by kernel.
#[derive(Clone, Default)]
pub(crate) struct Times(Arc<Mutex<BTreeMap<String, (u64, Duration)>>>);

impl Times {
    fn with<R>(&self, work: impl FnOnce(&mut BTreeMap<String, (u64, Duration)>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        self.with(BTreeMap::clear);
    }

    /// Milliseconds of all kernels.
    pub(crate) fn total_ms(&self) -> f64 {
        self.with(|times| times.values().map(|(_, time)| time.as_secs_f64() * 1e3).sum())
    }

    /// Launches and milliseconds of each kernel.
    pub(crate) fn by_kernel(&self) -> Value {
        let row = |(kernel, (launches, time)): (&String, &(u64, Duration))| {
            (kernel.clone(), json!({ "launches": launches, "ms": time.as_secs_f64() * 1e3 }))
        };
        Value::Object(self.with(|times| times.iter().map(row).collect()))
    }
}

/// A device that is timed.
pub(crate) struct Timed {
    inner: Box<dyn Driver>,
    times: Times,
    /// Something to wait for.
    mark: Memory,
}

impl Timed {
    pub(crate) fn new(mut inner: Box<dyn Driver>, times: Times) -> Result<Timed, Fault> {
        let mark = inner.allocate(16)?;
        Ok(Timed { inner, times, mark })
    }
}

impl Driver for Timed {
    fn device(&self) -> Device {
        self.inner.device()
    }

    fn budget(&self) -> usize {
        self.inner.budget()
    }

    fn allocate(&mut self, bytes: usize) -> Result<Memory, Fault> {
        self.inner.allocate(bytes)
    }

    fn release(&mut self, memory: Memory) {
        self.inner.release(memory);
    }

    fn write(&mut self, to: Memory, bytes: &[u8]) -> Result<(), Fault> {
        self.inner.write(to, bytes)
    }

    fn clear(&mut self, memory: Memory) -> Result<(), Fault> {
        self.inner.clear(memory)
    }

    fn read(&mut self, from: Memory, bytes: &mut [u8]) -> Result<(), Fault> {
        self.inner.read(from, bytes)
    }

    fn launch(&mut self, kernel: &str, grid: Grid, arguments: &[Argument]) -> Result<(), Fault> {
        // What was asked for before is not this kernel's.
        self.inner.read(self.mark, &mut [0; 16])?;
        let start = Instant::now();
        self.inner.launch(kernel, grid, arguments)?;
        self.inner.read(self.mark, &mut [0; 16])?;
        let took = start.elapsed();
        self.times.with(|times| {
            let (launches, time) = times.entry(kernel.to_owned()).or_default();
            *launches += 1;
            *time += took;
        });
        Ok(())
    }
}
