//! Launches of `cuda_hopper.cu`: attention forward by warpgroups, for capability 90 and storage of 16 bits.
//!
//! These kernels have met no hardware. A device takes them where they are asked for by name ([`products`](crate::cuda::products)), and
//! after they were [proven](crate::cuda::proof::warpgroups) there against those of `cuda.cu`.

use super::Shape;
use super::cuda::AttentionForward;
use crate::cuda::{Fault, Queue, Storage, run};

/// Queries of a warpgroup.
const QUERIES: usize = 64;
/// Keys of a tile.
const KEYS: usize = 80;

/// How many warpgroups of a block share its keys and values.
///
/// As many as fill the device and leave the fewest of their queries empty: which is predicted, not measured. None where the twin in
/// `cuda.cu` does the work: other devices, f32, other heads, and fewer tokens than a warpgroup has queries.
pub fn warpgroups(queue: &dyn Queue, storage: Storage, shape: Shape) -> Option<usize> {
    if !exists(queue, storage, shape.head_width) || shape.tokens < QUERIES {
        return None;
    }
    let blocks = |groups: usize| shape.tokens.div_ceil(QUERIES * groups);
    let fills = |groups: &usize| blocks(*groups) * shape.heads * shape.images >= queue.multiprocessors();
    Some([3, 2, 1].into_iter().filter(fills).min_by_key(|groups| blocks(*groups) * groups).unwrap_or(1))
}

/// Whether there is a kernel for this at all.
pub(crate) fn exists(queue: &dyn Queue, storage: Storage, head_width: usize) -> bool {
    queue.capability() == 90 && storage != Storage::F32 && [32, 64, 80, 128].contains(&head_width)
}

/// Context and log-sum-exp as [`super::cuda::forward`], if this is the way for it ([`warpgroups`]); false where it is not, and nothing
/// was started.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn forward(queue: &dyn Queue, storage: Storage, shape: Shape, arguments: AttentionForward) -> Result<bool, Fault> {
    let Some(groups) = warpgroups(queue, storage, shape) else { return Ok(false) };
    launch(queue, storage, shape, groups, arguments)
}

/// The same with so many warpgroups in a block, 1 to 3, and for any number of tokens: for proofs. False where there is no such kernel.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn launch(queue: &dyn Queue, storage: Storage, shape: Shape, groups: usize, arguments: AttentionForward) -> Result<bool, Fault> {
    if !exists(queue, storage, shape.head_width) {
        return Ok(false);
    }
    let kernel = match shape.head_width {
        32 => "attention_hopper_forward_32",
        64 => "attention_hopper_forward_64",
        80 => "attention_hopper_forward_80",
        _ => "attention_hopper_forward_128",
    };
    let shared = (groups * QUERIES + 4 * KEYS) * shape.head_width * 2 + 1024;
    let grid = [shape.tokens.div_ceil(groups * QUERIES), shape.heads, shape.images];
    run(queue, ("attention_hopper", storage, kernel), (grid, 128 * groups, shared), &arguments).map(|()| true)
}
