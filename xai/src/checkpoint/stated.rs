//! What a configuration file says of an architecture, in whichever words it is written.

use serde_json::{Map, Value};

use super::seen::Seen;
use super::{hugging_face_json, timm_json};
use crate::vit::choices::{Activation, Pooling};
use crate::vit::config::Family;
use crate::{Error, Preprocessor};

/// Fields that are silent are nothing.
#[derive(Debug, Default)]
pub(super) struct Stated {
    pub hidden_size: Option<usize>,
    pub layers: Option<usize>,
    pub heads: Option<usize>,
    pub intermediate: Option<usize>,
    pub activation: Option<Activation>,
    pub qkv_bias: Option<bool>,
    pub image_size: Option<(usize, usize)>,
    pub patch: Option<usize>,
    pub channels: Option<usize>,
    pub registers: Option<usize>,
    pub eps: Option<f64>,
    pub pooling: Option<Pooling>,
    /// Class names in the order of their numbers.
    pub labels: Option<Vec<String>>,
    pub preprocessor: Option<Preprocessor>,
}

impl Stated {
    /// Reads the text of a `config.json`: timm's, which names an `architecture`, or Hugging Face's.
    ///
    /// # Errors
    /// [`Error::Config`] with the field that is not supported, or the line that is no JSON.
    pub fn parse(text: &str, family: Family, seen: &Seen) -> Result<Self, Error> {
        let fields: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| refuse(&format!("line {}", error.line()), error.to_string()))?;
        if fields.contains_key("architecture") { timm_json::read(text, seen.hidden) } else { hugging_face_json::read(text, family) }
    }
}

/// A refusal of a field.
pub(super) fn refuse(field: &str, problem: String) -> Error {
    Error::Config { file: "config.json".into(), field: field.into(), problem }
}

/// An activation by the names that Hugging Face and timm give it.
pub(super) fn activation(field: &str, name: &str) -> Result<Activation, Error> {
    match name {
        "gelu" | "gelu_python" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_fast" | "gelu_accurate" | "gelu_pytorch_tanh" | "gelu_tanh" => Ok(Activation::GeluTanh),
        "relu" => Ok(Activation::Relu),
        _ => Err(refuse(field, format!("`{name}` is not supported; gelu (the erf form), gelu_pytorch_tanh and relu are"))),
    }
}
