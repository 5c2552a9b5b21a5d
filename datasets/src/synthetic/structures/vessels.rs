//! Vessels: branching, coiled, looped and dotted.

use super::keratin::inside;
use crate::synthetic::coverage::Coverage;
use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

/// Thick bright stems that enter from the border and branch into ever finer ones.
pub(in crate::synthetic) fn arborising_vessels(lesion: &mut Lesion, stems: usize, stream: &mut Stream) {
    let mut sheet = lesion.sheet();
    for _ in 0..stems {
        let turns = stream.unit();
        let start = lesion.outline.border(turns).scaled(stream.between(0.8, 1.0));
        let heading = turns + 0.5 + stream.between(-0.12, 0.12);
        branch(&mut sheet, lesion, (start, heading), stream.between(0.032, 0.06), 3, stream);
    }
    lesion.stamp(&sheet, |tissue, cover| {
        tissue.blood += 1.1 * cover;
        tissue.white *= 1.0 - 0.8 * cover;
    });
    lesion.found(Finding::ArborisingVessels);
}

fn branch(sheet: &mut Coverage, lesion: &Lesion, from: (Point, f32), radius_mm: f32, depth: usize, stream: &mut Stream) {
    let (mut at, mut turn) = from;
    let step = 0.11 * lesion.radius_mm() * (0.55 + 0.15 * depth as f32);
    let mut radius = radius_mm;
    let mut path = vec![(lesion.view.to_pixel(at), radius * lesion.view.scale())];
    let steps = stream.count(5, 9);
    for index in 0..steps {
        turn += 0.045 * stream.normal();
        at = at.towards(turn, step);
        radius *= 0.94;
        path.push((lesion.view.to_pixel(at), radius * lesion.view.scale()));
        if depth > 0 && index > 0 && stream.chance(0.42) {
            let side = if stream.chance(0.5) { 0.13 } else { -0.13 };
            branch(sheet, lesion, (at, turn + side * stream.between(0.7, 1.4)), radius * 0.66, depth - 1, stream);
        }
    }
    sheet.stroke(&path, 0.55 + 0.14 * depth as f32);
}

/// Coiled (glomerular) vessels in clusters.
pub(in crate::synthetic) fn coiled_vessels(lesion: &mut Lesion, clusters: usize, stream: &mut Stream) {
    let mut sheet = lesion.sheet();
    for _ in 0..clusters {
        let heart = inside(lesion, stream, 0.8);
        for _ in 0..stream.count(6, 14) {
            let spread = 0.26 * lesion.radius_mm();
            let at = Point::new(heart.y + spread * stream.normal(), heart.x + spread * stream.normal());
            let (start, size) = (stream.unit(), stream.between(0.06, 0.12));
            let coil: Vec<_> = (0..12)
                .map(|k| {
                    let t = k as f32 / 11.0;
                    (lesion.view.to_pixel(at.towards(start + 1.7 * t, size * (0.25 + 0.75 * t))), 0.028 * lesion.view.scale())
                })
                .collect();
            sheet.stroke(&coil, stream.between(0.7, 1.0));
        }
    }
    lesion.stamp(&sheet, |tissue, cover| tissue.blood += 1.15 * cover);
    lesion.found(Finding::GlomerularVessels);
}

/// Loops with a pale halo around them.
pub(in crate::synthetic) fn hairpin_vessels(lesion: &mut Lesion, count: usize, stream: &mut Stream) {
    let (mut loops, mut halo) = (lesion.sheet(), lesion.sheet());
    for _ in 0..count {
        let at = inside(lesion, stream, 0.9);
        let turn = stream.unit();
        let (length, half) = (stream.between(0.2, 0.42), stream.between(0.05, 0.08));
        let tip = at.towards(turn, length);
        let path = [
            at.towards(turn + 0.25, half),
            tip.towards(turn + 0.25, half),
            tip.towards(turn, half),
            tip.towards(turn - 0.25, half),
            at.towards(turn - 0.25, half),
        ];
        let pixels = path.map(|p| lesion.view.to_pixel(p));
        loops.stroke(&pixels.map(|p| (p, 0.03 * lesion.view.scale())), stream.between(0.7, 1.0));
        halo.stroke(
            &[(lesion.view.to_pixel(at), 0.16 * lesion.view.scale()), (lesion.view.to_pixel(tip), 0.16 * lesion.view.scale())],
            0.5,
        );
    }
    lesion.stamp(&halo, |tissue, cover| tissue.white += 0.28 * cover);
    lesion.stamp(&loops, |tissue, cover| {
        tissue.white *= 1.0 - cover;
        tissue.blood += 1.0 * cover;
    });
    lesion.found(Finding::HairpinVessels);
}

/// Fine red points spread over the lesion.
pub(in crate::synthetic) fn dotted_vessels(lesion: &mut Lesion, count: usize, stream: &mut Stream) {
    let mut sheet = lesion.sheet();
    for _ in 0..count {
        let at = lesion.view.to_pixel(inside(lesion, stream, 0.95));
        sheet.disc(at, stream.between(0.025, 0.055) * lesion.view.scale(), 0.5, stream.between(0.5, 1.0));
    }
    lesion.stamp(&sheet, |tissue, cover| tissue.blood += 0.9 * cover);
    lesion.found(Finding::DottedVessels);
}
