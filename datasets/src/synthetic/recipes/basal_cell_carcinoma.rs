//! Basal cell carcinoma: pearly pink, branching vessels, blue-grey nests.

use crate::synthetic::lesion::Lesion;
use crate::synthetic::outline::OutlineStyle;
use crate::synthetic::pigment::{Ground, Patches, ground, patches};
use crate::synthetic::stream::Stream;
use crate::synthetic::structures::{arborising_vessels, leaf_like_areas, ovoid_nests, scale, ulceration, white_streaks};
use crate::synthetic::tissue::Tissue;

pub(super) fn outline(stream: &mut Stream) -> OutlineStyle {
    OutlineStyle {
        radius_mm: (1.4, 4.6),
        elongation: 1.8,
        lobes: stream.between(0.03, 0.12),
        ragged: stream.between(0.06, 0.2),
        bites: 0.0,
    }
}

pub(super) fn paint(lesion: &mut Lesion, stream: &mut Stream) {
    let pigmented = stream.chance(0.55);
    let base = Ground {
        tissue: Tissue {
            melanin: if pigmented { stream.between(0.0, 0.4) } else { 0.0 },
            blood: stream.between(0.18, 0.6),
            white: stream.between(0.06, 0.3),
            haze: stream.between(0.0, 0.12),
            ..Tissue::default()
        },
        edge: stream.between(0.06, 0.3),
        mottle: stream.between(0.2, 0.5),
        grain_mm: stream.between(0.6, 1.6),
        lopsided: stream.mostly_low(0.0, 0.4),
        central: stream.between(-0.4, 0.3),
    };
    ground(lesion, &base, stream);
    if stream.chance(0.6) {
        let pearl = Tissue { white: stream.between(0.15, 0.4), ..Tissue::default() };
        patches(lesion, &Patches { tissue: pearl, share: stream.between(0.2, 0.5), size: 0.5, soft: 0.3, keeps: 0.6 }, stream);
    }
    if pigmented {
        ovoid_nests(lesion, stream.count(2, 14), stream);
        if stream.chance(0.4) {
            leaf_like_areas(lesion, stream.count(1, 5), stream);
        }
    }
    if stream.chance(0.8) {
        arborising_vessels(lesion, stream.count(2, 6), stream);
    }
    if stream.chance(0.35) {
        white_streaks(lesion, stream.count(4, 16), stream);
    }
    if stream.chance(0.4) {
        ulceration(lesion, stream.between(0.15, 0.5), stream);
    }
    if stream.chance(0.12) {
        scale(lesion, stream.between(0.2, 0.5), 0.2, stream);
    }
}
