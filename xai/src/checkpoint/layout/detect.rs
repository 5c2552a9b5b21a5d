//! Finds the layout: every layout has a tensor that no other has, whatever stands before its name.

use super::super::tensors::Tensors;
use super::hugging_face::{Age, HuggingFace};
use super::timm::Timm;
use super::vit_pytorch::VitPytorch;
use super::{Classifier, Layout, Names, refused};
use crate::Error;
use crate::vit::config::Family;

/// The first block's attention under each naming.
#[derive(Debug, Clone, Copy)]
enum Sign {
    HuggingFace(Age),
    Timm,
    Chunked,
    /// Attention's path inside a block.
    VitPytorch(&'static str),
}

const SIGNS: [(&str, Sign); 9] = [
    ("encoder.layer.0.attention.attention.query.weight", Sign::HuggingFace(Age::Classic)),
    ("encoder.layer.0.attention.q_proj.weight", Sign::HuggingFace(Age::Modern)),
    ("layers.0.attention.q_proj.weight", Sign::HuggingFace(Age::Modern)),
    ("blocks.0.attn.qkv.weight", Sign::Timm),
    ("blocks.0.0.attn.qkv.weight", Sign::Chunked),
    ("transformer.layers.0.0.to_qkv.weight", Sign::VitPytorch("0")),
    ("transformer.layers.0.0.fn.to_qkv.weight", Sign::VitPytorch("0.fn")),
    ("transformer.layers.0.0.fn.fn.to_qkv.weight", Sign::VitPytorch("0.fn.fn")),
    ("transformer.layers.0.fn.to_qkv.weight", Sign::VitPytorch("fn")),
];

impl Layout {
    /// Finds the layout by the names that tell them apart.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for models that are recognised and not supported, for names that are known to none of the layouts,
    /// and where two backbones stand in one file.
    pub fn detect(tensors: &Tensors) -> Result<Self, Error> {
        if let Some(problem) = refused::by_names(tensors) {
            return Err(tensors.refuse(problem));
        }
        let (prefix, sign) = one_backbone(tensors)?;
        let names = match sign {
            Sign::HuggingFace(age) => Names::HuggingFace(HuggingFace::new(family(&prefix, tensors), age)),
            Sign::Timm => Names::Timm(timm(&prefix, tensors, false)?),
            Sign::Chunked => Names::Timm(timm(&prefix, tensors, true)?),
            Sign::VitPytorch(attention) => Names::VitPytorch(VitPytorch::under(&prefix, tensors, attention)),
        };
        let classifier = Classifier::around(&prefix, tensors);
        Ok(Self { names, prefix, classifier })
    }
}

fn one_backbone(tensors: &Tensors) -> Result<(String, Sign), Error> {
    let at = |(ending, sign): &(&str, Sign)| -> Vec<(String, Sign)> {
        let prefixes = tensors.names().keys().filter_map(|name| name.strip_suffix(ending));
        prefixes.filter(|prefix| prefix.is_empty() || prefix.ends_with('.')).map(|prefix| (prefix.to_owned(), *sign)).collect()
    };
    let mut found: Vec<(String, Sign)> = SIGNS.iter().flat_map(at).collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => {
            let first = tensors.names().keys().take(4).cloned().collect::<Vec<_>>().join(", ");
            Err(tensors.refuse(format!(
                "its tensors are named neither as Hugging Face's ViT, DeiT and DINOv2, nor as timm's, DINOv2's own or vit-pytorch's; \
                 the first are {first}"
            )))
        }
        _ => {
            let prefixes = found.iter().map(|(prefix, _)| format!("`{prefix}`")).collect::<Vec<_>>().join(", ");
            Err(tensors.refuse(format!("it holds more than one vision transformer, under {prefixes}; save one of them alone")))
        }
    }
}

fn family(prefix: &str, tensors: &Tensors) -> Family {
    let has = |name: &str| tensors.shape(&format!("{prefix}{name}")).is_some();
    if has("encoder.layer.0.layer_scale1.lambda1") {
        Family::Dinov2
    } else if has("embeddings.distillation_token") {
        Family::Deit
    } else {
        Family::Vit
    }
}

fn timm(prefix: &str, tensors: &Tensors, chunked: bool) -> Result<Timm, Error> {
    let unordered =
        || tensors.refuse("its blocks stand in chunks whose numbers do not run through; save them as blocks.0, blocks.1, …".into());
    Timm::under(prefix, tensors, chunked).ok_or_else(unordered)
}
