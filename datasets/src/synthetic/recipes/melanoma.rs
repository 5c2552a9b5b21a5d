//! Melanoma: several colours, several patterns, no axis of symmetry.

use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::outline::OutlineStyle;
use crate::synthetic::pigment::{Ground, Patches, ground, patches};
use crate::synthetic::stream::Stream;
use crate::synthetic::structures::{Dots, Network, Streaks, dots, network, streaks, ulceration, white_streaks};
use crate::synthetic::tissue::Tissue;

pub(super) fn outline(stream: &mut Stream) -> OutlineStyle {
    OutlineStyle {
        radius_mm: (1.6, 5.0),
        elongation: 2.1,
        lobes: stream.between(0.05, 0.17),
        ragged: stream.between(0.10, 0.26),
        bites: if stream.chance(0.3) { stream.between(0.2, 0.7) } else { 0.0 },
    }
}

pub(super) fn paint(lesion: &mut Lesion, stream: &mut Stream) {
    // A quiet melanoma is hard to tell from a nevus; a loud one shows nearly everything.
    let loud = stream.between(0.3, 1.0);
    let dark = stream.between(0.55, 1.3);
    let base = Ground {
        tissue: Tissue { melanin: dark, deep: dark * stream.mostly_low(0.0, 0.4), blood: stream.between(0.05, 0.4), ..Tissue::default() },
        edge: stream.between(0.06, 0.26),
        mottle: stream.between(0.25, 0.6),
        grain_mm: stream.between(0.7, 1.8),
        lopsided: loud * stream.between(0.15, 0.55),
        central: stream.between(-0.3, 0.6),
    };
    ground(lesion, &base, stream);
    if stream.chance(0.75) {
        let with = Network {
            mesh_mm: stream.between(0.2, 0.36),
            line: stream.between(0.28, 0.5),
            melanin: stream.between(0.3, 0.8),
            uneven: stream.between(0.45, 1.0),
            share: stream.between(0.25, 0.75),
        };
        network(lesion, &with, stream);
    }
    colours(lesion, loud, stream);
    marks(lesion, loud, stream);
}

fn colours(lesion: &mut Lesion, loud: f32, stream: &mut Stream) {
    if stream.chance(0.3 + 0.6 * loud) {
        let black = Tissue { melanin: stream.between(1.2, 2.6), ..Tissue::default() };
        patches(lesion, &patch(black, stream.between(0.15, 0.45), 1.0, stream), stream);
        lesion.found(Finding::Blotch);
    }
    if stream.chance(0.75 * loud) {
        let veil = Tissue { melanin: 0.25, deep: stream.between(0.5, 1.1), haze: stream.between(0.12, 0.42), ..Tissue::default() };
        patches(lesion, &patch(veil, stream.between(0.18, 0.5), 0.7, stream), stream);
        lesion.found(Finding::BlueWhiteVeil);
    }
    if stream.chance(0.5 * loud) {
        let red = Tissue { blood: stream.between(0.4, 1.0), ..Tissue::default() };
        patches(lesion, &patch(red, stream.between(0.15, 0.4), 0.5, stream), stream);
    }
    if stream.chance(0.6 * loud) {
        let scar = Tissue { white: stream.between(0.2, 0.5), blood: 0.12, deep: 0.12, ..Tissue::default() };
        patches(lesion, &patch(scar, stream.between(0.12, 0.35), 0.15, stream), stream);
        let pepper = Dots { count: stream.count(15, 60), radius_mm: (0.03, 0.07), melanin: 0.1, deep: 0.55, finding: Finding::Regression };
        dots(lesion, &pepper, stream);
    }
}

fn marks(lesion: &mut Lesion, loud: f32, stream: &mut Stream) {
    let dark_streaks = stream.between(0.6, 1.5);
    if stream.chance(0.5 * loud) {
        let with = Streaks { count: stream.count(8, 30), arc: stream.between(0.2, 0.8), melanin: dark_streaks };
        streaks(lesion, &with, stream);
    }
    if stream.chance(0.35 + 0.45 * loud) {
        let with = Dots {
            count: stream.count(8, 45),
            radius_mm: (0.04, 0.13),
            melanin: stream.between(1.0, 2.2),
            deep: 0.1,
            finding: Finding::IrregularDots,
        };
        dots(lesion, &with, stream);
    }
    if stream.chance(0.3 * loud) {
        white_streaks(lesion, stream.count(5, 18), stream);
    }
    if stream.chance(0.14 * loud) {
        ulceration(lesion, stream.between(0.2, 0.5), stream);
    }
}

fn patch(tissue: Tissue, share: f32, keeps: f32, stream: &mut Stream) -> Patches {
    Patches { tissue, share, size: stream.between(0.45, 1.0), soft: stream.between(0.22, 0.5), keeps }
}
