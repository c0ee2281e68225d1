//! One call on a device: typed buffers that live until the call ends, what waits for what, and a count of what the device
//! was asked to do.

use std::marker::PhantomData;

use bytemuck::Pod;
use dispatch::{Fault, Traffic};

use crate::context::Context;
use crate::driver::{Argument, Grid, Mark, Memory, Queue};
use crate::plan::LESS;

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
pub struct Session<'c> {
    context: &'c mut Context,
    held: Vec<Memory>,
    /// Uploads that no kernel waits for yet.
    uploads: Option<Mark>,
    /// Kernels launched.
    pub launches: u64,
    /// Bytes copied.
    pub traffic: Traffic,
}

impl<'c> Session<'c> {
    /// A session that holds nothing yet.
    pub fn new(context: &'c mut Context) -> Session<'c> {
        let traffic = Traffic { to_device: 0, from_device: 0 };
        Session { context, held: Vec::new(), uploads: None, launches: 0, traffic }
    }

    /// Bytes of device memory that the call may still take.
    pub fn left(&self) -> usize {
        self.context.driver.budget().saturating_sub(self.context.used())
    }

    /// A copy of a slice on the device. The host goes on while it travels; kernels launched later wait for it.
    ///
    /// # Errors
    /// As [`Session::undefined`], or the device is gone.
    pub fn upload<T: Pod>(&mut self, values: &[T]) -> Result<Buffer<T>, Fault> {
        let (buffer, released) = self.take(values.len())?;
        let Context { driver, staging, .. } = &mut *self.context;
        if let Some(mark) = released {
            driver.follow(Queue::Uploads, mark)?;
        }
        staging.send(&mut **driver, bytemuck::cast_slice(values), buffer.memory)?;
        self.uploads = Some(driver.mark(Queue::Uploads)?);
        self.traffic.to_device += size_of_val(values) as u64;
        Ok(buffer)
    }

    /// A vector of zeros.
    ///
    /// # Errors
    /// As [`Session::undefined`], or the device is gone.
    pub fn zeros<T: Pod>(&mut self, len: usize) -> Result<Buffer<T>, Fault> {
        let buffer = self.undefined(len)?;
        self.clear(buffer)?;
        Ok(buffer)
    }

    /// Sets all elements to 0, after all kernels before.
    ///
    /// # Errors
    /// The device is gone.
    pub fn clear<T: Pod>(&mut self, buffer: Buffer<T>) -> Result<(), Fault> {
        self.context.driver.clear(buffer.memory)
    }

    /// A vector that a kernel will fill.
    ///
    /// # Errors
    /// [`Fault::OutOfMemory`] that says how much was asked for and how much there is.
    pub fn undefined<T: Pod>(&mut self, len: usize) -> Result<Buffer<T>, Fault> {
        // Kernels come after those that used the memory before, so there is nothing to follow.
        Ok(self.take(len)?.0)
    }

    fn take<T: Pod>(&mut self, len: usize) -> Result<(Buffer<T>, Option<Mark>), Fault> {
        // No allocation is empty, so that every buffer has an address of its own.
        let bytes = (len * size_of::<T>()).max(16);
        let left = self.left();
        if bytes > left {
            return Err(Fault::OutOfMemory(format!(
                "{bytes} bytes of device memory are needed beside {} held, {left} are left; {LESS}",
                self.context.used()
            )));
        }
        let Context { driver, arena, .. } = &mut *self.context;
        let (memory, released) = arena.take(&mut **driver, bytes)?;
        self.held.push(memory);
        Ok((Buffer { memory, len, of: PhantomData }, released))
    }

    /// A copy of a vector that kernels have filled, once all kernels launched before are done.
    ///
    /// # Errors
    /// A kernel failed, or the device is gone.
    pub fn download<T: Pod>(&mut self, buffer: Buffer<T>) -> Result<Vec<T>, Fault> {
        let mut values = vec![T::zeroed(); buffer.len];
        let Context { driver, staging, .. } = &mut *self.context;
        let computed = driver.mark(Queue::Kernels)?;
        driver.follow(Queue::Downloads, computed)?;
        let bytes = bytemuck::cast_slice_mut(&mut values);
        staging.fetch(&mut **driver, buffer.memory, bytes)?;
        self.traffic.from_device += size_of_val(&values[..]) as u64;
        Ok(values)
    }

    /// Launches a kernel after all that was launched and uploaded before. It runs while the host goes on.
    ///
    /// # Errors
    /// As [`Driver::launch`](crate::driver::Driver::launch).
    pub fn launch(
        &mut self,
        kernel: &str,
        grid: Grid,
        arguments: &[Argument],
    ) -> Result<(), Fault> {
        self.join_uploads()?;
        self.launches += 1;
        self.context.driver.launch(kernel, grid, arguments)
    }

    /// Lets kernels wait for the uploads so far.
    fn join_uploads(&mut self) -> Result<(), Fault> {
        match self.uploads.take() {
            Some(mark) => self.context.driver.follow(Queue::Kernels, mark),
            None => Ok(()),
        }
    }

    /// Runs a part of the call and gives back what was allocated in it.
    ///
    /// # Errors
    /// Those of the part.
    pub fn scope<R>(
        &mut self,
        part: impl FnOnce(&mut Session<'c>) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let held = self.held.len();
        let result = part(self)?;
        let part = self.held.split_off(held);
        self.release(&part)?;
        Ok(result)
    }

    /// Does `count` pieces of work of the same kind: `stage` copies the input of a piece, `launch` its kernels, `finish` takes
    /// its output. The input of the next piece is copied while the kernels of one run.
    ///
    /// # Errors
    /// Those of the parts.
    pub(crate) fn pipeline<S, R>(
        &mut self,
        count: usize,
        mut stage: impl FnMut(&mut Session<'c>, usize) -> Result<S, Fault>,
        mut launch: impl FnMut(&mut Session<'c>, usize, &S) -> Result<R, Fault>,
        mut finish: impl FnMut(&mut Session<'c>, usize, R) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut staged = match count {
            0 => None,
            _ => Some(self.keeping(|session| stage(session, 0))?),
        };
        let mut i = 0;
        while let Some(input) = staged.take() {
            let output = self.keeping(|session| launch(session, i, &input.of))?;
            if i + 1 < count {
                staged = Some(self.keeping(|session| stage(session, i + 1))?);
            }
            finish(self, i, output.of)?;
            self.give_back(&output.memory)?;
            self.give_back(&input.memory)?;
            i += 1;
        }
        Ok(())
    }

    /// Runs a part of the call that leaves what it allocated to [`Session::give_back`], or to the end of the call.
    fn keeping<R>(
        &mut self,
        part: impl FnOnce(&mut Session<'c>) -> Result<R, Fault>,
    ) -> Result<Kept<R>, Fault> {
        let held = self.held.len();
        let of = part(self)?;
        Ok(Kept { of, memory: self.held[held..].to_vec() })
    }

    fn give_back(&mut self, memories: &[Memory]) -> Result<(), Fault> {
        self.held.retain(|memory| !memories.contains(memory));
        self.release(memories)
    }

    /// Gives memory back, after the uploads into it.
    fn release(&mut self, memories: &[Memory]) -> Result<(), Fault> {
        self.join_uploads()?;
        let Context { driver, arena, .. } = &mut *self.context;
        arena.release(&mut **driver, memories)
    }
}

/// A part of a call with the memory that it lives in.
struct Kept<R> {
    of: R,
    memory: Vec<Memory>,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let held = std::mem::take(&mut self.held);
        // Where the device is gone the context is given up next, and all memory with it.
        let _ = self.release(&held);
    }
}
