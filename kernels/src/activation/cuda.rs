//! Launches of `cuda.cu`, for products that came without their bias and activation.

use super::Activation;
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda.cu`.
    BiasActivation {
        /// (rows, width).
        x: Address,
        /// (width) as f32; or none.
        bias: Address,
        /// (rows, width): x + bias, may be `x`; or none.
        before: Address,
        /// (rows, width), may be `x`.
        y: Address,
        /// Rows times width.
        count: i64,
        /// A multiple of a pack.
        width: i32,
        /// By [`code`].
        activation: i32,
    }
}

arguments! {
    /// As in `cuda.cu`.
    ActivationBackward {
        /// (rows, width): what entered the activation.
        before: Address,
        /// (rows, width).
        dy: Address,
        /// (rows, width), may be `dy`.
        dx: Address,
        /// Rows times width.
        count: i64,
        /// By [`code`].
        activation: i32,
    }
}

/// An activation as kernels know it.
pub fn code(activation: Activation) -> i32 {
    match activation {
        Activation::Gelu => 0,
        Activation::GeluTanh => 1,
        Activation::Relu => 2,
    }
}

/// `before ← x + bias`, `y ← φ(x + bias)`.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn forward(queue: &dyn Queue, storage: Storage, arguments: &BiasActivation) -> Result<(), Fault> {
    run(queue, ("activation", storage, "bias_activation_forward"), extent(storage, arguments.count), arguments)
}

/// `dx ← dy ∘ φ′(before)`.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn backward(queue: &dyn Queue, storage: Storage, arguments: &ActivationBackward) -> Result<(), Fault> {
    run(queue, ("activation", storage, "activation_backward"), extent(storage, arguments.count), arguments)
}

fn extent(storage: Storage, count: i64) -> ([usize; 3], usize, usize) {
    ([(count as usize / storage.pack()).div_ceil(256), 1, 1], 256, 0)
}
