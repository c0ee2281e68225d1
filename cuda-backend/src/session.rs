//! One call on a device: typed buffers that live until the call ends, and a count of what the device was asked to do.

use std::marker::PhantomData;

use bytemuck::Pod;
use dispatch::Fault;

use crate::driver::{Argument, Driver, Grid, Memory};

/// A vector on the device.
#[derive(Debug)]
pub struct Buffer<T> {
    memory: Memory,
    len: usize,
    of: PhantomData<T>,
}

impl<T> Clone for Buffer<T> {
    fn clone(&self) -> Buffer<T> {
        *self
    }
}

impl<T> Copy for Buffer<T> {}

impl<T> Buffer<T> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<T> From<Buffer<T>> for Argument {
    fn from(buffer: Buffer<T>) -> Argument {
        Argument::Buffer(Memory {
            bytes: buffer.len * size_of::<T>(),
            address: buffer.memory.address,
        })
    }
}

/// The work of one call.
pub struct Session<'d> {
    driver: &'d mut dyn Driver,
    held: Vec<Memory>,
    bytes_held: usize,
    /// Kernels launched.
    pub launches: u64,
    /// Bytes copied to and from the device.
    pub bytes_moved: u64,
}

impl<'d> Session<'d> {
    /// A session that holds nothing yet.
    pub fn new(driver: &'d mut dyn Driver) -> Session<'d> {
        Session { driver, held: Vec::new(), bytes_held: 0, launches: 0, bytes_moved: 0 }
    }

    /// Bytes that may still be held.
    pub fn left(&self) -> usize {
        self.driver.budget().saturating_sub(self.bytes_held)
    }

    /// A copy of a slice on the device.
    ///
    /// # Errors
    /// As [`Driver::allocate`] and [`Driver::write`].
    pub fn upload<T: Pod>(&mut self, values: &[T]) -> Result<Buffer<T>, Fault> {
        let buffer = self.undefined(values.len())?;
        self.bytes_moved += size_of_val(values) as u64;
        self.driver.write(buffer.memory, bytemuck::cast_slice(values))?;
        Ok(buffer)
    }

    /// A vector of zeros.
    ///
    /// # Errors
    /// As [`Driver::allocate`] and [`Driver::clear`].
    pub fn zeros<T: Pod>(&mut self, len: usize) -> Result<Buffer<T>, Fault> {
        let buffer = self.undefined(len)?;
        self.driver.clear(buffer.memory)?;
        Ok(buffer)
    }

    /// A vector that a kernel will fill.
    ///
    /// # Errors
    /// [`Fault::OutOfMemory`] that says how much was asked for and how much there is.
    pub fn undefined<T: Pod>(&mut self, len: usize) -> Result<Buffer<T>, Fault> {
        // No allocation is empty, so that every buffer has an address of its own.
        let bytes = (len * size_of::<T>()).max(16);
        let left = self.left();
        if bytes > left {
            return Err(Fault::OutOfMemory(format!(
                "{bytes} bytes of device memory are needed beside {} held, {left} are left; \
                 use fewer features, permutations or cells in a call, or a larger device",
                self.bytes_held
            )));
        }
        let memory = self.driver.allocate(bytes)?;
        self.held.push(memory);
        self.bytes_held += bytes;
        Ok(Buffer { memory, len, of: PhantomData })
    }

    /// A copy of a device vector.
    ///
    /// # Errors
    /// As [`Driver::read`].
    pub fn download<T: Pod>(&mut self, buffer: Buffer<T>) -> Result<Vec<T>, Fault> {
        let mut values = vec![T::zeroed(); buffer.len];
        self.bytes_moved += size_of_val(&values[..]) as u64;
        self.driver.read(buffer.memory, bytemuck::cast_slice_mut(&mut values))?;
        Ok(values)
    }

    /// Launches a kernel after all that was launched before.
    ///
    /// # Errors
    /// As [`Driver::launch`].
    pub fn launch(
        &mut self,
        kernel: &str,
        grid: Grid,
        arguments: &[Argument],
    ) -> Result<(), Fault> {
        self.launches += 1;
        self.driver.launch(kernel, grid, arguments)
    }

    /// Runs a part of the call and gives back what was allocated in it.
    ///
    /// # Errors
    /// Those of the part.
    pub fn scope<R>(
        &mut self,
        part: impl FnOnce(&mut Session<'d>) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let held = self.held.len();
        let result = part(self);
        self.release_from(held);
        result
    }

    fn release_from(&mut self, first: usize) {
        for memory in self.held.drain(first..) {
            self.bytes_held -= memory.bytes;
            self.driver.release(memory);
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.release_from(0);
    }
}
