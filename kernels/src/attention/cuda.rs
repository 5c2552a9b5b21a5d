//! Launches of `cuda.cu`, `cuda_map.cu`, `cuda_fused.cu` and `cuda_backward.cu`, for heads of 32, 64, 80 and 128 values.

mod backward;
mod fused;
mod plan;

pub use backward::{AttentionBackward, Backward, Row, backward, rule_code};
pub use fused::{AttentionFused, forward_with_map};
pub use plan::{Chip, MapLaunch};

use fused::{fused_bytes, fused_keys, fused_stages};

use super::{HeadFusion, Shape};
use crate::cuda::modules::instructions;
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda.cu`.
    AttentionForward {
        /// (images, tokens, 3·width).
        qkv: Address,
        /// (images, tokens, width).
        context: Address,
        /// (images, tokens, heads) as f32.
        log_sum_exp: Address,
        /// Of an image.
        tokens: i32,
        /// Of a token.
        heads: i32,
        /// Turns scores into powers of two.
        scale: f32,
    }
}

arguments! {
    /// As in `cuda_map.cu`.
    AttentionMap {
        /// (images, tokens, 3·width).
        qkv: Address,
        /// (images, tokens, heads) as f32.
        log_sum_exp: Address,
        /// (images, tokens, tokens).
        map: Address,
        /// Of an image.
        tokens: i32,
        /// Of a token.
        heads: i32,
        /// Turns scores into powers of two.
        scale: f32,
        /// How heads become one.
        fusion: i32,
    }
}

/// What turns scores of heads of `width` values into powers of two.
pub fn scale(width: usize) -> f32 {
    (std::f64::consts::LOG2_E / (width as f64).sqrt()) as f32
}

/// The width of heads that kernels have for heads of `width` values: they are filled up with zeros, which change no score and no map.
///
/// ```
/// assert_eq!(kernels::attention::cuda::filled_width(72), Some(80));
/// assert_eq!(kernels::attention::cuda::filled_width(129), None);
/// ```
pub fn filled_width(width: usize) -> Option<usize> {
    [32, 64, 80, 128].into_iter().find(|most| width <= *most)
}

/// Context and log-sum-exp, as [`super::forward`]: the way that the queue has for it, else [`own`].
///
/// # Errors
/// As for [`Queue::launch`].
pub fn forward(queue: &dyn Queue, storage: Storage, shape: Shape, arguments: AttentionForward) -> Result<(), Fault> {
    if queue.attention(storage, shape, arguments)? { Ok(()) } else { own(queue, storage, shape, arguments) }
}

/// The same with the kernels of `cuda.cu`.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn own(queue: &dyn Queue, storage: Storage, shape: Shape, arguments: AttentionForward) -> Result<(), Fault> {
    let kernel = match shape.head_width {
        32 => "attention_forward_32",
        64 => "attention_forward_64",
        80 => "attention_forward_80",
        _ => "attention_forward_128",
    };
    let (queries, keys) = tiles(queue, storage, shape);
    let how = ([shape.tokens.div_ceil(queries), shape.heads, shape.images], 2 * queries, tile_bytes(storage, shape, queries + 4 * keys));
    run(queue, ("attention", storage, kernel), how, &arguments)
}

/// A map fused over heads, as [`super::fused_map`].
///
/// # Errors
/// As for [`Queue::launch`].
pub fn fused_map(queue: &dyn Queue, storage: Storage, shape: Shape, arguments: AttentionMap) -> Result<(), Fault> {
    let kernel = match shape.head_width {
        32 => "attention_map_32",
        64 => "attention_map_64",
        80 => "attention_map_80",
        _ => "attention_map_128",
    };
    let (queries, keys) = tiles(queue, storage, shape);
    let grid = [shape.tokens.div_ceil(queries), shape.tokens.div_ceil(keys), shape.images];
    let how = (grid, 2 * queries, tile_bytes(storage, shape, 2 * (queries + keys)));
    run(queue, ("attention_map", storage, kernel), how, &arguments)
}

/// What `cuda_map.cu` calls a fusion.
pub fn code(fusion: HeadFusion) -> i32 {
    match fusion {
        HeadFusion::Mean => 0,
        HeadFusion::Max => 1,
        HeadFusion::Min => 2,
    }
}

/// What a kernel calls `BEFORE_AMPERE`: its tiles are smaller, for 64 KiB of shared memory.
fn is_before_ampere(queue: &dyn Queue, storage: Storage) -> bool {
    instructions(storage, queue.capability()) < 80
}

/// Queries of a block, and keys of a tile.
fn tiles(queue: &dyn Queue, storage: Storage, shape: Shape) -> (usize, usize) {
    match (storage, shape.head_width) {
        (Storage::F32, 128) => (if is_before_ampere(queue, storage) { 32 } else { 64 }, 16),
        (Storage::F32, 80) => (64, 16),
        (Storage::F32, _) => (64, 32),
        (_, 128) => (64, if is_before_ampere(queue, storage) { 32 } else { 64 }),
        _ => (64, 64),
    }
}

/// Bytes of so many rows of shared memory, each 16 longer than a head.
fn tile_bytes(storage: Storage, shape: Shape, rows: usize) -> usize {
    rows * (shape.head_width * storage.bytes() + 16)
}
