//! Launches of `cuda.cu`, and of `cuda_wide.cu` for rows beyond its width.

use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda.cu`.
    LayerNormForward {
        /// (rows, width).
        x: Address,
        /// (rows, width), added to x; or none.
        branch: Address,
        /// (width) as f32.
        gain: Address,
        /// (width) as f32.
        bias: Address,
        /// (rows, width): the sum; or none.
        sum: Address,
        /// (rows, width).
        y: Address,
        /// (rows) pairs of f32: mean and reciprocal deviation; or none.
        moments: Address,
        /// Of x.
        rows: i32,
        /// Of x.
        width: i32,
        /// Added to the variance.
        eps: f32,
    }
}

arguments! {
    /// As in `cuda.cu`.
    LayerNormBackward {
        /// (rows, width).
        x: Address,
        /// (rows, width).
        dy: Address,
        /// (width) as f32.
        gain: Address,
        /// (rows, width): what comes back is added.
        dx: Address,
        /// (rows) pairs of f32; or none.
        moments: Address,
        /// Of x.
        rows: i32,
        /// Of x.
        width: i32,
        /// Added to the variance.
        eps: f32,
    }
}

/// Where gain and bias (width) are, as f32.
#[derive(Debug, Clone, Copy)]
pub struct Affine {
    /// (width).
    pub gain: Address,
    /// (width).
    pub bias: Address,
    /// Added to the variance.
    pub eps: f32,
}

/// `y = norm(x)`, as [`super::forward`]; (rows, width), a multiple of a pack.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn forward(
    queue: &dyn Queue,
    storage: Storage,
    affine: Affine,
    (rows, width): (usize, usize),
    (x, y): (Address, Address),
) -> Result<(), Fault> {
    let none = Address::NONE;
    let (Affine { gain, bias, eps }, rows_, width_) = (affine, rows as i32, width as i32);
    let arguments = LayerNormForward { x, branch: none, gain, bias, sum: none, y, moments: none, rows: rows_, width: width_, eps };
    let (module, kernel, how) = match width {
        ..=512 => ("layer_norm", "layer_norm_forward_512", a_warp_a_row(rows)),
        513..=1024 => ("layer_norm", "layer_norm_forward_1024", a_warp_a_row(rows)),
        1025..=1536 => ("layer_norm", "layer_norm_forward_1536", a_warp_a_row(rows)),
        _ => ("layer_norm_wide", "layer_norm_forward_wide", ([rows, 1, 1], 256, 0)),
    };
    run(queue, (module, storage, kernel), how, &arguments)
}

/// `dx += …`, as [`super::backward`].
///
/// # Errors
/// As for [`Queue::launch`].
pub fn backward(
    queue: &dyn Queue,
    storage: Storage,
    affine: Affine,
    (rows, width): (usize, usize),
    (x, dy, dx): (Address, Address, Address),
) -> Result<(), Fault> {
    let (Affine { gain, eps, .. }, rows_, width_) = (affine, rows as i32, width as i32);
    let arguments = LayerNormBackward { x, dy, gain, dx, moments: Address::NONE, rows: rows_, width: width_, eps };
    let (module, kernel, how) = match width {
        ..=512 => ("layer_norm", "layer_norm_backward_512", a_warp_a_row(rows)),
        513..=1024 => ("layer_norm", "layer_norm_backward_1024", a_warp_a_row(rows)),
        1025..=1536 => ("layer_norm", "layer_norm_backward_1536", a_warp_a_row(rows)),
        _ => ("layer_norm_wide", "layer_norm_backward_wide", ([rows, 1, 1], 256, 0)),
    };
    run(queue, (module, storage, kernel), how, &arguments)
}

fn a_warp_a_row(rows: usize) -> ([usize; 3], usize, usize) {
    ([rows.div_ceil(4), 1, 1], 128, 0)
}
