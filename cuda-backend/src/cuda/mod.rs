//! An NVIDIA GPU: memory, copies and launches through the driver, kernels compiled for its architecture by NVRTC.
//!
//! Everything goes through the default stream, in order. What the driver and the compiler need is loaded at first use,
//! so that a program that holds this crate starts without either.

mod cache;
pub mod nvrtc;

use std::collections::BTreeMap;
use std::ffi::{CString, c_void};
use std::panic::catch_unwind;

use cudarc::driver::sys::{self, CUresult};
use cudarc::driver::{DriverError, result};
use dispatch::{Device, Fault};

pub use cache::Cache;
use nvrtc::Nvrtc;

use crate::driver::{Argument, Driver, Grid, Memory};
use crate::kernels::{HEADER, UNITS};

/// Released memory is reused for requests of the same number of these.
const GRAIN: usize = 64 << 10;

/// The first GPU of this machine.
pub struct Cuda {
    device: Device,
    ordinal: sys::CUdevice,
    context: sys::CUcontext,
    modules: Vec<sys::CUmodule>,
    functions: BTreeMap<&'static str, sys::CUfunction>,
    budget: usize,
    /// Released memory, by its size in grains.
    spare: BTreeMap<usize, Vec<u64>>,
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
        // SAFETY: `ordinal` was given by the driver, the context is retained until `drop` and current before its use.
        let (context, capability) = unsafe {
            let context = result::primary_ctx::retain(ordinal).map_err(absent)?;
            result::ctx::set_current(context).map_err(fault)?;
            (context, capability(ordinal)?)
        };
        let nvrtc = Nvrtc::find()?;
        let mut cuda = Cuda {
            device: Device::Cuda {
                name: result::device::get_name(ordinal).map_err(fault)?,
                capability: format!("{}.{}", capability[0], capability[1]),
                driver: driver_version()?,
                nvrtc: nvrtc.version(),
            },
            ordinal,
            context,
            modules: Vec::new(),
            functions: BTreeMap::new(),
            // Some is left to the driver and to other programs.
            budget: result::mem_get_info().map_err(fault)?.0 / 10 * 8,
            spare: BTreeMap::new(),
        };
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

    fn make_current(&self) -> Result<(), Fault> {
        // SAFETY: the context is retained until `drop`.
        unsafe { result::ctx::set_current(self.context) }.map_err(fault)
    }

    /// Gives released memory back to the driver.
    fn trim(&mut self) {
        for address in std::mem::take(&mut self.spare).into_values().flatten() {
            // SAFETY: allocated by `allocate`, released and not in use. If it fails the context is lost, and with it
            // the memory.
            let _ = unsafe { result::free_sync(address) };
        }
    }
}

impl Drop for Cuda {
    fn drop(&mut self) {
        // Whatever fails here has gone with the context.
        if self.make_current().is_ok() {
            self.trim();
            for module in self.modules.drain(..) {
                // SAFETY: loaded by `load` and not unloaded before.
                let _ = unsafe { result::module::unload(module) };
            }
        }
        // SAFETY: retained once by `start`.
        let _ = unsafe { result::primary_ctx::release(self.ordinal) };
    }
}

impl Driver for Cuda {
    fn device(&self) -> Device {
        self.device.clone()
    }

    fn budget(&self) -> usize {
        self.budget
    }

    fn allocate(&mut self, bytes: usize) -> Result<Memory, Fault> {
        self.make_current()?;
        let grains = bytes.div_ceil(GRAIN).max(1);
        if let Some(address) = self.spare.get_mut(&grains).and_then(Vec::pop) {
            return Ok(Memory { address, bytes });
        }
        // SAFETY: the context is current; the content is undefined, as `Driver` says.
        let address = unsafe { result::malloc_sync(grains * GRAIN) }.or_else(|_| {
            self.trim();
            // SAFETY: as above.
            unsafe { result::malloc_sync(grains * GRAIN) }
        });
        Ok(Memory { address: address.map_err(fault)?, bytes })
    }

    fn release(&mut self, memory: Memory) {
        let grains = memory.bytes.div_ceil(GRAIN).max(1);
        self.spare.entry(grains).or_default().push(memory.address);
    }

    fn write(&mut self, to: Memory, bytes: &[u8]) -> Result<(), Fault> {
        self.make_current()?;
        check_length(bytes.len(), to.bytes)?;
        // SAFETY: the allocation is at least as long as the slice; the copy is done when the function returns.
        unsafe { result::memcpy_htod_sync(to.address, bytes) }.map_err(fault)
    }

    fn clear(&mut self, memory: Memory) -> Result<(), Fault> {
        self.make_current()?;
        // SAFETY: the allocation has that many bytes.
        unsafe { result::memset_d8_sync(memory.address, 0, memory.bytes) }.map_err(fault)
    }

    fn read(&mut self, from: Memory, bytes: &mut [u8]) -> Result<(), Fault> {
        self.make_current()?;
        check_length(bytes.len(), from.bytes)?;
        // SAFETY: the allocation is at least as long as the slice. The copy waits for the kernels before it.
        unsafe { result::memcpy_dtoh_sync(bytes, from.address) }.map_err(fault)
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
        let stream = std::ptr::null_mut();
        // SAFETY: the function belongs to a loaded module. Every parameter of a kernel is 8 bytes wide, and that these are
        // its parameters is what the tests on the emulated device check: they run this very code.
        unsafe { result::launch_kernel(*function, blocks, threads, 0, stream, &mut pointers) }
            .map_err(|error| match fault(error) {
                Fault::Failed(why) => Fault::Failed(format!("kernel `{kernel}`: {why}")),
                other => other,
            })
    }
}

fn check_length(bytes: usize, held: usize) -> Result<(), Fault> {
    if bytes <= held {
        return Ok(());
    }
    Err(Fault::Failed(format!("a copy of {bytes} bytes, the allocation has {held}")))
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

/// What an error of the driver means for the caller, and what to do about it.
fn fault(error: DriverError) -> Fault {
    match error.0 {
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => Fault::OutOfMemory(format!(
            "{error:?}: other programs hold the device's memory, or the call is too large for it"
        )),
        CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU | CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION => {
            Fault::Unsupported(format!(
                "{error:?}: driver and NVRTC do not fit together; use an NVRTC of the driver's CUDA version"
            ))
        }
        CUresult::CUDA_ERROR_ILLEGAL_ADDRESS
        | CUresult::CUDA_ERROR_LAUNCH_FAILED
        | CUresult::CUDA_ERROR_LAUNCH_TIMEOUT
        | CUresult::CUDA_ERROR_ECC_UNCORRECTABLE
        | CUresult::CUDA_ERROR_HARDWARE_STACK_ERROR
        | CUresult::CUDA_ERROR_MISALIGNED_ADDRESS
        | CUresult::CUDA_ERROR_CONTEXT_IS_DESTROYED => Fault::DeviceLost(format!(
            "{error:?}: the device is given up and the next call opens it anew; if that fails too, start a new process"
        )),
        // The driver's list grows with every version.
        _ => Fault::Failed(format!("{error:?}")),
    }
}
