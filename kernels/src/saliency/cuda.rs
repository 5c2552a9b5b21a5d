//! Launches of `cuda.cu`: what gathers the gradients of a pass, and what reads out what was gathered.

use super::{Reduction, Statistic};
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};
use crate::patchify::Shape;

/// Parts of a sum over a picture, of which the kernels make totals.
pub const PARTS: usize = 32;

arguments! {
    /// As in `cuda.cu`; what a launch does not read may be none.
    Saliency {
        /// (samples, count).
        gradients: Address,
        /// (samples) as f32.
        weights: Address,
        /// Samples that were gathered already, an i32.
        before: Address,
        /// (count) as f32.
        mean: Address,
        /// (count) as f32.
        squares: Address,
        /// (count) as f32.
        sum: Address,
        /// Picture minus baseline, (count) as f32.
        moved: Address,
        /// (samples, [`PARTS`]) as f32.
        partials: Address,
        /// (samples) as f32.
        totals: Address,
        /// Where an address stands of (samples, count).
        kept: Address,
        /// Of this pass.
        samples: i32,
        /// Values of a gradient.
        count: i32,
        /// Of gradients.
        unscale: f32,
    }
}

arguments! {
    /// As in `cuda.cu`; [`Values`] fills it.
    SaliencyMap {
        /// (images, rows·cols, pitch); or none.
        gradients: Address,
        /// The same as f32.
        values: Address,
        /// The same as f32.
        squares: Address,
        /// The same as f32; or none.
        times: Address,
        /// (images, rows·size, cols·size) as f32.
        map: Address,
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
        /// Which.
        statistic: i32,
        /// Which.
        reduction: i32,
        /// Of gradients.
        unscale: f32,
        /// Of squares.
        share: f32,
    }
}

/// What a map is made of, (images, rows·cols, pitch) each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values {
    /// Gradients as a pass left them, unscaled on the way.
    Gradients {
        /// In the storage of the device.
        at: Address,
        /// What they are multiplied with.
        unscale: f32,
        /// What each is multiplied with besides, as f32; or none.
        times: Address,
    },
    /// An attribution, as f32.
    Sum(Address),
    /// Running moments, as f32.
    Moments {
        /// Running mean.
        mean: Address,
        /// Sum of squared differences from it.
        squares: Address,
        /// Samples in both.
        samples: usize,
        /// What is told of them.
        statistic: Statistic,
    },
}

/// Folds `samples` gradients into running moments; where `before` is zero, what was there is replaced.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn moments(queue: &dyn Queue, storage: Storage, arguments: Saliency) -> Result<(), Fault> {
    over_values(queue, storage, "saliency_moments", arguments)
}

/// `sum += Σ weight·gradient`; where `before` is zero, what was there is replaced.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn along(queue: &dyn Queue, storage: Storage, arguments: Saliency) -> Result<(), Fault> {
    over_values(queue, storage, "saliency_along", arguments)
}

/// Copies gradients to where `kept` says, and makes `totals` of them: `Σ gradient·moved`, each one's slope along the path.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn keep(queue: &dyn Queue, storage: Storage, arguments: Saliency) -> Result<(), Fault> {
    let samples = arguments.samples as usize;
    run(queue, ("saliency", storage, "saliency_keep"), ([PARTS, samples, 1], 256, 0), &arguments)?;
    totals(queue, storage, samples, &arguments)
}

/// `sum ← sum·moved`, and in `totals` what that sums to.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn attribute(queue: &dyn Queue, storage: Storage, arguments: Saliency) -> Result<(), Fault> {
    run(queue, ("saliency", storage, "saliency_attribute"), ([PARTS, 1, 1], 256, 0), &arguments)?;
    totals(queue, storage, 1, &arguments)
}

/// Fills `map` (images, rows·size, cols·size) as f32 from rows of `pitch` values. What is no number stays none.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn map(
    queue: &dyn Queue,
    storage: Storage,
    (shape, pitch): (Shape, usize),
    values: Values,
    reduction: Reduction,
    map: Address,
) -> Result<(), Fault> {
    let pixels = shape.rows * shape.cols * shape.size * shape.size;
    let [channels, rows, cols, size, pitch] = [shape.channels, shape.rows, shape.cols, shape.size, pitch].map(|n| n as i32);
    let (none, reduction) = (Address::NONE, code(reduction));
    let statistic = if let Values::Moments { statistic, .. } = values { statistic } else { Statistic::Mean };
    let (gradients, unscale, times) = match values {
        Values::Gradients { at, unscale, times } => (at, unscale, times),
        _ => (none, 1.0, none),
    };
    let (values, squares, share) = match values {
        Values::Gradients { .. } => (none, none, 1.0),
        Values::Sum(sum) => (sum, none, 1.0),
        Values::Moments { mean, squares, samples, .. } => (mean, squares, 1.0 / samples as f32),
    };
    let statistic = match statistic {
        Statistic::Mean => 0,
        Statistic::MeanSquare => 1,
        Statistic::Variance => 2,
    };
    let arguments =
        SaliencyMap { gradients, values, squares, times, map, channels, rows, cols, size, pitch, statistic, reduction, unscale, share };
    run(queue, ("saliency", storage, "saliency_map"), ([pixels.div_ceil(256), shape.images, 1], 256, 0), &arguments)
}

fn over_values(queue: &dyn Queue, storage: Storage, kernel: &'static str, arguments: Saliency) -> Result<(), Fault> {
    run(queue, ("saliency", storage, kernel), ([(arguments.count as usize).div_ceil(256), 1, 1], 256, 0), &arguments)
}

fn totals(queue: &dyn Queue, storage: Storage, samples: usize, arguments: &Saliency) -> Result<(), Fault> {
    run(queue, ("saliency", storage, "saliency_totals"), ([samples, 1, 1], PARTS, 0), arguments)
}

fn code(reduction: Reduction) -> i32 {
    match reduction {
        Reduction::MaxAbs => 0,
        Reduction::Length => 1,
        Reduction::Sum => 2,
    }
}
