//! What an error of the driver means for the caller, and what to do about it.

use cudarc::driver::DriverError;
use cudarc::driver::sys::CUresult;
use dispatch::Fault;

use crate::plan::LESS;

pub(super) fn fault(error: DriverError) -> Fault {
    // The error's own text asks the driver, and cudarc panics where there is none.
    let code = error.0;
    match code {
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => Fault::OutOfMemory(format!(
            "{code:?}: other programs hold the device's memory, or the call is too large for it; {LESS}"
        )),
        CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU | CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION => {
            Fault::Unsupported(format!(
                "{code:?}: driver and NVRTC do not fit together; use an NVRTC of the driver's CUDA version"
            ))
        }
        CUresult::CUDA_ERROR_ILLEGAL_ADDRESS
        | CUresult::CUDA_ERROR_LAUNCH_FAILED
        | CUresult::CUDA_ERROR_LAUNCH_TIMEOUT
        | CUresult::CUDA_ERROR_ECC_UNCORRECTABLE
        | CUresult::CUDA_ERROR_HARDWARE_STACK_ERROR
        | CUresult::CUDA_ERROR_MISALIGNED_ADDRESS
        | CUresult::CUDA_ERROR_CONTEXT_IS_DESTROYED => Fault::DeviceLost(format!(
            "{code:?}: the device is given up and the next call opens it anew; if that fails too, start a new process"
        )),
        // The driver's list grows with every version.
        _ => Fault::Failed(format!("{code:?}; the next call opens the device anew")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_says_what_to_do() {
        let of = |code| fault(DriverError(code));
        for (code, kind, advice) in [
            (CUresult::CUDA_ERROR_OUT_OF_MEMORY, "out-of-memory", "use fewer features"),
            (CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU, "unsupported", "use an NVRTC of"),
            (CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "unsupported", "use an NVRTC of"),
            (CUresult::CUDA_ERROR_ILLEGAL_ADDRESS, "device-lost", "start a new process"),
            (CUresult::CUDA_ERROR_LAUNCH_FAILED, "device-lost", "start a new process"),
            (CUresult::CUDA_ERROR_ECC_UNCORRECTABLE, "device-lost", "start a new process"),
            (CUresult::CUDA_ERROR_INVALID_VALUE, "failed", "opens the device anew"),
        ] {
            let fault = of(code);
            assert_eq!(fault.kind(), kind, "{fault}");
            assert!(fault.to_string().contains(advice), "{fault}");
        }
    }
}
