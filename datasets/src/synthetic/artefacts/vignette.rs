//! The dermatoscope's round rim: black beyond a circle.

use crate::synthetic::elementary::smoothstep;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

pub(super) fn lay(rgb: &mut [[f32; 3]], size: u32, stream: &mut Stream) {
    let side = size as f32;
    let centre = Point::new(side * stream.between(0.46, 0.54), side * stream.between(0.46, 0.54));
    let radius = side * stream.between(0.53, 0.66);
    let soft = side * stream.between(0.008, 0.07);
    let black = stream.between(0.01, 0.07);
    for (index, pixel) in rgb.iter_mut().enumerate() {
        let (y, x) = ((index as u32 / size) as f32 + 0.5, (index as u32 % size) as f32 + 0.5);
        let away = Point::new(y - centre.y, x - centre.x).length();
        let lit = 1.0 - smoothstep(radius - soft, radius + soft, away);
        for value in pixel.iter_mut() {
            *value = black + (*value - black) * lit;
        }
    }
}
