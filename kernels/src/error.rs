//! What a kernel refuses.

use crate::cuda::Fault;

/// Shapes that do not fit, or a device that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slice whose length does not match the stated shape.
    #[error("{kernel}: `{argument}` holds {found} values, its shape asks for {expected}")]
    Length {
        /// The kernel that was called.
        kernel: &'static str,
        /// The argument's name.
        argument: &'static str,
        /// Values the shape asks for.
        expected: usize,
        /// Values the slice holds.
        found: usize,
    },

    /// A batch whose columns have no variance to be normalised with.
    #[error("batch_norm: a batch of {rows} has no variance; train on two pictures or more at a time, and leave a last one out")]
    NoVariance {
        /// Pictures in the batch.
        rows: usize,
    },

    /// An explicit request for a GPU that cannot be served.
    #[error("CUDA device {ordinal} is not available: {fault}")]
    Cuda {
        /// The device asked for.
        ordinal: usize,
        /// Why it cannot be used.
        fault: Fault,
    },

    /// A device that does not do what it was asked for.
    #[error(transparent)]
    Device(#[from] Fault),
}

/// Checks that `slice` holds exactly `expected` values.
pub(crate) fn expect_len<T>(kernel: &'static str, argument: &'static str, slice: &[T], expected: usize) -> Result<(), Error> {
    if slice.len() == expected {
        return Ok(());
    }
    Err(Error::Length { kernel, argument, expected, found: slice.len() })
}
