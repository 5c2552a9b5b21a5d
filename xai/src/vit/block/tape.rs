//! What a block leaves behind.

use kernels::Real;

use crate::vit::extent::Extent;

/// What a backward pass, or a map made again, needs of a block; empty where it is not kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlockTape<T> {
    /// Tokens before the block, (B, N, D).
    pub input: Vec<T>,
    /// (B, N, 3·A), A the width of all heads.
    pub qkv: Vec<T>,
    /// (B, N, H).
    pub log_sum_exp: Vec<T>,
    /// Attention's output before its projection, (B, N, A).
    pub context: Vec<T>,
    /// Tokens between attention and MLP, (B, N, D).
    pub middle: Vec<T>,
    /// The MLP before its activation, (B, N, M).
    pub hidden: Vec<T>,
}

impl<T: Real> BlockTape<T> {
    /// Room for everything that gradients are made from.
    pub fn full(extent: Extent) -> Self {
        Self {
            input: extent.buffer(extent.width),
            context: extent.buffer(extent.inner()),
            middle: if extent.intermediate > 0 { extent.buffer(extent.width) } else { Vec::new() },
            hidden: extent.buffer(extent.intermediate),
            ..Self::of_maps(extent)
        }
    }

    /// Room for what attention maps are made from.
    pub fn of_maps(extent: Extent) -> Self {
        Self { qkv: extent.buffer(3 * extent.inner()), log_sum_exp: extent.buffer(extent.heads), ..Self::default() }
    }

    /// Room for nothing.
    pub fn empty() -> Self {
        Self::default()
    }
}
