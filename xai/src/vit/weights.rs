//! The parameters of a vision transformer, in the order of the data's way.

use kernels::Real;

use super::choices::FinalNorm;
use super::config::VitConfig;
use super::head::{Head, HeadKind};
use super::layers::{Linear, Make, Norm, Tensor};

/// One pre-norm block.
#[derive(Debug, Clone)]
pub(crate) struct Block<T: Real> {
    pub norm1: Norm<T>,
    /// Query, key and value in one, (D, 3·A) with A the width of all heads.
    pub qkv: Linear<T>,
    /// (A, D).
    pub projection: Linear<T>,
    /// LayerScale of the attention branch, (D).
    pub scale1: Option<Tensor<T>>,
    /// Nothing in a block of attention alone.
    pub mlp: Option<Mlp<T>>,
}

/// The second branch of a block.
#[derive(Debug, Clone)]
pub(crate) struct Mlp<T: Real> {
    pub norm: Norm<T>,
    pub fc1: Linear<T>,
    pub fc2: Linear<T>,
    /// LayerScale, (D).
    pub scale: Option<Tensor<T>>,
}

/// The norms around a patch embedding.
#[derive(Debug, Clone)]
pub(crate) struct PatchNorms<T> {
    /// On the values of a patch, (C·P·P).
    pub before: Norm<T>,
    /// On the token it became, (D).
    pub after: Norm<T>,
}

/// All parameters; gradients have the same form.
#[derive(Debug, Clone)]
pub(crate) struct Weights<T: Real> {
    /// Class token, (D).
    pub cls: Option<Tensor<T>>,
    /// Distillation token, (D).
    pub distillation: Option<Tensor<T>>,
    /// Registers, (R, D).
    pub registers: Option<Tensor<T>>,
    /// Position table, (positioned tokens, D), patches last.
    pub positions: Tensor<T>,
    /// Patch embedding, (C·P·P, D) and (D).
    pub patch: Linear<T>,
    pub patch_norms: Option<PatchNorms<T>>,
    pub blocks: Vec<Block<T>>,
    /// Before or after pooling, as the configuration says.
    pub norm: Norm<T>,
    pub head: Head<T>,
}

impl VitConfig {
    /// Learnable parameters with a head, counted without taking their memory; running statistics are not among them.
    ///
    /// ```
    /// use xai::{HeadKind, VitConfig};
    /// assert_eq!(VitConfig::vit_large_patch32_384().parameters(HeadKind::Dnn3(7)), 306_282_375);
    /// ```
    pub fn parameters(&self, head: HeadKind) -> usize {
        Weights::<f32>::unfilled(self, head).count()
    }
}

impl<T: Real> Weights<T> {
    pub fn zeros(config: &VitConfig, head: HeadKind) -> Self {
        Self::new(Make::Zeros, config, head)
    }

    /// Names and shapes alone, for those who must know them before memory is taken.
    pub fn unfilled(config: &VitConfig, head: HeadKind) -> Self {
        Self::new(Make::Unfilled, config, head)
    }

    fn new(make: Make, config: &VitConfig, head: HeadKind) -> Self {
        let (width, tokens) = (config.hidden_size, config.special_tokens);
        let norm_width = if config.final_norm == FinalNorm::Pooled { config.pooled_width() } else { width };
        let patch_norms = || PatchNorms { before: Norm::new(make, config.patch_len()), after: Norm::new(make, width) };
        Self {
            cls: tokens.cls.then(|| make.tensor(&[width])),
            distillation: tokens.distillation.then(|| make.tensor(&[width])),
            registers: (tokens.registers > 0).then(|| make.tensor(&[tokens.registers, width])),
            positions: make.tensor(&[config.positioned() + config.patches().count(), width]),
            patch: Linear::new(make, width, config.patch_len()),
            patch_norms: config.patch_norms.then(patch_norms),
            blocks: (0..config.num_hidden_layers).map(|_| Block::new(make, config)).collect(),
            norm: Norm::new(make, norm_width),
            head: Head::new(make, head, config.pooled_width()),
        }
    }

    /// The rows of the tokens before the patches, (S, D), one after the other.
    pub fn special_tokens(&self) -> Vec<T> {
        [&self.cls, &self.distillation, &self.registers].into_iter().flatten().flat_map(|token| &token.data).copied().collect()
    }

    /// Learnable values, running statistics not counted.
    pub fn count(&self) -> usize {
        self.named().iter().filter(|(name, _)| !name.contains("running_")).map(|(_, tensor)| tensor.shape().iter().product::<usize>()).sum()
    }
}

impl<T: Real> Block<T> {
    fn new(make: Make, config: &VitConfig) -> Self {
        let (width, inner, hidden) = (config.hidden_size, config.attention_width(), config.intermediate_size);
        let scale = || config.layer_scale.then(|| make.tensor(&[width]));
        let mlp = || Mlp {
            norm: Norm::new(make, width),
            fc1: Linear::new(make, hidden, width),
            fc2: Linear::new(make, width, hidden),
            scale: scale(),
        };
        let qkv = if config.qkv_bias { Linear::new } else { Linear::without_bias };
        Self {
            norm1: Norm::new(make, width),
            qkv: qkv(make, 3 * inner, width),
            projection: Linear::new(make, width, inner),
            scale1: scale(),
            mlp: (hidden > 0).then(mlp),
        }
    }
}
