//! A device with what is kept between calls: its memory and the page-locked pieces.

use dispatch::Device;

use crate::arena::Arena;
use crate::driver::{Driver, Queue};
use crate::staging::Staging;

/// An open device. Dropped, it gives back all it holds.
pub struct Context {
    pub(crate) driver: Box<dyn Driver>,
    pub(crate) arena: Arena,
    pub(crate) staging: Staging,
}

impl Context {
    /// A context that holds nothing yet.
    pub fn new(driver: Box<dyn Driver>) -> Context {
        Context { driver, arena: Arena::default(), staging: Staging::default() }
    }

    /// What the device is.
    pub fn device(&self) -> Device {
        self.driver.device()
    }

    /// Bytes of device memory that a call in progress holds.
    pub fn used(&self) -> usize {
        self.arena.used()
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let driver = &mut *self.driver;
        for queue in Queue::ALL {
            // Where the device is lost nothing is on its way any more.
            let _ = driver.mark(queue).and_then(|mark| driver.wait(mark));
        }
        self.staging.give_up(driver);
        self.arena.give_up(driver);
    }
}
