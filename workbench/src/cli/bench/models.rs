//! The models of the benchmark: architectures with seeded random weights, and pictures for them.

use ndarray::Array4;
use xai::{Batch, HeadKind, Vit, VitConfig};

/// Classes of every head, as the peers have them.
const CLASSES: usize = 7;

/// An architecture, its weights' seed, and the side of its pictures.
#[derive(Debug, Clone)]
pub struct Model {
    pub name: String,
    pub config: VitConfig,
    seed: u64,
    pub side: usize,
}

impl Model {
    /// `NAME` or `random:NAME[:SEED]`; `tiny` is a model for emulators.
    pub fn named(text: &str, seed: u64) -> anyhow::Result<Self> {
        let name = text.strip_prefix("random:").unwrap_or(text);
        let (name, seed) = match name.split_once(':') {
            Some((name, seed)) => (name, seed.parse().map_err(|_| anyhow::anyhow!("{text}: write random:NAME:SEED with a whole number"))?),
            None => (name, seed),
        };
        let config = if name == "tiny" { tiny() } else { VitConfig::by_name(name)? };
        // Positions of 518 pixels are resized, as the peers do it.
        let side = if name.starts_with("dinov2") { 224 } else { config.image_size.0 };
        Ok(Self { name: name.into(), config, seed, side })
    }

    /// The model on the CPU, in f32.
    pub fn load(&self) -> Result<Vit, xai::Error> {
        Vit::random(self.config.clone(), HeadKind::Linear(CLASSES), self.seed)
    }

    /// Seeded random pixels.
    pub fn pictures(&self, images: usize, seed: u64) -> Result<Batch, xai::Error> {
        let channels = self.config.num_channels;
        let values = kernels::check::seeded::<f32>(seed, images * channels * self.side * self.side);
        let shape = (images, channels, self.side, self.side);
        Batch::new(Array4::from_shape_vec(shape, values).unwrap_or_else(|_| unreachable!("as many values were made")))
    }

    /// Patches and the tokens before them.
    pub fn tokens(&self) -> usize {
        self.config.special_tokens.count() + (self.side / self.config.patch_size).pow(2)
    }
}

/// Two blocks of two heads of 32 values on 16 patches.
fn tiny() -> VitConfig {
    VitConfig { image_size: (16, 16), hidden_size: 64, num_attention_heads: 2, ..VitConfig::tiny_for_tests() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_and_without_a_seed() {
        let [plain, seeded] = ["tiny", "random:vit_large_patch32_384:7"].map(|text| Model::named(text, 3).unwrap());
        assert_eq!((plain.name.as_str(), plain.seed, plain.tokens()), ("tiny", 3, 17));
        assert_eq!((seeded.name.as_str(), seeded.seed, seeded.tokens()), ("vit_large_patch32_384", 7, 145));
        assert_eq!(Model::named("dinov2_small", 1).unwrap().tokens(), 257);
        assert!(Model::named("resnet50", 1).is_err() && Model::named("random:tiny:x", 1).is_err());
    }
}
