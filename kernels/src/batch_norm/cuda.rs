//! Launches of `cuda.cu`.

use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda.cu`; all numbers are f32.
    BatchNorm {
        /// (rows, width).
        x: Address,
        /// (width).
        gain: Address,
        /// (width).
        bias: Address,
        /// (rows, width).
        y: Address,
        /// (width) pairs: mean and reciprocal deviation.
        moments: Address,
        /// (width): what the running mean follows; added.
        mean: Address,
        /// (width): what the running variance follows; added.
        variance: Address,
        /// (rows, width).
        dy: Address,
        /// (rows, width).
        dx: Address,
        /// (width), added.
        dgain: Address,
        /// (width), added.
        dbias: Address,
        /// Pictures of the batch, two or more.
        rows: i32,
        /// Of x.
        width: i32,
        /// 1 with a `ReLU` behind it, else 0.
        relu: i32,
        /// Added to the variance.
        eps: f32,
        /// What the batch's statistics count.
        share: f32,
    }
}

/// `y = norm(x)` as [`super::forward`], with the `ReLU` where asked; statistics are added where they are kept.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn forward(queue: &dyn Queue, arguments: BatchNorm) -> Result<(), Fault> {
    run(queue, ("batch_norm", Storage::F32, "batch_norm_forward"), columns(&arguments), &arguments)
}

/// Gradients as [`super::backward`], through the `ReLU` where there is one.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn backward(queue: &dyn Queue, arguments: BatchNorm) -> Result<(), Fault> {
    run(queue, ("batch_norm", Storage::F32, "batch_norm_backward"), columns(&arguments), &arguments)
}

fn columns(arguments: &BatchNorm) -> ([usize; 3], usize, usize) {
    ([(arguments.width as usize).div_ceil(32), 1, 1], 256, 0)
}
