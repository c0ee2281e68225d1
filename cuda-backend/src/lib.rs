//! The CUDA backend: three functions on an NVIDIA GPU, and the same kernels on machines without one.
//!
//! The kernels are one text in `kernels/`. NVRTC compiles it for the GPU that is there; the host's C++ compiler makes
//! the *emulated device* of it, on which the same host code allocates, copies and launches. What was examined
//! there is said to be so and is no evidence about a GPU. With neither, the device is absent and nothing is answered.
//!
//! Arguments are read, and tables made, by the stages of the crate `reference`; statistics, permutations, sums and counts are
//! the kernels' own. Counts are exact integers, so a given seed gives the reference's counts and rank p-values bit for bit.
//! Long float sums follow the reference's tree, so scores are the same bits too, but for one place: sparse features over
//! 4,096 cells or more, which the reference takes in one pass and the kernels centred; there scores agree within rounding.
//!
//! - [`driver`]: what is asked of a device; [`cuda`] is a GPU, `emulated` the processor (where a C++ compiler
//!   was there to build it).
//! - [`context`]: an open device, with the memory that is kept from call to call; [`session`]: one call on it.
//! - [`spatial_autocorr`], [`co_occurrence`], [`ligrec`]: the functions.

#![deny(unsafe_op_in_unsafe_fn)]

mod arena;
pub mod co_occurrence;
pub mod context;
pub mod cuda;
pub mod driver;
#[cfg(emulated)]
pub mod emulated;
mod gpu;
pub mod kernels;
pub mod ligrec;
mod permutations;
mod plan;
pub mod session;
pub mod spatial_autocorr;
mod staging;

use dispatch::{Device, Digest, Entry, Manifest, Table};

pub use gpu::Gpu;

/// Every function of the backend.
static ENTRIES: &[Entry<Gpu>] = &[
    Entry {
        name: "spatial_autocorr",
        signature: spatial_autocorr::signature,
        run: spatial_autocorr::run,
    },
    Entry {
        name: "co_occurrence",
        signature: reference::co_occurrence::signature,
        run: co_occurrence::run,
    },
    Entry { name: "ligrec", signature: reference::ligrec::signature, run: ligrec::run },
];

/// The CUDA backend of this machine: on its first GPU, else on the emulated device.
///
/// `CONCORD_CUDA=emulated` passes a GPU over, `none` the emulated device too.
pub fn backend() -> Table<Gpu> {
    on(Gpu::of_this_machine())
}

/// The CUDA backend on a device of choice.
pub fn on(gpu: Gpu) -> Table<Gpu> {
    let version = env!("CARGO_PKG_VERSION");
    let device = gpu.device().clone();
    let summary = match &device {
        Device::Cuda { name, .. } => format!("kernels on {name}"),
        Device::Emulated => "CUDA kernels run on the processor, no evidence about a GPU".to_owned(),
        Device::Cpu | Device::Absent { .. } => "CUDA kernels, and no device to run them".to_owned(),
    };
    // What can be asked for is what can be answered: without a device, nothing.
    let entries = if matches!(device, Device::Absent { .. }) { &[] } else { ENTRIES };
    let manifest = Manifest {
        name: "cuda".to_owned(),
        version: version.to_owned(),
        summary,
        device,
        functions: Default::default(),
        artifact: artifact(version),
    };
    Table::new(manifest, gpu, entries)
}

/// The digest of version and kernels.
fn artifact(version: &str) -> Digest {
    let texts = kernels::UNITS.iter().flat_map(|unit| [unit.name, unit.text]);
    let parts: Vec<&str> =
        ["cuda-backend", version, kernels::HEADER].into_iter().chain(texts).collect();
    Digest::of_bytes(parts.join("\n").as_bytes())
}
