//! Launches of `cuda.cu`, of `cuda_wide.cu` for rows beyond its width, and of `cuda_affine.cu` for what is learnt.

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

arguments! {
    /// As in `cuda_affine.cu`.
    LayerNormAffine {
        /// (rows, width); or none.
        x: Address,
        /// (rows, width).
        dy: Address,
        /// (rows) pairs of f32; or none.
        moments: Address,
        /// ([`partials`]) as f32.
        partials: Address,
        /// (width) as f32, added; or none.
        gain: Address,
        /// (width) as f32, added.
        bias: Address,
        /// Of x.
        rows: i32,
        /// Of x.
        width: i32,
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
    places: (Address, Address, Address),
) -> Result<(), Fault> {
    backward_keeping(queue, storage, affine, (rows, width), places, Address::NONE)
}

/// The same, and the rows' `moments` (rows) as pairs of f32, which [`affine`] reads; or none.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn backward_keeping(
    queue: &dyn Queue,
    storage: Storage,
    affine: Affine,
    (rows, width): (usize, usize),
    (x, dy, dx): (Address, Address, Address),
    moments: Address,
) -> Result<(), Fault> {
    let (Affine { gain, eps, .. }, rows_, width_) = (affine, rows as i32, width as i32);
    let arguments = LayerNormBackward { x, dy, gain, dx, moments, rows: rows_, width: width_, eps };
    let (module, kernel, how) = match width {
        ..=512 => ("layer_norm", "layer_norm_backward_512", a_warp_a_row(rows)),
        513..=1024 => ("layer_norm", "layer_norm_backward_1024", a_warp_a_row(rows)),
        1025..=1536 => ("layer_norm", "layer_norm_backward_1536", a_warp_a_row(rows)),
        _ => ("layer_norm_wide", "layer_norm_backward_wide", ([rows, 1, 1], 256, 0)),
    };
    run(queue, (module, storage, kernel), how, &arguments)
}

/// Adds the gradients of gain and bias (width), as [`super::backward_affine`], from the `moments` that [`backward_keeping`] left.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn affine(queue: &dyn Queue, storage: Storage, arguments: LayerNormAffine) -> Result<(), Fault> {
    let (rows, width) = (arguments.rows as usize, arguments.width as usize);
    let how = ([width.div_ceil(32), rows.div_ceil(CHUNK), 1], 256, 0);
    run(queue, ("layer_norm_affine", storage, "layer_norm_affine_partials"), how, &arguments)?;
    run(queue, ("layer_norm_affine", storage, "layer_norm_affine_sum"), ([width.div_ceil(256), 1, 1], 256, 0), &arguments)
}

/// Adds the sums of the columns of `dy` (rows, width) to `sums` (width): the gradient of a linear layer's bias.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn column_sums(
    queue: &dyn Queue,
    storage: Storage,
    (rows, width): (usize, usize),
    (dy, sums): (Address, Address),
    partials: Address,
) -> Result<(), Fault> {
    let (none, rows, width) = (Address::NONE, rows as i32, width as i32);
    affine(queue, storage, LayerNormAffine { x: none, dy, moments: none, partials, gain: none, bias: sums, rows, width })
}

/// Values of f32 that sums over so many rows need room for.
pub fn partials(rows: usize, width: usize) -> usize {
    rows.div_ceil(CHUNK) * 2 * width
}

/// Rows that a block sums, as in `cuda_affine.cu`.
const CHUNK: usize = 128;

fn a_warp_a_row(rows: usize) -> ([usize; 3], usize, usize) {
    ([rows.div_ceil(4), 1, 1], 128, 0)
}
