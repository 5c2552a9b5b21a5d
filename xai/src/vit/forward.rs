//! The forward pass, and what it keeps.

use kernels::Real;
use kernels::attention::{Fused, HeadFusion};

use super::arena::Arena;
use super::block::{self, BlockTape};
use super::config::VitConfig;
use super::embedding::{self, Pixels};
use super::extent::Extent;
use super::leading;
use super::pooling;
use super::weights::Weights;
use crate::{Error, cancellation};

/// What a pass keeps of its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Keep {
    /// Nothing.
    Nothing,
    /// The map of every block, fused over heads.
    Fused(HeadFusion),
    /// Q, K, V and log-sum-exp: every map can be made again.
    Attention,
    /// All that a backward pass needs.
    Everything,
}

/// The results of a forward pass.
#[derive(Debug)]
pub(crate) struct Pass<T> {
    pub extent: Extent,
    /// (B, classes); empty without a head.
    pub logits: Vec<T>,
    /// What the head reads, (B, pooled width).
    pub pooled: Vec<T>,
    /// The last block's input (B, N, D) and its attention's context (B, N, A), from which every token can be finished;
    /// empty where the last block's tape has them.
    pub unfinished: (Vec<T>, Vec<T>),
    /// The tokens that the head reads before the last norm, (B, R, D); empty unless everything is kept.
    pub last: Vec<T>,
    /// One tape a block, as far as it is kept.
    pub blocks: Vec<BlockTape<T>>,
    /// One fused map (B, N, N) a block, if asked for.
    pub fused: Vec<Vec<T>>,
}

/// Runs the pass on a thread of the pool, so that its many short parallel steps need not wake the pool each time.
pub(crate) fn run<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    pixels: &Pixels<T>,
    keep: Keep,
    arena: &mut Arena<T>,
) -> Result<Pass<T>, Error> {
    rayon::scope(|_| run_in_pool(config, weights, pixels, keep, arena))
}

fn run_in_pool<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    pixels: &Pixels<T>,
    keep: Keep,
    arena: &mut Arena<T>,
) -> Result<Pass<T>, Error> {
    let tokens = config.special_tokens.count() + pixels.patches.count();
    let extent = Extent::new(config, pixels.images, tokens);
    let read = leading::read_by_head(config, extent);
    let mut x = embedding::forward(config, weights, pixels, &mut arena.workspace)?; // (B, N, D)
    let mut kept = Kept { blocks: Vec::new(), fused: Vec::new() };
    let (last, before) = weights.blocks.split_last().unwrap_or_else(|| unreachable!("no configuration without blocks is accepted"));
    for block in before {
        cancellation::check()?;
        kept.make_room(keep, extent, extent, arena);
        let (tape, fused) = kept.newest(keep);
        block::forward(extent, block, &mut x, tape, arena, fused)?;
    }
    cancellation::check()?;
    kept.make_room(keep, extent, read, arena);
    let (tape, fused) = kept.newest(keep);
    block::attend(extent, last, &x, tape, arena, fused)?;
    let context = if tape.context.is_empty() { arena.scratch.context[..extent.len(extent.inner())].to_vec() } else { Vec::new() };
    let there = if tape.context.is_empty() { &context } else { &tape.context };
    let mut y = leading::gather(&x, extent, read, extent.width)?; // (B, R, D)
    let there = leading::gather(there, extent, read, extent.inner())?;
    block::finish(read, last, &there, &mut y, (&mut tape.middle, &mut tape.hidden), arena)?;
    let pooled = pooling::forward(config, weights, read, &y)?; // (B, pooled)
    let logits = weights.head.forward(&pooled, &mut arena.workspace)?; // (B, C)
    let everything = keep == Keep::Everything;
    let unfinished = if everything { Default::default() } else { (x, context) };
    let Kept { blocks, fused } = kept;
    Ok(Pass { extent, logits, pooled, unfinished, last: if everything { y } else { Vec::new() }, blocks, fused })
}

/// Every token after the last norm, (B, N, D); before it where the norm stands after pooling.
pub(crate) fn tokens<T: Real>(config: &VitConfig, weights: &Weights<T>, pass: &Pass<T>, arena: &mut Arena<T>) -> Result<Vec<T>, Error> {
    let Some(tape) = pass.blocks.last() else { return Ok(Vec::new()) };
    let (x, context) = if tape.input.is_empty() { (&pass.unfinished.0, &pass.unfinished.1) } else { (&tape.input, &tape.context) };
    finished(config, weights, pass.extent, (x.clone(), context), arena)
}

/// The same from the last block's input (B, N, D) and its attention's context (B, N, A).
pub(crate) fn finished<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    extent: Extent,
    (mut x, context): (Vec<T>, &[T]),
    arena: &mut Arena<T>,
) -> Result<Vec<T>, Error> {
    let Some(block) = weights.blocks.last() else { return Ok(Vec::new()) };
    block::finish(extent, block, context, &mut x, (&mut [], &mut []), arena)?;
    pooling::tokens(config, weights, extent, x)
}

/// What is kept of the blocks so far.
struct Kept<T> {
    blocks: Vec<BlockTape<T>>,
    fused: Vec<Vec<T>>,
}

impl<T: Real> Kept<T> {
    /// Room for what the next block leaves behind; behind its attention that of the tokens in `finished`.
    fn make_room(&mut self, keep: Keep, extent: Extent, finished: Extent, arena: &mut Arena<T>) {
        self.blocks.push(match keep {
            Keep::Nothing | Keep::Fused(_) => BlockTape::empty(),
            Keep::Attention => BlockTape::of_maps(extent),
            Keep::Everything => BlockTape::full(extent, finished, arena.spare.pop().unwrap_or_default()),
        });
        self.fused.push(match keep {
            Keep::Fused(_) => vec![T::ZERO; extent.attention().fused_len()],
            _ => Vec::new(),
        });
    }

    /// The newest block's tape, and its fused map where one is kept.
    fn newest(&mut self, keep: Keep) -> (&mut BlockTape<T>, Option<Fused<'_, T>>) {
        let (at, map) = (self.blocks.len() - 1, self.fused.last_mut());
        let fused = match (keep, map) {
            (Keep::Fused(fusion), Some(map)) => Some(Fused { fusion, map }),
            _ => None,
        };
        (&mut self.blocks[at], fused)
    }
}
