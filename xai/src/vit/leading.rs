//! The leading tokens of every image: where a head reads only those, the last block finishes only those.
//!
//! Behind its attention a block works on each token by itself, so the rest of the last block's tokens change nothing the head says;
//! of a model with L blocks some 3/(4·L) of the pass is saved, forward and backward.

use kernels::Real;
use kernels::tokens::{self, Shape};

use super::choices::Pooling;
use super::config::VitConfig;
use super::extent::Extent;
use crate::Error;

/// The extent of what the head reads: the class token, class and distillation token, or every token.
pub(super) fn read_by_head(config: &VitConfig, extent: Extent) -> Extent {
    let tokens = match config.pooling {
        Pooling::Cls => 1,
        Pooling::ClsAndDistillation => 2,
        Pooling::MeanPatches | Pooling::MeanTokens | Pooling::ClsAndMean => extent.tokens,
    };
    Extent { tokens: tokens.min(extent.tokens), ..extent }
}

/// The leading tokens (B, R, width) of rows (B, N, width).
pub(crate) fn gather<T: Real>(rows: &[T], extent: Extent, read: Extent, width: usize) -> Result<Vec<T>, Error> {
    let mut leading = vec![T::ZERO; read.len(width)];
    tokens::cut(Shape { images: extent.images, tokens: extent.tokens, width }, rows, 0, &mut leading)?;
    Ok(leading)
}

/// Rows (B, N, width) with the leading ones (B, R, width), zero elsewhere.
pub(crate) fn scatter<T: Real>(leading: &[T], extent: Extent, read: Extent, rows: &mut [T]) -> Result<(), Error> {
    let width = rows.len() / (extent.images * extent.tokens).max(1);
    Ok(tokens::cut(Shape { images: extent.images, tokens: read.tokens, width }, leading, 0, rows)?)
}
