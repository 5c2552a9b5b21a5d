//! What else is in the picture: hairs, rulers, ink, bubbles, the dermatoscope's rim.
//!
//! Artefacts are drawn from a stream that never sees the class, so they cannot give it away.

mod bubbles;
mod hair;
mod ink;
mod ruler;
mod vignette;

use serde::{Deserialize, Serialize};

use super::stream::Stream;

/// Something in the picture that is neither skin nor lesion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Artefact {
    /// Hairs across the picture.
    Hair,
    /// Marks of a ruler at an edge.
    Ruler,
    /// Violet or blue ink of a surgical pen.
    Ink,
    /// Bubbles in the immersion gel.
    GelBubbles,
    /// The round dark rim of the dermatoscope.
    Vignette,
}

impl Artefact {
    /// All kinds, in the order in which they are laid.
    pub const ALL: [Artefact; 5] = [Artefact::Ink, Artefact::Hair, Artefact::GelBubbles, Artefact::Ruler, Artefact::Vignette];

    /// How often a picture has one.
    fn frequency(self) -> f32 {
        match self {
            Artefact::Hair => 0.42,
            Artefact::Ruler => 0.10,
            Artefact::Ink => 0.08,
            Artefact::GelBubbles => 0.12,
            Artefact::Vignette => 0.14,
        }
    }

    fn lay(self, rgb: &mut [[f32; 3]], size: u32, stream: &mut Stream) {
        match self {
            Artefact::Hair => hair::lay(rgb, size, stream),
            Artefact::Ruler => ruler::lay(rgb, size, stream),
            Artefact::Ink => ink::lay(rgb, size, stream),
            Artefact::GelBubbles => bubbles::lay(rgb, size, stream),
            Artefact::Vignette => vignette::lay(rgb, size, stream),
        }
    }
}

/// Lays artefacts by lot on a picture (row by row, channels in 0 to 1) and says which.
pub(super) fn lay_artefacts(rgb: &mut [[f32; 3]], size: u32, stream: &Stream) -> Vec<Artefact> {
    let mut lots = stream.fork("which");
    let chosen: Vec<Artefact> = Artefact::ALL.into_iter().filter(|kind| lots.chance(kind.frequency())).collect();
    for kind in &chosen {
        kind.lay(rgb, size, &mut stream.fork(&format!("{kind:?}")));
    }
    chosen
}

/// Moves a colour towards another.
fn blend(pixel: &mut [f32; 3], colour: [f32; 3], amount: f32) {
    for (value, target) in pixel.iter_mut().zip(colour) {
        *value += (target - *value) * amount.clamp(0.0, 1.0);
    }
}
