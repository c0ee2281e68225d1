//! What the host side needs of a device, so that one code path serves a GPU and the emulated device.
//!
//! Copies travel in queues of their own while kernels run, so the host must say what waits for what. The emulated device
//! does as little as it may, or anything it may, until it is waited for; a missing order shows there.

use dispatch::{Device, Fault};

/// A piece of device memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Where it starts, in the device's address space.
    pub address: u64,
    /// Its length.
    pub bytes: usize,
}

impl Memory {
    /// A part of it.
    pub fn part(self, range: std::ops::Range<usize>) -> Memory {
        Memory { address: self.address + range.start as u64, bytes: range.len() }
    }
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

/// A line of work that the device does in order. The queues run beside each other: what must wait for another queue
/// says so, by [`Driver::follow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Copies to the device.
    Uploads,
    /// Kernels, and memory that is cleared.
    Kernels,
    /// Copies to the host.
    Downloads,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Queue; 3] = [Queue::Uploads, Queue::Kernels, Queue::Downloads];
}

/// A point in a queue: everything that was asked of it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where it was made.
    pub queue: Queue,
    /// How many were made in that queue before.
    pub number: u64,
}

/// Page-locked memory of the host, between which and the device bytes travel while the host goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Where it starts, in the host's address space.
    pub address: u64,
    /// Its length.
    pub bytes: usize,
}

/// A device that holds memory, copies and runs kernels.
///
/// Copies, clears and launches are only asked for; they are done when a [`Mark`] after them has been waited for. What
/// goes wrong in them may be told by any later method.
pub trait Driver: Send {
    /// What it is.
    fn device(&self) -> Device;

    /// Bytes of device memory that may be held at a time.
    fn budget(&self) -> usize;

    /// Bytes that are best copied at a time.
    fn piece(&self) -> usize;

    /// Memory with undefined content.
    ///
    /// # Errors
    /// [`Fault::OutOfMemory`], or the device is gone.
    fn allocate(&mut self, bytes: usize) -> Result<Memory, Fault>;

    /// Gives memory back that nothing asked for still touches.
    fn free(&mut self, memory: Memory);

    /// Page-locked memory.
    ///
    /// # Errors
    /// [`Fault::OutOfMemory`], or the device is gone.
    fn pin(&mut self, bytes: usize) -> Result<Pinned, Fault>;

    /// Gives page-locked memory back that no copy still touches.
    fn unpin(&mut self, pinned: Pinned);

    /// The content of page-locked memory that no copy still touches.
    ///
    /// # Errors
    /// On the emulated device, if a copy that was not waited for touches it: a GPU would not tell.
    fn pinned(&mut self, pinned: Pinned) -> Result<&mut [u8], Fault>;

    /// Copies as many bytes as `to` has from the start of page-locked memory.
    ///
    /// # Errors
    /// The device is gone, or the bytes do not fit.
    fn upload(&mut self, from: Pinned, to: Memory) -> Result<(), Fault>;

    /// Copies as many bytes as `from` has to the start of page-locked memory.
    ///
    /// # Errors
    /// The device is gone, or the bytes do not fit.
    fn download(&mut self, from: Memory, to: Pinned) -> Result<(), Fault>;

    /// Sets every byte to 0, in the queue of the kernels.
    ///
    /// # Errors
    /// The device is gone.
    fn clear(&mut self, memory: Memory) -> Result<(), Fault>;

    /// Says, in the queue of the kernels, that the content is of no more use; the emulated device poisons it.
    ///
    /// # Errors
    /// The device is gone.
    fn forget(&mut self, memory: Memory) -> Result<(), Fault> {
        let _ = memory;
        Ok(())
    }

    /// Runs a kernel by its name.
    ///
    /// # Errors
    /// It could not be started; on the emulated device also what it did wrong.
    fn launch(&mut self, kernel: &str, grid: Grid, arguments: &[Argument]) -> Result<(), Fault>;

    /// Marks what was asked of a queue so far.
    ///
    /// # Errors
    /// The device is gone.
    fn mark(&mut self, queue: Queue) -> Result<Mark, Fault>;

    /// Whatever is asked of `queue` from now on is done after all before the mark.
    ///
    /// # Errors
    /// The device is gone.
    fn follow(&mut self, queue: Queue, mark: Mark) -> Result<(), Fault>;

    /// Waits until all before the mark is done.
    ///
    /// # Errors
    /// A kernel failed, or the device is gone.
    fn wait(&mut self, mark: Mark) -> Result<(), Fault>;

    /// Milliseconds between two marks by the device's own clock, if it has one; waits for the second.
    ///
    /// # Errors
    /// As [`Driver::wait`].
    fn elapsed_ms(&mut self, from: Mark, to: Mark) -> Result<Option<f64>, Fault> {
        let _ = from;
        self.wait(to)?;
        Ok(None)
    }
}
