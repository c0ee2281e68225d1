//! NVIDIA's run-time compiler, found when it is first needed; it works on machines without a GPU or a driver.
//!
//! A loader of our own, since one build must serve CUDA 12 and 13: cudarc looks for the names of one of them.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;

use dispatch::Fault;
use libloading::Library;

use crate::kernels::{HEADER, Unit};

/// Names to look for, newest first.
const NAMES: [&str; 4] = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so", "nvrtc64_120_0.dll"];

/// `NVRTC_ERROR_INVALID_OPTION`.
const INVALID_OPTION: Status = 5;

type Status = c_int;
type Program = *mut c_void;

/// The compiler.
#[derive(Debug)]
pub struct Nvrtc {
    version: fn_version,
    create: fn_create,
    compile: fn_compile,
    destroy: fn_destroy,
    log: Text,
    cubin: Text,
    ptx: Text,
    /// Keeps the functions above where they are.
    _library: Library,
}

#[allow(non_camel_case_types, reason = "named after the functions whose types they are")]
mod types {
    use super::{Program, Status, c_char, c_int};

    pub(super) type fn_version = unsafe extern "C" fn(*mut c_int, *mut c_int) -> Status;
    pub(super) type fn_create = unsafe extern "C" fn(
        *mut Program,
        *const c_char,
        *const c_char,
        c_int,
        *const *const c_char,
        *const *const c_char,
    ) -> Status;
    pub(super) type fn_compile =
        unsafe extern "C" fn(Program, c_int, *const *const c_char) -> Status;
    pub(super) type fn_destroy = unsafe extern "C" fn(*mut Program) -> Status;
    pub(super) type fn_size = unsafe extern "C" fn(Program, *mut usize) -> Status;
    pub(super) type fn_get = unsafe extern "C" fn(Program, *mut c_char) -> Status;
}
use types::{fn_compile, fn_create, fn_destroy, fn_get, fn_size, fn_version};

/// A pair of functions that give the size of a text of a program, and the text.
#[derive(Clone, Copy, Debug)]
struct Text {
    size: fn_size,
    get: fn_get,
}

/// A unit compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// Machine code of one architecture.
    pub cubin: Vec<u8>,
    /// The portable form it was made of.
    pub ptx: String,
    /// What the compiler said; registers and spills of each kernel, as `ptxas -v` prints them.
    pub log: String,
}

impl Nvrtc {
    /// The compiler at the path in `CONCORD_NVRTC`, else where the system finds it.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] that says what was looked for.
    pub fn find() -> Result<Nvrtc, Fault> {
        if let Some(path) = std::env::var_os("CONCORD_NVRTC") {
            return Nvrtc::load(Path::new(&path));
        }
        let found = NAMES.iter().find_map(|name| Nvrtc::load(Path::new(name)).ok());
        found.ok_or_else(|| {
            Fault::Unsupported(format!(
                "NVRTC was not found as {}; install it (pip install nvidia-cuda-nvrtc-cu12) and set \
                 CONCORD_NVRTC to its file, or put its folder on LD_LIBRARY_PATH",
                NAMES[..3].join(", ")
            ))
        })
    }

    fn load(path: &Path) -> Result<Nvrtc, Fault> {
        let missing = |error: libloading::Error| {
            Fault::Unsupported(format!("NVRTC at `{}`: {error}", path.display()))
        };
        // SAFETY: the file is NVRTC by its name or by the user's word; loading it runs only its own initialisers. The
        // types are those of nvrtc.h, the same in CUDA 12 and 13, and the library lives as long as the functions.
        unsafe {
            let library = Library::new(path).map_err(missing)?;
            let text = |size: &[u8], get: &[u8]| -> Result<Text, libloading::Error> {
                Ok(Text { size: *library.get::<fn_size>(size)?, get: *library.get::<fn_get>(get)? })
            };
            Ok(Nvrtc {
                version: *library.get::<fn_version>(b"nvrtcVersion").map_err(missing)?,
                create: *library.get::<fn_create>(b"nvrtcCreateProgram").map_err(missing)?,
                compile: *library.get::<fn_compile>(b"nvrtcCompileProgram").map_err(missing)?,
                destroy: *library.get::<fn_destroy>(b"nvrtcDestroyProgram").map_err(missing)?,
                log: text(b"nvrtcGetProgramLogSize", b"nvrtcGetProgramLog").map_err(missing)?,
                cubin: text(b"nvrtcGetCUBINSize", b"nvrtcGetCUBIN").map_err(missing)?,
                ptx: text(b"nvrtcGetPTXSize", b"nvrtcGetPTX").map_err(missing)?,
                _library: library,
            })
        }
    }

    /// The version: `13.0`.
    pub fn version(&self) -> String {
        let (mut major, mut minor) = (0, 0);
        // SAFETY: both are places for an int.
        let status = unsafe { (self.version)(&mut major, &mut minor) };
        if status == 0 { format!("{major}.{minor}") } else { "unknown".to_owned() }
    }

    /// What a unit is compiled with for an architecture such as `sm_90`.
    pub fn options(architecture: &str) -> Vec<String> {
        // No contraction: a fused multiply-add is one that the source asks for.
        let fixed = ["--std=c++17", "--fmad=false", "--device-int128", "--ptxas-options=-v"];
        let own = format!("--gpu-architecture={architecture}");
        fixed.map(str::to_owned).into_iter().chain([own]).collect()
    }

    /// Compiles a unit for an architecture such as `sm_90`.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] if the compiler does not know the architecture, [`Fault::Failed`] with its log.
    pub fn compile(&self, unit: &Unit, architecture: &str) -> Result<Compiled, Fault> {
        let text = |s: &str| {
            CString::new(s)
                .map_err(|_| Fault::Failed("a zero byte in a kernel's source".to_owned()))
        };
        let (source, name) = (text(unit.text)?, text(unit.name)?);
        let (header, header_name) = (text(HEADER)?, text("concord.cuh")?);
        let options: Result<Vec<CString>, Fault> =
            Nvrtc::options(architecture).iter().map(|option| text(option)).collect();
        let options = options?;
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let mut program = Owned { nvrtc: self, program: std::ptr::null_mut() };
        // SAFETY: every pointer is to a text that ends in a zero byte and outlives the program.
        let created = unsafe {
            let (headers, names) = ([header.as_ptr()], [header_name.as_ptr()]);
            let (source, name) = (source.as_ptr(), name.as_ptr());
            (self.create)(&mut program.program, source, name, 1, headers.as_ptr(), names.as_ptr())
        };
        if created != 0 {
            return Err(Fault::Failed(format!("NVRTC could not begin `{}`: {created}", unit.name)));
        }
        // SAFETY: the program was created; there are as many options as said.
        let status =
            unsafe { (self.compile)(program.program, pointers.len() as c_int, pointers.as_ptr()) };
        let log = program.text(self.log);
        if status == INVALID_OPTION && log.contains("gpu-architecture") {
            let version = self.version();
            return Err(Fault::Unsupported(format!(
                "NVRTC {version} does not know {architecture}: a newer GPU needs a newer NVRTC (pip install \
                 nvidia-cuda-nvrtc, its file in CONCORD_NVRTC), and one older than Turing is not supported"
            )));
        }
        if status != 0 {
            let version = self.version();
            return Err(Fault::Failed(format!(
                "NVRTC {version} could not compile `{}` for {architecture} (status {status}): {log}",
                unit.name
            )));
        }
        Ok(Compiled { cubin: program.bytes(self.cubin), ptx: program.text(self.ptx), log })
    }
}

/// A program that is destroyed when it is no longer needed.
struct Owned<'n> {
    nvrtc: &'n Nvrtc,
    program: Program,
}

impl Owned<'_> {
    fn bytes(&self, text: Text) -> Vec<u8> {
        let mut size = 0;
        // SAFETY: the program exists, `size` is a place for a size.
        if unsafe { (text.size)(self.program, &mut size) } != 0 {
            return Vec::new();
        }
        let mut bytes = vec![0u8; size];
        // SAFETY: NVRTC writes the number of bytes that it has just named.
        let status = unsafe { (text.get)(self.program, bytes.as_mut_ptr().cast()) };
        if status == 0 { bytes } else { Vec::new() }
    }

    fn text(&self, text: Text) -> String {
        let bytes = self.bytes(text);
        match CStr::from_bytes_until_nul(&bytes) {
            Ok(text) => text.to_string_lossy().into_owned(),
            Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        if !self.program.is_null() {
            // SAFETY: it was created and not destroyed before. A status would tell nothing that could be acted on.
            unsafe { (self.nvrtc.destroy)(&mut self.program) };
        }
    }
}
