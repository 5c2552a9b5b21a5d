//! What the driver's codes mean.

use cudarc::driver::result::DriverError;
use cudarc::driver::sys::CUresult as Code;

use super::Driver;
use crate::cuda::Fault;

/// The CUDA whose compiler made the kernels: every driver that serves it takes all of them, older ones may not.
pub(crate) const COMPILED_BY: i32 = 12020;

impl Driver {
    /// What the driver's refusal means.
    pub(super) fn fault(&self, what: &str, DriverError(code): DriverError) -> Fault {
        fault(what, code, self.version)
    }
}

/// The fault behind a refusal by a driver of this version; how much memory there is, the caller knows.
fn fault(what: &str, code: Code, version: i32) -> Fault {
    let reason = format!("{code:?}");
    match code {
        Code::CUDA_ERROR_OUT_OF_MEMORY => Fault::OutOfMemory { wanted: 0, free: 0 },
        Code::CUDA_ERROR_UNSUPPORTED_PTX_VERSION => Fault::OldDriver { version },
        Code::CUDA_ERROR_INVALID_IMAGE | Code::CUDA_ERROR_NO_BINARY_FOR_GPU if version < COMPILED_BY => Fault::OldDriver { version },
        Code::CUDA_ERROR_ILLEGAL_ADDRESS
        | Code::CUDA_ERROR_LAUNCH_TIMEOUT
        | Code::CUDA_ERROR_HARDWARE_STACK_ERROR
        | Code::CUDA_ERROR_ILLEGAL_INSTRUCTION
        | Code::CUDA_ERROR_MISALIGNED_ADDRESS
        | Code::CUDA_ERROR_INVALID_ADDRESS_SPACE
        | Code::CUDA_ERROR_INVALID_PC
        | Code::CUDA_ERROR_LAUNCH_FAILED
        | Code::CUDA_ERROR_ECC_UNCORRECTABLE
        | Code::CUDA_ERROR_NVLINK_UNCORRECTABLE
        | Code::CUDA_ERROR_CONTEXT_IS_DESTROYED
        | Code::CUDA_ERROR_CONTAINED
        | Code::CUDA_ERROR_TENSOR_MEMORY_LEAK
        | Code::CUDA_ERROR_MPS_CLIENT_TERMINATED
        | Code::CUDA_ERROR_ASSERT
        | Code::CUDA_ERROR_EXTERNAL_DEVICE
        | Code::CUDA_ERROR_UNKNOWN
        | Code::CUDA_ERROR_DEINITIALIZED => Fault::Lost(format!("{what}: {reason}")),
        _ => Fault::Refused { what: what.into(), reason },
    }
}
