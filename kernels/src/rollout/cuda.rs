//! Launches of `cuda.cu` where images fill the device and maps fit a block, of `cuda_rows.cu` where not.

use super::Normalise;
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda.cu`.
    Rollout {
        /// (layers, images, tokens, tokens).
        maps: Address,
        /// (images, tokens) as f32, replaced.
        row: Address,
        /// Layers of maps.
        layers: i32,
        /// In the batch.
        images: i32,
        /// Of an image.
        tokens: i32,
        /// Weight of the identity.
        residual: f32,
        /// What is divided.
        normalise: i32,
    }
}

arguments! {
    /// As in `cuda_rows.cu`.
    RolloutRows {
        /// (images, tokens, tokens).
        map: Address,
        /// (images, tokens) as f32.
        row: Address,
        /// (images, tokens) as f32.
        next: Address,
        /// (images, blocks, tokens) as f32.
        parts: Address,
        /// (images, tokens) as f32.
        sums: Address,
        /// Of an image.
        tokens: i32,
        /// Weight of the identity.
        residual: f32,
        /// What is divided.
        normalise: i32,
    }
}

/// Maps of layers, one after the other, and the row that is pushed through them from the last one down.
#[derive(Debug, Clone, Copy)]
pub struct Push {
    /// (layers, images, tokens, tokens).
    pub maps: Address,
    /// (images, tokens) as f32, replaced.
    pub row: Address,
    /// [`scratch`] bytes.
    pub scratch: Address,
    /// Layers of maps.
    pub layers: usize,
    /// In the batch.
    pub images: usize,
    /// Of an image.
    pub tokens: usize,
    /// Weight of the identity.
    pub residual: f32,
    /// What is divided.
    pub normalise: Normalise,
}

/// Rows of a map that a block takes.
const ROWS: usize = 32;

/// Bytes that [`push`] needs beside maps and row.
pub fn scratch(images: usize, tokens: usize) -> usize {
    4 * images * tokens * (tokens.div_ceil(ROWS) + 2)
}

/// Pushes the row through all layers.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn push(queue: &dyn Queue, storage: Storage, push: Push) -> Result<(), Fault> {
    // A block an image leaves most of the device idle unless there are about as many images as multiprocessors.
    if push.tokens <= 1408 && 2 * push.images >= queue.multiprocessors() {
        at_once(queue, storage, push)
    } else {
        in_rows(queue, storage, push)
    }
}

fn at_once(queue: &dyn Queue, storage: Storage, push: Push) -> Result<(), Fault> {
    let Push { maps, row, layers, images, tokens, residual, normalise, .. } = push;
    let (kernel, warps) = match tokens {
        ..=256 => ("rollout_256", 32),
        257..=640 => ("rollout_640", 32),
        _ => ("rollout_1408", 16),
    };
    let how = ([images, 1, 1], 32 * warps, (2 + warps / 2) * tokens * 4);
    let [layers, images, tokens] = [layers, images, tokens].map(|count| count as i32);
    run(queue, ("rollout", storage, kernel), how, &Rollout { maps, row, layers, images, tokens, residual, normalise: code(normalise) })
}

/// Layer by layer; the row goes to and fro between its own place and one of the scratch, and ends in its own.
fn in_rows(queue: &dyn Queue, storage: Storage, push: Push) -> Result<(), Fault> {
    let Push { images, tokens, residual, layers, .. } = push;
    let (blocks, line, map) = (tokens.div_ceil(ROWS), 4 * images * tokens, images * tokens * tokens * storage.bytes());
    let (sums, other, parts) = (push.scratch, push.scratch.plus(line), push.scratch.plus(2 * line));
    let mut places = [push.row, other];
    for layer in (0..layers).rev() {
        let [row, next] = places;
        let map = push.maps.plus(layer * map);
        let arguments = RolloutRows { map, row, next, parts, sums, tokens: tokens as i32, residual, normalise: code(push.normalise) };
        run(queue, ("rollout_rows", storage, "rollout_rows_parts"), ([blocks, images, 1], 256, 0), &arguments)?;
        run(queue, ("rollout_rows", storage, "rollout_rows_sum"), ([tokens.div_ceil(256), images, 1], 256, 0), &arguments)?;
        places = [next, row];
    }
    if places[0] == push.row {
        return Ok(());
    }
    // An odd number of layers leaves the row in the scratch.
    let how = ([tokens.div_ceil(256), images, 1], 256, 0);
    let [row, next] = places;
    let (map, tokens, normalise) = (Address::NONE, tokens as i32, code(push.normalise));
    run(
        queue,
        ("rollout_rows", storage, "rollout_rows_copy"),
        how,
        &RolloutRows { map, row, next, parts, sums, tokens, residual, normalise },
    )
}

/// As kernels number them.
pub(super) fn code(normalise: Normalise) -> i32 {
    match normalise {
        Normalise::Rows => 0,
        Normalise::ColumnsByRowSums => 1,
        Normalise::Nothing => 2,
    }
}
