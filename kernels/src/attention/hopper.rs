//! Launches of `cuda_hopper.cu`: attention forward by warpgroups, for capability 90 and storage of 16 bits.
//!
//! These kernels have met no hardware. A device takes them where they are asked for by name ([`products`](crate::cuda::products)), and
//! after [`agrees`] has proven them there against those of `cuda.cu`.

use super::Shape;
use super::cuda::{AttentionForward, own, scale};
use crate::check::seeded;
use crate::cuda::{Address, Fault, Queue, Storage, decode, encode, run};
use crate::linear::hopper::near;

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
fn exists(queue: &dyn Queue, storage: Storage, head_width: usize) -> bool {
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

/// Relative to the largest: contexts are rounded to their storage, log-sum-exps are f32 and differ in the order of sums alone.
const CONTEXTS_APART: f32 = 2e-2;
const SUMS_APART: f32 = 1e-4;

/// Whether heads of this width, with one to three warpgroups, give on this device what the twin in `cuda.cu` gives; false also where
/// there is no such kernel.
///
/// Synchronises; for a device's first use, not while launches are recorded. A kernel that a device cannot bear ends in its fault.
///
/// # Errors
/// As for [`Queue::allocate`], [`Queue::launch`] and [`Queue::download`].
pub fn agrees(queue: &dyn Queue, storage: Storage, head_width: usize) -> Result<bool, Fault> {
    if !exists(queue, storage, head_width) {
        return Ok(false);
    }
    // More than one block and tile, none of them whole.
    let shape = Shape { images: 2, tokens: 210, heads: 2, head_width };
    let bytes = [shape.qkv_len() * storage.bytes(), shape.context_len() * storage.bytes(), shape.log_sum_exp_len() * 4];
    let at = queue.allocate(bytes.iter().map(|bytes| bytes.next_multiple_of(256)).sum())?;
    let agreed = compared(queue, storage, shape, at, bytes);
    queue.free(at);
    agreed
}

fn compared(queue: &dyn Queue, storage: Storage, shape: Shape, qkv: Address, bytes: [usize; 3]) -> Result<bool, Fault> {
    let after = |at: Address, bytes: usize| Address(at.0 + bytes.next_multiple_of(256) as u64);
    let context = after(qkv, bytes[0]);
    let log_sum_exp = after(context, bytes[1]);
    let values: Vec<f32> = seeded::<f32>(3, shape.qkv_len()).iter().map(|value| 2.0 * value).collect();
    queue.upload(qkv, &encode(storage, &values))?;
    let (tokens, heads) = (shape.tokens as i32, shape.heads as i32);
    let arguments = AttentionForward { qkv, context, log_sum_exp, tokens, heads, scale: scale(shape.head_width) };
    let results = |start: &dyn Fn() -> Result<(), Fault>| {
        let (mut contexts, mut sums) = (vec![0xff; bytes[1]], vec![0xff; bytes[2]]);
        queue.upload(context, &contexts)?;
        queue.upload(log_sum_exp, &sums)?;
        start()?;
        queue.download(context, &mut contexts)?;
        queue.download(log_sum_exp, &mut sums)?;
        Ok((decode::<f32>(storage, &contexts), decode::<f32>(Storage::F32, &sums)))
    };
    let twin = results(&|| own(queue, storage, shape, arguments))?;
    for groups in [1, 2, 3] {
        let found = results(&|| launch(queue, storage, shape, groups, arguments).map(|_| ()))?;
        if !near(&found.0, &twin.0, CONTEXTS_APART) || !near(&found.1, &twin.1, SUMS_APART) {
            return Ok(false);
        }
    }
    Ok(true)
}
