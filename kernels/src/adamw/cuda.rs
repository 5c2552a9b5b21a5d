//! Launches of `cuda.cu`, and of `cuda_length.cu`, which clipping needs before it.

use super::Settings;
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda.cu`.
    AdamW {
        /// (count) as f32, to be multiplied by scale.
        gradient: Address,
        /// (count) as f32.
        weights: Address,
        /// (count) as f32.
        first: Address,
        /// (count) as f32.
        second: Address,
        /// (count): the new weights in the storage; or none.
        copy: Address,
        /// Of the tensor.
        count: i64,
        /// 1 − rate·decay.
        keep: f32,
        /// Decay of the first moment.
        beta1: f32,
        /// Decay of the second moment.
        beta2: f32,
        /// rate / (1 − β1ᵗ).
        pace: f32,
        /// 1 / √(1 − β2ᵗ).
        correction: f32,
        /// Added to the root of the second moment.
        eps: f32,
        /// Of the gradient.
        scale: f32,
    }
}

arguments! {
    /// As in `cuda_length.cu`.
    Length {
        /// (count) as f32.
        gradient: Address,
        /// One f64 a block.
        partials: Address,
        /// Of the gradient.
        count: i64,
    }
}

/// Where one tensor lies while it learns; all but the copy are f32.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// (count).
    pub gradient: Address,
    /// (count).
    pub weights: Address,
    /// (count).
    pub first: Address,
    /// (count).
    pub second: Address,
    /// The new weights in the launch's storage; or none.
    pub copy: Address,
    /// Of the tensor.
    pub count: usize,
}

/// Step number `step`, which counts from 1, along `scale` times the gradient, as [`super::update`].
///
/// # Errors
/// As for [`Queue::launch`].
pub fn update(queue: &dyn Queue, storage: Storage, settings: Settings, step: u32, places: Places, scale: f32) -> Result<(), Fault> {
    let Settings { rate, beta1, beta2, eps, decay } = settings;
    let Places { gradient, weights, first, second, copy, count } = places;
    let arguments = AdamW {
        gradient,
        weights,
        first,
        second,
        copy,
        count: count as i64,
        keep: (1.0 - rate * decay) as f32,
        beta1: beta1 as f32,
        beta2: beta2 as f32,
        pace: (rate / (1.0 - beta1.powi(step as i32))) as f32,
        correction: (1.0 / (1.0 - beta2.powi(step as i32)).sqrt()) as f32,
        eps: eps as f32,
        scale,
    };
    run(queue, ("adamw", storage, "adamw"), ([blocks(queue, count), 1, 1], 256, 0), &arguments)
}

/// Sums of squares of `count` f32 values by parts, one f64 for each of [`length_partials`] blocks; they add up to the square of the
/// Euclidean length. Not finite where a value is not.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn squares(queue: &dyn Queue, gradient: Address, count: usize, partials: Address) -> Result<(), Fault> {
    let arguments = Length { gradient, partials, count: count as i64 };
    run(queue, ("adamw_length", Storage::F32, "adamw_length"), ([length_partials(queue, count), 1, 1], 256, 0), &arguments)
}

/// Sums that [`squares`] leaves.
pub fn length_partials(queue: &dyn Queue, count: usize) -> usize {
    blocks(queue, count)
}

/// Some for each multiprocessor, and no more than there is work for.
fn blocks(queue: &dyn Queue, count: usize) -> usize {
    count.div_ceil(256).min(8 * queue.multiprocessors())
}
