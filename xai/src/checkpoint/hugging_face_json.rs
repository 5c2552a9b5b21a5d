//! Hugging Face's `config.json`, read and obeyed; what this engine does not compute is refused by its field.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::layout::refused;
use super::stated::{Stated, activation, refuse};
use crate::Error;
use crate::vit::choices::Pooling;
use crate::vit::config::Family;

/// The fields that matter; others are bookkeeping of the reference implementation.
#[derive(Debug, Deserialize)]
struct ConfigJson {
    model_type: Option<String>,
    hidden_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    intermediate_size: Option<usize>,
    mlp_ratio: Option<f64>,
    image_size: Option<Size>,
    patch_size: Option<Size>,
    num_channels: Option<usize>,
    num_register_tokens: Option<usize>,
    layer_norm_eps: Option<f64>,
    hidden_act: Option<String>,
    qkv_bias: Option<bool>,
    use_swiglu_ffn: Option<bool>,
    /// Not Hugging Face's own: `cls` or `mean` beside files that have no configuration of their own.
    pool: Option<String>,
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

pub(super) fn read(text: &str, family: Family) -> Result<Stated, Error> {
    let json: ConfigJson = serde_json::from_str(text).map_err(|error| refuse(&format!("line {}", error.line()), error.to_string()))?;
    json.expect_supported(family)?;
    let by_ratio = || Some((json.mlp_ratio? * json.hidden_size? as f64) as usize);
    Ok(Stated {
        hidden_size: json.hidden_size,
        layers: json.num_hidden_layers,
        heads: json.num_attention_heads,
        intermediate: json.intermediate_size.or_else(by_ratio),
        activation: json.hidden_act.as_deref().map(|name| activation("hidden_act", name)).transpose()?,
        qkv_bias: json.qkv_bias,
        image_size: json.image_size.map(Size::sides),
        patch: json.patch_size.map(square).transpose()?,
        channels: json.num_channels,
        registers: json.num_register_tokens,
        eps: json.layer_norm_eps,
        pooling: json.pool.as_deref().map(pooling).transpose()?,
        labels: json.labels()?,
        preprocessor: None,
    })
}

fn square(patch: Size) -> Result<usize, Error> {
    let (height, width) = patch.sides();
    if height == width { Ok(height) } else { Err(refuse("patch_size", format!("{height} × {width} is not square"))) }
}

fn pooling(name: &str) -> Result<Pooling, Error> {
    match name {
        "cls" => Ok(Pooling::Cls),
        "mean" => Ok(Pooling::MeanTokens),
        _ => Err(refuse("pool", format!("`{name}` is not known; cls and mean (over all tokens) are"))),
    }
}

impl ConfigJson {
    fn expect_supported(&self, family: Family) -> Result<(), Error> {
        let known: &[&str] = match family {
            Family::Vit => &["vit"],
            Family::Deit => &["deit"],
            Family::Dinov2 => &["dinov2", "dinov2_with_registers"],
        };
        if let Some(model_type) = self.model_type.as_deref().filter(|name| !known.contains(name)) {
            let other = || format!("`{model_type}` is not supported for these tensors; {} is", known.join(" or "));
            return Err(refuse("model_type", refused::by_type(model_type).unwrap_or_else(other)));
        }
        if self.use_swiglu_ffn == Some(true) {
            return Err(refuse("use_swiglu_ffn", "SwiGLU is not supported; only the MLP with GELU is".into()));
        }
        Ok(())
    }

    /// Class names in the order of their numbers, if there are any.
    fn labels(&self) -> Result<Option<Vec<String>>, Error> {
        let Some(names) = &self.id2label else { return Ok(None) };
        let numbered = |number: usize| names.get(&number.to_string()).cloned();
        let all: Option<Vec<String>> = (0..names.len()).map(numbered).collect();
        all.map(Some).ok_or_else(|| refuse("id2label", format!("its keys are not the numbers 0 to {}", names.len().saturating_sub(1))))
    }
}
