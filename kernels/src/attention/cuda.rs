//! Launches of `cuda.cu`, `cuda_map.cu`, `cuda_fused.cu` and `cuda_backward.cu`, for heads of 32, 64, 80 and 128 values.

mod fused;
mod plan;

pub use fused::{AttentionFused, forward_with_map};
pub use plan::{Chip, MapLaunch};

use fused::{fused_bytes, fused_keys, fused_stages};

use super::{HeadFusion, RowRule, Shape};
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

arguments! {
    /// As in `cuda_backward.cu`.
    AttentionBackward {
        /// (images, tokens, 3·width).
        qkv: Address,
        /// (images, tokens, width).
        context: Address,
        /// (images, tokens, width).
        dcontext: Address,
        /// (images, tokens, heads) as f32.
        log_sum_exp: Address,
        /// (images, tokens, heads) as f32: made on the way.
        dots: Address,
        /// (images, tokens, 3·width).
        dqkv: Address,
        /// (images, tokens) as f32; or none.
        row: Address,
        /// (images, heads, tokens) as f32: made on the way.
        row_steps: Address,
        /// (images, tokens) as f32: what the step is added to; the row itself, or what other layers gave.
        base: Address,
        /// (images, tokens) as f32: the sum; may be `base`.
        next_row: Address,
        /// In the batch.
        images: i32,
        /// Of an image.
        tokens: i32,
        /// Of a token.
        heads: i32,
        /// Turns scores into powers of two.
        scale: f32,
        /// Of the step, where gradients come scaled.
        unscale: f32,
        /// What the row gathers: [`rule_code`].
        rule: i32,
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

/// A rule as kernels have it.
pub fn rule_code(rule: RowRule) -> i32 {
    match rule {
        RowRule::Relevance => 0,
        RowRule::Attention => 1,
        RowRule::PositiveGradient => 2,
    }
}

/// Gradients at queries, keys and values, and a row, as [`super::backward`].
///
/// # Errors
/// As for [`Queue::launch`].
pub fn backward(queue: &dyn Queue, storage: Storage, shape: Shape, arguments: AttentionBackward) -> Result<(), Fault> {
    let [dots, of_keys, of_queries] = match shape.head_width {
        32 => ["attention_dots_32", "attention_backward_keys_32", "attention_backward_queries_32"],
        64 => ["attention_dots_64", "attention_backward_keys_64", "attention_backward_queries_64"],
        80 => ["attention_dots_80", "attention_backward_keys_80", "attention_backward_queries_80"],
        _ => ["attention_dots_128", "attention_backward_keys_128", "attention_backward_queries_128"],
    };
    let start = |kernel, how| run(queue, ("attention_backward", storage, kernel), how, &arguments);
    let Shape { images, tokens, heads, .. } = shape;
    start(dots, ([(images * tokens * heads).div_ceil(4), 1, 1], 128, 0))?;
    let (rows, count) = backward_tiles(queue, storage, shape.head_width);
    let of_queries_too = 2 * 64 * 12;
    let how = ([tokens.div_ceil(rows), heads, images], 2 * rows, tile_bytes(storage, shape, 2 * rows + 4 * count) + of_queries_too);
    start(of_keys, how)?;
    start(of_queries, how)?;
    if !arguments.row.is_some() {
        return Ok(());
    }
    start("attention_row_step", ([(images * tokens).div_ceil(128), 1, 1], 128, 0))
}

/// Whether tiles have to be smaller, for 64 KiB of shared memory.
fn is_before_ampere(queue: &dyn Queue) -> bool {
    queue.capability() < 80
}

/// Rows that a block of the backward pass keeps, and rows that stream by.
fn backward_tiles(queue: &dyn Queue, storage: Storage, head_width: usize) -> (usize, usize) {
    match (storage, head_width) {
        (Storage::F32, 128) => (if is_before_ampere(queue) { 16 } else { 32 }, 16),
        (Storage::F32, 80) if is_before_ampere(queue) => (32, 16),
        (Storage::F32, _) | (_, 128) => (64, 16),
        (_, 80) => (64, if (75..80).contains(&queue.capability()) { 32 } else { 48 }),
        _ => (64, 64),
    }
}

/// Queries of a block, and keys of a tile.
fn tiles(queue: &dyn Queue, storage: Storage, shape: Shape) -> (usize, usize) {
    match (storage, shape.head_width) {
        (Storage::F32, 128) => (if is_before_ampere(queue) { 32 } else { 64 }, 16),
        (Storage::F32, 80) => (64, 16),
        (Storage::F32, _) => (64, 32),
        (_, 128) => (64, if is_before_ampere(queue) { 32 } else { 64 }),
        _ => (64, 64),
    }
}

/// Bytes of so many rows of shared memory, each 16 longer than a head.
fn tile_bytes(storage: Storage, shape: Shape, rows: usize) -> usize {
    rows * (shape.head_width * storage.bytes() + 16)
}
