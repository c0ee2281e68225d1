//! The one place where Rust meets the C++ of the emulated device.

use std::ffi::{CString, c_char, c_int};

use crate::driver::Grid;

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
