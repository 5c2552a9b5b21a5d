//! A ruler's marks along one edge, every fifth longer.

use super::blend;
use crate::synthetic::coverage::Coverage;
use crate::synthetic::point::Point;
use crate::synthetic::stream::Stream;

pub(super) fn lay(rgb: &mut [[f32; 3]], size: u32, stream: &mut Stream) {
    let side = size as f32;
    let mut sheet = Coverage::new(size);
    let edge = stream.below(4);
    let (pitch, inset, offset) = (stream.between(0.03, 0.08) * side, stream.between(0.0, 0.05) * side, stream.unit());
    let slant = stream.between(-0.06, 0.06);
    let radius = stream.between(0.0018, 0.004) * side;
    for mark in 0..(side / pitch) as usize + 1 {
        let along = (mark as f32 + offset) * pitch;
        let length = if mark % 5 == 0 { 0.075 } else { 0.042 } * side;
        let start = inset + slant * along;
        let ends = [(start, along), (start + length, along)].map(|(from_edge, along)| match edge {
            0 => Point::new(from_edge, along),
            1 => Point::new(side - from_edge, along),
            2 => Point::new(along, from_edge),
            _ => Point::new(along, side - from_edge),
        });
        sheet.stroke(&ends.map(|p| (p, radius)), 0.85);
    }
    for (pixel, cover) in rgb.iter_mut().zip(sheet.plane()) {
        blend(pixel, [0.12, 0.12, 0.14], *cover);
    }
}
