//! The forward pass, and what it keeps.

use kernels::Real;
use kernels::attention::{Fused, HeadFusion};

use super::arena::Arena;
use super::block::{self, BlockTape};
use super::config::VitConfig;
use super::embedding::{self, Pixels};
use super::extent::Extent;
use super::pooling::{self, Features};
use super::weights::Weights;
use crate::{Error, cancellation};

/// What a pass keeps of its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Every token after the last norm, (B, N, D); before it where the norm stands after pooling.
    pub tokens: Vec<T>,
    /// Every token before the last norm, (B, N, D); empty unless everything is kept.
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
    let mut x = embedding::forward(config, weights, pixels, &mut arena.workspace)?; // (B, N, D)
    let (blocks, fused) = run_blocks(weights, extent, &mut x, keep, arena)?;
    let Features { tokens, pooled } = pooling::forward(config, weights, extent, &x)?; // (B, N, D), (B, pooled)
    let logits = weights.head.forward(&pooled, &mut arena.workspace)?; // (B, C)
    let last = if keep == Keep::Everything { x } else { Vec::new() };
    Ok(Pass { extent, logits, pooled, tokens, last, blocks, fused })
}

type Kept<T> = (Vec<BlockTape<T>>, Vec<Vec<T>>);

fn run_blocks<T: Real>(weights: &Weights<T>, extent: Extent, x: &mut [T], keep: Keep, arena: &mut Arena<T>) -> Result<Kept<T>, Error> {
    let (mut tapes, mut maps) = (Vec::new(), Vec::new());
    for block in &weights.blocks {
        cancellation::check()?;
        let mut tape = match keep {
            Keep::Nothing | Keep::Fused(_) => BlockTape::empty(),
            Keep::Attention => BlockTape::of_maps(extent),
            Keep::Everything => BlockTape::full(extent, arena.spare.pop().unwrap_or_default()),
        };
        let mut map = match keep {
            Keep::Fused(_) => vec![T::ZERO; extent.attention().fused_len()],
            _ => Vec::new(),
        };
        let fused = if let Keep::Fused(fusion) = keep { Some(Fused { fusion, map: &mut map }) } else { None };
        block::forward(extent, block, x, &mut tape, arena, fused)?;
        tapes.push(tape);
        maps.push(map);
    }
    Ok((tapes, maps))
}
