//! The CUDA backend.
//!
//! This version looks for no device and runs nothing: its manifest says so, every call is answered
//! with [`Fault::Unsupported`], and no report ever counts that as a pass. The kernels come with the
//! crate's own design (`ARCHITECTURE.md`).

use std::collections::BTreeMap;

use dispatch::{Backend, Call, Device, Digest, Fault, Manifest, Reply};

/// The backend.
pub struct Cuda {
    manifest: Manifest,
}

/// The CUDA backend of this machine.
pub fn backend() -> Cuda {
    let version = env!("CARGO_PKG_VERSION");
    let manifest = Manifest {
        name: "cuda".to_owned(),
        version: version.to_owned(),
        summary: "kernels on an NVIDIA GPU (none in this version)".to_owned(),
        device: Device::Absent { why: "this version has no kernels yet".to_owned() },
        functions: BTreeMap::new(),
        artifact: Digest::of_bytes(format!("cuda-backend {version}").as_bytes()),
    };
    Cuda { manifest }
}

impl Backend for Cuda {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        Err(Fault::Unsupported(format!(
            "`{}`: no device, and this version has no kernels yet",
            call.function
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_device_nothing_is_answered() {
        let cuda = backend();
        assert!(matches!(cuda.manifest().device, Device::Absent { .. }));
        let call = Call::new("spatial_autocorr", dispatch::Dataset::new(), dispatch::Params::new());
        assert!(matches!(cuda.run(&call), Err(Fault::Unsupported(_))));
    }
}
