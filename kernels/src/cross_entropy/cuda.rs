//! Launches of `cuda.cu`.

use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda.cu`; numbers are f32, labels i32 that name classes.
    CrossEntropy {
        /// (images, stride).
        logits: Address,
        /// (images).
        labels: Address,
        /// (classes); or none.
        class_weights: Address,
        /// (images): each image's share of the loss.
        losses: Address,
        /// (images, stride), zero behind the classes.
        gradient: Address,
        /// Rows.
        images: i32,
        /// Of a row.
        classes: i32,
        /// From row to row.
        stride: i32,
        /// What an image counts: 1 / images of the whole batch.
        share: f32,
    }
}

/// Losses and gradient as [`super::share_of_loss_and_gradient`].
///
/// # Errors
/// As for [`Queue::launch`].
pub fn loss_and_gradient(queue: &dyn Queue, arguments: CrossEntropy) -> Result<(), Fault> {
    let how = ([(arguments.images as usize).div_ceil(4), 1, 1], 128, 0);
    run(queue, ("cross_entropy", Storage::F32, "cross_entropy"), how, &arguments)
}
