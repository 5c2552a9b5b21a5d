//! Which architectures there can be: dimensions within reason, and choices that fit together.

use super::choices::{FinalNorm, Pooling};
use super::config::VitConfig;
use crate::{Error, Patches};

impl VitConfig {
    /// Refuses dimensions that no transformer has, or that would take unreasonable memory; `file` is what messages name.
    pub(crate) fn validate(&self, file: &str) -> Result<(), Error> {
        let problem = self.dimension_problem().or_else(|| self.choice_problem());
        if let Some((field, problem)) = problem {
            return Err(Error::Config { file: file.into(), field: field.into(), problem });
        }
        Patches::cover(self.image_size.0, self.image_size.1, self.patch_size).map(|_| ())
    }

    fn dimension_problem(&self) -> Option<(&'static str, String)> {
        let bounded = [
            ("hidden_size", self.hidden_size, 1..=8192),
            ("num_hidden_layers", self.num_hidden_layers, 1..=128),
            ("num_attention_heads", self.num_attention_heads, 1..=128),
            ("head_size", self.head_size.unwrap_or(1), 1..=1024),
            ("intermediate_size", self.intermediate_size, 0..=65536),
            ("patch_size", self.patch_size, 1..=256),
            ("num_register_tokens", self.special_tokens.registers, 0..=256),
            ("image_size", self.image_size.0.min(self.image_size.1), 1..=4096),
            ("image_size", self.image_size.0.max(self.image_size.1), 1..=4096),
        ];
        let outside = bounded.into_iter().find(|(_, value, bounds)| !bounds.contains(value));
        outside.map(|(field, value, bounds)| (field, format!("{value} lies outside {} to {}", bounds.start(), bounds.end())))
    }

    fn choice_problem(&self) -> Option<(&'static str, String)> {
        let tokens = self.special_tokens;
        let lacks = |what: &str| Some(("pooling", format!("the head reads {what}, and the model has none")));
        match self.pooling {
            Pooling::Cls | Pooling::ClsAndMean if !tokens.cls => return lacks("the class token"),
            Pooling::ClsAndDistillation if !(tokens.cls && tokens.distillation) => return lacks("class and distillation token"),
            _ => {}
        }
        if self.final_norm == FinalNorm::Pooled && self.pooled_width() != self.hidden_size {
            return Some(("pooling", "a norm after pooling is as wide as a token, but two tokens are pooled".into()));
        }
        if ![1, 3].contains(&self.num_channels) {
            return Some(("num_channels", format!("pictures have 1 or 3 channels, not {}", self.num_channels)));
        }
        if self.head_size.is_none() && !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let problem = format!("{} does not divide hidden_size {}", self.num_attention_heads, self.hidden_size);
            return Some(("num_attention_heads", problem));
        }
        let eps_is_usable = self.layer_norm_eps.is_finite() && (0.0..1.0).contains(&self.layer_norm_eps);
        (!eps_is_usable).then(|| ("layer_norm_eps", format!("{} lies outside 0 to 1", self.layer_norm_eps)))
    }
}
