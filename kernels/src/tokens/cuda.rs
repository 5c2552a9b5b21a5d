//! Launches of `cuda.cu`.

use super::{Part, Shape};
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda.cu`.
    Join {
        /// (images, tokens − special, width).
        patches: Address,
        /// (special, width) as f32, positions added.
        special_rows: Address,
        /// (tokens − special, width) as f32.
        positions: Address,
        /// (images, tokens, width).
        tokens: Address,
        /// In the batch.
        images: i32,
        /// Tokens of an image.
        count: i32,
        /// Tokens before the patches.
        special: i32,
        /// Of a token.
        width: i32,
    }
}

arguments! {
    /// As in `cuda.cu`.
    Cut {
        /// (images, `from_tokens`, width).
        from: Address,
        /// (images, `to_tokens`, width).
        to: Address,
        /// In the batch.
        images: i32,
        /// Tokens there are.
        from_tokens: i32,
        /// Tokens of the result.
        to_tokens: i32,
        /// The first that is taken.
        first: i32,
        /// Of a token.
        width: i32,
    }
}

arguments! {
    /// As in `cuda.cu`.
    Pool {
        /// (images, count, width), or the gradient there.
        tokens: Address,
        /// (images, parts, width) as f32, or the gradient there.
        pooled: Address,
        /// In the batch.
        images: i32,
        /// Tokens of an image.
        count: i32,
        /// Of a token.
        width: i32,
        /// How many, 1 or 2.
        parts: i32,
        /// Where each begins.
        first: [i32; 2],
        /// Tokens of each.
        length: [i32; 2],
        /// Of gradients at tokens.
        scale: f32,
    }
}

/// As [`super::join`].
///
/// # Errors
/// As for [`Queue::launch`], and so for all here.
pub fn join(queue: &dyn Queue, storage: Storage, join: Join) -> Result<(), Fault> {
    let values = product([join.images, join.count, join.width]);
    run(queue, ("tokens", storage, "tokens_join"), packs(storage, values), &join)
}

/// As [`super::cut`].
///
/// # Errors
/// As for [`join`].
pub fn cut(queue: &dyn Queue, storage: Storage, cut: Cut) -> Result<(), Fault> {
    let values = product([cut.images, cut.to_tokens, cut.width]);
    run(queue, ("tokens", storage, "tokens_cut"), packs(storage, values), &cut)
}

/// As [`super::pool`], of at most two parts.
///
/// # Errors
/// As for [`join`].
pub fn pool(queue: &dyn Queue, storage: Storage, shape: Shape, parts: &[Part], (tokens, pooled): (Address, Address)) -> Result<(), Fault> {
    let how = ([(shape.images * parts.len() * shape.width).div_ceil(256), 1, 1], 256, 0);
    run(queue, ("tokens", storage, "tokens_pool"), how, &structure(shape, parts, tokens, pooled, 1.0))
}

/// As [`super::pool_backward`], times `scale`.
///
/// # Errors
/// As for [`join`].
pub fn pool_backward(
    queue: &dyn Queue,
    storage: Storage,
    shape: Shape,
    parts: &[Part],
    (dpooled, dtokens): (Address, Address),
    scale: f32,
) -> Result<(), Fault> {
    let arguments = structure(shape, parts, dtokens, dpooled, scale);
    run(queue, ("tokens", storage, "tokens_pool_backward"), packs(storage, shape.total()), &arguments)
}

fn structure(shape: Shape, parts: &[Part], tokens: Address, pooled: Address, scale: f32) -> Pool {
    let of = |get: fn(&Part) -> usize| [0, 1].map(|part| parts.get(part).map_or(0, |part| get(part) as i32));
    let Shape { images, tokens: count, width } = shape;
    let [images, count, width, there] = [images, count, width, parts.len()].map(|n| n as i32);
    Pool { tokens, pooled, images, count, width, parts: there, first: of(|part| part.first), length: of(|part| part.count), scale }
}

fn product(extents: [i32; 3]) -> usize {
    extents.iter().map(|&extent| extent as usize).product()
}

/// A thread for each pack.
fn packs(storage: Storage, values: usize) -> ([usize; 3], usize, usize) {
    ([(values / storage.pack()).div_ceil(256), 1, 1], 256, 0)
}
