//! The legend, and the scale of colours.

use serde_json::Value;

use super::heat::between;
use super::marks::{Drawn, Stroke};
use super::words::{self, INK};

const SIZE: f64 = 12.0;

/// Names that are shown: a single trace needs none, unless the layout asks.
pub fn entries<'a>(layout: &Value, drawn: &'a [Drawn]) -> Vec<&'a (String, Stroke)> {
    let entries: Vec<_> = drawn.iter().filter_map(|trace| trace.legend.as_ref()).collect();
    let asked = layout["showlegend"] == true;
    if layout["showlegend"] == false || (entries.len() < 2 && !asked) { Vec::new() } else { entries }
}

pub fn is_above(layout: &Value) -> bool {
    layout["legend"]["orientation"] == "h"
}

/// How wide a legend on the right is.
pub fn width(entries: &[&(String, Stroke)]) -> f64 {
    entries.iter().map(|(name, _)| words::width(name, SIZE) + 40.0).fold(0.0, f64::max).min(320.0)
}

/// Names in one line from `x`, or below each other.
pub fn draw(entries: &[&(String, Stroke)], (mut x, mut y): (f64, f64), above: bool) -> String {
    let mut svg = String::new();
    for (name, stroke) in entries {
        let Stroke { colour, width, dash } = stroke;
        svg += &format!(
            "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dash}\"/>",
            x + 22.0
        );
        svg += &words::text(name, (x + 28.0, y + 4.0), SIZE, "start", INK, 0.0);
        if above {
            x += words::width(name, SIZE) + 44.0;
        } else {
            y += 1.6 * SIZE;
        }
    }
    svg
}

/// A standing bar of colours with the values at its ends.
pub fn scale(anchors: &[(f64, [u8; 3])], (low, high): (f64, f64), x: f64, (top, bottom): (f64, f64)) -> String {
    let steps = 40;
    let tall = (bottom - top) / f64::from(steps);
    let step = |step: i32| {
        let [red, green, blue] = between(anchors, 1.0 - f64::from(step) / f64::from(steps - 1));
        let y = top + f64::from(step) * tall;
        format!("<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"14\" height=\"{:.1}\" fill=\"rgb({red},{green},{blue})\"/>", tall + 0.5)
    };
    let bar: String = (0..steps).map(step).collect();
    let text = |value: f64, y: f64| words::text(&words::number(value, "", (high - low) / 10.0), (x + 18.0, y), 11.0, "start", INK, 0.0);
    bar + &text(high, top + 10.0) + &text(low, bottom)
}
