//! Squamous cell carcinoma: keratin, white circles, coiled and looped vessels, ulceration on red.

use crate::synthetic::lesion::Lesion;
use crate::synthetic::outline::OutlineStyle;
use crate::synthetic::pigment::{Ground, Patches, ground, patches};
use crate::synthetic::stream::Stream;
use crate::synthetic::structures::{coiled_vessels, hairpin_vessels, keratin_mass, scale, ulceration, white_circles};
use crate::synthetic::tissue::Tissue;

pub(super) fn outline(stream: &mut Stream) -> OutlineStyle {
    OutlineStyle {
        radius_mm: (1.7, 5.0),
        elongation: 1.6,
        lobes: stream.between(0.03, 0.12),
        ragged: stream.between(0.08, 0.25),
        bites: 0.0,
    }
}

pub(super) fn paint(lesion: &mut Lesion, stream: &mut Stream) {
    let base = Ground {
        tissue: Tissue {
            melanin: stream.mostly_low(0.0, 0.3),
            blood: stream.between(0.35, 0.95),
            white: stream.between(0.0, 0.22),
            ..Tissue::default()
        },
        edge: stream.between(0.10, 0.38),
        mottle: stream.between(0.25, 0.5),
        grain_mm: stream.between(0.6, 1.6),
        lopsided: stream.mostly_low(0.0, 0.35),
        central: stream.between(-0.3, 0.3),
    };
    ground(lesion, &base, stream);
    if stream.chance(0.5) {
        let white = Tissue { white: stream.between(0.15, 0.45), ..Tissue::default() };
        patches(lesion, &Patches { tissue: white, share: stream.between(0.2, 0.5), size: 0.5, soft: 0.45, keeps: 0.6 }, stream);
    }
    if stream.chance(0.65) {
        coiled_vessels(lesion, stream.count(2, 6), stream);
    }
    if stream.chance(0.45) {
        hairpin_vessels(lesion, stream.count(6, 22), stream);
    }
    if stream.chance(0.5) {
        white_circles(lesion, stream.count(4, 16), stream);
    }
    if stream.chance(0.65) {
        keratin_mass(lesion, stream.between(0.3, 0.75), stream);
    } else if stream.chance(0.6) {
        scale(lesion, stream.between(0.4, 0.9), stream.between(0.2, 0.8), stream);
    }
    if stream.chance(0.45) {
        ulceration(lesion, stream.between(0.15, 0.45), stream);
    }
}
