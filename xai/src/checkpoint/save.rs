//! Writing a checkpoint as Hugging Face would, so that others can read it.

use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::json;

use super::layout::Layout;
use super::written::Kind;
use crate::vit::choices::Activation;
use crate::{Error, Vit};

/// How numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// 4 bytes, exact.
    F32,
    /// 2 bytes, rounded to 11 significant bits.
    F16,
}

/// A tensor's name on disk, its shape and its bytes.
type Piece = (String, Vec<usize>, Vec<u8>);

impl Vit {
    /// Writes `model.safetensors` and `config.json` into `folder`, in Hugging Face's names. A DNN-3-hidden head is written unfolded as
    /// the thesis has it (`classifier.fc1`, `classifier.bn1` with its running statistics, and so on), which [`Vit::load`] reads.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] where a file cannot be written, or the architecture has no place in that layout.
    pub fn save(&self, folder: &Path, storage: Storage) -> Result<(), Error> {
        let refuse = |problem: String| Error::Checkpoint { path: folder.display().to_string(), problem };
        let written = |error: std::io::Error| refuse(format!("cannot be written ({error})"));
        std::fs::create_dir_all(folder).map_err(written)?;
        if let Some(name) = self.too_large_for(storage) {
            return Err(refuse(format!("{name} holds values beyond what 2 bytes can hold; write 4 bytes")));
        }
        let kind = Kind::of(&self.model.config, self.head()).map_err(refuse)?;
        let pieces = self.pieces(kind, storage);
        let dtype = if storage == Storage::F32 { Dtype::F32 } else { Dtype::F16 };
        let views = pieces.iter().map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes)?)));
        let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>().map_err(|error| refuse(error.to_string()))?;
        serialize_to_file(views, None, &folder.join("model.safetensors")).map_err(|error| refuse(error.to_string()))?;
        std::fs::write(folder.join("config.json"), format!("{:#}\n", self.config_json(kind))).map_err(written)
    }

    /// The first tensor that would become infinite: such a file could not be read again.
    fn too_large_for(&self, storage: Storage) -> Option<String> {
        let fits = |value: &f32| storage == Storage::F32 || half::f16::from_f32(*value).is_finite();
        self.model.weights.named().into_iter().find(|(_, tensor)| !tensor.to_rows().iter().all(fits)).map(|(name, _)| name)
    }

    /// Names on disk, shapes and bytes.
    fn pieces(&self, kind: Kind, storage: Storage) -> Vec<Piece> {
        let layout = Layout::to_write(kind.family(), kind.prefix(), self.head());
        let mut pieces = Vec::new();
        for (name, tensor) in self.model.weights.named() {
            let places = layout.on_disk(&name, &tensor.shape(), &self.model.config);
            let data = tensor.to_rows();
            for (place, values) in places.iter().zip(data.chunks(data.len() / places.len())) {
                pieces.push((place.name.clone(), place.shape.clone(), to_bytes(values, storage)));
            }
        }
        pieces
    }

    fn config_json(&self, kind: Kind) -> serde_json::Value {
        let config = &self.model.config;
        let labels = self.model.labels.names().iter().enumerate();
        let id2label: serde_json::Map<_, _> = labels.clone().map(|(id, name)| (id.to_string(), json!(name))).collect();
        let label2id: serde_json::Map<_, _> = labels.map(|(id, name)| (name.clone(), json!(id))).collect();
        let classifies = !id2label.is_empty();
        let mut json = json!({
            "model_type": kind.prefix().trim_end_matches('.'),
            "hidden_size": config.hidden_size,
            "num_hidden_layers": config.num_hidden_layers,
            "num_attention_heads": config.num_attention_heads,
            "intermediate_size": config.intermediate_size,
            "mlp_ratio": config.intermediate_size as f64 / config.hidden_size as f64,
            "image_size": if config.image_size.0 == config.image_size.1 { json!(config.image_size.0) } else { json!(config.image_size) },
            "patch_size": config.patch_size,
            "num_channels": config.num_channels,
            "layer_norm_eps": config.layer_norm_eps,
            "hidden_act": match config.hidden_act {
                Activation::Gelu => "gelu",
                Activation::GeluTanh => "gelu_pytorch_tanh",
                Activation::Relu => "relu",
            },
            "qkv_bias": config.qkv_bias,
        });
        if let Some(class) = kind.class(self.head()) {
            json["architectures"] = json!([class]);
        }
        if config.special_tokens.registers > 0 {
            json["num_register_tokens"] = config.special_tokens.registers.into();
        }
        if classifies {
            json["id2label"] = id2label.into();
            json["label2id"] = label2id.into();
        }
        json
    }
}

fn to_bytes(values: &[f32], storage: Storage) -> Vec<u8> {
    match storage {
        Storage::F32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Storage::F16 => values.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect(),
    }
}
