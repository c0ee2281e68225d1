//! The clock that calls are timed by.

use std::time::{Duration, Instant};

/// A clock that never goes back.
pub trait Stopwatch: Sync {
    /// Time since some moment that stays the same.
    fn now(&self) -> Duration;
}

/// The clock of this machine.
pub struct Monotonic(Instant);

impl Monotonic {
    /// A clock that starts at 0.
    pub fn start() -> Monotonic {
        Monotonic(Instant::now())
    }
}

impl Stopwatch for Monotonic {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
