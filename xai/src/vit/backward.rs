//! The backward pass: from the logits, or from the pooled features, down to pixels, attention maps and weights.

use kernels::Real;
use kernels::attention::ReadOuts;
use kernels::layer_norm::{self, AffineGradient};
use kernels::linear::{self, Shape};

use super::block;
use super::config::VitConfig;
use super::embedding::{self, Pixels};
use super::forward::{Pass, pool_backward};
use super::head::{Head, HeadKind};
use super::weights::Weights;
use crate::Error;

/// What a backward pass is asked for beyond the pixels' gradient and the relevance rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    /// Nothing.
    Nothing,
    /// The gradient at every head's attention map: the explicit path.
    MapGradients,
    /// The gradient of every weight: training, never paid for by an explanation.
    Weights,
}

/// What a backward pass found.
#[derive(Debug)]
pub(crate) struct Cotangents<T> {
    /// (B, 3, H, W).
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
) -> Result<Cotangents<T>, Error> {
    rayon::scope(|_| run_in_pool(config, weights, pixels, pass, dlogits, extra))
}

fn run_in_pool<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    pixels: &Pixels<T>,
    pass: &Pass<T>,
    dlogits: &[T],
    extra: Extra,
) -> Result<Cotangents<T>, Error> {
    let extent = pass.extent;
    let mut gradient = (extra == Extra::Weights).then(|| Weights::zeros(config, weights.head.kind()));
    let dpooled = weights.head.backward(&pass.pooled, dlogits, extent.images)?;
    if let Some(gradient) = &mut gradient {
        head_weights(weights, gradient, pass, dlogits)?;
    }
    let dtokens = pool_backward(config.pooling, extent, &dpooled);
    let mut dx = vec![T::ZERO; dtokens.len()];
    let affine = weights.norm.affine(extent.eps);
    layer_norm::backward(affine, &pass.last, &dtokens, &mut dx)?;
    if let Some(gradient) = &mut gradient {
        let dnorm = AffineGradient { gain: &mut gradient.norm.gain.data, bias: &mut gradient.norm.bias.data };
        layer_norm::backward_affine(affine, &pass.last, &dtokens, dnorm)?;
    }
    let (relevance, maps) = run_blocks(weights, pass, &mut dx, extra, gradient.as_mut())?;
    if let Some(gradient) = &mut gradient {
        embedding::backward_weights(config, pixels, &dx, gradient)?;
    }
    let pixels = embedding::backward(config, weights, pixels, &dx)?;
    Ok(Cotangents { pixels, relevance, maps, weights: gradient })
}

type Read<T> = (Vec<Vec<T>>, Vec<Vec<T>>);

fn run_blocks<T: Real>(
    weights: &Weights<T>,
    pass: &Pass<T>,
    dx: &mut [T],
    extra: Extra,
    mut gradient: Option<&mut Weights<T>>,
) -> Result<Read<T>, Error> {
    let shape = pass.extent.attention();
    let mut row = cls_row::<T>(shape.images, shape.tokens);
    let (mut rows, mut maps) = (vec![row.clone()], Vec::new());
    for (index, (block, tape)) in weights.blocks.iter().zip(&pass.blocks).enumerate().rev() {
        let mut step = vec![T::ZERO; row.len()];
        let mut map = vec![T::ZERO; if extra == Extra::MapGradients { shape.maps_len() } else { 0 }];
        let read_outs = ReadOuts { row: &row, row_step: &mut step, map_gradients: &mut map };
        let of_block = gradient.as_deref_mut().map(|gradient| &mut gradient.blocks[index]);
        block::backward(pass.extent, block, tape, dx, read_outs, of_block)?;
        row.iter_mut().zip(&step).for_each(|(row, &step)| *row += step);
        rows.push(row.clone());
        maps.push(map);
    }
    rows.reverse();
    maps.reverse();
    Ok((rows, maps))
}

/// One at the class token of every image, (B, N).
pub(crate) fn cls_row<T: Real>(images: usize, tokens: usize) -> Vec<T> {
    let mut row = vec![T::ZERO; images * tokens];
    row.iter_mut().step_by(tokens).for_each(|value| *value = T::ONE);
    row
}

fn head_weights<T: Real>(weights: &Weights<T>, gradient: &mut Weights<T>, pass: &Pass<T>, dlogits: &[T]) -> Result<(), Error> {
    match (&weights.head, &mut gradient.head) {
        (Head::Linear(layer), Head::Linear(dlayer)) => {
            let shape = Shape { images: pass.extent.images, rows: 1, inputs: layer.inputs(), outputs: layer.outputs() };
            let (weight, bias) = (&mut dlayer.weight.data, &mut dlayer.bias.data);
            Ok(linear::backward_parameters(shape, &pass.pooled, dlogits, weight, Some(bias))?)
        }
        _ => Err(Error::Untrainable { head: if weights.head.kind() == HeadKind::None { "no head" } else { "a DNN-3-hidden head" } }),
    }
}
