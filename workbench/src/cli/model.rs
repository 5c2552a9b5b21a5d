//! The model that a command works with.

use clap::Args;
use xai::{Activation, Device, Hints, LoadOptions, Precision, Vit};

use super::read_checkpoint::in_child;
use crate::{ModelSource, drawn_model, progress};

/// Which model.
#[derive(Debug, Args)]
pub struct ModelArguments {
    /// A checkpoint's folder or file (.safetensors, .pth, .pt, .bin, .ckpt); hf:OWNER/NAME[@REVISION] of the Hugging Face hub
    /// (fetched once, checked, then taken from its cache; `pellucid doctor --help` names the variables that are obeyed); `drawn`
    /// (the small one that ships, trained on drawn lesions); or random:NAME[+linear:CLASSES|+dnn3:CLASSES]
    #[arg(long, value_name = "DIR|FILE|hf:OWNER/NAME|drawn|random:NAME", default_value = "drawn")]
    pub model: String,

    /// Architecture of a checkpoint that has no config.json
    #[arg(long, value_name = "NAME")]
    pub arch: Option<String>,

    /// Heads of each attention, where neither config.json nor a named architecture says: no tensor shows them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=128))]
    pub heads: Option<u16>,

    /// Activation of the MLP, where no configuration says: gelu, gelu-tanh or relu
    #[arg(long, value_name = "NAME")]
    pub activation: Option<Activation>,

    /// In which numbers products are taken: f32, or bf16 (half the memory; fast on CUDA devices, and where the processor has
    /// AVX512-BF16 or AMX)
    #[arg(long, value_name = "f32|bf16", default_value_t = Precision::F32)]
    pub precision: Precision,

    /// What computes: cpu, cuda, or cuda:N for the device of ordinal N; the kernels for CUDA have met no GPU yet, so they wait to be
    /// asked for
    #[arg(long, value_name = "cpu|cuda|cuda:N", default_value = "cpu")]
    pub device: Device,

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
        let named: ModelSource = self.model.parse()?;
        // Bytes from elsewhere have a bar of their own, before the sign of loading turns.
        let (source, notes) = named.fetched()?;
        notes.iter().for_each(|note| eprintln!("{named}: {note}"));
        let spinner = progress::spinner(&format!("loading {source}"));
        let hints = Hints { arch: self.arch.clone(), heads: self.heads.map(usize::from), activation: self.activation };
        let options = LoadOptions { hints, sha256: self.sha256.clone(), key: self.key.clone(), pickles: in_child()? };
        let loaded = source.load(&options);
        drop(spinner);
        let vit = loaded?.with_precision(self.precision)?.on(self.device)?;
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
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
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
