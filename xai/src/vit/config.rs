//! The dimensions and choices that make an architecture.

use serde::{Deserialize, Serialize};

use super::choices::{Activation, FinalNorm, Pooling, PositionResize, Positions, Tokens};
use crate::Patches;

/// Which reference implementation the checkpoint follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Dosovitskiy et al. 2021 (arXiv 2010.11929), as `ViTModel`.
    Vit,
    /// Touvron et al. 2021 (arXiv 2012.12877), as `DeiTModel`: a distillation token beside the class token.
    Deit,
    /// Oquab et al. 2023 (arXiv 2304.07193), as `Dinov2Model`: LayerScale after each branch.
    Dinov2,
}

/// An architecture; field names as in Hugging Face's `config.json` where it has one.
///
/// ```
/// use xai::VitConfig;
/// let config = VitConfig::vit_large_patch32_384();
/// assert_eq!((config.patches().count(), config.tokens(), config.head_width()), (144, 145, 64));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VitConfig {
    /// The reference implementation.
    pub family: Family,
    /// Width of a token, D.
    pub hidden_size: usize,
    /// Blocks, L.
    pub num_hidden_layers: usize,
    /// Heads of each attention, H.
    pub num_attention_heads: usize,
    /// Width of one head where all heads together are not as wide as a token; nothing for `hidden_size / num_attention_heads`.
    pub head_size: Option<usize>,
    /// Width inside the MLP; 0 for blocks of attention alone.
    pub intermediate_size: usize,
    /// Between the two layers of the MLP.
    pub hidden_act: Activation,
    /// Whether queries, keys and values have biases.
    pub qkv_bias: bool,
    /// Whether each branch of a block is scaled by a learnt vector before it is added.
    pub layer_scale: bool,
    /// Height and width in pixels that the position table was trained for.
    pub image_size: (usize, usize),
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Channels of a picture: 3, or 1 for luminance.
    pub num_channels: usize,
    /// Whether patches are normalised before and after their embedding, as in newer vit-pytorch.
    pub patch_norms: bool,
    /// The tokens beside the patches.
    pub special_tokens: Tokens,
    /// Which tokens have a position.
    pub positions: Positions,
    /// How positions follow another grid.
    pub position_resize: PositionResize,
    /// Added to the variance in every LayerNorm.
    pub layer_norm_eps: f64,
    /// Where the last LayerNorm stands.
    pub final_norm: FinalNorm,
    /// What the head reads.
    pub pooling: Pooling,
}

impl VitConfig {
    /// The patch grid that the position table was trained for.
    pub fn patches(&self) -> Patches {
        Patches { rows: self.image_size.0 / self.patch_size, cols: self.image_size.1 / self.patch_size }
    }

    /// Tokens at the trained size: patches and those beside them.
    pub fn tokens(&self) -> usize {
        self.patches().count() + self.special_tokens.count()
    }

    /// How many of the tokens before the patches have a position; the first ones do.
    pub(crate) fn positioned(&self) -> usize {
        match self.positions {
            Positions::Every => self.special_tokens.count(),
            Positions::NotRegisters => self.special_tokens.count() - self.special_tokens.registers,
            Positions::Patches => 0,
        }
    }

    /// Width of one head.
    pub fn head_width(&self) -> usize {
        self.head_size.unwrap_or_else(|| self.hidden_size / self.num_attention_heads)
    }

    /// Width of all heads together: D, unless `head_size` says otherwise.
    pub fn attention_width(&self) -> usize {
        self.num_attention_heads * self.head_width()
    }

    /// Width of the pooled features that a head reads.
    pub fn pooled_width(&self) -> usize {
        match self.pooling {
            Pooling::Cls | Pooling::MeanPatches | Pooling::MeanTokens => self.hidden_size,
            Pooling::ClsAndMean | Pooling::ClsAndDistillation => 2 * self.hidden_size,
        }
    }

    /// Values of one patch, all its channels.
    pub(crate) fn patch_len(&self) -> usize {
        self.num_channels * self.patch_size * self.patch_size
    }
}
