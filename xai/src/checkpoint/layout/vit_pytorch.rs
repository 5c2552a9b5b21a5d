//! vit-pytorch's names. Its releases number the layers of their sequences differently, so the numbers are read from the file.

use super::super::tensors::Tensors;
use super::{Name, joined};
use crate::vit::choices::FinalNorm;

/// Where the pieces of a vit-pytorch model stand.
#[derive(Debug, Clone)]
pub(super) struct VitPytorch {
    /// Attention inside a block: `0`, `0.fn`, or `fn` in a block of attention alone.
    attention: String,
    /// The MLP inside a block.
    mlp: String,
    /// Numbers of the MLP's layers: a norm unless it stands outside, and two linear layers.
    mlp_norm: Option<usize>,
    linear: [usize; 2],
    patch: Patch,
    /// The last norm's path, and where it stands.
    norm: (String, FinalNorm),
}

/// The patch embedding's pieces.
#[derive(Debug, Clone)]
struct Patch {
    before: Option<String>,
    layer: String,
    after: Option<String>,
    is_convolution: bool,
}

impl VitPytorch {
    /// Reads the numbers from the names under `prefix`, given attention's path in a block.
    pub(super) fn under(prefix: &str, tensors: &Tensors, attention: &str) -> Self {
        let rank = |name: &str| tensors.shape(&format!("{prefix}{name}.weight")).map(<[usize]>::len);
        let mlp = attention.replacen('0', "1", 1);
        let in_net = |number: &usize, wanted: usize| rank(&format!("transformer.layers.0.{mlp}.net.{number}")) == Some(wanted);
        let mut matrices = (0..8).filter(|number| in_net(number, 2));
        let linear = [matrices.next().unwrap_or(0), matrices.next().unwrap_or(3)];
        let norm = if rank("transformer.norm").is_some() {
            ("transformer.norm".into(), FinalNorm::Tokens)
        } else {
            ("mlp_head.0".into(), FinalNorm::Pooled)
        };
        Self {
            attention: attention.into(),
            mlp_norm: (0..linear[0]).find(|number| in_net(number, 1)),
            mlp,
            linear,
            patch: Patch::under(rank),
            norm,
        }
    }

    pub(super) fn cuts_channels_last(&self) -> bool {
        !self.patch.is_convolution
    }

    pub(super) fn final_norm(&self) -> FinalNorm {
        self.norm.1
    }

    pub(super) fn paths(&self, name: Name) -> Vec<String> {
        let path = match name {
            Name::Model(name) => self.model(name),
            Name::Block(index, part, kind) => self.in_block(part).map(|path| joined(&format!("transformer.layers.{index}.{path}"), kind)),
        };
        path.into_iter().collect()
    }

    fn model(&self, name: &str) -> Option<String> {
        match name.split_once('.').unwrap_or((name, "")) {
            ("cls_token", _) => Some("cls_token".into()),
            ("register_tokens", _) => Some("register_tokens".into()),
            ("position_embeddings", _) => Some("pos_embedding".into()),
            ("patch_norm_before", kind) => self.patch.before.as_ref().map(|path| joined(path, kind)),
            ("patch_embedding", kind) => Some(joined(&self.patch.layer, kind)),
            ("patch_norm_after", kind) => self.patch.after.as_ref().map(|path| joined(path, kind)),
            ("norm", kind) => Some(joined(&self.norm.0, kind)),
            _ => None,
        }
    }

    fn in_block(&self, part: &str) -> Option<String> {
        match part {
            "norm1" => Some(norm_of(&self.attention)),
            "qkv" => Some(format!("{}.to_qkv", self.attention)),
            "projection" => Some(format!("{}.to_out.0", self.attention)),
            "norm2" => Some(self.mlp_norm.map_or_else(|| norm_of(&self.mlp), |number| format!("{}.net.{number}", self.mlp))),
            "fc1" => Some(format!("{}.net.{}", self.mlp, self.linear[0])),
            "fc2" => Some(format!("{}.net.{}", self.mlp, self.linear[1])),
            _ => None,
        }
    }
}

/// The norm of a branch stands beside `fn` that wraps it, or inside the branch.
fn norm_of(branch: &str) -> String {
    match branch.strip_suffix("fn") {
        Some(outside) => format!("{outside}norm"),
        None => format!("{branch}.norm"),
    }
}

impl Patch {
    fn under(rank: impl Fn(&str) -> Option<usize>) -> Self {
        if rank("patch_to_embedding").is_some() {
            return Self { before: None, layer: "patch_to_embedding".into(), after: None, is_convolution: false };
        }
        let at = |number: usize| format!("to_patch_embedding.{number}");
        let layer = (0..6).find(|&number| rank(&at(number)).is_some_and(|rank| rank > 1)).unwrap_or(1);
        let norm = |mut numbers: std::ops::Range<usize>| numbers.find(|&number| rank(&at(number)) == Some(1)).map(at);
        Self { before: norm(0..layer), after: norm(layer + 1..6), is_convolution: rank(&at(layer)) == Some(4), layer: at(layer) }
    }
}
