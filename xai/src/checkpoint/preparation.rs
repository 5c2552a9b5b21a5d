//! How pictures are prepared for a checkpoint: as its files say, or as the published checkpoints of its family say.

use crate::vit::config::{Family, VitConfig};
use crate::{Error, Normalization, Preprocessor};

/// How the pictures of DINOv2's published checkpoints are prepared.
const DINOV2: &str = r#"{
    "image_processor_type": "BitImageProcessor", "size": { "shortest_edge": 256 }, "crop_size": { "height": 224, "width": 224 },
    "resample": 3, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]
}"#;

/// Mean and deviation of the digits' training set, as its users prepare it.
const MNIST: Normalization = Normalization { mean: [0.1307; 3], std: [0.3081; 3] };

/// `text` is that of `preprocessor_config.json`, `stated` what `config.json` says; sentences about what was taken go to `notes`.
pub(super) fn of(
    text: Option<&str>,
    stated: Option<Preprocessor>,
    config: &VitConfig,
    notes: &mut Vec<String>,
) -> Result<Preprocessor, Error> {
    let preprocessor = match (text, stated) {
        (Some(text), _) => Preprocessor::from_config(text)?,
        (None, Some(stated)) => {
            notes.push("pictures are prepared as the pretrained_cfg of config.json says".into());
            stated
        }
        (None, None) => usual(config, notes)?,
    };
    if config.num_channels == 1 {
        notes.push("pictures become luminance: the model reads one channel".into());
    }
    Ok(preprocessor.with_channels(config.num_channels))
}

fn usual(config: &VitConfig, notes: &mut Vec<String>) -> Result<Preprocessor, Error> {
    let (height, width) = config.image_size;
    let mut say = |how: &str| notes.push(format!("no preprocessor_config.json: pictures are {how}"));
    match (config.family, config.num_channels) {
        (_, 1) if config.image_size == (28, 28) => {
            say("resized to 28 × 28 and prepared as MNIST's (mean 0.1307, deviation 0.3081)");
            Ok(Preprocessor::for_size(28, 28).with_normalization(MNIST))
        }
        (Family::Dinov2, _) => {
            say("prepared as DINOv2's own checkpoints say (256, centre 224, bicubic)");
            Preprocessor::from_config(DINOV2)
        }
        (Family::Deit, _) => {
            say(&format!(
                "prepared as DeiT's own checkpoints say (crop of 7/8, {height} × {width}, bicubic, ImageNet's mean and deviation)"
            ));
            let (Normalization { mean, std }, grown) = (Normalization::IMAGENET, |side: usize| side * 8 / 7);
            let processor = serde_json::json!({
                "image_processor_type": "DeiTImageProcessor",
                "size": { "height": grown(height), "width": grown(width) },
                "crop_size": { "height": height, "width": width },
                "resample": 3, "image_mean": mean, "image_std": std,
            });
            Preprocessor::from_config(&processor.to_string())
        }
        _ => {
            say(&format!("resized to {height} × {width}, mean and deviation 0.5"));
            Ok(Preprocessor::for_size(height, width))
        }
    }
}
