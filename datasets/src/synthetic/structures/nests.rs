//! Pigmented nests of basal cell carcinoma.

use super::keratin::inside;
use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::noise::Noise;
use crate::synthetic::stream::Stream;

/// Well-bounded blue-grey ovals.
pub(in crate::synthetic) fn ovoid_nests(lesion: &mut Lesion, count: usize, stream: &mut Stream) {
    let mut sheet = lesion.sheet();
    for _ in 0..count {
        let at = lesion.view.to_pixel(inside(lesion, stream, 0.85));
        let radius = lesion.view.scale() * stream.mostly_low(0.12, 0.5).min(0.35 * lesion.radius_mm());
        sheet.ellipse(at, (radius * stream.between(1.0, 1.8), radius), stream.unit(), 0.75, stream.between(0.6, 1.0));
    }
    let depth = stream.between(0.5, 1.0);
    lesion.stamp_clouded(&sheet, Noise::new(stream), |tissue, cover| {
        tissue.deep += depth * cover;
        tissue.melanin += 0.45 * cover;
        tissue.white *= 1.0 - (0.7 * cover).min(1.0);
    });
    lesion.found(Finding::OvoidNests);
}

/// Brown to grey lobes that leave the border like leaves.
pub(in crate::synthetic) fn leaf_like_areas(lesion: &mut Lesion, count: usize, stream: &mut Stream) {
    let mut sheet = lesion.sheet();
    for _ in 0..count {
        let turns = stream.unit();
        let stem = lesion.outline.border(turns).scaled(0.78);
        for lobe in 0..4 {
            let direction = turns + (lobe as f32 - 1.5) * 0.09;
            let tip = stem.towards(direction, lesion.radius_mm() * stream.between(0.12, 0.24));
            let radius = lesion.view.scale() * lesion.radius_mm() * stream.between(0.05, 0.09);
            sheet.stroke(&[(lesion.view.to_pixel(stem), radius * 0.6), (lesion.view.to_pixel(tip), radius)], stream.between(0.6, 0.9));
        }
    }
    lesion.stamp_clouded(&sheet, Noise::new(stream), |tissue, cover| {
        tissue.melanin += 0.55 * cover;
        tissue.deep += 0.22 * cover;
    });
    lesion.found(Finding::LeafLikeAreas);
}
