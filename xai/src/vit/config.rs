//! Architectures, named after the checkpoints that use them.

use serde::{Deserialize, Serialize};

use crate::{Error, Patches};

/// Which reference implementation the checkpoint follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Dosovitskiy et al. 2021 (arXiv 2010.11929), as `ViTModel`.
    Vit,
    /// Oquab et al. 2023 (arXiv 2304.07193), as `Dinov2Model`: LayerScale after each branch.
    Dinov2,
}

/// What the head reads from the normalised tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The class token, (D).
    Cls,
    /// The mean of the patch tokens, (D).
    MeanPatches,
    /// The class token, then the mean of the patch tokens, (2·D).
    ClsAndMean,
}

/// An architecture; field names as in Hugging Face's `config.json`.
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
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Height and width in pixels that the position table was trained for.
    pub image_size: (usize, usize),
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Added to the variance in every LayerNorm.
    pub layer_norm_eps: f64,
    /// What the head reads.
    pub pooling: Pooling,
}

impl VitConfig {
    /// ViT-B/16 at 224 pixels (`google/vit-base-patch16-224`): 86 M parameters.
    pub fn vit_base_patch16_224() -> Self {
        Self::vit(768, 12, 12, (16, 224))
    }

    /// ViT-B/16 at 384 pixels (`google/vit-base-patch16-384`).
    pub fn vit_base_patch16_384() -> Self {
        Self::vit(768, 12, 12, (16, 384))
    }

    /// ViT-B/32 at 384 pixels (`google/vit-base-patch32-384`).
    pub fn vit_base_patch32_384() -> Self {
        Self::vit(768, 12, 12, (32, 384))
    }

    /// ViT-L/16 at 224 pixels (`google/vit-large-patch16-224`).
    pub fn vit_large_patch16_224() -> Self {
        Self::vit(1024, 24, 16, (16, 224))
    }

    /// ViT-L/16 at 384 pixels (`google/vit-large-patch16-384`).
    pub fn vit_large_patch16_384() -> Self {
        Self::vit(1024, 24, 16, (16, 384))
    }

    /// ViT-L/32 at 384 pixels (`google/vit-large-patch32-384`): the thesis's first extractor, 305.6 M parameters.
    pub fn vit_large_patch32_384() -> Self {
        Self::vit(1024, 24, 16, (32, 384))
    }

    /// ViT-H/14 at 224 pixels (`google/vit-huge-patch14-224-in21k`): heads of width 80.
    pub fn vit_huge_patch14_224() -> Self {
        Self::vit(1280, 32, 16, (14, 224))
    }

    /// ViT-S/16 at 224 pixels.
    pub fn vit_small_patch16_224() -> Self {
        Self::vit(384, 12, 6, (16, 224))
    }

    /// ViT-Ti/16 at 224 pixels.
    pub fn vit_tiny_patch16_224() -> Self {
        Self::vit(192, 12, 3, (16, 224))
    }

    /// The small model that is trained on drawn lesions and ships with Pellucid: 12 × 12 patches of 14 pixels.
    pub fn vit_drawn_patch14_168() -> Self {
        Self::vit(192, 6, 3, (14, 168))
    }

    /// DINOv2 ViT-S/14 (`facebook/dinov2-small`), position table for 518 pixels.
    pub fn dinov2_small() -> Self {
        Self::dinov2(384, 12, 6)
    }

    /// DINOv2 ViT-B/14 (`facebook/dinov2-base`).
    pub fn dinov2_base() -> Self {
        Self::dinov2(768, 12, 12)
    }

    /// DINOv2 ViT-L/14 (`facebook/dinov2-large`).
    pub fn dinov2_large() -> Self {
        Self::dinov2(1024, 24, 16)
    }

    /// Two blocks of width 12 on 2 × 3 patches of 4 pixels: small enough for finite differences.
    pub fn tiny_for_tests() -> Self {
        Self { image_size: (8, 12), intermediate_size: 20, ..Self::vit(12, 2, 3, (4, 8)) }
    }

    /// Every named architecture, by the name that `--arch` and `random:` take.
    pub fn named() -> Vec<(&'static str, Self)> {
        vec![
            ("vit_tiny_patch16_224", Self::vit_tiny_patch16_224()),
            ("vit_small_patch16_224", Self::vit_small_patch16_224()),
            ("vit_base_patch16_224", Self::vit_base_patch16_224()),
            ("vit_base_patch16_384", Self::vit_base_patch16_384()),
            ("vit_base_patch32_384", Self::vit_base_patch32_384()),
            ("vit_large_patch16_224", Self::vit_large_patch16_224()),
            ("vit_large_patch16_384", Self::vit_large_patch16_384()),
            ("vit_large_patch32_384", Self::vit_large_patch32_384()),
            ("vit_huge_patch14_224", Self::vit_huge_patch14_224()),
            ("dinov2_small", Self::dinov2_small()),
            ("dinov2_base", Self::dinov2_base()),
            ("dinov2_large", Self::dinov2_large()),
            ("vit_drawn_patch14_168", Self::vit_drawn_patch14_168()),
            ("tiny_for_tests", Self::tiny_for_tests()),
        ]
    }

    /// The named architecture, or an error that lists those there are.
    pub fn by_name(name: &str) -> Result<Self, Error> {
        let known = Self::named();
        let found = known.iter().find(|(known, _)| *known == name);
        found.map(|(_, config)| config.clone()).ok_or_else(|| Error::Unknown {
            what: "architecture".into(),
            given: name.into(),
            known: known.iter().map(|(name, _)| (*name).to_owned()).collect(),
        })
    }

    fn vit(hidden_size: usize, layers: usize, heads: usize, (patch_size, side): (usize, usize)) -> Self {
        Self {
            family: Family::Vit,
            hidden_size,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            intermediate_size: 4 * hidden_size,
            image_size: (side, side),
            patch_size,
            layer_norm_eps: 1e-12,
            pooling: Pooling::Cls,
        }
    }

    fn dinov2(hidden_size: usize, layers: usize, heads: usize) -> Self {
        let vit = Self::vit(hidden_size, layers, heads, (14, 518));
        Self { family: Family::Dinov2, layer_norm_eps: 1e-6, pooling: Pooling::ClsAndMean, ..vit }
    }

    /// The patch grid that the position table was trained for.
    pub fn patches(&self) -> Patches {
        Patches { rows: self.image_size.0 / self.patch_size, cols: self.image_size.1 / self.patch_size }
    }

    /// Tokens at the trained size: patches and the class token.
    pub fn tokens(&self) -> usize {
        self.patches().count() + 1
    }

    /// Width of one head.
    pub fn head_width(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Width of the pooled features that a head reads.
    pub fn pooled_width(&self) -> usize {
        match self.pooling {
            Pooling::Cls | Pooling::MeanPatches => self.hidden_size,
            Pooling::ClsAndMean => 2 * self.hidden_size,
        }
    }

    /// Values of one patch: three channels.
    pub(crate) fn patch_len(&self) -> usize {
        3 * self.patch_size * self.patch_size
    }

    /// Refuses dimensions that no transformer has, or that would take unreasonable memory.
    pub(crate) fn validate(&self, file: &str) -> Result<(), Error> {
        let refuse = |field: &str, problem: String| Err(Error::Config { file: file.into(), field: field.into(), problem });
        let bounded = [
            ("hidden_size", self.hidden_size, 8192),
            ("num_hidden_layers", self.num_hidden_layers, 128),
            ("num_attention_heads", self.num_attention_heads, 128),
            ("intermediate_size", self.intermediate_size, 65536),
            ("patch_size", self.patch_size, 256),
            ("image_size", self.image_size.0.min(self.image_size.1), 4096),
            ("image_size", self.image_size.0.max(self.image_size.1), 4096),
        ];
        if let Some((field, value, most)) = bounded.iter().find(|(_, value, most)| value == &0 || value > most) {
            return refuse(field, format!("{value} lies outside 1 to {most}"));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return refuse("num_attention_heads", format!("{} does not divide hidden_size {}", self.num_attention_heads, self.hidden_size));
        }
        let eps_is_usable = self.layer_norm_eps.is_finite() && (0.0..1.0).contains(&self.layer_norm_eps);
        if !eps_is_usable {
            return refuse("layer_norm_eps", format!("{} lies outside 0 to 1", self.layer_norm_eps));
        }
        Patches::cover(self.image_size.0, self.image_size.1, self.patch_size).map(|_| ())
    }
}
