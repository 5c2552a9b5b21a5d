//! Pen marks: a broad translucent stroke in violet or blue near an edge of the picture.

use crate::synthetic::coverage::Coverage;
use crate::synthetic::noise::Noise;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

pub(super) fn lay(rgb: &mut [[f32; 3]], size: u32, stream: &mut Stream) {
    let side = size as f32;
    let mut sheet = Coverage::new(size);
    let dye = if stream.chance(0.6) { [0.50, 0.28, 0.72] } else { [0.25, 0.36, 0.72] };
    for _ in 0..stream.count(1, 3) {
        // Near the rim: the pen goes around the lesion, not over it.
        let around = stream.unit();
        let mut at = Point::new(0.5 * side, 0.5 * side).towards(around, stream.between(0.42, 0.6) * side);
        let mut turn = around + 0.25 + 0.05 * stream.normal();
        let radius = stream.between(0.012, 0.03) * side;
        let path: Vec<_> = (0..stream.count(5, 12))
            .map(|_| {
                let here = (at, radius * stream.between(0.8, 1.2));
                at = at.towards(turn, 0.05 * side);
                turn += 0.025 + 0.02 * stream.normal();
                here
            })
            .collect();
        sheet.stroke(&path, stream.between(0.55, 0.95));
    }
    let grain = Noise::new(stream);
    for (index, (pixel, cover)) in rgb.iter_mut().zip(sheet.plane()).enumerate() {
        if *cover > 0.0 {
            let at = Point::new((index as u32 / size) as f32, (index as u32 % size) as f32).scaled(22.0 / side);
            let amount = cover * (0.8 + 0.3 * grain.fractal(at, 2)).clamp(0.0, 1.0);
            for (value, absorbed) in pixel.iter_mut().zip(dye) {
                *value *= 1.0 - amount * (1.0 - absorbed);
            }
        }
    }
}
