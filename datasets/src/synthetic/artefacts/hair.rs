//! Hairs: long tapered curves with a lighter edge.

use super::blend;
use crate::synthetic::coverage::Coverage;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

pub(super) fn lay(rgb: &mut [[f32; 3]], size: u32, stream: &mut Stream) {
    let side = size as f32;
    let mut sheet = Coverage::new(size);
    let fair = stream.chance(0.2);
    let colour = if fair { [0.72, 0.58, 0.42] } else { [0.13, 0.09, 0.08].map(|v| v * stream.between(0.6, 1.8)) };
    let count = stream.mostly_low(1.0, 22.0) as usize;
    let flow = stream.unit();
    let thick = stream.between(0.0022, 0.0052) * side;
    for _ in 0..count {
        let turn = flow + 0.09 * stream.normal();
        sheet.stroke(&curve(side, turn, thick * stream.between(0.6, 1.2), stream), stream.between(0.6, 0.95));
    }
    for (pixel, cover) in rgb.iter_mut().zip(sheet.plane()) {
        blend(pixel, colour, *cover);
    }
}

/// A curve of changing bend that starts anywhere in the picture or just outside it.
fn curve(side: f32, turn: f32, radius: f32, stream: &mut Stream) -> Vec<(Point, f32)> {
    let mut at = Point::new(stream.between(-0.1, 1.1) * side, stream.between(-0.1, 1.1) * side);
    let (mut turn, mut bend) = (turn, 0.012 * stream.normal());
    let steps = stream.count(8, 26);
    (0..steps)
        .map(|step| {
            let taper = 1.0 - 0.65 * (step as f32 / steps as f32);
            let here = (at, radius * taper);
            at = at.towards(turn, 0.035 * side);
            turn += bend;
            bend += 0.003 * stream.normal();
            here
        })
        .collect()
}
