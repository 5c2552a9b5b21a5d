//! The model in a few lines, for every page that shows what it says.

use serde::Serialize;
use xai::{HeadKind, Vit};

/// Which model it is.
#[derive(Debug, Clone, Serialize)]
pub struct ModelCard {
    /// Its name, or where it was loaded from.
    pub name: String,
    /// What must be said about it.
    pub label: Option<String>,
    /// SHA-256 of its weights.
    pub sha256: String,
    /// Layers, heads, width and grid in words.
    pub architecture: String,
    /// Trainable numbers, head included.
    pub parameters: usize,
    /// What computes.
    pub device: String,
    /// Classes in the order of the logits.
    pub classes: Vec<String>,
}

impl ModelCard {
    /// Reads it off a model.
    pub fn of(vit: &Vit, label: Option<String>) -> Self {
        let config = vit.config();
        let (height, width) = vit.preprocessor().output_size();
        let head = match vit.head() {
            HeadKind::None => "no head".to_owned(),
            HeadKind::Linear(classes) => format!("linear head, {classes} classes"),
            HeadKind::Distilled(classes) => format!("distilled head of two linear layers, {classes} classes"),
            HeadKind::Dnn3(classes) => format!("head with three hidden layers, {classes} classes"),
        };
        let (layers, heads, side) = (config.num_hidden_layers, config.num_attention_heads, config.patch_size);
        let architecture = format!(
            "{layers} layers, {heads} heads, width {}, {side}×{side} patches of {height}×{width} pixels, {head}",
            config.hidden_size
        );
        Self {
            name: vit.source().name.clone(),
            label,
            sha256: vit.source().sha256.clone(),
            architecture,
            parameters: vit.parameters(),
            device: vit.device().to_string(),
            classes: vit.labels().names().to_vec(),
        }
    }

    /// The first twelve digits of the hash: enough to tell two models apart.
    pub fn short_hash(&self) -> &str {
        self.sha256.get(..12).unwrap_or(&self.sha256)
    }

    /// Parameters in millions.
    pub fn millions(&self) -> String {
        format!("{:.1}", self.parameters as f64 / 1e6)
    }
}
