//! The model that a command works with.

use clap::Args;
use xai::{LoadOptions, Vit};

use super::read_checkpoint::in_child;
use crate::{ModelSource, drawn_model, progress};

/// Which model.
#[derive(Debug, Args)]
pub struct ModelArguments {
    /// A checkpoint's folder or file (.safetensors, .pth, .pt, .bin, .ckpt), `drawn` (the small one that ships, trained on drawn
    /// lesions), or random:NAME[+linear:CLASSES|+dnn3:CLASSES]
    #[arg(long, value_name = "DIR|FILE|drawn|random:NAME", default_value = "drawn")]
    pub model: String,

    /// Architecture of a checkpoint that has no config.json
    #[arg(long, value_name = "NAME")]
    pub arch: Option<String>,

    /// SHA-256 that the weights' bytes must have
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,

    /// Which of several state dicts in one .pth is meant
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
}

impl ModelArguments {
    /// Loads the model and says on standard error what was taken.
    pub fn load(&self) -> anyhow::Result<Vit> {
        let source: ModelSource = self.model.parse()?;
        let options = LoadOptions { arch: self.arch.clone(), sha256: self.sha256.clone(), key: self.key.clone(), pickles: in_child()? };
        let spinner = progress::spinner(&format!("loading {source}"));
        let loaded = source.load(&options);
        spinner.finish_and_clear();
        let vit = loaded?;
        eprintln!("model {}: {}", vit.source().name, vit.source().notes.join("; "));
        if source == ModelSource::Drawn {
            eprintln!("This model was {}: its answers about real lesions mean nothing.", drawn_model::LABEL);
        }
        Ok(vit)
    }
}

/// A number with its thousands set apart: 306,282,375.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 306_282_375].map(thousands), ["0", "999", "1,000", "306,282,375"]);
    }
}
