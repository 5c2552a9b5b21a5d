//! Skin tones after Fitzpatrick.

use serde::{Deserialize, Serialize};

use super::stream::Stream;

/// Fitzpatrick's skin types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SkinTone {
    /// Always burns, never tans.
    I,
    /// Usually burns.
    II,
    /// Sometimes burns, tans evenly.
    III,
    /// Rarely burns, olive.
    IV,
    /// Brown.
    V,
    /// Dark brown to black.
    VI,
}

impl SkinTone {
    /// All types from light to dark.
    pub const ALL: [SkinTone; 6] = [SkinTone::I, SkinTone::II, SkinTone::III, SkinTone::IV, SkinTone::V, SkinTone::VI];

    /// The Roman numeral, as the Archive writes it.
    pub fn name(self) -> &'static str {
        ["I", "II", "III", "IV", "V", "VI"][self as usize]
    }

    /// Drawn with the lean to light skin that public archives have.
    pub(super) fn draw(stream: &mut Stream) -> SkinTone {
        SkinTone::ALL[stream.weighted(&[0.20, 0.36, 0.25, 0.11, 0.05, 0.03])]
    }

    /// Least and most melanin of the type, in [`super::tissue::Tissue`]'s amounts.
    pub(super) fn melanin(self) -> (f32, f32) {
        [(0.02, 0.07), (0.06, 0.13), (0.12, 0.22), (0.22, 0.40), (0.45, 0.75), (0.85, 1.30)][self as usize]
    }
}
