//! Where other processes come in.

use std::sync::Arc;

use kernels::cuda::{Address, Queue};

use super::Range;
use crate::Error;

/// What other processes do with the gradient before it is used: an all-reduce, in pieces.
pub trait Exchange {
    /// The values of these ranges, which stand side by side, are finished here; they may be changed until [`Exchange::complete`]
    /// returns. Pieces come in the same order in every process.
    ///
    /// # Errors
    /// Whatever went wrong; the weights are then left as they were.
    fn finished(&mut self, ranges: &[Range], values: Values<'_>) -> Result<(), Error>;

    /// The last piece was told: returns when all are what they shall be.
    ///
    /// # Errors
    /// As for [`Exchange::finished`].
    fn complete(&mut self) -> Result<(), Error>;
}

/// Where a piece of the gradient is.
#[derive(Debug)]
pub enum Values<'a> {
    /// In this process.
    Host(&'a mut [f32]),
    /// On a device, finished when what the queue was given before is done; where gradients are kept as f16, all behind the
    /// head come times 4096.
    Device {
        /// The device.
        queue: &'a Arc<dyn Queue>,
        /// Where it begins, f32.
        at: Address,
        /// Values.
        count: usize,
    },
}
