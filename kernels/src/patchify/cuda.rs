//! Launches of `cuda_values.cu`, of `cuda.cu` and of `cuda_variants.cu`.

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

arguments! {
    /// As in `cuda.cu`.
    PatchBytes {
        /// (images, rows·size, cols·size, channels), a byte each.
        pictures: Address,
        /// What bytes stand for, (channels, 256) as f32.
        values: Address,
        /// (images, rows·cols, pitch).
        patches: Address,
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
    }
}

arguments! {
    /// As in `cuda_variants.cu`.
    PatchVariants {
        /// (channels, rows·size, cols·size) as f32.
        picture: Address,
        /// The same; or none.
        baseline: Address,
        /// Of baseline and picture in each variant, (images, 2) as f32; with a baseline.
        shares: Address,
        /// A [`Noise`]; or none.
        noise: Address,
        /// (images, rows·cols, pitch).
        patches: Address,
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
    }
}

arguments! {
    /// As in `cuda_variants.cu`, in the device's memory.
    Noise {
        /// Its lower and its upper word.
        seed: [u32; 2],
        /// The first image's sample.
        first_sample: u32,
        /// What deviates are multiplied with.
        deviation: f32,
    }
}

/// One prepared picture on a device, and what makes its variants, which are the images of a [`Shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variants {
    /// `picture + deviation·noise` with the [`noise`](super::noise()) of one sample after the other.
    Noisy {
        /// (channels, rows·size, cols·size) as f32.
        picture: Address,
        /// A [`Noise`].
        noise: Address,
    },
    /// `share·baseline + other share·picture`.
    Along {
        /// (channels, rows·size, cols·size) as f32.
        picture: Address,
        /// The same.
        baseline: Address,
        /// (images, 2) as f32.
        shares: Address,
    },
}

/// Fills rows of `pitch` values from bytes (images, rows·size, cols·size, channels), each of which stands for the value that `values`
/// (channels, 256) as f32 has for it.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn patchify_bytes(
    queue: &dyn Queue,
    storage: Storage,
    shape: Shape,
    (pictures, values, patches): (Address, Address, Address),
    pitch: usize,
) -> Result<(), Fault> {
    let how = ([(shape.rows * shape.cols * pitch).div_ceil(256), shape.images, 1], 256, 0);
    let [channels, rows, cols, size, pitch] = [shape.channels, shape.rows, shape.cols, shape.size, pitch].map(|n| n as i32);
    run(queue, ("patchify", storage, "patchify"), how, &PatchBytes { pictures, values, patches, channels, rows, cols, size, pitch })
}

/// Fills rows of `pitch` values with variants of one picture, an image each.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn patchify_variants(
    queue: &dyn Queue,
    storage: Storage,
    shape: Shape,
    (variants, patches): (Variants, Address),
    pitch: usize,
) -> Result<(), Fault> {
    let (picture, baseline, shares, noise) = match variants {
        Variants::Noisy { picture, noise } => (picture, Address::NONE, Address::NONE, noise),
        Variants::Along { picture, baseline, shares } => (picture, baseline, shares, Address::NONE),
    };
    let of_picture = shape.total() / shape.images.max(1);
    let how = ([of_picture.div_ceil(4 * 128), shape.images, 1], 128, 0);
    let [channels, rows, cols, size, pitch] = [shape.channels, shape.rows, shape.cols, shape.size, pitch].map(|n| n as i32);
    let arguments = PatchVariants { picture, baseline, shares, noise, patches, channels, rows, cols, size, pitch };
    run(queue, ("patchify_variants", storage, "patchify_variants"), how, &arguments)
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
