//! Streaks and pseudopods: dark radial lines that run over the border.

use crate::synthetic::finding::Finding;
use crate::synthetic::lesion::Lesion;
use crate::synthetic::noise::Noise;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

/// Radial lines at the border.
#[derive(Clone, Copy, Debug)]
pub(in crate::synthetic) struct Streaks {
    /// How many lines.
    pub count: usize,
    /// Share of the circumference on which they stand, from a random angle.
    pub arc: f32,
    /// Melanin in a line.
    pub melanin: f32,
}

pub(in crate::synthetic) fn streaks(lesion: &mut Lesion, with: &Streaks, stream: &mut Stream) {
    let mut sheet = lesion.sheet();
    let start = stream.unit();
    for _ in 0..with.count {
        let turns = start + with.arc * stream.unit();
        let border = lesion.outline.border(turns);
        let inner = stream.between(0.70, 0.88);
        let outer = stream.between(1.0, 1.16);
        let radius = stream.between(0.03, 0.06) * lesion.view.scale();
        let bulb = radius * if stream.chance(0.4) { 1.7 } else { 0.6 };
        let middle = 0.5 * (inner + outer);
        let sway = Point::new(border.x, -border.y).scaled(stream.between(-0.05, 0.05));
        let path = [(inner, radius), (middle, radius), (outer, bulb)]
            .map(|(share, r)| (Point::new(border.y * share + sway.y * share * share, border.x * share + sway.x * share * share), r));
        sheet.stroke(&path.map(|(at, r)| (lesion.view.to_pixel(at), r)), stream.between(0.6, 1.0));
    }
    lesion.stamp_clouded(&sheet, Noise::new(stream), |tissue, cover| tissue.melanin += with.melanin * cover);
    lesion.found(Finding::Streaks);
}
