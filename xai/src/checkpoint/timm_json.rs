//! timm's `config.json`: the architecture's name tells the heads, `pretrained_cfg` how pictures are prepared.

use serde::Deserialize;
use serde_json::json;

use super::layout::refused;
use super::stated::{Stated, activation, refuse};
use crate::vit::choices::Pooling;
use crate::{Error, Preprocessor};

#[derive(Debug, Deserialize)]
struct TimmJson {
    architecture: String,
    global_pool: Option<String>,
    #[serde(default)]
    model_args: ModelArgs,
    #[serde(default)]
    pretrained_cfg: PretrainedCfg,
    label_names: Option<Vec<String>>,
}

/// Arguments that overrule the architecture's.
#[derive(Debug, Default, Deserialize)]
struct ModelArgs {
    num_heads: Option<usize>,
    img_size: Option<Side>,
    act_layer: Option<String>,
    global_pool: Option<String>,
}

#[derive(Debug, Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Side {
    Both(usize),
    Each([usize; 2]),
}

#[derive(Debug, Default, Deserialize)]
struct PretrainedCfg {
    /// Channels, height, width.
    input_size: Option<[usize; 3]>,
    interpolation: Option<String>,
    crop_pct: Option<f64>,
    crop_mode: Option<String>,
    mean: Option<Vec<f64>>,
    std: Option<Vec<f64>>,
}

/// Reads the file of a model whose tokens are `width` wide.
pub(super) fn read(text: &str, width: usize) -> Result<Stated, Error> {
    let json: TimmJson = serde_json::from_str(text).map_err(|error| refuse(&format!("line {}", error.line()), error.to_string()))?;
    let name = &json.architecture;
    if let Some(what) = refused::by_type(name) {
        return Err(refuse("architecture", what));
    }
    if !name.starts_with("vit_") && !name.starts_with("deit") {
        return Err(refuse("architecture", format!("`{name}` is not supported; vit_… and deit… are")));
    }
    let pool = json.model_args.global_pool.as_deref().or(json.global_pool.as_deref());
    Ok(Stated {
        heads: json.model_args.num_heads.or_else(|| heads(name, width)),
        activation: json.model_args.act_layer.as_deref().map(|name| activation("model_args.act_layer", name)).transpose()?,
        image_size: json.image_size(),
        channels: json.pretrained_cfg.input_size.map(|[channels, ..]| channels),
        pooling: pool.map(pooling).transpose()?.flatten(),
        labels: json.label_names.clone(),
        preprocessor: json.pretrained_cfg.preprocessor()?,
        ..Stated::default()
    })
}

/// timm's heads are 64 wide; but ViT-H, ViT-g, ViT-G and SO400M have 16, and so has one ViT-B.
fn heads(architecture: &str, width: usize) -> Option<usize> {
    match width {
        1152 | 1280 | 1408 | 1664 => Some(16),
        _ if architecture == "vit_base_patch16_gap_224" => Some(16),
        _ => width.is_multiple_of(64).then_some(width / 64),
    }
}

/// Nothing for timm's `''`, which pools nothing.
fn pooling(name: &str) -> Result<Option<Pooling>, Error> {
    match name {
        "token" => Ok(Some(Pooling::Cls)),
        "avg" => Ok(Some(Pooling::MeanPatches)),
        "" => Ok(None),
        _ => Err(refuse("global_pool", format!("`{name}` is not supported; token and avg are"))),
    }
}

impl TimmJson {
    fn image_size(&self) -> Option<(usize, usize)> {
        match (self.model_args.img_size, self.pretrained_cfg.input_size) {
            (Some(Side::Both(side)), _) => Some((side, side)),
            (Some(Side::Each([height, width])), _) | (None, Some([_, height, width])) => Some((height, width)),
            (None, None) => None,
        }
    }
}

impl PretrainedCfg {
    /// timm's evaluation transform: resize so that the crop is `crop_pct` of it, crop the centre, normalise.
    fn preprocessor(&self) -> Result<Option<Preprocessor>, Error> {
        let Some([_, height, width]) = self.input_size else { return Ok(None) };
        let share = self.crop_pct.unwrap_or(0.875);
        if !(0.05..=1.0).contains(&share) {
            return Err(refuse("pretrained_cfg.crop_pct", format!("{share} lies outside 0.05 to 1")));
        }
        let grown = |side: usize| (side as f64 / share).floor() as usize;
        let size = match self.crop_mode.as_deref().unwrap_or("center") {
            "center" if height == width => json!({ "shortest_edge": grown(height) }),
            "squash" => json!({ "height": grown(height), "width": grown(width) }),
            other => {
                let problem = format!("`{other}` of {height} × {width} is not supported; center of a square and squash are");
                return Err(refuse("pretrained_cfg.crop_mode", problem));
            }
        };
        let resample = match self.interpolation.as_deref().unwrap_or("bilinear") {
            "bicubic" => 3,
            "bilinear" => 2,
            "nearest" => 0,
            "lanczos" => 1,
            other => return Err(refuse("pretrained_cfg.interpolation", format!("`{other}` is not supported"))),
        };
        let preprocessor = json!({
            "image_processor_type": "BitImageProcessor",
            "size": size,
            "crop_size": { "height": height, "width": width },
            "resample": resample,
            "image_mean": self.mean.as_deref().unwrap_or(&[0.485, 0.456, 0.406]),
            "image_std": self.std.as_deref().unwrap_or(&[0.229, 0.224, 0.225]),
        });
        Preprocessor::from_config(&preprocessor.to_string()).map(Some)
    }
}
