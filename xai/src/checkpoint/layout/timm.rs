//! timm's names, and DINOv2's own, which differ in little.

use std::fmt;

use super::super::tensors::Tensors;
use super::{Name, joined};
use crate::vit::choices::FinalNorm;
use crate::vit::config::Family;

/// Names of timm's `VisionTransformer`, or of DINOv2's.
#[derive(Debug, Clone)]
pub(super) struct Timm {
    writer: Writer,
    /// The path of every block, in the order of the blocks.
    blocks: Vec<String>,
    distilled: bool,
    final_norm: FinalNorm,
    scale: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    Timm,
    Dinov2,
}

impl Timm {
    /// Reads from the names under `prefix` what differs between models; nothing where blocks in chunks have no clear order.
    pub(super) fn under(prefix: &str, tensors: &Tensors, chunked: bool) -> Option<Self> {
        let has = |name: &str| tensors.shape(&format!("{prefix}{name}")).is_some();
        let dinov2 = chunked || has("mask_token") || has("register_tokens");
        let blocks = if chunked { chunks(prefix, tensors)? } else { Vec::new() };
        let first = blocks.first().map_or("blocks.0", String::as_str);
        Some(Self {
            writer: if dinov2 { Writer::Dinov2 } else { Writer::Timm },
            distilled: has("dist_token"),
            final_norm: if has("fc_norm.weight") && !has("norm.weight") { FinalNorm::Pooled } else { FinalNorm::Tokens },
            scale: if has(&format!("{first}.gamma_1")) { "gamma_" } else { "ls" },
            blocks,
        })
    }

    pub(super) fn is_dinov2(&self) -> bool {
        self.writer == Writer::Dinov2
    }

    pub(super) fn family(&self) -> Family {
        match self.writer {
            Writer::Dinov2 => Family::Dinov2,
            Writer::Timm if self.distilled => Family::Deit,
            Writer::Timm => Family::Vit,
        }
    }

    pub(super) fn final_norm(&self) -> FinalNorm {
        self.final_norm
    }

    pub(super) fn paths(&self, name: Name) -> Vec<String> {
        match name {
            Name::Model(name) => self.model(name).into_iter().collect(),
            Name::Block(index, part, kind) => {
                let block = self.blocks.get(index).cloned().unwrap_or_else(|| format!("blocks.{index}"));
                self.in_block(part).map(|path| joined(&format!("{block}.{path}"), kind)).into_iter().collect()
            }
        }
    }

    fn model(&self, name: &str) -> Option<String> {
        let norm = if self.final_norm == FinalNorm::Pooled { "fc_norm" } else { "norm" };
        match name.split_once('.').unwrap_or((name, "")) {
            ("cls_token", _) => Some("cls_token".into()),
            ("distillation_token", _) => Some("dist_token".into()),
            ("register_tokens", _) if self.is_dinov2() => Some("register_tokens".into()),
            ("register_tokens", _) => Some("reg_token".into()),
            ("position_embeddings", _) => Some("pos_embed".into()),
            ("patch_embedding", kind) => Some(joined("patch_embed.proj", kind)),
            ("norm", kind) => Some(joined(norm, kind)),
            _ => None,
        }
    }

    fn in_block(&self, part: &str) -> Option<String> {
        let path = match part {
            "norm1" | "norm2" => part,
            "qkv" => "attn.qkv",
            "projection" => "attn.proj",
            "fc1" => "mlp.fc1",
            "fc2" => "mlp.fc2",
            "scale1" | "scale2" => {
                let number = part.trim_start_matches("scale");
                return Some(if self.scale == "ls" { format!("ls{number}.gamma") } else { format!("gamma_{number}") });
            }
            _ => return None,
        };
        Some(path.into())
    }
}

/// `blocks.CHUNK.INDEX` of every block, where indices run through all chunks from 0 without a gap.
fn chunks(prefix: &str, tensors: &Tensors) -> Option<Vec<String>> {
    let start = format!("{prefix}blocks.");
    let firsts = tensors.names().keys().filter_map(|name| name.strip_prefix(&start)?.strip_suffix(".attn.qkv.weight"));
    let mut numbered = Vec::new();
    for path in firsts {
        let (_, index) = path.split_once('.')?;
        numbered.push((index.parse::<usize>().ok()?, format!("blocks.{path}")));
    }
    numbered.sort();
    let in_order = numbered.iter().enumerate().all(|(place, (index, _))| place == *index);
    in_order.then(|| numbered.into_iter().map(|(_, path)| path).collect())
}

impl fmt::Display for Timm {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self.writer {
            Writer::Timm => "timm",
            Writer::Dinov2 if self.blocks.is_empty() => "DINOv2's own",
            Writer::Dinov2 => "DINOv2's own, its blocks in chunks",
        })
    }
}
