//! Device memory that is kept from call to call, since a GPU takes longer to allocate than to compute.
//!
//! Released memory carries a mark in the queue of the kernels: who fills it from another queue follows the mark first.

use std::collections::BTreeMap;

use dispatch::Fault;

use crate::driver::{Driver, Mark, Memory, Queue};

/// Allocations are multiples of this, as a GPU aligns them.
const GRAIN: usize = 256;

/// Memory of one device, in use and spare.
#[derive(Default)]
pub(crate) struct Arena {
    /// Released memory by size, and when it may be overwritten.
    spare: BTreeMap<usize, Vec<(Memory, Mark)>>,
    spare_bytes: usize,
    /// Whole allocations that are in use, by address.
    used: BTreeMap<u64, Memory>,
    used_bytes: usize,
}

impl Arena {
    /// Bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used_bytes
    }

    /// Memory with undefined content; with a mark, whatever is not a kernel must follow it.
    pub(crate) fn take(
        &mut self,
        driver: &mut dyn Driver,
        bytes: usize,
    ) -> Result<(Memory, Option<Mark>), Fault> {
        let size = bytes.next_multiple_of(GRAIN).max(GRAIN);
        let (whole, mark) = match self.reuse(size) {
            Some((memory, mark)) => (memory, Some(mark)),
            None => (self.grow(driver, size)?, None),
        };
        self.used_bytes += whole.bytes;
        self.used.insert(whole.address, whole);
        Ok((Memory { address: whole.address, bytes }, mark))
    }

    /// The smallest spare allocation that is at most a quarter too large.
    fn reuse(&mut self, size: usize) -> Option<(Memory, Mark)> {
        let (&fitting, list) = self.spare.range_mut(size..=size + size / 4).next()?;
        let found = list.pop();
        if list.is_empty() {
            self.spare.remove(&fitting);
        }
        self.spare_bytes -= found.map_or(0, |(memory, _)| memory.bytes);
        found
    }

    fn grow(&mut self, driver: &mut dyn Driver, size: usize) -> Result<Memory, Fault> {
        if self.used_bytes + self.spare_bytes + size > driver.budget() {
            self.trim(driver)?;
        }
        driver.allocate(size).or_else(|fault| {
            // Spare memory may be what is missing.
            self.trim(driver)?;
            if matches!(fault, Fault::OutOfMemory(_)) { driver.allocate(size) } else { Err(fault) }
        })
    }

    /// Takes memory back; kernels that were launched before may still use it.
    pub(crate) fn release(
        &mut self,
        driver: &mut dyn Driver,
        memories: &[Memory],
    ) -> Result<(), Fault> {
        let whole = |memory: &Memory| self.used.get(&memory.address).copied();
        let released: Vec<Memory> = memories.iter().filter_map(whole).collect();
        released.iter().try_for_each(|memory| driver.forget(*memory))?;
        let mark = driver.mark(Queue::Kernels)?;
        for memory in released {
            self.used.remove(&memory.address);
            self.used_bytes -= memory.bytes;
            self.spare_bytes += memory.bytes;
            self.spare.entry(memory.bytes).or_default().push((memory, mark));
        }
        Ok(())
    }

    /// Gives spare memory back to the device.
    fn trim(&mut self, driver: &mut dyn Driver) -> Result<(), Fault> {
        let last = driver.mark(Queue::Kernels)?;
        driver.wait(last)?;
        self.spare_bytes = 0;
        for (memory, _) in std::mem::take(&mut self.spare).into_values().flatten() {
            driver.free(memory);
        }
        Ok(())
    }

    /// Gives all memory back; nothing that was asked for may still be on its way.
    pub(crate) fn give_up(&mut self, driver: &mut dyn Driver) {
        let spare = std::mem::take(&mut self.spare).into_values().flatten().map(|(m, _)| m);
        let used = std::mem::take(&mut self.used).into_values();
        spare.chain(used).for_each(|memory| driver.free(memory));
    }
}
