//! From the last block's tokens to what the head reads: the last norm and the pooling, in the order the architecture says.

use std::borrow::Cow;

use kernels::Real;
use kernels::layer_norm::{self, AffineGradient};
use kernels::tokens::{Part, Shape};

use super::choices::{FinalNorm, Pooling};
use super::config::VitConfig;
use super::extent::Extent;
use super::weights::Weights;
use crate::Error;

/// Normalises and pools the tokens `x` (B, R, D) that the head reads of the last block: (B, pooled width).
pub(super) fn forward<T: Real>(config: &VitConfig, weights: &Weights<T>, extent: Extent, x: &[T]) -> Result<Vec<T>, Error> {
    let raw = if config.final_norm == FinalNorm::Tokens { Cow::Borrowed(x) } else { Cow::Owned(pool(config, extent, x)?) };
    let mut normed = vec![T::ZERO; raw.len()];
    layer_norm::forward(weights.norm.affine(extent.eps), &raw, &mut normed)?;
    Ok(if config.final_norm == FinalNorm::Tokens { pool(config, extent, &normed)? } else { normed })
}

/// Every token `x` (B, N, D) of the last block, normalised where the norm stands before pooling.
pub(super) fn tokens<T: Real>(config: &VitConfig, weights: &Weights<T>, extent: Extent, x: Vec<T>) -> Result<Vec<T>, Error> {
    if config.final_norm == FinalNorm::Pooled {
        return Ok(x);
    }
    let mut tokens = vec![T::ZERO; x.len()];
    layer_norm::forward(weights.norm.affine(extent.eps), &x, &mut tokens)?;
    Ok(tokens)
}

/// Gradient at the tokens `x` (B, R, D) that the head reads from the one at the pooled features; adds the norm's gradient where asked.
pub(super) fn backward<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    extent: Extent,
    x: &[T],
    dpooled: &[T],
    gradient: Option<&mut Weights<T>>,
) -> Result<Vec<T>, Error> {
    let affine = weights.norm.affine(extent.eps);
    let raw; // What the norm reads, and the gradient at what it gives.
    let (input, dnormed) = match config.final_norm {
        FinalNorm::Tokens => (x, pool_backward(config, extent, dpooled)?),
        FinalNorm::Pooled => {
            raw = pool(config, extent, x)?;
            (raw.as_slice(), dpooled.to_vec())
        }
    };
    if let Some(gradient) = gradient {
        let dnorm = AffineGradient { gain: &mut gradient.norm.gain.data, bias: &mut gradient.norm.bias.data };
        layer_norm::backward_affine(affine, input, &dnormed, dnorm)?;
    }
    let mut dinput = vec![T::ZERO; input.len()];
    layer_norm::backward(affine, input, &dnormed, &mut dinput)?;
    if config.final_norm == FinalNorm::Tokens { Ok(dinput) } else { pool_backward(config, extent, &dinput) }
}

/// The parts of the pooled features of `tokens` tokens, one after the other. The class token is token 0, the distillation token follows it.
pub(super) fn parts(config: &VitConfig, tokens: usize) -> Vec<Part> {
    let special = config.special_tokens.count();
    let token = |first| Part { first, count: 1 };
    let mean_from = |first: usize| Part { first, count: tokens.saturating_sub(first) };
    match config.pooling {
        Pooling::Cls => vec![token(0)],
        Pooling::MeanPatches => vec![mean_from(special)],
        Pooling::MeanTokens => vec![mean_from(0)],
        Pooling::ClsAndMean => vec![token(0), mean_from(special)],
        Pooling::ClsAndDistillation => vec![token(0), token(1)],
    }
}

fn shape(extent: Extent) -> Shape {
    Shape { images: extent.images, tokens: extent.tokens, width: extent.width }
}

/// (B, pooled width) from tokens (B, N, D).
fn pool<T: Real>(config: &VitConfig, extent: Extent, tokens: &[T]) -> Result<Vec<T>, Error> {
    let mut pooled = vec![T::ZERO; extent.images * config.pooled_width()];
    kernels::tokens::pool(shape(extent), &parts(config, extent.tokens), tokens, &mut pooled)?;
    Ok(pooled)
}

/// Gradient at the tokens (B, N, D) from the one at what was pooled from them.
fn pool_backward<T: Real>(config: &VitConfig, extent: Extent, dpooled: &[T]) -> Result<Vec<T>, Error> {
    let mut dtokens = vec![T::ZERO; extent.len(extent.width)];
    kernels::tokens::pool_backward(shape(extent), &parts(config, extent.tokens), dpooled, &mut dtokens)?;
    Ok(dtokens)
}

/// Where a row over tokens (B, N) starts that is pushed down from the head: at the tokens that the head reads, 1 in sum.
///
/// One at the class token; half at class and distillation token for a head that reads both; evenly at the patches, or at
/// all tokens, for a head that reads their mean. A head that reads the class token beside the mean starts at the class token.
pub(crate) fn start_row<T: Real>(config: &VitConfig, images: usize, tokens: usize) -> Vec<T> {
    let mut parts = parts(config, tokens);
    if config.pooling == Pooling::ClsAndMean {
        parts.truncate(1);
    }
    let mut row = vec![T::ZERO; tokens];
    let weight = T::from_f64(1.0 / parts.len() as f64);
    for Part { first, count } in parts {
        row[first..first + count].iter_mut().for_each(|value| *value += weight * T::from_f64(1.0 / count as f64));
    }
    row.repeat(images)
}
