//! The GPU as the host side sees it.

use std::ffi::c_void;

use cudarc::driver::result;
use dispatch::{Device, Fault};

use super::Cuda;
use super::faults::fault;
use crate::driver::{Argument, Driver, Grid, Mark, Memory, Pinned, Queue};

/// Bytes that are copied at a time: long enough for the bus, short enough that the host fills the next meanwhile.
const PIECE: usize = 16 << 20;

impl Driver for Cuda {
    fn device(&self) -> Device {
        self.device.clone()
    }

    fn budget(&self) -> usize {
        self.budget
    }

    fn piece(&self) -> usize {
        PIECE
    }

    fn allocate(&mut self, bytes: usize) -> Result<Memory, Fault> {
        self.make_current()?;
        // SAFETY: the context is current; the content is undefined, as `Driver` says.
        let address = unsafe { result::malloc_sync(bytes) }.map_err(fault)?;
        Ok(Memory { address, bytes })
    }

    fn free(&mut self, memory: Memory) {
        if self.make_current().is_ok() {
            // SAFETY: allocated by `allocate` and not in use. If it fails the context is lost, and with it the memory.
            let _ = unsafe { result::free_sync(memory.address) };
        }
    }

    fn pin(&mut self, bytes: usize) -> Result<Pinned, Fault> {
        self.make_current()?;
        // SAFETY: the context is current.
        let start = unsafe { result::malloc_host(bytes, 0) }.map_err(fault)?;
        // SAFETY: the driver gave that many bytes. They are zeroed, so that a slice of them is initialised.
        unsafe { start.cast::<u8>().write_bytes(0, bytes) };
        Ok(Pinned { address: start.expose_provenance() as u64, bytes })
    }

    fn unpin(&mut self, pinned: Pinned) {
        if self.make_current().is_ok() {
            let start = std::ptr::with_exposed_provenance_mut(pinned.address as usize);
            // SAFETY: pinned by `pin`, and no copy touches it.
            let _ = unsafe { result::free_host(start) };
        }
    }

    fn pinned(&mut self, pinned: Pinned) -> Result<&mut [u8], Fault> {
        // SAFETY: `pin` gave that many initialised bytes, which no copy touches; `&mut self` keeps them apart from any
        // other slice.
        Ok(unsafe { host_bytes(pinned) })
    }

    fn upload(&mut self, from: Pinned, to: Memory) -> Result<(), Fault> {
        self.make_current()?;
        check_length(to.bytes, from.bytes)?;
        // SAFETY: both are long enough; the host leaves `from` alone until a mark after the copy was waited for.
        let bytes = unsafe { &host_bytes(from)[..to.bytes] };
        let stream = self.marks.stream(Queue::Uploads);
        // SAFETY: as above.
        unsafe { result::memcpy_htod_async(to.address, bytes, stream) }.map_err(fault)
    }

    fn download(&mut self, from: Memory, to: Pinned) -> Result<(), Fault> {
        self.make_current()?;
        check_length(from.bytes, to.bytes)?;
        // SAFETY: both are long enough; the host leaves `to` alone until a mark after the copy was waited for.
        let bytes = unsafe { &mut host_bytes(to)[..from.bytes] };
        let stream = self.marks.stream(Queue::Downloads);
        // SAFETY: as above.
        unsafe { result::memcpy_dtoh_async(bytes, from.address, stream) }.map_err(fault)
    }

    fn clear(&mut self, memory: Memory) -> Result<(), Fault> {
        self.make_current()?;
        let stream = self.marks.stream(Queue::Kernels);
        // SAFETY: the allocation has that many bytes.
        unsafe { result::memset_d8_async(memory.address, 0, memory.bytes, stream) }.map_err(fault)
    }

    fn launch(&mut self, kernel: &str, grid: Grid, arguments: &[Argument]) -> Result<(), Fault> {
        self.make_current()?;
        let function = self
            .functions
            .get(kernel)
            .ok_or_else(|| Fault::Failed(format!("there is no kernel `{kernel}`")))?;
        let mut words: Vec<u64> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Buffer(memory) => memory.address,
                Argument::Word(bits) => *bits,
            })
            .collect();
        let mut pointers: Vec<*mut c_void> =
            words.iter_mut().map(|word| std::ptr::from_mut(word).cast()).collect();
        let (blocks, threads) = ((grid.across, grid.down, 1), (grid.block, 1, 1));
        let stream = self.marks.stream(Queue::Kernels);
        // SAFETY: the function belongs to a loaded module. Every parameter of a kernel is 8 bytes wide, and that these are
        // its parameters is what the tests on the emulated device check: they run this very code.
        unsafe { result::launch_kernel(*function, blocks, threads, 0, stream, &mut pointers) }
            .map_err(|error| match fault(error) {
                Fault::Failed(why) => Fault::Failed(format!("kernel `{kernel}`: {why}")),
                other => other,
            })
    }

    fn mark(&mut self, queue: Queue) -> Result<Mark, Fault> {
        self.make_current()?;
        self.marks.mark(queue)
    }

    fn follow(&mut self, queue: Queue, mark: Mark) -> Result<(), Fault> {
        self.make_current()?;
        self.marks.follow(queue, mark)
    }

    fn wait(&mut self, mark: Mark) -> Result<(), Fault> {
        self.make_current()?;
        self.marks.wait(mark)
    }

    fn elapsed_ms(&mut self, from: Mark, to: Mark) -> Result<Option<f64>, Fault> {
        self.make_current()?;
        self.marks.elapsed_ms(from, to)
    }
}

fn check_length(bytes: usize, held: usize) -> Result<(), Fault> {
    if bytes <= held {
        return Ok(());
    }
    Err(Fault::Failed(format!("a copy of {bytes} bytes, the memory has {held}")))
}

/// Page-locked memory as a slice.
///
/// # Safety
/// It was pinned by [`Driver::pin`] and not given back; nothing else refers to it while the slice lives.
unsafe fn host_bytes<'a>(pinned: Pinned) -> &'a mut [u8] {
    let start = std::ptr::with_exposed_provenance_mut(pinned.address as usize);
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts_mut(start, pinned.bytes) }
}
