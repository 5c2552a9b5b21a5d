//! Networks: brown pigment on the ridges around dermal papillae, or red vessels around follicles.

use crate::synthetic::elementary::smoothstep;
use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::noise::Noise;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

/// A pigment network.
#[derive(Clone, Copy, Debug)]
pub(in crate::synthetic) struct Network {
    /// Distance between holes in millimetres.
    pub mesh_mm: f32,
    /// Width of the lines in shares of the mesh.
    pub line: f32,
    /// Melanin on the lines.
    pub melanin: f32,
    /// 0 a regular honeycomb, 1 lines and holes of very uneven size.
    pub uneven: f32,
    /// Share of the lesion that shows the network.
    pub share: f32,
}

pub(in crate::synthetic) fn network(lesion: &mut Lesion, with: &Network, stream: &mut Stream) {
    let (cells, bend, width, place) = (Noise::new(stream), Noise::new(stream), Noise::new(stream), Noise::new(stream));
    let step = 1.0 / with.mesh_mm;
    let broad = 1.0 / (0.7 * lesion.radius_mm()).max(0.2);
    lesion.each(|site| {
        let rim = smoothstep(-0.16, 0.10, site.depth);
        if rim <= 0.0 {
            return;
        }
        let bent = 0.25 + 0.9 * with.uneven;
        let q = Point::new(
            site.at.y * step + bent * bend.at(site.at.scaled(1.3)),
            site.at.x * step + bent * bend.at(Point::new(site.at.x * 1.3 + 7.1, site.at.y * 1.3)),
        );
        let wall = cells.cell(q, 0.45 + 0.5 * with.uneven).wall;
        let line = with.line * (1.0 + 0.9 * with.uneven * width.at(site.at.scaled(1.7)));
        let shown = smoothstep(0.55 - 1.1 * with.share, 0.85 - 1.1 * with.share, place.fractal(site.at.scaled(broad), 2));
        let ink = 0.75 + 0.5 * width.at(site.at.scaled(3.1));
        let here = (1.0 - smoothstep(0.0, 1.6 * line, wall)) * rim * shown * ink;
        // Holes let a little of the ground's pigment through; lines carry more.
        site.tissue.melanin += with.melanin * here - 0.18 * with.melanin * rim * shown;
    });
    lesion.found(if with.uneven > 0.5 { Finding::AtypicalNetwork } else { Finding::PigmentNetwork });
}

/// Red vessels around pale follicles with a yellowish plug: actinic keratosis of the face.
pub(in crate::synthetic) fn strawberry_pattern(lesion: &mut Lesion, blood: f32, stream: &mut Stream) {
    let (cells, place, fine) = (Noise::new(stream), Noise::new(stream), Noise::new(stream));
    let mesh = stream.between(0.75, 1.25);
    lesion.each(|site| {
        let rim = smoothstep(-0.45, 0.25, site.depth);
        if rim <= 0.0 {
            return;
        }
        let q = Point::new(site.at.y / mesh + 0.4 * place.at(site.at), site.at.x / mesh);
        let cell = cells.cell(q, 0.9);
        let around = smoothstep(0.18, 0.42, cell.nearest) * (0.75 + 0.5 * fine.at(site.at.scaled(4.0)));
        site.tissue.blood += blood * rim * around;
        let follicle = (1.0 - smoothstep(0.10, 0.26, cell.nearest)) * rim * (0.4 + 0.6 * cell.lot);
        let plug = 1.0 - smoothstep(0.02, 0.12, cell.nearest);
        site.tissue.white += 0.38 * follicle;
        site.tissue.yellow += 0.55 * plug * follicle;
    });
    lesion.found(Finding::StrawberryPattern);
}
