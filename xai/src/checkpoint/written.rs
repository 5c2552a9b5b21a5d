//! Which of Hugging Face's models an architecture is, so that it can be written as one.

use crate::vit::HeadKind;
use crate::vit::choices::{FinalNorm, Pooling, PositionResize, Positions};
use crate::vit::config::{Family, VitConfig};

/// One of Hugging Face's models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Vit,
    Deit,
    Dinov2,
    Dinov2WithRegisters,
}

impl Kind {
    /// The model that computes exactly this, or why there is none.
    pub fn of(config: &VitConfig, head: HeadKind) -> Result<Self, String> {
        let tokens = config.special_tokens;
        let kind = match (tokens.distillation, config.layer_scale, tokens.registers) {
            (false, false, 0) => Self::Vit,
            (true, false, 0) => Self::Deit,
            (false, true, 0) => Self::Dinov2,
            (false, true, _) => Self::Dinov2WithRegisters,
            _ => return Err("no model of Hugging Face has these tokens beside the patches".into()),
        };
        match kind.contradiction(config, head) {
            Some(what) => Err(format!("{what} has no place in Hugging Face's layout of {}", kind.prefix().trim_end_matches('.'))),
            None => Ok(kind),
        }
    }

    /// The first choice that this model does not make.
    fn contradiction(self, config: &VitConfig, head: HeadKind) -> Option<&'static str> {
        let resize = if self == Self::Dinov2WithRegisters { PositionResize::Antialiased } else { PositionResize::Bicubic };
        let pooling = match (self, head) {
            (Self::Dinov2 | Self::Dinov2WithRegisters, _) => Pooling::ClsAndMean,
            (_, HeadKind::Distilled(_)) => Pooling::ClsAndDistillation,
            _ => Pooling::Cls,
        };
        let positions = match self {
            Self::Dinov2WithRegisters => config.positions == Positions::NotRegisters,
            _ => config.positions != Positions::Patches,
        };
        let rules = [
            (config.special_tokens.cls, "a model without class token"),
            (positions, "this choice of positions"),
            (config.position_resize == resize, "this way of resizing positions"),
            (config.attention_width() == config.hidden_size, "attention of another width than its tokens"),
            (config.intermediate_size > 0, "a block without MLP"),
            (!config.patch_norms, "a norm around the patch embedding"),
            (config.final_norm == FinalNorm::Tokens, "a norm after pooling"),
            (config.pooling == pooling, "this pooling"),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
    }

    pub fn family(self) -> Family {
        match self {
            Self::Vit => Family::Vit,
            Self::Deit => Family::Deit,
            Self::Dinov2 | Self::Dinov2WithRegisters => Family::Dinov2,
        }
    }

    /// What stands before the backbone's names in a model with a classifier; without its dot, the `model_type`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Vit => "vit.",
            Self::Deit => "deit.",
            Self::Dinov2 => "dinov2.",
            Self::Dinov2WithRegisters => "dinov2_with_registers.",
        }
    }

    /// The class that reads it; none of theirs reads a DNN-3-hidden head.
    pub fn class(self, head: HeadKind) -> Option<String> {
        let model = match self {
            Self::Vit => "ViT",
            Self::Deit => "DeiT",
            Self::Dinov2 => "Dinov2",
            Self::Dinov2WithRegisters => "Dinov2WithRegisters",
        };
        let task = match head {
            HeadKind::Dnn3(_) => return None,
            HeadKind::None => "Model",
            HeadKind::Distilled(_) => "ForImageClassificationWithTeacher",
            _ => "ForImageClassification",
        };
        Some(format!("{model}{task}"))
    }
}
