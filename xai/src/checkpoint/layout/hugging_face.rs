//! Hugging Face's names: ViT, `DeiT` and DINOv2, as they are saved and as `transformers` 5 has them in memory.

use std::fmt;

use super::{Name, joined};
use crate::vit::config::Family;

/// One of Hugging Face's namings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct HuggingFace {
    family: Family,
    age: Age,
}

/// Which release's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// `transformers` 4 everywhere, and what 5 writes.
    Classic,
    /// `transformers` 5 in memory.
    Modern,
}

impl HuggingFace {
    pub(super) fn new(family: Family, age: Age) -> Self {
        Self { family, age }
    }

    pub(super) fn classic(family: Family) -> Self {
        Self::new(family, Age::Classic)
    }

    pub(super) fn family(self) -> Family {
        self.family
    }

    pub(super) fn paths(self, name: Name) -> Vec<String> {
        match name {
            Name::Model(name) => model(name).into_iter().collect(),
            Name::Block(index, part, kind) => {
                let blocks = if self.age == Age::Modern && self.family != Family::Dinov2 { "layers" } else { "encoder.layer" };
                let at = |path: &&str| joined(&format!("{blocks}.{index}.{path}"), kind);
                self.in_block(part).iter().map(at).collect()
            }
        }
    }

    fn in_block(self, part: &str) -> &'static [&'static str] {
        let dinov2 = self.family == Family::Dinov2;
        let classic = self.age == Age::Classic;
        match part {
            "norm1" if dinov2 => &["norm1"],
            "norm1" => &["layernorm_before"],
            "qkv" if classic => &["attention.attention.query", "attention.attention.key", "attention.attention.value"],
            "qkv" => &["attention.q_proj", "attention.k_proj", "attention.v_proj"],
            "projection" if classic => &["attention.output.dense"],
            "projection" => &["attention.o_proj"],
            "scale1" if dinov2 => &["layer_scale1.lambda1"],
            "norm2" if dinov2 => &["norm2"],
            "norm2" => &["layernorm_after"],
            "fc1" if classic && !dinov2 => &["intermediate.dense"],
            "fc1" => &["mlp.fc1"],
            "fc2" if classic && !dinov2 => &["output.dense"],
            "fc2" => &["mlp.fc2"],
            "scale2" if dinov2 => &["layer_scale2.lambda1"],
            _ => &[],
        }
    }
}

fn model(name: &str) -> Option<String> {
    match name {
        "cls_token" | "distillation_token" | "register_tokens" | "position_embeddings" => Some(format!("embeddings.{name}")),
        "patch_embedding.weight" => Some("embeddings.patch_embeddings.projection.weight".into()),
        "patch_embedding.bias" => Some("embeddings.patch_embeddings.projection.bias".into()),
        "norm.weight" | "norm.bias" => Some(format!("layer{name}")),
        _ => None,
    }
}

impl fmt::Display for HuggingFace {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let model = match self.family {
            Family::Vit => "ViT",
            Family::Deit => "DeiT",
            Family::Dinov2 => "DINOv2",
        };
        let age = if self.age == Age::Modern { " with the names of transformers 5 in memory" } else { "" };
        write!(f, "Hugging Face's {model}{age}")
    }
}
