//! The launch of `cuda_fused.cu`.

use super::tile_bytes;
use crate::attention::Shape;
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda_fused.cu`.
    AttentionFused {
        /// (images, tokens, 3·width).
        qkv: Address,
        /// (images, tokens, width).
        context: Address,
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

/// Context, log-sum-exp and the map fused over heads, as [`crate::attention::forward`] makes them with a map; a block owns `queries`
/// queries, which [`super::MapLaunch`] chooses, and there are no more tokens than it says.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn forward_with_map(queue: &dyn Queue, storage: Storage, shape: Shape, queries: usize, arguments: AttentionFused) -> Result<(), Fault> {
    let is_long = shape.tokens > fused_stages(storage, shape.head_width, false) * fused_keys(storage);
    let kernel = match (shape.head_width, is_long) {
        (32, false) => "attention_fused_32",
        (64, false) => "attention_fused_64",
        (80, false) => "attention_fused_80",
        (_, false) => "attention_fused_128",
        (32, true) => "attention_fused_long_32",
        (64, true) => "attention_fused_long_64",
        (80, true) => "attention_fused_long_80",
        (_, true) => "attention_fused_long_128",
    };
    let how = ([shape.tokens.div_ceil(queries), shape.images, 1], 4 * queries, fused_bytes(storage, shape, queries));
    run(queue, ("attention_fused", storage, kernel), how, &arguments)
}

/// Keys of a stage.
pub(super) fn fused_keys(storage: Storage) -> usize {
    if storage == Storage::F32 { 32 } else { 64 }
}

/// Stages whose probabilities a kernel holds, the short or the long one.
pub(super) fn fused_stages(storage: Storage, head_width: usize, is_long: bool) -> usize {
    match (head_width, is_long, storage) {
        (80 | 128, false, _) | (128, true, Storage::F32) => 5,
        (80, true, Storage::F32) => 9,
        (128, true, _) => 8,
        (_, true, _) => 10,
        _ => 4,
    }
}

/// Queries twice, two stages of keys and values, a softmax for each half of a query's keys, and the map.
pub(super) fn fused_bytes(storage: Storage, shape: Shape, queries: usize) -> usize {
    let tiles = tile_bytes(storage, shape, 2 * queries + 4 * fused_keys(storage));
    tiles + 16 * queries + 4 * queries * shape.tokens.next_multiple_of(8)
}
