//! The classifier: looked for beside the backbone, and inside every module around it.

use super::super::tensors::Tensors;
use crate::vit::HeadKind;

/// A head and where its tensors stand.
#[derive(Debug, Clone)]
pub(in super::super) struct Classifier {
    kind: HeadKind,
    /// What `head` and `head_distillation` of the engine's names become.
    head: String,
    distillation: String,
}

/// Pairs of classifiers on class and distillation token: Hugging Face's and timm's.
const PAIRS: [(&str, &str); 2] = [("cls_classifier", "distillation_classifier"), ("head", "head_dist")];
/// Single classifiers: Hugging Face's and the thesis's, timm's, DINOv2's, vit-pytorch's with its norm and without.
const SINGLE: [&str; 6] = ["classifier", "head", "linear_head", "mlp_head.1", "mlp_head.0", "mlp_head"];

impl Classifier {
    /// The classifier around the backbone that `prefix` leads to; no head where there is none.
    pub fn around(prefix: &str, tensors: &Tensors) -> Self {
        let mut roots: Vec<&str> = prefix.match_indices('.').map(|(at, _)| &prefix[..=at]).collect();
        roots.insert(0, "");
        let found = roots.into_iter().rev().find_map(|root| Self::under(root, tensors));
        found.unwrap_or(Self { kind: HeadKind::None, head: String::new(), distillation: String::new() })
    }

    fn under(root: &str, tensors: &Tensors) -> Option<Self> {
        let outputs = |path: &str| match tensors.shape(&format!("{root}{path}.weight")) {
            Some([outputs, _]) => Some(*outputs),
            _ => None,
        };
        let made = |kind, head: &str, distillation: &str| {
            Some(Self { kind, head: format!("{root}{head}"), distillation: format!("{root}{distillation}") })
        };
        for (head, distillation) in PAIRS {
            if let (Some(classes), Some(_)) = (outputs(head), outputs(distillation)) {
                return made(HeadKind::Distilled(classes), head, distillation);
            }
        }
        for head in SINGLE {
            if let Some(classes) = outputs(head) {
                return made(HeadKind::Linear(classes), head, "");
            }
            if let (Some(_), Some(classes)) = (outputs(&format!("{head}.fc1")), outputs(&format!("{head}.out"))) {
                return made(HeadKind::Dnn3(classes), head, "");
            }
        }
        None
    }

    /// Where Hugging Face writes it.
    pub fn hugging_face(kind: HeadKind) -> Self {
        let head = if matches!(kind, HeadKind::Distilled(_)) { PAIRS[0].0 } else { SINGLE[0] };
        Self { kind, head: head.into(), distillation: PAIRS[0].1.into() }
    }

    pub fn kind(&self) -> HeadKind {
        self.kind
    }

    /// The name on disk of one of the head's tensors.
    pub fn path(&self, name: &str) -> Option<String> {
        let (root, part) = name.split_once('.')?;
        match root {
            "head" => Some(format!("{}.{part}", self.head)),
            "head_distillation" => Some(format!("{}.{part}", self.distillation)),
            _ => None,
        }
    }
}
