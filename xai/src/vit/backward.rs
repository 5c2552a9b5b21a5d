//! The backward pass: from the logits, or from the pooled features, down to pixels, attention maps and weights.

use kernels::Real;
use kernels::attention::ReadOuts;

use super::arena::Arena;
use super::block;
use super::config::VitConfig;
use super::embedding::{self, Pixels};
use super::extent::Extent;
use super::forward::Pass;
use super::leading;
use super::learning_head;
use super::pooling;
use super::weights::Weights;
use crate::{Error, cancellation};

/// What a backward pass is asked for beyond the pixels' gradient and the relevance rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    /// Nothing.
    Nothing,
    /// The gradient at every head's attention map: the explicit path.
    MapGradients,
    /// The gradient of every weight: training, never paid for by an explanation. The head is then the one that learns, whose
    /// statistics are the batch's.
    Weights,
}

/// What a backward pass found.
#[derive(Debug)]
pub(crate) struct Cotangents<T: Real> {
    /// (B, C, H, W).
    pub pixels: Vec<T>,
    /// The relevance row (B, N) of Chefer et al. 2021 after folding blocks L−1 down to l, at index l; index L is where it starts.
    pub relevance: Vec<Vec<T>>,
    /// The gradient at the maps (B, H, N, N) of each block, if asked for.
    pub maps: Vec<Vec<T>>,
    /// The gradient of every weight, if asked for.
    pub weights: Option<Weights<T>>,
}

/// Pulls `dlogits` (B, classes) back; the pass must have kept everything.
pub(crate) fn run<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    pixels: &Pixels<T>,
    pass: &Pass<T>,
    dlogits: &[T],
    extra: Extra,
    arena: &mut Arena<T>,
) -> Result<Cotangents<T>, Error> {
    rayon::scope(|_| run_in_pool(config, weights, pixels, pass, dlogits, extra, arena))
}

fn run_in_pool<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    pixels: &Pixels<T>,
    pass: &Pass<T>,
    dlogits: &[T],
    extra: Extra,
    arena: &mut Arena<T>,
) -> Result<Cotangents<T>, Error> {
    let extent = pass.extent;
    let mut gradient = (extra == Extra::Weights).then(|| Weights::zeros(config, weights.head.kind()));
    let dpooled = match &mut gradient {
        Some(gradient) => learning_head::backward(&weights.head, &pass.pooled, dlogits, &mut gradient.head, &mut arena.workspace)?,
        None => weights.head.backward(&pass.pooled, dlogits, &mut arena.workspace)?,
    };
    let read = leading::read_by_head(config, extent);
    let dread = pooling::backward(config, weights, read, &pass.last, &dpooled, gradient.as_mut())?; // (B, R, D)
    let start = pooling::start_row(config, extent.images, extent.tokens);
    let (dx, relevance, maps) = run_blocks(weights, pass, (read, dread), start, extra, gradient.as_mut(), arena)?;
    let pixels = embedding::backward(config, weights, pixels, &dx, gradient.as_mut(), &mut arena.workspace)?;
    Ok(Cotangents { pixels, relevance, maps, weights: gradient })
}

/// The gradient at the first block's input, relevance rows, and gradients at the maps.
type Read<T> = (Vec<T>, Vec<Vec<T>>, Vec<Vec<T>>);

fn run_blocks<T: Real>(
    weights: &Weights<T>,
    pass: &Pass<T>,
    (mut finished, mut dx): (Extent, Vec<T>),
    mut row: Vec<T>,
    extra: Extra,
    mut gradient: Option<&mut Weights<T>>,
    arena: &mut Arena<T>,
) -> Result<Read<T>, Error> {
    let shape = pass.extent.attention();
    let (mut rows, mut maps) = (vec![row.clone()], Vec::new());
    for (index, (block, tape)) in weights.blocks.iter().zip(&pass.blocks).enumerate().rev() {
        cancellation::check()?;
        let mut step = vec![T::ZERO; row.len()];
        let mut map = vec![T::ZERO; if extra == Extra::MapGradients { shape.maps_len() } else { 0 }];
        let read_outs = ReadOuts { row: &row, row_step: &mut step, map_gradients: &mut map, ..ReadOuts::default() };
        let of_block = gradient.as_deref_mut().map(|gradient| &mut gradient.blocks[index]);
        dx = block::backward::backward(pass.extent, finished, block, tape, dx, read_outs, of_block, arena)?;
        finished = pass.extent;
        row.iter_mut().zip(&step).for_each(|(row, &step)| *row += step);
        rows.push(row.clone());
        maps.push(map);
    }
    rows.reverse();
    maps.reverse();
    Ok((dx, rows, maps))
}
