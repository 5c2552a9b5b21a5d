//! Kernels by warpgroups are held against their twins, in every tile that they have.
//!
//! Synchronises: for a device's first use, not while launches are recorded. A kernel that a device cannot bear ends in its fault.

use super::{Lent, Verdict, compared, gate, seed};
use crate::attention::cuda::{AttentionForward, own as own_attention, scale};
use crate::attention::{Shape, hopper as attention};
use crate::cuda::{Address, Fault, Queue, Storage};
use crate::linear::cuda::{Asked, Factors, Product, Scratch, Then, own as own_product};
use crate::linear::hopper::{self as linear, Tile};

/// Rows, columns and depth: more than one tile each way, none of them whole, and more steps than stages.
const EXTENTS: [usize; 3] = [150, 264, 392];

/// How far f32 sums of the same numbers may lie apart, in their order alone.
const IN_ORDER_ALONE: f64 = 5e-5;

/// Whether both tiles of this product give what the twin in `linear/cuda.cu` gives.
///
/// # Errors
/// As for [`Queue::allocate`], [`Queue::launch`] and [`Queue::download`].
pub fn product(queue: &dyn Queue, storage: Storage, product: Product) -> Result<Verdict, Fault> {
    let ([rows, columns, depth], seed) = (EXTENTS, seed());
    if !linear::exists(queue, storage, product) {
        return Ok(Verdict::Declines);
    }
    let left = Lent::of_numbers(queue, storage, seed, rows * depth)?;
    let right = Lent::of_numbers(queue, storage, seed.wrapping_add(1), columns * depth)?;
    let factors = Factors { left: left.at, right: right.at, bias: Address::NONE, extents: EXTENTS };
    let sums = |start: &dyn Fn(Then) -> Result<(), Fault>| {
        let wide = Lent::poisoned(queue, 4 * rows * columns)?;
        start(Then::Wide(wide.at))?;
        wide.read(Storage::F32, rows * columns)
    };
    let twin = sums(&|then| own_product(queue, &Asked { storage, product, factors, then }, Scratch { at: Address::NONE, values: 0 }))?;
    for tile in [Tile::Narrow, Tile::Wide] {
        let found = sums(&|then| linear::launch(queue, storage, product, tile, (factors, then)).map(|_| ()))?;
        if let Err(what) = compared(&found, &twin, IN_ORDER_ALONE) {
            return Ok(Verdict::Disagrees(format!("{product:?} in {storage}, tile {tile:?}: {what} (seed {seed})")));
        }
    }
    Ok(Verdict::Agrees(2))
}

/// Whether heads of this width, with one to three warpgroups, give what the twin in `attention/cuda.cu` gives.
///
/// # Errors
/// As for [`product`].
pub fn attention(queue: &dyn Queue, storage: Storage, head_width: usize) -> Result<Verdict, Fault> {
    // More than one block and tile, none of them whole.
    let (shape, seed) = (Shape { images: 2, tokens: 210, heads: 2, head_width }, seed());
    if !attention::exists(queue, storage, head_width) {
        return Ok(Verdict::Declines);
    }
    let qkv = Lent::of_numbers(queue, storage, seed, shape.qkv_len())?;
    let results = |start: &dyn Fn(AttentionForward) -> Result<(), Fault>| {
        let context = Lent::poisoned(queue, storage.bytes() * shape.context_len())?;
        let sums = Lent::poisoned(queue, 4 * shape.log_sum_exp_len())?;
        let (qkv, [tokens, heads]) = (qkv.at, [shape.tokens, shape.heads].map(|count| count as i32));
        start(AttentionForward { qkv, context: context.at, log_sum_exp: sums.at, tokens, heads, scale: 4.0 * scale(head_width) })?;
        Ok((context.read(storage, shape.context_len())?, sums.read(Storage::F32, shape.log_sum_exp_len())?))
    };
    let twin = results(&|arguments| own_attention(queue, storage, shape, arguments))?;
    for groups in [1, 2, 3] {
        let found = results(&|arguments| attention::launch(queue, storage, shape, groups, arguments).map(|_| ()))?;
        let agreed = compared(&found.0, &twin.0, gate(storage)).and_then(|()| compared(&found.1, &twin.1, IN_ORDER_ALONE));
        if let Err(what) = agreed {
            return Ok(Verdict::Disagrees(format!("heads of {head_width} in {storage}, {groups} warpgroups: {what} (seed {seed})")));
        }
    }
    Ok(Verdict::Agrees(3))
}
