//! The emulated device as the host side sees it: what is asked for goes into queues.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use dispatch::{Device, Fault};

use super::queues::Work;
use super::{Emulated, Operation, host_bytes, overrun};
use crate::driver::{Argument, Driver, Grid, Mark, Memory, Pinned, Queue};
use crate::plan::LESS;

impl Emulated {
    /// New memory in one of the two maps; its address.
    fn made(
        &mut self,
        bytes: usize,
        of: fn(&mut Emulated) -> &mut BTreeMap<u64, Vec<u128>>,
    ) -> u64 {
        let poison = u128::from_ne_bytes([self.poison; 16]);
        let words = vec![poison; bytes.div_ceil(size_of::<u128>()).max(1)];
        let address = words.as_ptr().addr() as u64;
        of(self).insert(address, words);
        self.alive.fetch_add(1, Ordering::Relaxed);
        address
    }
}

impl Driver for Emulated {
    fn device(&self) -> Device {
        Device::Emulated
    }

    fn budget(&self) -> usize {
        self.budget
    }

    fn piece(&self) -> usize {
        self.piece
    }

    fn allocate(&mut self, bytes: usize) -> Result<Memory, Fault> {
        self.check(Operation::Allocate)?;
        let held: usize = self.allocations.values().map(|words| size_of_val(&words[..])).sum();
        let left = self.budget.saturating_sub(held + self.taken);
        if bytes > left {
            let why = format!("{bytes} bytes, the emulated device has {left} left; {LESS}");
            return Err(Fault::OutOfMemory(why));
        }
        Ok(Memory { address: self.made(bytes, |device| &mut device.allocations), bytes })
    }

    fn free(&mut self, memory: Memory) {
        if self.queues().touch(memory) {
            self.breaks(&Fault::Failed("memory was freed that is still worked on".to_owned()));
        }
        if self.allocations.remove(&memory.address).is_some() {
            self.alive.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn pin(&mut self, bytes: usize) -> Result<Pinned, Fault> {
        self.check(Operation::Pin)?;
        Ok(Pinned { address: self.made(bytes, |device| &mut device.pinned), bytes })
    }

    fn unpin(&mut self, pinned: Pinned) {
        if self.queues().touch_pinned(pinned) {
            self.breaks(&Fault::Failed("memory was unpinned that is still copied".to_owned()));
        }
        if self.pinned.remove(&pinned.address).is_some() {
            self.alive.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn pinned(&mut self, pinned: Pinned) -> Result<&mut [u8], Fault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        if self.queues().touch_pinned(pinned) {
            let why = "the host touched page-locked memory while a copy was under way";
            self.breaks(&Fault::Failed(why.to_owned()));
            return Err(Fault::Failed(why.to_owned()));
        }
        host_bytes(&mut self.pinned, pinned)
    }

    fn upload(&mut self, from: Pinned, to: Memory) -> Result<(), Fault> {
        self.check(Operation::Upload)?;
        if to.bytes > from.bytes {
            return Err(overrun(to.bytes, from.bytes));
        }
        self.ask(Queue::Uploads, Work::Upload { from, to })
    }

    fn download(&mut self, from: Memory, to: Pinned) -> Result<(), Fault> {
        self.check(Operation::Download)?;
        if from.bytes > to.bytes {
            return Err(overrun(from.bytes, to.bytes));
        }
        self.ask(Queue::Downloads, Work::Download { from, to })
    }

    fn clear(&mut self, memory: Memory) -> Result<(), Fault> {
        self.ask(Queue::Kernels, Work::Fill { memory, byte: 0 })
    }

    fn forget(&mut self, memory: Memory) -> Result<(), Fault> {
        self.ask(Queue::Kernels, Work::Fill { memory, byte: self.poison })
    }

    fn launch(&mut self, kernel: &str, grid: Grid, arguments: &[Argument]) -> Result<(), Fault> {
        self.check(Operation::Launch)?;
        let arguments = arguments.to_vec();
        self.ask(Queue::Kernels, Work::Launch { kernel: kernel.to_owned(), grid, arguments })
    }

    fn mark(&mut self, queue: Queue) -> Result<Mark, Fault> {
        Ok(self.queues().mark(queue))
    }

    fn follow(&mut self, queue: Queue, mark: Mark) -> Result<(), Fault> {
        self.ask(queue, Work::Follow(mark))
    }

    fn wait(&mut self, mark: Mark) -> Result<(), Fault> {
        self.check(Operation::Wait)?;
        while let Some(work) = self.queues().next(Some(mark)) {
            self.run(work)?;
        }
        match &self.broken {
            Some(fault) => Err(fault.clone()),
            None => Ok(()),
        }
    }
}
