//! Boxes: quartiles, and whiskers to the last value within one and a half times their distance.

use serde_json::Value;

use super::axis::{Axes, axis_name, box_name};
use super::marks::{Drawn, Mark, Stroke};
use super::words;

pub fn boxes(trace: &Value, index: usize, axes: &Axes) -> Drawn {
    let flat = trace["y"].is_null();
    let up = if flat { "x" } else { "y" };
    let along = if flat { "y" } else { "x" };
    let none = Vec::new();
    let mut groups: std::collections::BTreeMap<i64, Vec<f64>> = Default::default();
    for (at, value) in trace[up].as_array().unwrap_or(&none).iter().enumerate() {
        let named = || box_name(trace, along).and_then(|name| axes.place(trace, along, &name.into()));
        let place = trace[along].get(at).map_or_else(|| Some(named().unwrap_or(index as f64)), |place| axes.place(trace, along, place));
        if let Some((place, value)) = place.zip(axes.place(trace, up, value)) {
            groups.entry((place * 16.0).round() as i64).or_default().push(value);
        }
    }
    let colour = words::colour(&trace["marker"]["color"], index);
    let marks = groups.into_iter().flat_map(|(place, values)| one(place as f64 / 16.0, values, flat, &colour)).collect();
    let stroke = Stroke { colour, width: 8.0, dash: "" };
    // A name that stands on the axis needs no legend.
    let legend = trace["name"].as_str().filter(|_| box_name(trace, along).is_none()).map(|name| (words::plain(name), stroke));
    Drawn { marks, axes: (axis_name(trace, "x"), axis_name(trace, "y")), legend, scale: None }
}

fn one(place: f64, mut values: Vec<f64>, flat: bool, colour: &str) -> Vec<Mark> {
    values.sort_by(f64::total_cmp);
    let [lower, middle, upper] = [0.25, 0.5, 0.75].map(|share| quantile(&values, share));
    let reach = 1.5 * (upper - lower);
    let inside = || values.iter().copied().filter(|value| (lower - reach..=upper + reach).contains(value));
    let (low, high) = (inside().fold(lower, f64::min), inside().fold(upper, f64::max));
    let turned = |along: f64, up: f64| if flat { (up, along) } else { (along, up) };
    let line = |from: (f64, f64), to: (f64, f64)| Mark::Line {
        points: vec![Some(turned(from.0, from.1)), Some(turned(to.0, to.1))],
        stroke: Stroke { colour: colour.to_owned(), width: 1.5, dash: "" },
    };
    let (left, right) = (place - 0.28, place + 0.28);
    let mut marks: Vec<Mark> = [lower, middle, upper].map(|level| line((left, level), (right, level))).into();
    marks.extend([left, right].map(|side| line((side, lower), (side, upper))));
    marks.extend([line((place, low), (place, lower)), line((place, upper), (place, high))]);
    let outside: Vec<(f64, f64)> = values.iter().filter(|v| **v < low || **v > high).map(|&v| turned(place, v)).collect();
    marks.push(Mark::Dots { points: outside, colour: colour.to_owned(), radius: 2.5 });
    marks
}

/// Linear between the two values beside it.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + at.fract() * (above - below)
}
