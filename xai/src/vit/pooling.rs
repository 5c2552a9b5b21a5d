//! From the last block's tokens to what the head reads: the last norm and the pooling, in the order the architecture says.

use std::borrow::Cow;

use kernels::Real;
use kernels::layer_norm::{self, AffineGradient};

use super::choices::{FinalNorm, Pooling};
use super::config::VitConfig;
use super::extent::Extent;
use super::weights::Weights;
use crate::Error;

/// Normalises and pools the tokens `x` (B, R, D) that the head reads of the last block: (B, pooled width).
pub(super) fn forward<T: Real>(config: &VitConfig, weights: &Weights<T>, extent: Extent, x: &[T]) -> Result<Vec<T>, Error> {
    let raw = if config.final_norm == FinalNorm::Tokens { Cow::Borrowed(x) } else { Cow::Owned(pool(config, extent, x)) };
    let mut normed = vec![T::ZERO; raw.len()];
    layer_norm::forward(weights.norm.affine(extent.eps), &raw, &mut normed)?;
    Ok(if config.final_norm == FinalNorm::Tokens { pool(config, extent, &normed) } else { normed })
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
        FinalNorm::Tokens => (x, pool_backward(config, extent, dpooled)),
        FinalNorm::Pooled => {
            raw = pool(config, extent, x);
            (raw.as_slice(), dpooled.to_vec())
        }
    };
    if let Some(gradient) = gradient {
        let dnorm = AffineGradient { gain: &mut gradient.norm.gain.data, bias: &mut gradient.norm.bias.data };
        layer_norm::backward_affine(affine, input, &dnormed, dnorm)?;
    }
    let mut dinput = vec![T::ZERO; input.len()];
    layer_norm::backward(affine, input, &dnormed, &mut dinput)?;
    Ok(if config.final_norm == FinalNorm::Tokens { dinput } else { pool_backward(config, extent, &dinput) })
}

/// How one part of the pooled features is read from the tokens.
#[derive(Clone, Copy)]
enum Part {
    /// The token of this index.
    Token(usize),
    /// The mean of the tokens from this index on.
    MeanFrom(usize),
}

/// The parts of the pooled features, one after the other. The class token is token 0, the distillation token follows it.
fn parts(config: &VitConfig) -> Vec<Part> {
    let special = config.special_tokens.count();
    match config.pooling {
        Pooling::Cls => vec![Part::Token(0)],
        Pooling::MeanPatches => vec![Part::MeanFrom(special)],
        Pooling::MeanTokens => vec![Part::MeanFrom(0)],
        Pooling::ClsAndMean => vec![Part::Token(0), Part::MeanFrom(special)],
        Pooling::ClsAndDistillation => vec![Part::Token(0), Part::Token(1)],
    }
}

/// (B, pooled width) from tokens (B, N, D).
fn pool<T: Real>(config: &VitConfig, extent: Extent, tokens: &[T]) -> Vec<T> {
    let Extent { tokens: count, width, .. } = extent;
    let mut pooled = Vec::new();
    for (of_image, part) in tokens.chunks(count * width).flat_map(|of_image| parts(config).into_iter().map(move |part| (of_image, part))) {
        match part {
            Part::Token(token) => pooled.extend_from_slice(&of_image[token * width..(token + 1) * width]),
            Part::MeanFrom(first) => {
                let mut sum = vec![T::ZERO; width];
                let rows = of_image[first * width..].chunks(width);
                rows.for_each(|row| sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value));
                pooled.extend(sum.iter().map(|&sum| sum * share(count, first)));
            }
        }
    }
    pooled
}

/// Gradient at the tokens (B, N, D) from the one at what was pooled from them.
fn pool_backward<T: Real>(config: &VitConfig, extent: Extent, dpooled: &[T]) -> Vec<T> {
    let Extent { tokens: count, width, images, .. } = extent;
    let mut dtokens = vec![T::ZERO; images * count * width];
    for (of_image, dpooled) in dtokens.chunks_mut(count * width).zip(dpooled.chunks(config.pooled_width())) {
        for (part, dpart) in parts(config).into_iter().zip(dpooled.chunks(width)) {
            let (rows, factor) = match part {
                Part::Token(token) => (&mut of_image[token * width..(token + 1) * width], T::ONE),
                Part::MeanFrom(first) => (&mut of_image[first * width..], share(count, first)),
            };
            rows.chunks_mut(width).for_each(|row| row.iter_mut().zip(dpart).for_each(|(d, &value)| *d += value * factor));
        }
    }
    dtokens
}

fn share<T: Real>(count: usize, first: usize) -> T {
    T::from_f64(1.0 / (count - first).max(1) as f64)
}

/// Where a row over tokens (B, N) starts that is pushed down from the head: at the tokens that the head reads, 1 in sum.
///
/// One at the class token; half at class and distillation token for a head that reads both; evenly at the patches, or at
/// all tokens, for a head that reads their mean. A head that reads the class token beside the mean starts at the class token.
pub(crate) fn start_row<T: Real>(config: &VitConfig, images: usize, tokens: usize) -> Vec<T> {
    let parts = match config.pooling {
        Pooling::ClsAndMean => vec![Part::Token(0)],
        _ => parts(config),
    };
    let mut row = vec![T::ZERO; tokens];
    let weight = T::from_f64(1.0 / parts.len() as f64);
    for part in &parts {
        match *part {
            Part::Token(token) => row[token] += weight,
            Part::MeanFrom(first) => row[first..].iter_mut().for_each(|value| *value += weight * share(tokens, first)),
        }
    }
    row.repeat(images)
}
