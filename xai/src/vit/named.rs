//! Architectures, named after the checkpoints that use them.

use super::choices::{Activation, FinalNorm, Pooling, PositionResize, Positions, Tokens};
use super::config::{Family, VitConfig};
use crate::Error;

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

    /// DINOv2 ViT-S/14 with four registers (`facebook/dinov2-with-registers-small`).
    pub fn dinov2_with_registers_small() -> Self {
        Self::dinov2_small().with_registers()
    }

    /// DINOv2 ViT-B/14 with four registers (`facebook/dinov2-with-registers-base`).
    pub fn dinov2_with_registers_base() -> Self {
        Self::dinov2_base().with_registers()
    }

    /// DINOv2 ViT-L/14 with four registers (`facebook/dinov2-with-registers-large`).
    pub fn dinov2_with_registers_large() -> Self {
        Self::dinov2_large().with_registers()
    }

    /// `DeiT`-Ti/16 with distillation token (`facebook/deit-tiny-distilled-patch16-224`).
    pub fn deit_tiny_distilled_patch16_224() -> Self {
        Self::vit_tiny_patch16_224().distilled()
    }

    /// `DeiT`-S/16 with distillation token (`facebook/deit-small-distilled-patch16-224`).
    pub fn deit_small_distilled_patch16_224() -> Self {
        Self::vit_small_patch16_224().distilled()
    }

    /// `DeiT`-B/16 with distillation token (`facebook/deit-base-distilled-patch16-224`).
    pub fn deit_base_distilled_patch16_224() -> Self {
        Self::vit_base_patch16_224().distilled()
    }

    /// `DeiT`-B/16 at 384 pixels with distillation token (`facebook/deit-base-distilled-patch16-384`).
    pub fn deit_base_distilled_patch16_384() -> Self {
        Self::vit_base_patch16_384().distilled()
    }

    /// A classifier of ten digits in vit-pytorch's names (499,722 parameters): heads four times as wide as its tokens, `ReLU`, one channel.
    pub fn vit_mnist_gpu() -> Self {
        Self { head_size: Some(64), ..Self::vit_pytorch_digits(64, 6, 4) }
    }

    /// A classifier of the digits 0, 1 and 2 in vit-pytorch's names (137,795 parameters).
    pub fn vit_mnist_3class() -> Self {
        Self::vit_pytorch_digits(64, 4, 7)
    }

    /// The same in 371 parameters: one block of attention alone.
    pub fn vit_mnist_371() -> Self {
        Self { intermediate_size: 0, ..Self::vit_pytorch_digits(4, 1, 4) }
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
            ("dinov2_with_registers_small", Self::dinov2_with_registers_small()),
            ("dinov2_with_registers_base", Self::dinov2_with_registers_base()),
            ("dinov2_with_registers_large", Self::dinov2_with_registers_large()),
            ("deit_tiny_distilled_patch16_224", Self::deit_tiny_distilled_patch16_224()),
            ("deit_small_distilled_patch16_224", Self::deit_small_distilled_patch16_224()),
            ("deit_base_distilled_patch16_224", Self::deit_base_distilled_patch16_224()),
            ("deit_base_distilled_patch16_384", Self::deit_base_distilled_patch16_384()),
            ("vit_mnist_gpu", Self::vit_mnist_gpu()),
            ("vit_mnist_3class", Self::vit_mnist_3class()),
            ("vit_mnist_371", Self::vit_mnist_371()),
            ("vit_drawn_patch14_168", Self::vit_drawn_patch14_168()),
            ("tiny_for_tests", Self::tiny_for_tests()),
        ]
    }

    /// The named architecture, or an error that lists those there are.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that is not there.
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
            head_size: None,
            intermediate_size: 4 * hidden_size,
            hidden_act: Activation::Gelu,
            qkv_bias: true,
            layer_scale: false,
            image_size: (side, side),
            patch_size,
            num_channels: 3,
            patch_norms: false,
            special_tokens: Tokens::CLS,
            positions: Positions::Every,
            position_resize: PositionResize::Bicubic,
            layer_norm_eps: 1e-12,
            final_norm: FinalNorm::Tokens,
            pooling: Pooling::Cls,
        }
    }

    fn dinov2(hidden_size: usize, layers: usize, heads: usize) -> Self {
        let vit = Self::vit(hidden_size, layers, heads, (14, 518));
        Self { family: Family::Dinov2, layer_scale: true, layer_norm_eps: 1e-6, pooling: Pooling::ClsAndMean, ..vit }
    }

    /// 28 × 28 pixels of luminance, as older vit-pytorch has it, with `ReLU`.
    fn vit_pytorch_digits(hidden_size: usize, layers: usize, patch_size: usize) -> Self {
        Self {
            intermediate_size: 128,
            hidden_act: Activation::Relu,
            qkv_bias: false,
            num_channels: 1,
            layer_norm_eps: 1e-5,
            final_norm: FinalNorm::Pooled,
            ..Self::vit(hidden_size, layers, 4, (patch_size, 28))
        }
    }

    fn with_registers(self) -> Self {
        Self {
            special_tokens: Tokens { registers: 4, ..Tokens::CLS },
            positions: Positions::NotRegisters,
            position_resize: PositionResize::Antialiased,
            ..self
        }
    }

    fn distilled(self) -> Self {
        Self {
            family: Family::Deit,
            special_tokens: Tokens { distillation: true, ..Tokens::CLS },
            pooling: Pooling::ClsAndDistillation,
            ..self
        }
    }
}
