//! In which numbers a model's products are taken.

use std::fmt;
use std::str::FromStr;

use kernels::Real;
use serde::{Deserialize, Serialize};

use super::layers::Linear;
use super::weights::{Block, Mlp, Weights};
use crate::Error;

/// In which numbers products are taken; everything between products is f32 in both.
///
/// ```
/// use xai::{HeadKind, Precision, Vit, VitConfig};
/// let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?.with_precision(Precision::Bf16)?;
/// assert_eq!((vit.precision(), "bf16".parse::<Precision>()?), (Precision::Bf16, Precision::Bf16));
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Weights and activations as they are: the reference.
    F32,
    /// Weights and activations of patch embedding and blocks rounded to bf16 (8 significant bits), sums in f32; half the memory.
    Bf16,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = [Self::F32, Self::Bf16];
        known.into_iter().find(|precision| precision.to_string() == text.trim().to_lowercase()).ok_or_else(|| Error::Unknown {
            what: "precision".into(),
            given: text.into(),
            known: known.iter().map(Self::to_string).collect(),
        })
    }
}

impl<T: Real> Weights<T> {
    /// Rounds the weights of patch embedding and blocks; head and norms stay as they are.
    pub(crate) fn rounded(self) -> Self {
        let blocks = self.blocks.into_iter().map(Block::rounded).collect();
        Self { patch: self.patch.rounded(), blocks, ..self }
    }
}

impl<T: Real> Block<T> {
    fn rounded(self) -> Self {
        let mlp = self.mlp.map(|mlp| Mlp { fc1: mlp.fc1.rounded(), fc2: mlp.fc2.rounded(), ..mlp });
        Self { qkv: self.qkv.rounded(), projection: self.projection.rounded(), mlp, ..self }
    }
}

impl<T: Real> Linear<T> {
    fn rounded(self) -> Self {
        Self { weight: self.weight.rounded(), ..self }
    }
}
