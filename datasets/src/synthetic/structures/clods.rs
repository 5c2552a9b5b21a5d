//! Globules (clods) and dots.

use crate::synthetic::elementary::smoothstep;
use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::noise::Noise;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

/// Round clods, one a cell of a jittered grid.
#[derive(Clone, Copy, Debug)]
pub(in crate::synthetic) struct Clods {
    /// Distance between clods in millimetres.
    pub pitch_mm: f32,
    /// Radius in shares of the pitch.
    pub radius: f32,
    /// Melanin in a clod.
    pub melanin: f32,
    /// Share of the cells that hold one.
    pub share: f32,
    /// True when clods stand only near the border (a growing nevus).
    pub at_rim: bool,
}

pub(in crate::synthetic) fn clods(lesion: &mut Lesion, with: &Clods, stream: &mut Stream) {
    let (cells, bend) = (Noise::new(stream), Noise::new(stream));
    let step = 1.0 / with.pitch_mm;
    lesion.each(|site| {
        let place = if with.at_rim {
            smoothstep(-0.14, 0.0, site.depth) * (1.0 - smoothstep(0.12, 0.3, site.depth))
        } else {
            smoothstep(-0.02, 0.12, site.depth)
        };
        if place <= 0.0 {
            return;
        }
        let q = Point::new(site.at.y * step + 0.3 * bend.at(site.at.scaled(2.0)), site.at.x * step);
        let cell = cells.cell(q, 0.7);
        if cell.lot < with.share {
            let radius = with.radius * (0.7 + 0.6 * cell.lot / with.share);
            site.tissue.melanin += with.melanin * place * (1.0 - smoothstep(0.55 * radius, 1.15 * radius, cell.nearest));
        }
    });
    lesion.found(Finding::Globules);
}

/// Small points scattered over the lesion.
#[derive(Clone, Copy, Debug)]
pub(in crate::synthetic) struct Dots {
    /// How many.
    pub count: usize,
    /// Smallest and largest radius in millimetres.
    pub radius_mm: (f32, f32),
    /// Melanin in a dot.
    pub melanin: f32,
    /// Dermal pigment in a dot: grey instead of black.
    pub deep: f32,
    /// What the dots are called.
    pub finding: Finding,
}

pub(in crate::synthetic) fn dots(lesion: &mut Lesion, with: &Dots, stream: &mut Stream) {
    let mut sheet = lesion.sheet();
    // Dots gather around one off-centre place: an even spread would be regular.
    let heart = Point::new(0.0, 0.0).towards(stream.unit(), 0.4 * lesion.radius_mm());
    for _ in 0..with.count {
        let spread = lesion.radius_mm() * 0.42;
        let at = Point::new(heart.y + spread * stream.normal(), heart.x + spread * stream.normal());
        let radius = stream.mostly_low(with.radius_mm.0, with.radius_mm.1) * lesion.view.scale();
        sheet.disc(lesion.view.to_pixel(at), radius, 0.4, stream.between(0.5, 1.0));
    }
    lesion.stamp(&sheet, |tissue, cover| {
        tissue.melanin += with.melanin * cover;
        tissue.deep += with.deep * cover;
    });
    lesion.found(with.finding);
}
