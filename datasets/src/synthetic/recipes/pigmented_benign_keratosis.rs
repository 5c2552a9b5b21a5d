//! Pigmented benign keratosis: solar lentigo with fingerprint lines and bites, sometimes regressing into grey granules.

use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::outline::OutlineStyle;
use crate::synthetic::pigment::{Ground, Patches, ground, patches};
use crate::synthetic::stream::Stream;
use crate::synthetic::structures::{Dots, Network, Plugs, Ridges, dots, milia_like_cysts, network, ridges};
use crate::synthetic::tissue::Tissue;

pub(super) fn outline(stream: &mut Stream) -> OutlineStyle {
    OutlineStyle {
        radius_mm: (1.6, 5.0),
        elongation: 1.8,
        lobes: stream.between(0.04, 0.15),
        ragged: stream.between(0.12, 0.30),
        bites: if stream.chance(0.75) { stream.between(0.6, 1.5) } else { 0.1 },
    }
}

pub(super) fn paint(lesion: &mut Lesion, stream: &mut Stream) {
    let dark = stream.between(0.28, 0.85);
    let base = Ground {
        tissue: Tissue { melanin: dark, blood: stream.between(0.0, 0.2), yellow: stream.between(0.0, 0.06), ..Tissue::default() },
        edge: stream.between(0.04, 0.16),
        mottle: stream.between(0.25, 0.55),
        grain_mm: stream.between(0.5, 1.2),
        lopsided: stream.mostly_low(0.0, 0.35),
        central: stream.between(-0.4, 0.2),
    };
    ground(lesion, &base, stream);
    if stream.chance(0.6) {
        let with = Ridges {
            pitch_mm: stream.between(0.18, 0.32),
            melanin: dark * stream.between(0.2, 0.55),
            meander: stream.between(0.3, 0.7),
            finding: Finding::FingerprintLines,
        };
        ridges(lesion, &with, stream);
    } else {
        let with = Network {
            mesh_mm: stream.between(0.35, 0.7),
            line: 0.4,
            melanin: dark * stream.between(0.3, 0.8),
            uneven: stream.between(0.2, 0.6),
            share: 0.8,
        };
        network(lesion, &with, stream);
    }
    if stream.chance(0.35) {
        regressing(lesion, stream);
    }
    if stream.chance(0.2) {
        milia_like_cysts(lesion, &Plugs { count: stream.count(1, 7), radius_mm: (0.06, 0.16) }, stream);
    }
    lesion.found(Finding::MothEatenBorder);
}

/// Lichen-planus-like keratosis: the brown goes, coarse grey granules and pink stay.
fn regressing(lesion: &mut Lesion, stream: &mut Stream) {
    let pink = Tissue { blood: stream.between(0.1, 0.4), deep: stream.between(0.05, 0.3), ..Tissue::default() };
    patches(lesion, &Patches { tissue: pink, share: stream.between(0.2, 0.6), size: 0.7, soft: 0.25, keeps: 0.35 }, stream);
    let granules = Dots {
        count: stream.count(30, 140),
        radius_mm: (0.03, 0.08),
        melanin: 0.12,
        deep: stream.between(0.25, 0.6),
        finding: Finding::Peppering,
    };
    dots(lesion, &granules, stream);
}
