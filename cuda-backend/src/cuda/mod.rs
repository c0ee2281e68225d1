//! An NVIDIA GPU: memory, copies and launches through the driver, kernels compiled for its architecture by NVRTC.
//!
//! Each queue is a stream, each mark an event. What the driver and the compiler need is loaded at first use,
//! so that a program that holds this crate starts without either.

mod cache;
mod device;
mod faults;
mod marks;
pub mod nvrtc;

use std::collections::BTreeMap;
use std::ffi::CString;
use std::panic::catch_unwind;

use cudarc::driver::sys;
use cudarc::driver::{DriverError, result};
use dispatch::{Device, Fault};

pub use cache::Cache;
use faults::fault;
use marks::Marks;
use nvrtc::Nvrtc;

use crate::kernels::{HEADER, UNITS};

/// The first GPU of this machine.
pub struct Cuda {
    device: Device,
    ordinal: sys::CUdevice,
    context: sys::CUcontext,
    modules: Vec<sys::CUmodule>,
    functions: BTreeMap<&'static str, sys::CUfunction>,
    budget: usize,
    marks: Marks,
}

// SAFETY: the handles belong to the process, not to a thread; every method first makes the context current on the
// thread that calls it, and `&mut self` keeps two threads apart.
unsafe impl Send for Cuda {}

impl Cuda {
    /// Opens the first GPU and loads the kernels for it.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] without driver, device or compiler, or for an architecture that the compiler does not
    /// know; [`Fault::Failed`] if a kernel cannot be compiled or loaded.
    pub fn open(cache: &Cache) -> Result<Cuda, Fault> {
        // SAFETY: only tries to load libcuda. cudarc panics if it is asked for more without it.
        if !unsafe { sys::is_culib_present() } {
            return Err(Fault::Unsupported("no libcuda was found: no NVIDIA driver".to_owned()));
        }
        // A driver too old to have an entry point makes cudarc panic.
        catch_unwind(|| Cuda::start(cache)).unwrap_or_else(|_| {
            let why = "the NVIDIA driver lacks an entry point of CUDA 12.4; update it";
            Err(Fault::Unsupported(why.to_owned()))
        })
    }

    fn start(cache: &Cache) -> Result<Cuda, Fault> {
        let absent = |error: DriverError| Fault::Unsupported(format!("no GPU: {error:?}"));
        result::init().map_err(absent)?;
        let ordinal = result::device::get(0).map_err(absent)?;
        // SAFETY: `ordinal` was given by the driver.
        let capability = unsafe { capability(ordinal)? };
        let nvrtc = Nvrtc::find()?;
        let device = Device::Cuda {
            name: result::device::get_name(ordinal).map_err(fault)?,
            capability: format!("{}.{}", capability[0], capability[1]),
            driver: driver_version()?,
            nvrtc: nvrtc.version(),
        };
        // SAFETY: `ordinal` was given by the driver; `drop` releases the context whatever fails from here on.
        let context = unsafe { result::primary_ctx::retain(ordinal) }.map_err(absent)?;
        let mut cuda = Cuda {
            device,
            ordinal,
            context,
            modules: Vec::new(),
            functions: BTreeMap::new(),
            budget: 0,
            marks: Marks::default(),
        };
        cuda.make_current()?;
        // Some is left to the driver and to other programs.
        cuda.budget = result::mem_get_info().map_err(fault)?.0 / 10 * 8;
        cuda.marks.open()?;
        cuda.load(&nvrtc, cache, &format!("sm_{}{}", capability[0], capability[1]))?;
        Ok(cuda)
    }

    fn load(&mut self, nvrtc: &Nvrtc, cache: &Cache, architecture: &str) -> Result<(), Fault> {
        let (version, options) = (nvrtc.version(), Nvrtc::options(architecture).join(" "));
        for unit in UNITS {
            let key = [unit.text, HEADER, &options, &version, architecture];
            let cubin = cache.get(&key, || Ok(nvrtc.compile(unit, architecture)?.cubin))?;
            // SAFETY: the context is current; the image is a whole cubin, checked by its digest if it comes from disk.
            let module =
                unsafe { result::module::load_data(cubin.as_ptr().cast()) }.map_err(fault)?;
            self.modules.push(module);
            for &kernel in unit.kernels {
                let name = CString::new(kernel).map_err(|e| Fault::Failed(e.to_string()))?;
                // SAFETY: the module was loaded just now and is unloaded only by `drop`.
                let function =
                    unsafe { result::module::get_function(module, name) }.map_err(fault)?;
                self.functions.insert(kernel, function);
            }
        }
        Ok(())
    }

    pub(super) fn make_current(&self) -> Result<(), Fault> {
        // SAFETY: the context is retained until `drop`.
        unsafe { result::ctx::set_current(self.context) }.map_err(fault)
    }
}

impl Drop for Cuda {
    fn drop(&mut self) {
        // Whatever fails here has gone with the context.
        if self.make_current().is_ok() {
            self.marks.destroy();
            for module in self.modules.drain(..) {
                // SAFETY: loaded by `load` and not unloaded before.
                let _ = unsafe { result::module::unload(module) };
            }
        }
        // SAFETY: retained once by `start`.
        let _ = unsafe { result::primary_ctx::release(self.ordinal) };
    }
}

/// Major and minor compute capability.
///
/// # Safety
/// The ordinal was given by the driver.
unsafe fn capability(ordinal: sys::CUdevice) -> Result<[i32; 2], Fault> {
    use sys::CUdevice_attribute::{
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR as MAJOR,
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR as MINOR,
    };
    // SAFETY: as the caller promises.
    let attribute = |which| unsafe { result::device::get_attribute(ordinal, which) }.map_err(fault);
    let found = [attribute(MAJOR)?, attribute(MINOR)?];
    if found < [7, 5] {
        let [major, minor] = found;
        return Err(Fault::Unsupported(format!(
            "a GPU of compute capability {major}.{minor}; 7.5 (Turing) or newer is needed"
        )));
    }
    Ok(found)
}

/// The CUDA version that the driver supports: `12.4`.
fn driver_version() -> Result<String, Fault> {
    let mut version = 0;
    // SAFETY: a place for an int.
    unsafe { sys::cuDriverGetVersion(&mut version) }.result().map_err(fault)?;
    Ok(format!("{}.{}", version / 1000, version % 1000 / 10))
}
