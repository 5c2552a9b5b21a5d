//! Which names a checkpoint uses, found from the names themselves, and where each of the engine's tensors stands under them.
//!
//! | layout | told by | classifier |
//! |---|---|---|
//! | Hugging Face, as `transformers` 4 saves and 5 still writes | `encoder.layer.0.attention.attention.query` | `classifier`, or `cls_classifier` and `distillation_classifier` |
//! | Hugging Face, in the memory of `transformers` 5 | `layers.0.attention.q_proj`, DINOv2 `encoder.layer.0.attention.q_proj` | the same |
//! | timm | `blocks.0.attn.qkv` | `head`, or `head` and `head_dist` |
//! | DINOv2's own, its blocks in chunks or not | the same, with `mask_token`, `register_tokens` or `blocks.0.0` | `linear_head` |
//! | vit-pytorch, older and newer | `transformer.layers.0.….to_qkv` | `mlp_head` |
//!
//! Whatever stands before these names (`module.`, `model.`, `backbone.`, `vit.`) is the prefix of the backbone; the classifier is looked
//! for under the prefix and under each shorter one. A classifier with `fc1`, `bn1` and so on is the thesis's DNN-3-hidden.

mod classifier;
mod detect;
mod hugging_face;
pub(super) mod refused;
mod timm;
mod vit_pytorch;

use std::fmt;

use super::tensors::Tensors;
use crate::vit::HeadKind;
use crate::vit::choices::{FinalNorm, Pooling, PositionResize, Positions};
use crate::vit::config::{Family, VitConfig};
pub(super) use classifier::Classifier;
pub(super) use hugging_face::HuggingFace;
use timm::Timm;
use vit_pytorch::VitPytorch;

/// Which names a file uses.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    names: Names,
    /// What stands before every name of the backbone.
    prefix: String,
    classifier: Classifier,
}

#[derive(Debug, Clone)]
enum Names {
    HuggingFace(HuggingFace),
    Timm(Timm),
    VitPytorch(VitPytorch),
}

/// One tensor on disk, the shape it must have and how it lies there.
pub(super) struct OnDisk {
    pub name: String,
    pub shape: Vec<usize>,
    pub order: Order,
}

/// In which order values lie on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As the engine reads a tensor of this shape.
    Plain,
    /// Rows of patches whose channels change fastest, (…, P, P, C).
    ChannelsLast { channels: usize, patch: usize },
}

/// A name of the engine, cut at its block.
pub(super) enum Name<'a> {
    Model(&'a str),
    /// Block, part of the block, and `weight`, `bias` or nothing.
    Block(usize, &'a str, &'a str),
}

impl Layout {
    /// The layout in which a Hugging Face model is written.
    ///
    /// `prefix` stands before the backbone's names where there is a classifier.
    pub fn to_write(family: Family, prefix: &str, head: HeadKind) -> Self {
        let prefix = if head == HeadKind::None { "" } else { prefix };
        Self { names: Names::HuggingFace(HuggingFace::classic(family)), prefix: prefix.into(), classifier: Classifier::hugging_face(head) }
    }

    pub fn head(&self) -> HeadKind {
        self.classifier.kind()
    }

    /// The reference implementation whose architecture this most resembles.
    pub fn family(&self) -> Family {
        match &self.names {
            Names::HuggingFace(names) => names.family(),
            Names::Timm(names) => names.family(),
            Names::VitPytorch(_) => Family::Vit,
        }
    }

    /// True for the layouts that carry Hugging Face's configuration.
    pub fn is_hugging_face(&self) -> bool {
        matches!(self.names, Names::HuggingFace(_))
    }

    /// True for names under which anybody's architecture may stand, so that dimensions tell nothing.
    pub fn is_anybodys(&self) -> bool {
        matches!(self.names, Names::VitPytorch(_))
    }

    /// Tensors that the reference model carries but that no forward pass reads.
    pub fn is_unused(&self, name: &str) -> bool {
        let bare = name.strip_prefix(&self.prefix).unwrap_or(name);
        bare.starts_with("pooler.") || bare == "embeddings.mask_token" || bare == "mask_token" || name.ends_with(".num_batches_tracked")
    }

    /// Names on disk of one of the engine's tensors: one, or query, key and value apart; none where the layout has no place for it.
    pub fn paths(&self, name: &str) -> Vec<String> {
        if name.starts_with("head") {
            return self.classifier.path(name).into_iter().collect();
        }
        let paths = match &self.names {
            Names::HuggingFace(names) => names.paths(cut(name)),
            Names::Timm(names) => names.paths(cut(name)),
            Names::VitPytorch(names) => names.paths(cut(name)),
        };
        paths.into_iter().map(|path| format!("{}{path}", self.prefix)).collect()
    }

    /// The shape on disk of the first piece of one of the engine's tensors.
    pub fn shape<'a>(&self, tensors: &'a Tensors, name: &str) -> Option<&'a [usize]> {
        self.paths(name).first().and_then(|path| tensors.shape(path))
    }

    /// Where one of the engine's tensors stands on disk.
    pub fn on_disk(&self, name: &str, shape: &[usize], config: &VitConfig) -> Vec<OnDisk> {
        let paths = self.paths(name);
        let channels_last = matches!(&self.names, Names::VitPytorch(names) if names.cuts_channels_last());
        let of_patches = name == "patch_embedding.weight" || name.starts_with("patch_norm_before");
        let order = if of_patches && channels_last {
            Order::ChannelsLast { channels: config.num_channels, patch: config.patch_size }
        } else {
            Order::Plain
        };
        let shape = match matrix(name, shape) {
            Some((_, outputs)) if name == "patch_embedding.weight" && !channels_last => {
                vec![outputs, config.num_channels, config.patch_size, config.patch_size]
            }
            Some((inputs, outputs)) => vec![outputs / paths.len().max(1), inputs],
            None if paths.len() > 1 => vec![shape[0] / paths.len()],
            None if ["cls_token", "distillation_token"].contains(&name) => vec![1, 1, shape[0]],
            None if ["register_tokens", "position_embeddings"].contains(&name) => vec![1, shape[0], shape[1]],
            None => shape.to_vec(),
        };
        paths.into_iter().map(|name| OnDisk { name, shape: shape.clone(), order }).collect()
    }

    /// Epsilon of the reference's LayerNorm where no configuration says it.
    pub fn layer_norm_eps(&self) -> f64 {
        match &self.names {
            Names::HuggingFace(names) if names.family() != Family::Dinov2 => 1e-12,
            Names::HuggingFace(_) | Names::Timm(_) => 1e-6,
            Names::VitPytorch(_) => 1e-5,
        }
    }

    /// How the reference brings positions to another grid.
    pub fn position_resize(&self, registers: usize) -> PositionResize {
        match &self.names {
            Names::HuggingFace(names) if names.family() == Family::Dinov2 && registers > 0 => PositionResize::Antialiased,
            Names::Timm(names) if !names.is_dinov2() || registers > 0 => PositionResize::Antialiased,
            _ => PositionResize::Bicubic,
        }
    }

    /// Which tokens have positions where the table fits no reading.
    pub fn positions(&self, registers: usize) -> Positions {
        if self.family() == Family::Dinov2 && registers > 0 { Positions::NotRegisters } else { Positions::Every }
    }

    pub fn final_norm(&self) -> FinalNorm {
        match &self.names {
            Names::HuggingFace(_) => FinalNorm::Tokens,
            Names::Timm(names) => names.final_norm(),
            Names::VitPytorch(names) => names.final_norm(),
        }
    }

    /// What the head reads as far as names tell.
    pub fn pooling(&self, has_cls: bool) -> Pooling {
        match (&self.names, self.head()) {
            (_, HeadKind::Distilled(_)) => Pooling::ClsAndDistillation,
            _ if !has_cls => Pooling::MeanPatches,
            (Names::HuggingFace(names), _) if names.family() == Family::Dinov2 => Pooling::ClsAndMean,
            (Names::Timm(names), _) if names.is_dinov2() => Pooling::ClsAndMean,
            // timm moves the norm behind the pooling exactly where it pools the mean.
            (Names::Timm(names), _) if names.final_norm() == FinalNorm::Pooled => Pooling::MeanPatches,
            _ => Pooling::Cls,
        }
    }
}

fn cut(name: &str) -> Name<'_> {
    let in_block = name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.'));
    match in_block.and_then(|(index, part)| Some((index.parse().ok()?, part))) {
        Some((index, part)) => {
            let (part, kind) = part.split_once('.').unwrap_or((part, ""));
            Name::Block(index, part, kind)
        }
        None => Name::Model(name),
    }
}

/// `path.kind`, or `path` alone.
fn joined(path: &str, kind: &str) -> String {
    if kind.is_empty() { path.to_owned() } else { format!("{path}.{kind}") }
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
        match &self.names {
            Names::HuggingFace(names) => names.fmt(f),
            Names::Timm(names) => names.fmt(f),
            Names::VitPytorch(_) => f.write_str("vit-pytorch"),
        }
    }
}
