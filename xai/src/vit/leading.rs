//! The leading tokens of every image: where a head reads only those, the last block finishes only those.
//!
//! Behind its attention a block works on each token by itself, so the rest of the last block's tokens change nothing the head says;
//! of a model with L blocks some 3/(4·L) of the pass is saved, forward and backward.

use kernels::Real;

use super::choices::Pooling;
use super::config::VitConfig;
use super::extent::Extent;

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
pub(crate) fn gather<T: Real>(rows: &[T], extent: Extent, read: Extent, width: usize) -> Vec<T> {
    rows.chunks(extent.tokens * width).flat_map(|of_image| &of_image[..read.tokens * width]).copied().collect()
}

/// Rows (B, N, width) with the leading ones (B, R, width), zero elsewhere.
pub(crate) fn scatter<T: Real>(leading: &[T], extent: Extent, read: Extent, rows: &mut [T]) {
    let width = rows.len() / (extent.images * extent.tokens).max(1);
    for (of_image, leading) in rows.chunks_mut((extent.tokens * width).max(1)).zip(leading.chunks((read.tokens * width).max(1))) {
        let (there, rest) = of_image.split_at_mut(leading.len());
        there.copy_from_slice(leading);
        rest.fill(T::ZERO);
    }
}
