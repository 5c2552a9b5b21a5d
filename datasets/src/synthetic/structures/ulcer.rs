//! Ulceration: raw red, clotted blood and yellow crust.

use super::keratin::inside;
use crate::synthetic::elementary::smoothstep;
use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::noise::Noise;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

/// One ulcer; `size` in shares of the lesion's radius.
pub(in crate::synthetic) fn ulceration(lesion: &mut Lesion, size: f32, stream: &mut Stream) {
    let (rough, clot, crust) = (Noise::new(stream), Noise::new(stream), Noise::new(stream));
    let centre = inside(lesion, stream, 0.5);
    let radius = size * lesion.radius_mm();
    let crusted = stream.between(0.0, 0.9);
    lesion.each(|site| {
        let rim = smoothstep(-0.02, 0.1, site.depth);
        if rim <= 0.0 {
            return;
        }
        let away = Point::new(site.at.y - centre.y, site.at.x - centre.x).length() / radius;
        let level = 1.0 - away + 0.5 * rough.fractal(site.at.scaled(1.5), 4);
        let here = smoothstep(0.0, 0.34, level) * rim;
        if here <= 0.0 {
            return;
        }
        let dark = smoothstep(-0.1, 0.5, clot.fractal(site.at.scaled(2.0), 2));
        site.tissue.white *= 1.0 - here;
        site.tissue.blood += here * (0.75 + 1.5 * dark);
        site.tissue.melanin += 0.5 * here * dark;
        site.tissue.yellow += 0.8 * crusted * here * smoothstep(0.1, 0.5, crust.fractal(site.at.scaled(1.8), 2));
    });
    lesion.found(Finding::Ulceration);
}
