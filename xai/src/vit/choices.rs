//! In what vision transformers differ beyond their sizes: tokens, positions, activation, norm and pooling.

use serde::{Deserialize, Serialize};

/// Which tokens are not patches; they stand before the patches in this order: class token, distillation token, registers.
///
/// ```
/// use xai::Tokens;
/// assert_eq!(Tokens { registers: 4, ..Tokens::CLS }.count(), 5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tokens {
    /// The class token.
    pub cls: bool,
    /// `DeiT`'s distillation token (Touvron et al. 2021, arXiv 2012.12877).
    pub distillation: bool,
    /// Registers (Darcet et al. 2024, arXiv 2309.16588): tokens that no head reads.
    pub registers: usize,
}

impl Tokens {
    /// A class token and nothing else.
    pub const CLS: Self = Self { cls: true, distillation: false, registers: 0 };
    /// Patches only.
    pub const NONE: Self = Self { cls: false, distillation: false, registers: 0 };

    /// How many tokens stand before the patches.
    pub fn count(self) -> usize {
        usize::from(self.cls) + usize::from(self.distillation) + self.registers
    }
}

/// Which tokens have a row in the position table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// Every token.
    Every,
    /// All but the registers, as in DINOv2.
    NotRegisters,
    /// The patches alone, as in `DeiT` III and timm's `no_embed_class`.
    Patches,
}

/// How a position table is brought to another grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionResize {
    /// Bicubic with a = −0.75: ViT, `DeiT` and DINOv2 of Hugging Face.
    Bicubic,
    /// Bicubic with a = −0.5, averaging where the grid shrinks: DINOv2 with registers, and timm.
    Antialiased,
}

/// What happens between the two layers of the MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x·Φ(x)`, the erf form.
    Gelu,
    /// GELU's tanh form.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

impl From<Activation> for kernels::activation::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Gelu => Self::Gelu,
            Activation::GeluTanh => Self::GeluTanh,
            Activation::Relu => Self::Relu,
        }
    }
}

/// Where the last LayerNorm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinalNorm {
    /// On every token, before pooling.
    Tokens,
    /// On the pooled vector: timm's `fc_norm`.
    Pooled,
}

/// What the head reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The class token, (D).
    Cls,
    /// The mean of the patch tokens, (D).
    MeanPatches,
    /// The mean of all tokens, (D): vit-pytorch's `mean` where there is a class token.
    MeanTokens,
    /// The class token, then the mean of the patch tokens, (2·D).
    ClsAndMean,
    /// The class token, then the distillation token, (2·D).
    ClsAndDistillation,
}
