//! The emulated device: the kernels as the host's C++ compiler made them, run thread by thread on the processor.
//!
//! It looks for what a GPU would not tell: an index outside its buffer, a barrier that some threads miss, memory read
//! before it was written (new and released memory holds poison), host memory that is used while a copy may still touch it,
//! and, under a random schedule, threads that race and copies or kernels that do not wait for each other. What it can
//! never show is how a GPU rounds, schedules or fails, so it is no evidence about one.

mod device;
mod ffi;
mod queues;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use dispatch::Fault;

use crate::driver::{Argument, Grid, Memory, Pinned, Queue};
pub use ffi::Launcher;
use queues::{Queues, Work};

/// Bytes that a call may hold; small enough that ordinary sizes are tiled now and then.
const BUDGET: usize = 256 << 20;
/// Bytes of a piece of a copy; small enough that ordinary sizes take several.
const PIECE: usize = 16 << 10;

/// What can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Device memory is asked for.
    Allocate,
    /// Page-locked memory is asked for.
    Pin,
    /// A copy to the device is asked for.
    Upload,
    /// A copy to the host is asked for.
    Download,
    /// A kernel is launched.
    Launch,
    /// The host waits.
    Wait,
}

/// A failure to come: the operation of this kind that `after` others went before fails.
#[derive(Clone, Debug)]
pub struct Injected {
    /// What fails.
    pub operation: Operation,
    /// How many of its kind are done before.
    pub after: u64,
    /// How it fails. A lost device stays lost.
    pub fault: Fault,
}

/// The emulated device.
#[derive(Debug)]
pub struct Emulated {
    /// 0 runs the threads of a block in order and does what it is asked for as late as it may; another seed shuffles
    /// threads at every turn, and the queues.
    pub schedule: u64,
    /// What new memory holds.
    pub poison: u8,
    /// Bytes that it has.
    pub budget: usize,
    /// Bytes of them that other programs hold.
    pub taken: usize,
    /// Bytes that are copied at a time.
    pub piece: usize,
    /// What is to fail.
    pub injected: Option<Injected>,
    /// Kernels that are run by other code, by name: what runs them, and the name there.
    pub substitutes: BTreeMap<String, (Launcher, String)>,
    /// Allocations that are alive, of the device and of page-locked memory.
    pub alive: Arc<AtomicUsize>,
    /// By address. `u128`, since the widest element of a buffer is 16 bytes and so aligned.
    allocations: BTreeMap<u64, Vec<u128>>,
    pinned: BTreeMap<u64, Vec<u128>>,
    queues: Option<Queues>,
    /// What went wrong; nothing works after it.
    broken: Option<Fault>,
}

impl Default for Emulated {
    fn default() -> Emulated {
        // As a float64 the poison is about -1e-103, as an index it is out of range.
        Emulated {
            schedule: 0,
            poison: 0xAA,
            budget: BUDGET,
            taken: 0,
            piece: PIECE,
            injected: None,
            substitutes: BTreeMap::new(),
            alive: Arc::default(),
            allocations: BTreeMap::new(),
            pinned: BTreeMap::new(),
            queues: None,
            broken: None,
        }
    }
}

impl Emulated {
    /// Fails if the device is broken or this is what is to fail.
    fn check(&mut self, operation: Operation) -> Result<(), Fault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        let Some(injected) = self.injected.as_mut().filter(|i| i.operation == operation) else {
            return Ok(());
        };
        if injected.after > 0 {
            injected.after -= 1;
            return Ok(());
        }
        let fault = injected.fault.clone();
        self.injected = None;
        if matches!(fault, Fault::DeviceLost(_)) {
            self.breaks(&fault);
        }
        Err(fault)
    }

    fn breaks(&mut self, fault: &Fault) {
        self.broken = Some(fault.clone());
        self.queues().abandon();
    }

    fn queues(&mut self) -> &mut Queues {
        let schedule = self.schedule;
        self.queues.get_or_insert_with(|| Queues::new(schedule))
    }

    fn ask(&mut self, queue: Queue, work: Work) -> Result<(), Fault> {
        self.queues().push(queue, work);
        for _ in 0..self.queues().pace() {
            if let Some(work) = self.queues().next(None) {
                self.run(work)?;
            }
        }
        Ok(())
    }

    /// Does one piece of work; after a failure the device is broken, as a GPU's context is.
    fn run(&mut self, work: Work) -> Result<(), Fault> {
        let done = match work {
            Work::Upload { from, to } => self.copy_in(from, to),
            Work::Download { from, to } => self.copy_out(from, to),
            Work::Fill { memory, byte } => self.bytes(memory).map(|held| held.fill(byte)),
            Work::Launch { kernel, grid, arguments } => self.run_kernel(&kernel, grid, &arguments),
            Work::Mark | Work::Follow(_) => Ok(()),
        };
        done.inspect_err(|fault| self.breaks(fault))
    }

    fn copy_in(&mut self, from: Pinned, to: Memory) -> Result<(), Fault> {
        let bytes = host_bytes(&mut self.pinned, from)?[..to.bytes].to_vec();
        self.bytes(to)?.copy_from_slice(&bytes);
        Ok(())
    }

    fn copy_out(&mut self, from: Memory, to: Pinned) -> Result<(), Fault> {
        let bytes = self.bytes(from)?.to_vec();
        host_bytes(&mut self.pinned, to)?[..from.bytes].copy_from_slice(&bytes);
        Ok(())
    }

    fn run_kernel(
        &mut self,
        kernel: &str,
        grid: Grid,
        arguments: &[Argument],
    ) -> Result<(), Fault> {
        let checked: Result<Vec<_>, Fault> = arguments.iter().map(|a| self.checked(a)).collect();
        let (launcher, name) = match self.substitutes.get(kernel) {
            Some((launcher, name)) => (*launcher, name.as_str()),
            None => (Launcher::of_this_crate(), kernel),
        };
        ffi::launch(launcher, name, grid, &checked?, self.schedule, self.poison).map_err(|why| {
            Fault::Failed(format!("kernel `{kernel}` on the emulated device: {why}"))
        })
    }

    fn checked(&mut self, argument: &Argument) -> Result<ffi::Argument, Fault> {
        match argument {
            Argument::Word(bits) => Ok(ffi::Argument { bits: *bits, bytes: 0 }),
            Argument::Buffer(memory) => {
                self.bytes(*memory)?;
                Ok(ffi::Argument { bits: memory.address, bytes: memory.bytes as u64 })
            }
        }
    }

    /// The bytes of a piece of an allocation.
    fn bytes(&mut self, memory: Memory) -> Result<&mut [u8], Fault> {
        let before = self.allocations.range_mut(..=memory.address).next_back();
        let held = before.and_then(|(start, words)| {
            bytemuck::cast_slice_mut::<u128, u8>(words)
                .get_mut((memory.address - start) as usize..)
                .filter(|held| !held.is_empty())
        });
        let held = held.ok_or_else(|| {
            let address = memory.address;
            Fault::Failed(format!("no allocation at {address:#x}: freed, or never made"))
        })?;
        let size = held.len();
        held.get_mut(..memory.bytes).ok_or_else(|| overrun(memory.bytes, size))
    }
}

/// The content of page-locked memory.
fn host_bytes(all: &mut BTreeMap<u64, Vec<u128>>, pinned: Pinned) -> Result<&mut [u8], Fault> {
    let found = all
        .get_mut(&pinned.address)
        .ok_or_else(|| Fault::Failed(format!("no page-locked memory at {:#x}", pinned.address)))?;
    Ok(&mut bytemuck::cast_slice_mut(found)[..pinned.bytes])
}

fn overrun(bytes: usize, held: usize) -> Fault {
    Fault::Failed(format!("a copy of {bytes} bytes, the allocation has {held}"))
}
