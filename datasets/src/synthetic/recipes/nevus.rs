//! Nevus: one colour, one pattern, a regular border.

use crate::synthetic::lesion::Lesion;
use crate::synthetic::outline::OutlineStyle;
use crate::synthetic::pigment::{Ground, ground};
use crate::synthetic::stream::Stream;
use crate::synthetic::structures::{Clods, Network, clods, network};
use crate::synthetic::tissue::Tissue;

pub(super) fn outline(stream: &mut Stream) -> OutlineStyle {
    OutlineStyle {
        radius_mm: (1.1, 3.4),
        elongation: 1.7,
        lobes: stream.mostly_low(0.015, 0.075),
        ragged: stream.between(0.05, 0.13),
        bites: 0.0,
    }
}

pub(super) fn paint(lesion: &mut Lesion, stream: &mut Stream) {
    let pattern = stream.weighted(&[0.45, 0.25, 0.20, 0.10]);
    let dark = stream.between(0.45, 1.35);
    let base = Ground {
        tissue: Tissue { melanin: dark, deep: dark * stream.mostly_low(0.0, 0.35), blood: stream.between(0.0, 0.4), ..Tissue::default() },
        edge: stream.between(0.08, 0.40),
        mottle: stream.between(0.14, 0.36),
        grain_mm: stream.between(0.5, 1.1),
        lopsided: stream.mostly_low(0.0, 0.16),
        central: stream.between(-0.1, 0.75),
    };
    ground(lesion, &base, stream);
    match pattern {
        0 => reticular(lesion, dark, stream),
        1 => globular(lesion, dark, stream),
        2 => {}
        // A pink, dermal nevus with a few clods.
        _ => lesion.each(|site| {
            site.tissue.blood += 0.3 * site.tissue.melanin;
            site.tissue.melanin *= 0.5;
        }),
    }
}

fn reticular(lesion: &mut Lesion, dark: f32, stream: &mut Stream) {
    let with = Network {
        mesh_mm: stream.between(0.17, 0.28),
        line: stream.between(0.22, 0.36),
        melanin: dark * stream.between(0.2, 0.55),
        uneven: stream.between(0.15, 0.45),
        share: stream.between(0.7, 1.2),
    };
    network(lesion, &with, stream);
}

fn globular(lesion: &mut Lesion, dark: f32, stream: &mut Stream) {
    let with = Clods {
        pitch_mm: stream.between(0.26, 0.5),
        radius: stream.between(0.26, 0.42),
        melanin: dark * stream.between(0.3, 0.8),
        share: stream.between(0.6, 1.0),
        at_rim: stream.chance(0.35),
    };
    clods(lesion, &with, stream);
}
