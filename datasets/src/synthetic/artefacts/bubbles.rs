//! Gel bubbles: a bright rim, a darker body edge and a small highlight.

use super::blend;
use crate::synthetic::elementary::smoothstep;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

pub(super) fn lay(rgb: &mut [[f32; 3]], size: u32, stream: &mut Stream) {
    let side = size as f32;
    let heart = Point::new(stream.unit() * side, stream.unit() * side);
    for _ in 0..stream.count(2, 14) {
        let spread = 0.2 * side;
        let centre = Point::new(heart.y + spread * stream.normal(), heart.x + spread * stream.normal());
        bubble(rgb, size, centre, stream.mostly_low(0.008, 0.06) * side);
    }
}

fn bubble(rgb: &mut [[f32; 3]], size: u32, centre: Point, radius: f32) {
    let limit = |v: f32| v.clamp(0.0, size as f32) as u32;
    let reach = radius + 2.0;
    for y in limit(centre.y - reach)..limit(centre.y + reach) {
        for x in limit(centre.x - reach)..limit(centre.x + reach) {
            let (dy, dx) = (y as f32 + 0.5 - centre.y, x as f32 + 0.5 - centre.x);
            let away = Point::new(dy, dx).length();
            let pixel = &mut rgb[(y * size + x) as usize];
            let rim = 1.0 - smoothstep(0.0, 0.14 * radius + 0.8, (away - 0.92 * radius).abs());
            let shade = smoothstep(0.55 * radius, 0.85 * radius, away) * (1.0 - smoothstep(0.85 * radius, radius, away));
            let spot = Point::new(dy + 0.45 * radius, dx + 0.4 * radius).length();
            blend(pixel, [0.25, 0.18, 0.18], 0.22 * shade);
            blend(pixel, [0.98, 0.96, 0.97], 0.42 * rim + 0.8 * (1.0 - smoothstep(0.08 * radius, 0.22 * radius + 0.6, spot)));
        }
    }
}
