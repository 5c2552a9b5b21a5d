//! Patches on the CPU: runs of `size` pixels are copied whole.

use super::Shape;
use crate::Real;

pub(super) fn patchify<T: Real>(shape: Shape, pixels: &[T], patches: &mut [T]) {
    for_each_run(shape, |pixel, patch| patches[patch..patch + shape.size].copy_from_slice(&pixels[pixel..pixel + shape.size]));
}

pub(super) fn unpatchify<T: Real>(shape: Shape, patches: &[T], pixels: &mut [T]) {
    for_each_run(shape, |pixel, patch| pixels[pixel..pixel + shape.size].copy_from_slice(&patches[patch..patch + shape.size]));
}

/// Calls `copy(start among pixels, start among patches)` for every run of pixels that stays together.
fn for_each_run(shape: Shape, mut copy: impl FnMut(usize, usize)) {
    let Shape { images, channels, rows, cols, size } = shape;
    for (image, channel, y, col) in (0..images)
        .flat_map(|image| (0..channels).map(move |channel| (image, channel)))
        .flat_map(|(image, channel)| (0..rows * size).map(move |y| (image, channel, y)))
        .flat_map(|(image, channel, y)| (0..cols).map(move |col| (image, channel, y, col)))
    {
        let pixel = (((image * channels + channel) * rows * size + y) * cols + col) * size;
        let patch = (image * rows + y / size) * cols + col;
        copy(pixel, patch * shape.patch_len() + (channel * size + y % size) * size);
    }
}
