//! Actinic keratosis: a diffuse red patch, pale follicles, scale.

use crate::synthetic::lesion::Lesion;
use crate::synthetic::outline::OutlineStyle;
use crate::synthetic::pigment::{Ground, Patches, ground, patches};
use crate::synthetic::stream::Stream;
use crate::synthetic::structures::{Network, dotted_vessels, network, scale, strawberry_pattern};
use crate::synthetic::tissue::Tissue;

pub(super) fn outline(stream: &mut Stream) -> OutlineStyle {
    OutlineStyle {
        radius_mm: (1.5, 4.8),
        elongation: 2.0,
        lobes: stream.between(0.05, 0.16),
        ragged: stream.between(0.15, 0.4),
        bites: 0.0,
    }
}

pub(super) fn paint(lesion: &mut Lesion, stream: &mut Stream) {
    let pigmented = stream.chance(0.3);
    let base = Ground {
        tissue: Tissue {
            melanin: if pigmented { stream.between(0.2, 0.6) } else { stream.between(0.0, 0.1) },
            blood: stream.between(0.2, 0.65),
            ..Tissue::default()
        },
        edge: stream.between(0.25, 0.5),
        mottle: stream.between(0.3, 0.6),
        grain_mm: stream.between(0.6, 1.4),
        lopsided: stream.mostly_low(0.0, 0.4),
        central: stream.between(-0.2, 0.4),
    };
    ground(lesion, &base, stream);
    if stream.chance(0.75) {
        strawberry_pattern(lesion, stream.between(0.2, 0.6), stream);
    }
    if pigmented {
        let with = Network {
            mesh_mm: stream.between(0.5, 0.9),
            line: 0.45,
            melanin: stream.between(0.2, 0.6),
            uneven: stream.between(0.3, 0.7),
            share: 0.7,
        };
        network(lesion, &with, stream);
    }
    if stream.chance(0.6) {
        scale(lesion, stream.between(0.35, 0.85), stream.between(0.1, 0.7), stream);
    }
    if stream.chance(0.35) {
        let brown = Tissue { melanin: stream.between(0.2, 0.5), yellow: stream.between(0.0, 0.3), ..Tissue::default() };
        patches(lesion, &Patches { tissue: brown, share: stream.between(0.1, 0.3), size: 0.4, soft: 0.2, keeps: 1.0 }, stream);
    }
    if stream.chance(0.3) {
        dotted_vessels(lesion, stream.count(20, 80), stream);
    }
}
