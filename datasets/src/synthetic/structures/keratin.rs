//! Keratin: cysts, plugs, scale, masses, and the white lines and rings of other layers.

use crate::synthetic::elementary::smoothstep;
use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::noise::Noise;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

/// How many plugs or cysts and how large.
#[derive(Clone, Copy, Debug)]
pub(in crate::synthetic) struct Plugs {
    pub count: usize,
    /// Smallest and largest radius in millimetres.
    pub radius_mm: (f32, f32),
}

/// White-yellow cysts with a soft edge.
pub(in crate::synthetic) fn milia_like_cysts(lesion: &mut Lesion, with: &Plugs, stream: &mut Stream) {
    let mut sheet = lesion.sheet();
    for _ in 0..with.count {
        let radius = stream.mostly_low(with.radius_mm.0, with.radius_mm.1) * lesion.view.scale();
        sheet.disc(lesion.view.to_pixel(inside(lesion, stream, 0.85)), radius, 0.7, stream.between(0.45, 0.95));
    }
    lesion.stamp(&sheet, |tissue, cover| {
        tissue.melanin *= 1.0 - 0.5 * cover;
        tissue.white += 0.45 * cover;
        tissue.yellow += 0.40 * cover;
    });
    lesion.found(Finding::MiliaLikeCysts);
}

/// Brown-black plugs with a sharp edge and a paler rim.
pub(in crate::synthetic) fn comedo_like_openings(lesion: &mut Lesion, with: &Plugs, stream: &mut Stream) {
    let (mut core, mut rim) = (lesion.sheet(), lesion.sheet());
    for _ in 0..with.count {
        let at = lesion.view.to_pixel(inside(lesion, stream, 0.85));
        let radius = stream.mostly_low(with.radius_mm.0, with.radius_mm.1) * lesion.view.scale();
        let radii = (radius * stream.between(0.8, 1.5), radius * stream.between(0.6, 1.0));
        let turns = stream.unit();
        rim.ellipse(at, (radii.0 * 1.5, radii.1 * 1.5), turns, 0.35, 0.6);
        core.ellipse(at, radii, turns, 0.22, stream.between(0.7, 1.0));
    }
    lesion.stamp(&rim, |tissue, cover| {
        tissue.melanin *= 1.0 - 0.35 * cover;
        tissue.yellow += 0.14 * cover;
    });
    lesion.stamp(&core, |tissue, cover| {
        tissue.yellow *= 1.0 - cover;
        tissue.melanin += 1.9 * cover;
    });
    lesion.found(Finding::ComedoLikeOpenings);
}

/// Patches of loose white or yellow scale, broken by fine cracks.
pub(in crate::synthetic) fn scale(lesion: &mut Lesion, amount: f32, yellow: f32, stream: &mut Stream) {
    let (place, crack, grain) = (Noise::new(stream), Noise::new(stream), Noise::new(stream));
    lesion.each(|site| {
        let rim = smoothstep(-0.2, 0.3, site.depth);
        let patch = if rim > 0.0 { smoothstep(0.05, 0.5, place.fractal(site.at.scaled(0.8), 3)) } else { 0.0 };
        if patch <= 0.0 {
            return;
        }
        let flake = smoothstep(0.04, 0.3, crack.cell(site.at.scaled(2.6), 1.0).wall) * (0.7 + 0.5 * grain.at(site.at.scaled(6.0)));
        let here = amount * rim * patch * flake;
        site.tissue.white += here * (1.0 - yellow);
        site.tissue.yellow += here * yellow;
    });
    lesion.found(Finding::Scale);
}

/// A structureless mass at the middle, white at its rim and yellow to brown at its heart.
pub(in crate::synthetic) fn keratin_mass(lesion: &mut Lesion, size: f32, stream: &mut Stream) {
    let (rough, grain) = (Noise::new(stream), Noise::new(stream));
    let centre = Point::new(0.0, 0.0).towards(stream.unit(), stream.between(0.0, 0.3) * lesion.radius_mm());
    let radius = size * lesion.radius_mm();
    let heart = stream.between(0.2, 0.8);
    lesion.each(|site| {
        let away = Point::new(site.at.y - centre.y, site.at.x - centre.x).length() / radius;
        let level = 1.0 - away + 0.38 * rough.fractal(site.at.scaled(1.1), 3);
        let here = smoothstep(-0.05, 0.32, level) * smoothstep(0.0, 0.15, site.depth);
        if here <= 0.0 {
            return;
        }
        let inner = heart * smoothstep(0.25, 0.8, level);
        let shade = 0.82 + 0.22 * grain.fractal(site.at.scaled(3.5), 2);
        site.tissue.white += here * shade * (1.0 - inner) * 0.85;
        site.tissue.yellow += here * shade * inner;
        site.tissue.melanin += 0.5 * here * inner * heart;
    });
    lesion.found(Finding::KeratinMass);
}

/// White rings around yellowish follicles.
pub(in crate::synthetic) fn white_circles(lesion: &mut Lesion, count: usize, stream: &mut Stream) {
    let (mut ring, mut plug) = (lesion.sheet(), lesion.sheet());
    for _ in 0..count {
        let at = inside(lesion, stream, 0.9);
        let radius = stream.between(0.12, 0.24);
        let path: Vec<_> =
            (0..=10).map(|k| (lesion.view.to_pixel(at.towards(k as f32 / 10.0, radius)), 0.04 * lesion.view.scale())).collect();
        ring.stroke(&path, stream.between(0.3, 0.7));
        plug.disc(lesion.view.to_pixel(at), 0.6 * radius * lesion.view.scale(), 0.5, 0.6);
    }
    lesion.stamp(&plug, |tissue, cover| tissue.yellow += 0.55 * cover);
    lesion.stamp(&ring, |tissue, cover| tissue.white += 0.75 * cover);
    lesion.found(Finding::WhiteCircles);
}

/// Shiny white streaks, all in one direction or across it, as polarised light shows them.
pub(in crate::synthetic) fn white_streaks(lesion: &mut Lesion, count: usize, stream: &mut Stream) {
    let mut sheet = lesion.sheet();
    let direction = stream.unit();
    for _ in 0..count {
        let at = inside(lesion, stream, 0.75);
        let turns = direction + if stream.chance(0.35) { 0.25 } else { 0.0 } + 0.02 * stream.normal();
        let half = stream.between(0.15, 0.5);
        let radius = stream.between(0.03, 0.06) * lesion.view.scale();
        let ends = [at.towards(turns, half), at.towards(turns + 0.5, half)];
        sheet.stroke(&ends.map(|p| (lesion.view.to_pixel(p), radius)), stream.between(0.3, 0.7));
    }
    lesion.stamp(&sheet, |tissue, cover| tissue.white += 0.6 * cover);
    lesion.found(Finding::WhiteStreaks);
}

/// A point inside the outline, within `share` of the border's distance.
pub(in crate::synthetic) fn inside(lesion: &Lesion, stream: &mut Stream, share: f32) -> Point {
    let border = lesion.outline.border(stream.unit());
    border.scaled(share * stream.unit().sqrt())
}
