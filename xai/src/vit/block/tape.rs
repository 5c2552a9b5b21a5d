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
    /// Tokens between attention and MLP, (B, N, D); of the last block only those that the head reads.
    pub middle: Vec<T>,
    /// The MLP before its activation, (B, N, M); of the last block as above.
    pub hidden: Vec<T>,
}

impl<T: Real> BlockTape<T> {
    /// Room for everything that gradients are made from, behind attention for the tokens of `finished`; what `spare` holds is used
    /// again where it fits.
    pub fn full(extent: Extent, finished: Extent, spare: Self) -> Self {
        let middle = if extent.intermediate > 0 { extent.width } else { 0 };
        Self {
            input: refit(spare.input, extent.len(extent.width)),
            qkv: refit(spare.qkv, extent.len(3 * extent.inner())),
            log_sum_exp: refit(spare.log_sum_exp, extent.len(extent.heads)),
            context: refit(spare.context, extent.len(extent.inner())),
            middle: refit(spare.middle, finished.len(middle)),
            hidden: refit(spare.hidden, finished.len(extent.intermediate)),
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

/// Memory of exactly `len` values; a pass writes them all before it reads one.
fn refit<T: Real>(spare: Vec<T>, len: usize) -> Vec<T> {
    if spare.len() == len { spare } else { vec![T::ZERO; len] }
}
