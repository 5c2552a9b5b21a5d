//! Parallel curved ridges: contour lines of a smooth field never cross and bend together, as fingerprints do.

use crate::synthetic::elementary::{cos_turns, smoothstep};
use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::noise::Noise;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

/// Ridges and furrows.
#[derive(Clone, Copy, Debug)]
pub(in crate::synthetic) struct Ridges {
    /// Distance from ridge to ridge in millimetres.
    pub pitch_mm: f32,
    /// Melanin in the furrows.
    pub melanin: f32,
    /// How far the ridges meander: 0.3 nearly straight, 1.5 brain-like.
    pub meander: f32,
    /// Fingerprint lines or cerebriform ridges.
    pub finding: Finding,
}

pub(in crate::synthetic) fn ridges(lesion: &mut Lesion, with: &Ridges, stream: &mut Stream) {
    let (bend, fade) = (Noise::new(stream), Noise::new(stream));
    let along = Point::new(0.0, 0.0).towards(stream.unit(), 1.0 / with.pitch_mm);
    let curl = 0.28 / with.pitch_mm;
    lesion.each(|site| {
        let rim = smoothstep(-0.02, 0.14, site.depth);
        if rim <= 0.0 {
            return;
        }
        let phase = 0.5 * (site.at.y * along.y + site.at.x * along.x) + 1.9 * with.meander * bend.fractal(site.at.scaled(curl), 2);
        let furrow = smoothstep(0.1, 0.95, cos_turns(phase)) - 0.35;
        let shown = smoothstep(-0.45, 0.15, fade.at(site.at.scaled(0.7)));
        site.tissue.melanin += with.melanin * furrow * rim * shown;
    });
    lesion.found(with.finding);
}
