//! What the host side needs of a device, so that one code path serves a GPU and the emulated device.

use dispatch::{Device, Fault};

/// A piece of device memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Where it starts, in the device's address space.
    pub address: u64,
    /// Its length.
    pub bytes: usize,
}

/// One argument of a kernel; every parameter of ours is a buffer or 8 bytes wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// The start of a buffer.
    Buffer(Memory),
    /// The bits of an integer or a float64.
    Word(u64),
}

impl From<usize> for Argument {
    fn from(number: usize) -> Argument {
        Argument::Word(number as u64)
    }
}

impl From<u64> for Argument {
    fn from(number: u64) -> Argument {
        Argument::Word(number)
    }
}

impl From<f64> for Argument {
    fn from(number: f64) -> Argument {
        Argument::Word(number.to_bits())
    }
}

impl From<bool> for Argument {
    fn from(flag: bool) -> Argument {
        Argument::Word(flag.into())
    }
}

/// How many threads run a kernel. It depends on the problem alone, never on the device, so that sums have one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Blocks across, at most 2^31 - 1.
    pub across: u32,
    /// Blocks down, at most 65,535.
    pub down: u32,
    /// Threads of a block, a multiple of 32.
    pub block: u32,
}

impl Grid {
    /// Most blocks down.
    pub const DOWN: usize = 65_535;

    /// Enough blocks for `items`, one thread each, and `down` times that; blocks of at most `most` threads.
    pub fn covering(items: usize, most: usize, down: usize) -> Grid {
        let block = Grid::block(items, most);
        Grid { across: items.div_ceil(block).max(1) as u32, down: down as u32, block: block as u32 }
    }

    /// Threads of a block for so many items: whole warps, no more than `most`.
    pub fn block(items: usize, most: usize) -> usize {
        items.next_multiple_of(32).clamp(32, most)
    }
}

/// A device that holds memory and runs kernels in the order in which they are launched.
pub trait Driver: Send {
    /// What it is.
    fn device(&self) -> Device;

    /// Bytes that one call may hold.
    fn budget(&self) -> usize;

    /// Memory with undefined content.
    ///
    /// # Errors
    /// [`Fault::OutOfMemory`], or the device is gone.
    fn allocate(&mut self, bytes: usize) -> Result<Memory, Fault>;

    /// Gives memory back.
    fn release(&mut self, memory: Memory);

    /// Copies bytes to the start of device memory.
    ///
    /// # Errors
    /// The device is gone, or the bytes do not fit.
    fn write(&mut self, to: Memory, bytes: &[u8]) -> Result<(), Fault>;

    /// Sets every byte to 0.
    ///
    /// # Errors
    /// The device is gone.
    fn clear(&mut self, memory: Memory) -> Result<(), Fault>;

    /// Waits for all that was launched and copies bytes from the start of device memory.
    ///
    /// # Errors
    /// A kernel failed, the device is gone, or there are fewer bytes.
    fn read(&mut self, from: Memory, bytes: &mut [u8]) -> Result<(), Fault>;

    /// Runs a kernel by its name.
    ///
    /// # Errors
    /// It could not be compiled, loaded or started; on the emulated device also what it did wrong.
    fn launch(&mut self, kernel: &str, grid: Grid, arguments: &[Argument]) -> Result<(), Fault>;
}
