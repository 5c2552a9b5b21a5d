//! Tensor names on disk: Hugging Face's ViT and DINOv2, with their model's prefix or without.

use std::fmt;

use super::tensors::Tensors;
use crate::Error;
use crate::vit::config::{Family, VitConfig};

/// Which names a file uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    family: Family,
    prefix: &'static str,
}

/// One tensor on disk and the shape it must have.
pub(super) struct OnDisk {
    pub name: String,
    pub shape: Vec<usize>,
}

impl Layout {
    pub fn new(family: Family, prefix: &'static str) -> Self {
        Self { family, prefix }
    }

    /// Finds the layout by the names that tell them apart.
    pub fn detect(tensors: &Tensors) -> Result<Self, Error> {
        let signs = [
            (Family::Vit, "vit.", "vit.encoder.layer.0.layernorm_before.weight"),
            (Family::Vit, "", "encoder.layer.0.layernorm_before.weight"),
            (Family::Dinov2, "dinov2.", "dinov2.encoder.layer.0.layer_scale1.lambda1"),
            (Family::Dinov2, "", "encoder.layer.0.layer_scale1.lambda1"),
        ];
        let found = signs.iter().find(|(.., sign)| tensors.shape(sign).is_some());
        found.map(|(family, prefix, _)| Self::new(*family, prefix)).ok_or_else(|| Error::Checkpoint {
            path: tensors.path().into(),
            problem: format!(
                "its tensors are named neither as Hugging Face's ViT nor as its DINOv2; the first are {}",
                tensors.names().keys().take(4).cloned().collect::<Vec<_>>().join(", ")
            ),
        })
    }

    pub fn family(&self) -> Family {
        self.family
    }

    /// Classes of the classifier, if there is one.
    pub fn classes(&self, tensors: &Tensors) -> Option<usize> {
        tensors.shape("classifier.weight").and_then(|shape| shape.first().copied())
    }

    /// Tensors that the reference model carries but that no forward pass reads.
    pub fn is_unused(&self, name: &str) -> bool {
        let bare = name.strip_prefix(self.prefix).unwrap_or(name);
        bare.starts_with("pooler.") || bare == "embeddings.mask_token"
    }

    /// The tensor of a name without the model's prefix, as it stands on disk.
    pub fn prefixed(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Where one of the engine's tensors stands on disk: in one piece, or query, key and value apart.
    pub fn on_disk(&self, name: &str, shape: &[usize], config: &VitConfig) -> Vec<OnDisk> {
        let (width, patch) = (config.hidden_size, config.patch_size);
        let turned = matrix(name, shape).map(|(inputs, outputs)| [outputs, inputs]);
        let shape = turned.as_ref().map_or(shape, |turned| turned.as_slice());
        let one = |name: String, shape: Vec<usize>| vec![OnDisk { name, shape }];
        let embeddings = |part: &str| self.prefixed(&format!("embeddings.{part}"));
        match name {
            "cls_token" => one(embeddings("cls_token"), vec![1, 1, width]),
            "position_embeddings" => one(embeddings("position_embeddings"), vec![1, shape[0], width]),
            "patch_embedding.weight" => one(embeddings("patch_embeddings.projection.weight"), vec![width, 3, patch, patch]),
            "patch_embedding.bias" => one(embeddings("patch_embeddings.projection.bias"), shape.to_vec()),
            "norm.weight" | "norm.bias" => one(self.prefixed(&format!("layer{name}")), shape.to_vec()),
            "head.weight" | "head.bias" => one(name.replace("head", "classifier"), shape.to_vec()),
            _ => self.in_block(name, shape),
        }
    }

    fn in_block(&self, name: &str, shape: &[usize]) -> Vec<OnDisk> {
        let mut parts = name.splitn(3, '.');
        let (_, index, part) = (parts.next(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (part, kind) = part.split_once('.').unwrap_or((part, ""));
        let at = |path: &str| self.prefixed(&format!("encoder.layer.{index}.{path}{}{kind}", if kind.is_empty() { "" } else { "." }));
        let thirds = || [&[shape[0] / 3], &shape[1..]].concat();
        let path = match (self.family, part) {
            (_, "qkv") => {
                let third = |which: &str| OnDisk { name: at(&format!("attention.attention.{which}")), shape: thirds() };
                return ["query", "key", "value"].map(third).into();
            }
            (_, "projection") => "attention.output.dense",
            (Family::Vit, "norm1") => "layernorm_before",
            (Family::Vit, "norm2") => "layernorm_after",
            (Family::Vit, "fc1") => "intermediate.dense",
            (Family::Vit, "fc2") => "output.dense",
            (Family::Dinov2, "scale1") => "layer_scale1.lambda1",
            (Family::Dinov2, "scale2") => "layer_scale2.lambda1",
            (Family::Dinov2, "fc1") => "mlp.fc1",
            (Family::Dinov2, "fc2") => "mlp.fc2",
            (_, other) => other,
        };
        vec![OnDisk { name: at(path), shape: shape.to_vec() }]
    }
}

/// Inputs and outputs of a linear layer's weight, which the engine keeps transposed to its order on disk; nothing for other tensors.
pub(super) fn matrix(name: &str, shape: &[usize]) -> Option<(usize, usize)> {
    match shape {
        [inputs, outputs] if name.ends_with(".weight") => Some((*inputs, *outputs)),
        _ => None,
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self.family {
            Family::Vit => "ViT",
            Family::Dinov2 => "DINOv2",
        })
    }
}
