//! Hugging Face's `config.json`, read and obeyed; what this engine does not compute is refused by its field.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Error;
use crate::vit::config::{Family, VitConfig};

/// The fields that matter; others are bookkeeping of the reference implementation.
#[derive(Debug, Deserialize)]
pub(super) struct ConfigJson {
    model_type: Option<String>,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: Option<usize>,
    mlp_ratio: Option<f64>,
    image_size: Option<Size>,
    patch_size: Option<Size>,
    num_channels: Option<usize>,
    layer_norm_eps: Option<f64>,
    hidden_act: Option<String>,
    qkv_bias: Option<bool>,
    use_swiglu_ffn: Option<bool>,
    id2label: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Size {
    Side(usize),
    Sides([usize; 2]),
}

impl Size {
    /// Height and width.
    fn sides(self) -> (usize, usize) {
        match self {
            Self::Side(side) => (side, side),
            Self::Sides([height, width]) => (height, width),
        }
    }
}

fn refuse(field: &str, problem: String) -> Error {
    Error::Config { file: "config.json".into(), field: field.into(), problem }
}

impl ConfigJson {
    pub fn parse(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| refuse(&format!("line {}", error.line()), error.to_string()))
    }

    pub fn architecture(&self, family: Family) -> Result<VitConfig, Error> {
        self.expect_supported(family)?;
        let patch = self.patch_size.unwrap_or(Size::Side(16)).sides();
        if patch.0 != patch.1 {
            return Err(refuse("patch_size", format!("{} × {} is not square", patch.0, patch.1)));
        }
        let by_ratio = || (self.mlp_ratio.unwrap_or(4.0) * self.hidden_size as f64) as usize;
        let plain = if family == Family::Dinov2 { VitConfig::dinov2_small() } else { VitConfig::vit_base_patch16_224() };
        Ok(VitConfig {
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            intermediate_size: self.intermediate_size.unwrap_or_else(by_ratio),
            image_size: self.image_size.unwrap_or(Size::Side(224)).sides(),
            patch_size: patch.0,
            layer_norm_eps: self.layer_norm_eps.unwrap_or(if family == Family::Vit { 1e-12 } else { 1e-6 }),
            ..plain
        })
    }

    fn expect_supported(&self, family: Family) -> Result<(), Error> {
        let expected = if family == Family::Vit { "vit" } else { "dinov2" };
        let model_type = self.model_type.as_deref().unwrap_or(expected);
        if model_type != expected {
            return Err(refuse("model_type", format!("`{model_type}` is not supported for these tensors; vit and dinov2 are")));
        }
        if self.num_channels.unwrap_or(3) != 3 {
            return Err(refuse("num_channels", "only pictures of 3 channels are supported".into()));
        }
        if let Some(act) = self.hidden_act.as_deref().filter(|act| *act != "gelu") {
            return Err(refuse("hidden_act", format!("`{act}` is not supported; `gelu` (the erf form) is")));
        }
        if self.qkv_bias == Some(false) {
            return Err(refuse("qkv_bias", "attention without biases is not supported".into()));
        }
        if self.use_swiglu_ffn == Some(true) {
            return Err(refuse("use_swiglu_ffn", "SwiGLU is not supported; only the MLP with GELU is".into()));
        }
        Ok(())
    }

    /// Class names in the order of their numbers, if there are any.
    pub fn labels(&self) -> Result<Option<Vec<String>>, Error> {
        let Some(names) = &self.id2label else { return Ok(None) };
        let numbered = |number: usize| names.get(&number.to_string()).cloned();
        let all: Option<Vec<String>> = (0..names.len()).map(numbered).collect();
        all.map(Some).ok_or_else(|| refuse("id2label", format!("its keys are not the numbers 0 to {}", names.len().saturating_sub(1))))
    }
}
