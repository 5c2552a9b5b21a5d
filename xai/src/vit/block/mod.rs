//! One pre-norm block: `x ← x + s1·proj(attention(norm1(x)))`, then `x ← x + s2·fc2(act(fc1(norm2(x))))`.
//!
//! The heads together may be wider or narrower than a token; a block may end after its attention.
//! Norms are taken while rows are packed for a product, activations and residuals while its results are in the first cache.

pub(crate) mod backward;
mod tape;

use kernels::Real;
use kernels::attention::{self, Fused};
use kernels::linear::{self, Input, Then};

use super::arena::Arena;
use super::extent::Extent;
use super::layers::Tensor;
use super::weights::{Block, Mlp};
use crate::Error;
pub(crate) use tape::BlockTape;

/// Takes `x` (B, N, D) through the block and fills what there is of `tape`; the fused map is filled on the way.
pub(crate) fn forward<T: Real>(
    extent: Extent,
    block: &Block<T>,
    x: &mut [T],
    tape: &mut BlockTape<T>,
    arena: &mut Arena<T>,
    fused: Option<Fused<T>>,
) -> Result<(), Error> {
    attend(extent, block, x, tape, arena, fused)?;
    let context = std::mem::take(&mut arena.scratch.context);
    let there = if tape.context.is_empty() { &context[..extent.len(extent.inner())] } else { &tape.context };
    finish(extent, block, there, x, (&mut tape.middle, &mut tape.hidden), arena)?;
    arena.scratch.context = context;
    Ok(())
}

/// The block up to its attention: the context (B, N, A) comes to lie on the tape, or in the arena's scratch where the tape has no room.
pub(crate) fn attend<T: Real>(
    extent: Extent,
    block: &Block<T>,
    x: &[T],
    tape: &mut BlockTape<T>,
    arena: &mut Arena<T>,
    fused: Option<Fused<T>>,
) -> Result<(), Error> {
    let Arena { workspace, scratch, .. } = &mut *arena;
    keep(x, &mut tape.input);
    let qkv = room(&mut tape.qkv, scratch.qkv.at_least(extent.len(3 * extent.inner())));
    let log_sum_exp = room(&mut tape.log_sum_exp, scratch.log_sum_exp.at_least(extent.len(extent.heads)));
    let context = room(&mut tape.context, scratch.context.at_least(extent.len(extent.inner())));
    linear::forward(Input::Normed(x, block.norm1.affine(extent.eps)), block.qkv.layer(), Then::Store(qkv), workspace)?;
    Ok(attention::forward(extent.attention(), qkv, context, log_sum_exp, fused, workspace)?)
}

/// What follows attention works on each token by itself, so `x` (B, N, D) and `context` (B, N, A) may be those of some tokens only.
/// The tape's `middle` and `hidden` are filled where they have room.
pub(crate) fn finish<T: Real>(
    extent: Extent,
    block: &Block<T>,
    context: &[T],
    x: &mut [T],
    tape: (&mut [T], &mut [T]),
    arena: &mut Arena<T>,
) -> Result<(), Error> {
    let then = Then::Add { to: x, scale: scale_of(&block.scale1) };
    linear::forward(Input::Plain(context), block.projection.layer(), then, &mut arena.workspace)?;
    match &block.mlp {
        Some(mlp) => mlp_forward(extent, mlp, x, tape, arena),
        None => Ok(()),
    }
}

fn mlp_forward<T: Real>(
    extent: Extent,
    mlp: &Mlp<T>,
    x: &mut [T],
    (middle, before): (&mut [T], &mut [T]),
    arena: &mut Arena<T>,
) -> Result<(), Error> {
    let Arena { workspace, scratch, .. } = arena;
    keep(x, middle);
    let at_a_time = near::<T>(x.len() / extent.width, extent.intermediate);
    let mut befores = before.chunks_mut((at_a_time * extent.intermediate).max(1));
    for x in x.chunks_mut(at_a_time * extent.width) {
        let hidden = scratch.hidden.at_least(x.len() / extent.width * extent.intermediate);
        let then = Then::Activate { activation: extent.activation.into(), before: befores.next().unwrap_or_default(), after: hidden };
        linear::forward(Input::Normed(x, mlp.norm.affine(extent.eps)), mlp.fc1.layer(), then, workspace)?;
        let then = Then::Add { to: x, scale: scale_of(&mlp.scale) };
        linear::forward(Input::Plain(hidden), mlp.fc2.layer(), then, workspace)?;
    }
    Ok(())
}

/// How many of so many rows to take at a time, in even shares: what an MLP holds of them between its layers stays in the nearer caches.
fn near<T>(rows: usize, intermediate: usize) -> usize {
    const BYTES: usize = 7 << 20;
    let most = (BYTES / (size_of::<T>() * intermediate.max(1))).max(1);
    rows.div_ceil(rows.div_ceil(most).max(1)).max(1)
}

/// Copies the tokens onto a tape that has room for them.
fn keep<T: Real>(x: &[T], tape: &mut [T]) {
    tape.iter_mut().zip(x).for_each(|(tape, &x)| *tape = x);
}

/// The tape's own room, or the scratch where the tape has none.
fn room<'a, T>(tape: &'a mut [T], scratch: &'a mut [T]) -> &'a mut [T] {
    if tape.is_empty() { scratch } else { tape }
}

fn scale_of<T: Real>(scale: &Option<Tensor<T>>) -> Option<&[T]> {
    scale.as_ref().map(|scale| scale.data.as_slice())
}
