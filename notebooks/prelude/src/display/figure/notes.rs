//! Annotations: texts at places of the axes or of the page.

use serde_json::Value;

use super::axis::Axes;
use super::page::Field;
use super::words::{self, INK};

const MOST: usize = 2000;

pub fn draw(layout: &Value, axes: &Axes, field: &Field) -> String {
    let none = Vec::new();
    layout["annotations"].as_array().unwrap_or(&none).iter().take(MOST).filter_map(|note| one(note, axes, field)).collect()
}

fn one(note: &Value, axes: &Axes, field: &Field) -> Option<String> {
    let share = |direction: &str| {
        let axis = note[format!("{direction}ref")].as_str().unwrap_or(direction);
        match axes.get(axis) {
            Some(axis) => Some(axis.share(axis.place(&note[direction])?)),
            None => note[direction].as_f64(),
        }
    };
    let (x, y) = field.at(share("x")?, share("y")?);
    let size = note["font"]["size"].as_f64().filter(|size| (4.0..=60.0).contains(size)).unwrap_or(12.0);
    let shift = |direction: &str| note[format!("{direction}shift")].as_f64().unwrap_or(0.0);
    let anchor = match note["xanchor"].as_str() {
        Some("left") => "start",
        Some("right") => "end",
        _ => "middle",
    };
    let down = match note["yanchor"].as_str() {
        Some("top") => size,
        Some("bottom") => -0.3 * size,
        _ => 0.35 * size,
    };
    let colour = note["font"]["color"].as_str().map_or(INK.into(), |_| words::colour(&note["font"]["color"], 0));
    let text = words::plain(note["text"].as_str().unwrap_or_default());
    Some(words::text(&text, (x + shift("x"), y + down - shift("y")), size, anchor, &colour, 0.0))
}
