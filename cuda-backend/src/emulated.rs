//! The emulated device: the kernels as the host's C++ compiler made them, run thread by thread on the processor.
//!
//! It looks for what a GPU would not tell: an index outside its buffer, a barrier that some threads miss, memory read
//! before it was written (new memory holds poison), and, under a random schedule, threads that race. What it can
//! never show is how a GPU rounds, schedules or fails, so it is no evidence about one.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int};

use dispatch::{Device, Fault};

use crate::driver::{Argument, Driver, Grid, Memory};
pub use ffi::Launcher;

/// Bytes that a call may hold; small enough that ordinary sizes are tiled now and then.
const BUDGET: usize = 256 << 20;

/// The emulated device.
#[derive(Debug)]
pub struct Emulated {
    /// 0 runs the threads of a block in order; another seed shuffles them at every turn.
    pub schedule: u64,
    /// What new memory holds.
    pub poison: u8,
    /// Bytes that a call may hold.
    pub budget: usize,
    /// Kernels launched, by name.
    pub launches: BTreeMap<String, u64>,
    /// Kernels that are run by other code, by name: what runs them, and the name there.
    pub substitutes: BTreeMap<String, (Launcher, String)>,
    /// By address. `u128`, since the widest element of a buffer is 16 bytes and so aligned.
    allocations: BTreeMap<u64, Vec<u128>>,
}

impl Default for Emulated {
    fn default() -> Emulated {
        // As a float64 the poison is about -1e-103, as an index it is out of range.
        Emulated {
            schedule: 0,
            poison: 0xAA,
            budget: BUDGET,
            launches: BTreeMap::new(),
            substitutes: BTreeMap::new(),
            allocations: BTreeMap::new(),
        }
    }
}

impl Emulated {
    /// Allocations that are alive.
    pub fn allocations(&self) -> usize {
        self.allocations.len()
    }

    fn bytes(&mut self, memory: Memory) -> Result<&mut [u8], Fault> {
        let found = self.allocations.get_mut(&memory.address).ok_or_else(|| {
            Fault::Failed(format!(
                "no allocation at {:#x}: released, or never made",
                memory.address
            ))
        })?;
        Ok(bytemuck::cast_slice_mut(found))
    }

    fn checked(&mut self, argument: &Argument) -> Result<ffi::Argument, Fault> {
        match argument {
            Argument::Word(bits) => Ok(ffi::Argument { bits: *bits, bytes: 0 }),
            Argument::Buffer(memory) => {
                let held = self.bytes(*memory)?.len();
                let bytes = memory.bytes.min(held) as u64;
                Ok(ffi::Argument { bits: memory.address, bytes })
            }
        }
    }
}

fn overrun(bytes: usize, held: usize) -> Fault {
    Fault::Failed(format!("a copy of {bytes} bytes, the allocation has {held}"))
}

impl Driver for Emulated {
    fn device(&self) -> Device {
        Device::Emulated
    }

    fn budget(&self) -> usize {
        self.budget
    }

    fn allocate(&mut self, bytes: usize) -> Result<Memory, Fault> {
        let poison = u128::from_ne_bytes([self.poison; 16]);
        let words = vec![poison; bytes.div_ceil(size_of::<u128>()).max(1)];
        let address = words.as_ptr().addr() as u64;
        self.allocations.insert(address, words);
        Ok(Memory { address, bytes })
    }

    fn release(&mut self, memory: Memory) {
        self.allocations.remove(&memory.address);
    }

    fn write(&mut self, to: Memory, bytes: &[u8]) -> Result<(), Fault> {
        let held = self.bytes(to)?;
        let room = held.len();
        held.get_mut(..bytes.len())
            .ok_or_else(|| overrun(bytes.len(), room))?
            .copy_from_slice(bytes);
        Ok(())
    }

    fn clear(&mut self, memory: Memory) -> Result<(), Fault> {
        self.bytes(memory)?.fill(0);
        Ok(())
    }

    fn read(&mut self, from: Memory, bytes: &mut [u8]) -> Result<(), Fault> {
        let held = self.bytes(from)?;
        let found = held.get(..bytes.len()).ok_or_else(|| overrun(bytes.len(), held.len()))?;
        bytes.copy_from_slice(found);
        Ok(())
    }

    fn launch(&mut self, kernel: &str, grid: Grid, arguments: &[Argument]) -> Result<(), Fault> {
        let checked: Result<Vec<_>, Fault> = arguments.iter().map(|a| self.checked(a)).collect();
        *self.launches.entry(kernel.to_owned()).or_default() += 1;
        let (launcher, name) = match self.substitutes.get(kernel) {
            Some((launcher, name)) => (*launcher, name.as_str()),
            None => (Launcher::of_this_crate(), kernel),
        };
        ffi::launch(launcher, name, grid, &checked?, self.schedule, self.poison).map_err(|why| {
            Fault::Failed(format!("kernel `{kernel}` on the emulated device: {why}"))
        })
    }
}

/// The one place where Rust meets the C++ of the emulated device.
mod ffi {
    use super::{CString, Grid, c_char, c_int};

    /// An argument as the C++ side takes it; a buffer is an address and its length in bytes.
    #[repr(C)]
    pub(super) struct Argument {
        pub(super) bits: u64,
        pub(super) bytes: u64,
    }

    /// `concord_emulated_launch` of `emulator/run.cpp`.
    type Entry = unsafe extern "C" fn(
        *const c_char,
        u32,
        u32,
        u32,
        *const Argument,
        usize,
        u64,
        u8,
        *mut c_char,
        usize,
    ) -> c_int;

    unsafe extern "C" {
        fn concord_emulated_launch(
            name: *const c_char,
            across: u32,
            down: u32,
            block: u32,
            arguments: *const Argument,
            count: usize,
            seed: u64,
            poison: u8,
            message: *mut c_char,
            capacity: usize,
        ) -> c_int;
    }

    /// Code that runs kernels.
    #[derive(Clone, Copy, Debug)]
    pub struct Launcher(Entry);

    impl Launcher {
        /// The kernels that this crate was built with.
        pub fn of_this_crate() -> Launcher {
            Launcher(concord_emulated_launch)
        }

        /// Kernels in a library that stays loaded until the process ends, to try wrong ones.
        ///
        /// # Safety
        /// The library was built from `emulator/scheduler.h` of this version, its entry point has the type that
        /// `emulator/run.cpp` gives it.
        ///
        /// # Errors
        /// It cannot be loaded, or has no such entry point.
        pub unsafe fn load(path: &std::path::Path) -> Result<Launcher, libloading::Error> {
            // SAFETY: the caller promises what the library is; it runs no code when it is loaded. It is never unloaded,
            // so the function stays where it is.
            unsafe {
                let library = Box::leak(Box::new(libloading::Library::new(path)?));
                Ok(Launcher(*library.get::<Entry>(b"concord_emulated_launch")?))
            }
        }
    }

    /// Runs a kernel; the error is what it did wrong.
    pub(super) fn launch(
        launcher: Launcher,
        kernel: &str,
        grid: Grid,
        arguments: &[Argument],
        seed: u64,
        poison: u8,
    ) -> Result<(), String> {
        let name = CString::new(kernel).map_err(|_| "a name with a zero byte".to_owned())?;
        let mut message = [0u8; 256];
        // SAFETY: `name` ends in a zero byte, `arguments` and `message` are as long as said. Every buffer among the
        // arguments is an allocation of `Emulated`, alive and not borrowed while `&mut Emulated` is held by the
        // caller; kernels reach it only through bounds that lie within it.
        let status = unsafe {
            launcher.0(
                name.as_ptr(),
                grid.across,
                grid.down,
                grid.block,
                arguments.as_ptr(),
                arguments.len(),
                seed,
                poison,
                message.as_mut_ptr().cast(),
                message.len(),
            )
        };
        if status == 0 {
            return Ok(());
        }
        let end = message.iter().position(|b| *b == 0).unwrap_or(message.len());
        Err(String::from_utf8_lossy(&message[..end]).into_owned())
    }
}
