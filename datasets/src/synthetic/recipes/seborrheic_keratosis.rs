//! Seborrhoeic keratosis: stuck on, sharply bounded, cysts and plugs in waxy brown.

use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::outline::OutlineStyle;
use crate::synthetic::pigment::{Ground, Patches, ground, patches};
use crate::synthetic::stream::Stream;
use crate::synthetic::structures::{Plugs, Ridges, comedo_like_openings, hairpin_vessels, milia_like_cysts, ridges, scale};
use crate::synthetic::tissue::Tissue;

pub(super) fn outline(stream: &mut Stream) -> OutlineStyle {
    OutlineStyle {
        radius_mm: (1.7, 5.0),
        elongation: 1.8,
        lobes: stream.between(0.02, 0.09),
        ragged: stream.between(0.03, 0.13),
        bites: if stream.chance(0.3) { stream.between(0.3, 0.8) } else { 0.0 },
    }
}

pub(super) fn paint(lesion: &mut Lesion, stream: &mut Stream) {
    let base = Ground {
        tissue: Tissue {
            melanin: stream.mostly_low(0.35, 1.7),
            deep: stream.between(0.05, 0.38),
            blood: stream.between(0.0, 0.25),
            yellow: stream.between(0.0, 0.16),
            ..Tissue::default()
        },
        edge: stream.between(0.03, 0.09),
        mottle: stream.between(0.2, 0.45),
        grain_mm: stream.between(0.4, 1.2),
        lopsided: stream.mostly_low(0.0, 0.3),
        central: stream.between(-0.35, 0.25),
    };
    ground(lesion, &base, stream);
    if stream.chance(0.45) {
        let dark = Tissue { melanin: stream.between(0.5, 1.4), deep: 0.1, ..Tissue::default() };
        let with = Patches { tissue: dark, share: stream.between(0.15, 0.4), size: stream.between(0.4, 0.8), soft: 0.15, keeps: 1.0 };
        patches(lesion, &with, stream);
    }
    if stream.chance(0.55) {
        let with = Ridges {
            pitch_mm: stream.between(0.38, 0.75),
            melanin: stream.between(0.25, 0.75),
            meander: stream.between(0.8, 1.5),
            finding: Finding::CerebriformRidges,
        };
        ridges(lesion, &with, stream);
    }
    plugs(lesion, stream);
    if stream.chance(0.2) {
        hairpin_vessels(lesion, stream.count(4, 14), stream);
    }
    if stream.chance(0.15) {
        scale(lesion, stream.between(0.2, 0.5), stream.between(0.1, 0.6), stream);
    }
}

fn plugs(lesion: &mut Lesion, stream: &mut Stream) {
    if stream.chance(0.8) {
        milia_like_cysts(lesion, &Plugs { count: stream.count(4, 34), radius_mm: (0.07, 0.24) }, stream);
    }
    if stream.chance(0.7) {
        comedo_like_openings(lesion, &Plugs { count: stream.count(3, 26), radius_mm: (0.06, 0.24) }, stream);
    }
}
