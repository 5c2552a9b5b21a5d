//! The launch of `cuda_bias.cu`.

use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda_bias.cu`.
    RoundedBias {
        /// (columns) as f32.
        from: Address,
        /// (columns) in the storage.
        to: Address,
        /// A multiple of a pack.
        columns: i32,
    }
}

/// Rounds a bias to the storage.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn round(queue: &dyn Queue, storage: Storage, bias: RoundedBias) -> Result<(), Fault> {
    let packs = bias.columns as usize / storage.pack();
    run(queue, ("linear_bias", storage, "bias_rounded"), ([packs.div_ceil(256), 1, 1], 256, 0), &bias)
}
