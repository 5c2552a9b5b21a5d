//! The forward pass, and what it keeps.

use kernels::attention::{Fused, HeadFusion};
use kernels::{Real, layer_norm};

use super::block::{self, BlockTape, Extent, Scratch};
use super::config::{Pooling, VitConfig};
use super::embedding::{self, Pixels};
use super::weights::Weights;
use crate::Error;

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
    /// Every token after the last norm, (B, N, D).
    pub tokens: Vec<T>,
    /// Every token before the last norm, (B, N, D); empty unless everything is kept.
    pub last: Vec<T>,
    /// One tape a block, as far as it is kept.
    pub blocks: Vec<BlockTape<T>>,
    /// One fused map (B, N, N) a block, if asked for.
    pub fused: Vec<Vec<T>>,
}

/// Runs the pass on a thread of the pool, so that its many short parallel steps need not wake the pool each time.
pub(crate) fn run<T: Real>(config: &VitConfig, weights: &Weights<T>, pixels: &Pixels<T>, keep: Keep) -> Result<Pass<T>, Error> {
    rayon::scope(|_| run_in_pool(config, weights, pixels, keep))
}

fn run_in_pool<T: Real>(config: &VitConfig, weights: &Weights<T>, pixels: &Pixels<T>, keep: Keep) -> Result<Pass<T>, Error> {
    let extent = Extent {
        images: pixels.images,
        tokens: pixels.tokens(),
        heads: config.num_attention_heads,
        width: config.hidden_size,
        eps: config.layer_norm_eps,
    };
    let mut x = embedding::forward(config, weights, pixels)?; // (B, N, D)
    let (blocks, fused) = run_blocks(config, weights, extent, &mut x, keep)?;
    let mut tokens = vec![T::ZERO; x.len()];
    layer_norm::forward(weights.norm.affine(extent.eps), &x, &mut tokens)?;
    let pooled = pool(config.pooling, extent, &tokens); // (B, pooled)
    let logits = weights.head.forward(&pooled, extent.images)?; // (B, C)
    let last = if keep == Keep::Everything { x } else { Vec::new() };
    Ok(Pass { extent, logits, pooled, tokens, last, blocks, fused })
}

type Kept<T> = (Vec<BlockTape<T>>, Vec<Vec<T>>);

fn run_blocks<T: Real>(config: &VitConfig, weights: &Weights<T>, extent: Extent, x: &mut [T], keep: Keep) -> Result<Kept<T>, Error> {
    let new_tape = || match keep {
        Keep::Everything => BlockTape::new(extent, config.intermediate_size),
        _ => BlockTape::lean(extent, config.intermediate_size),
    };
    let mut scratch = Scratch::new(extent, config.intermediate_size);
    let (mut tape, mut tapes, mut maps) = (new_tape(), Vec::new(), Vec::new());
    for block in &weights.blocks {
        let mut map = match keep {
            Keep::Fused(_) => vec![T::ZERO; extent.attention().fused_len()],
            _ => Vec::new(),
        };
        let fused = if let Keep::Fused(fusion) = keep { Some(Fused { fusion, map: &mut map }) } else { None };
        block::forward(extent, block, x, &mut tape, &mut scratch, fused)?;
        match keep {
            Keep::Nothing => {}
            Keep::Fused(_) => maps.push(map),
            Keep::Attention => tapes.push(maps_only(std::mem::replace(&mut tape, new_tape()))),
            Keep::Everything => tapes.push(std::mem::replace(&mut tape, new_tape())),
        }
    }
    Ok((tapes, maps))
}

/// Lets go of all that maps are not made from.
fn maps_only<T>(tape: BlockTape<T>) -> BlockTape<T> {
    BlockTape { input: Vec::new(), context: Vec::new(), middle: Vec::new(), hidden: Vec::new(), ..tape }
}

/// What the head reads, (B, pooled width), from the normalised tokens (B, N, D).
fn pool<T: Real>(pooling: Pooling, extent: Extent, tokens: &[T]) -> Vec<T> {
    let Extent { tokens: count, width, .. } = extent;
    let share = T::from_f64(1.0 / (count - 1).max(1) as f64);
    let mut pooled = Vec::new();
    for of_image in tokens.chunks(count * width) {
        let (cls, patches) = of_image.split_at(width);
        if pooling != Pooling::MeanPatches {
            pooled.extend_from_slice(cls);
        }
        if pooling != Pooling::Cls {
            let mut sum = vec![T::ZERO; width];
            patches.chunks(width).for_each(|row| sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value));
            pooled.extend(sum.iter().map(|&sum| sum * share));
        }
    }
    pooled
}

/// Gradient at the normalised tokens (B, N, D) from the one at the pooled features.
pub(super) fn pool_backward<T: Real>(pooling: Pooling, extent: Extent, dpooled: &[T]) -> Vec<T> {
    let Extent { tokens: count, width, images, .. } = extent;
    let share = T::from_f64(1.0 / (count - 1).max(1) as f64);
    let mut dtokens = vec![T::ZERO; images * count * width];
    for (of_image, dpooled) in dtokens.chunks_mut(count * width).zip(dpooled.chunks(dpooled.len() / images)) {
        let (cls, patches) = of_image.split_at_mut(width);
        if pooling != Pooling::MeanPatches {
            cls.copy_from_slice(&dpooled[..width]);
        }
        if pooling != Pooling::Cls {
            let dmean = &dpooled[dpooled.len() - width..];
            patches.chunks_mut(width).for_each(|row| row.iter_mut().zip(dmean).for_each(|(d, &value)| *d = value * share));
        }
    }
    dtokens
}
