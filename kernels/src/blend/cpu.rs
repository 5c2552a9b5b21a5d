//! Blending on the CPU, pixel by pixel.

use super::{Shape, Strength, Style};
use crate::Real;

pub(super) fn blend<T: Real>(shape: Shape, map: &[T], style: Style, picture: &[u8], out: &mut [u8]) {
    let (low, high) = style.ends.unwrap_or_else(|| ends(map));
    for (index, (to, from)) in out.chunks_mut(4).zip(picture.chunks(3)).enumerate() {
        let value = sample(shape, map, index / shape.width, index % shape.width);
        let value = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        let strength = match style.strength {
            Strength::Even => 1.0,
            Strength::Value => value,
            Strength::FromMiddle => (2.0 * value - 1.0).abs(),
        };
        let (share, colour) = (style.opacity * strength, &style.colours[3 * (value * 255.0 + 0.5) as usize..]);
        for ((to, &from), &over) in to.iter_mut().zip(from).zip(colour) {
            *to = (f64::from(from) * (1.0 - share) + f64::from(over) * share + 0.5) as u8;
        }
        to[3] = 255;
    }
}

fn ends<T: Real>(map: &[T]) -> (f64, f64) {
    let values = map.iter().map(|value| value.to_f64());
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// The value of the map at the middle of a pixel.
fn sample<T: Real>(shape: Shape, map: &[T], y: usize, x: usize) -> f64 {
    let (above, below, lower) = between(y, shape.height, shape.rows);
    let (left, right, further) = between(x, shape.width, shape.cols);
    let line = |row: usize| {
        let [one, other] = [left, right].map(|col| map[row * shape.cols + col].to_f64());
        one * (1.0 - further) + other * further
    };
    line(above) * (1.0 - lower) + line(below) * lower
}

/// The two neighbours of an output place among `count` values, and the share of the second.
fn between(index: usize, of: usize, count: usize) -> (usize, usize, f64) {
    let place = ((index as f64 + 0.5) / of as f64 * count as f64 - 0.5).clamp(0.0, (count - 1) as f64);
    (place as usize, (place as usize + 1).min(count - 1), place.fract())
}
