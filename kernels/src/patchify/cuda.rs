//! Launches of `cuda_values.cu`.

use super::Shape;
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda_values.cu`.
    PatchValues {
        /// (images, channels, rows·size, cols·size) as f32.
        pixels: Address,
        /// (images, rows·cols, pitch).
        patches: Address,
        /// In the batch.
        images: i32,
        /// Of a pixel.
        channels: i32,
        /// Of patches.
        rows: i32,
        /// Of patches.
        cols: i32,
        /// Of a patch, in pixels.
        size: i32,
        /// Values from one patch to the next.
        pitch: i32,
        /// Of pixels that come back.
        scale: f32,
    }
}

/// As [`super::patchify`], with rows of `pitch` values.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn patchify(
    queue: &dyn Queue,
    storage: Storage,
    shape: Shape,
    (pixels, patches): (Address, Address),
    pitch: usize,
) -> Result<(), Fault> {
    let how = ([(shape.rows * shape.cols * pitch).div_ceil(256), shape.images, 1], 256, 0);
    run(queue, ("patchify_values", storage, "patchify_values"), how, &structure(shape, pixels, patches, pitch, 1.0))
}

/// As [`super::unpatchify`] from rows of `pitch` values, times `scale`.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn unpatchify(
    queue: &dyn Queue,
    storage: Storage,
    shape: Shape,
    (patches, pixels): (Address, Address),
    (pitch, scale): (usize, f32),
) -> Result<(), Fault> {
    let how = ([(shape.total() / shape.images.max(1)).div_ceil(256), shape.images, 1], 256, 0);
    run(queue, ("patchify_values", storage, "unpatchify_values"), how, &structure(shape, pixels, patches, pitch, scale))
}

fn structure(shape: Shape, pixels: Address, patches: Address, pitch: usize, scale: f32) -> PatchValues {
    let Shape { images, channels, rows, cols, size } = shape;
    let [images, channels, rows, cols, size, pitch] = [images, channels, rows, cols, size, pitch].map(|n| n as i32);
    PatchValues { pixels, patches, images, channels, rows, cols, size, pitch, scale }
}
