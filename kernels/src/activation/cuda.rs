//! Launches of `cuda.cu`.

use super::Activation;
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda.cu`.
    BiasActivation {
        /// (rows, width).
        x: Address,
        /// (width) as f32; or none.
        bias: Address,
        /// (rows, width): what enters the activation; or none.
        before: Address,
        /// (rows, width).
        y: Address,
        /// rows·width, a multiple of a pack.
        count: i64,
        /// Of x.
        width: i32,
        /// Which function.
        activation: i32,
    }
}

/// `y = φ(x)` of `count` values, a multiple of a pack.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn forward(queue: &dyn Queue, storage: Storage, activation: Activation, count: usize, (x, y): (Address, Address)) -> Result<(), Fault> {
    let (none, width) = (Address::NONE, storage.pack() as i32);
    let arguments = BiasActivation { x, bias: none, before: none, y, count: count as i64, width, activation: code(activation) };
    let how = ([(count / storage.pack()).div_ceil(256), 1, 1], 256, 0);
    run(queue, ("activation", storage, "bias_activation_forward"), how, &arguments)
}

/// What `cuda/activation.cuh` calls an activation.
fn code(activation: Activation) -> i32 {
    match activation {
        Activation::Gelu => 0,
        Activation::GeluTanh => 1,
        Activation::Relu => 2,
    }
}
