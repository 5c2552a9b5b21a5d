//! Launches of `cuda_backward.cu`.

use super::{is_before_ampere, tile_bytes};
use crate::attention::{RowRule, Shape};
use crate::cuda::modules::instructions;
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

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
        /// (images, tokens) as f32: what the step is added to.
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

/// What the way back reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct Backward {
    /// (images, tokens, 3·width).
    pub qkv: Address,
    /// (images, tokens, width).
    pub context: Address,
    /// (images, tokens, width).
    pub dcontext: Address,
    /// (images, tokens, heads) as f32.
    pub log_sum_exp: Address,
    /// Scratch, (images, tokens, heads) as f32.
    pub dots: Address,
    /// (images, tokens, 3·width).
    pub dqkv: Address,
    /// What turns scores into powers of two: [`super::scale`] of a head's width before it was filled up.
    pub scale: f32,
    /// What is gathered on the way, if anything.
    pub row: Option<Row>,
}

/// A row over tokens that goes through the maps on the way back: `next ← base + unscale·step`.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What the step is made of.
    pub rule: RowRule,
    /// (images, tokens) as f32.
    pub at: Address,
    /// Scratch, (images, heads, tokens) as f32.
    pub steps: Address,
    /// (images, tokens) as f32: what the step is added to; the row itself, or what other layers gave.
    pub base: Address,
    /// (images, tokens) as f32; may be `base`.
    pub next: Address,
    /// Of the step, where gradients come scaled.
    pub unscale: f32,
}

/// A rule as kernels have it.
pub fn rule_code(rule: RowRule) -> i32 {
    match rule {
        RowRule::Relevance => 0,
        RowRule::Attention => 1,
        RowRule::PositiveGradient => 2,
    }
}

/// Gradients at queries, keys and values, and a row, as [`crate::attention::backward`].
///
/// # Errors
/// As for [`Queue::launch`].
pub fn backward(queue: &dyn Queue, storage: Storage, shape: Shape, of: Backward) -> Result<(), Fault> {
    let [dots, of_keys, of_queries] = match shape.head_width {
        32 => ["attention_dots_32", "attention_backward_keys_32", "attention_backward_queries_32"],
        64 => ["attention_dots_64", "attention_backward_keys_64", "attention_backward_queries_64"],
        80 => ["attention_dots_80", "attention_backward_keys_80", "attention_backward_queries_80"],
        _ => ["attention_dots_128", "attention_backward_keys_128", "attention_backward_queries_128"],
    };
    let Shape { images, tokens, heads, .. } = shape;
    let arguments = arguments(shape, of);
    let start = |kernel, how| run(queue, ("attention_backward", storage, kernel), how, &arguments);
    start(dots, ([(images * tokens * heads).div_ceil(4), 1, 1], 128, 0))?;
    let (rows, count) = backward_tiles(queue, storage, shape.head_width);
    let of_queries_too = 2 * 64 * 12;
    let how = ([tokens.div_ceil(rows), heads, images], 2 * rows, tile_bytes(storage, shape, 2 * rows + 4 * count) + of_queries_too);
    start(of_keys, how)?;
    start(of_queries, how)?;
    if of.row.is_none() {
        return Ok(());
    }
    start("attention_row_step", ([(images * tokens).div_ceil(128), 1, 1], 128, 0))
}

fn arguments(shape: Shape, of: Backward) -> AttentionBackward {
    const NONE: Address = Address::NONE;
    let Backward { qkv, context, dcontext, log_sum_exp, dots, dqkv, scale, row } = of;
    let [images, tokens, heads] = [shape.images, shape.tokens, shape.heads].map(|count| count as i32);
    let none = Row { rule: RowRule::default(), at: NONE, steps: NONE, base: NONE, next: NONE, unscale: 1.0 };
    let Row { rule, at: row, steps: row_steps, base, next: next_row, unscale } = row.unwrap_or(none);
    let rule = rule_code(rule);
    AttentionBackward {
        qkv,
        context,
        dcontext,
        log_sum_exp,
        dots,
        dqkv,
        row,
        row_steps,
        base,
        next_row,
        images,
        tokens,
        heads,
        scale,
        unscale,
        rule,
    }
}

/// Rows that a block of the backward pass keeps, and rows that stream by.
fn backward_tiles(queue: &dyn Queue, storage: Storage, head_width: usize) -> (usize, usize) {
    match (storage, head_width) {
        (Storage::F32, 128) => (if is_before_ampere(queue, storage) { 16 } else { 32 }, 16),
        (Storage::F32, 80) if is_before_ampere(queue, storage) => (32, 16),
        (Storage::F32, _) | (_, 128) => (64, 16),
        (_, 80) => (64, if instructions(storage, queue.capability()) == 75 { 32 } else { 48 }),
        _ => (64, 64),
    }
}
