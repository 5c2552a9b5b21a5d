//! Lines and points.

use serde_json::Value;

use super::axis::{Axes, axis_name};
use super::marks::{Drawn, Mark, Stroke};
use super::words;

/// More points than a picture shows are thinned evenly.
const MOST_POINTS: usize = 4000;

pub fn lines(trace: &Value, index: usize, axes: &Axes) -> Drawn {
    let none = Vec::new();
    let ys = trace["y"].as_array().unwrap_or(&none);
    let count = ys.len().max(trace["x"].as_array().map_or(0, Vec::len));
    let place = |direction: &str, at: usize| match trace[direction].as_array() {
        Some(values) => values.get(at).and_then(|value| axes.place(trace, direction, value)),
        None => Some(at as f64),
    };
    let every = count.div_ceil(MOST_POINTS).max(1);
    let points: Vec<Option<(f64, f64)>> = (0..count).step_by(every).map(|at| place("x", at).zip(place("y", at))).collect();
    let mode = trace["mode"].as_str().unwrap_or(if count < 20 { "lines+markers" } else { "lines" });
    let mut marks = Vec::new();
    let colour = words::colour(if trace["line"]["color"].is_null() { &trace["marker"]["color"] } else { &trace["line"]["color"] }, index);
    let width = trace["line"]["width"].as_f64().filter(|width| (0.0..=20.0).contains(width)).unwrap_or(2.0);
    let stroke = Stroke { colour, width, dash: dash(&trace["line"]["dash"]) };
    if mode.contains("lines") {
        marks.push(Mark::Line { points: points.clone(), stroke: stroke.clone() });
    }
    if mode.contains("markers") {
        let size = trace["marker"]["size"].as_f64().filter(|size| (0.0..=60.0).contains(size)).unwrap_or(6.0);
        let colour = words::colour(&trace["marker"]["color"], index);
        let colour = if trace["marker"]["color"].is_string() { colour } else { stroke.colour.clone() };
        marks.push(Mark::Dots { points: points.into_iter().flatten().collect(), colour, radius: size / 2.0 });
    }
    let legend = trace["name"].as_str().map(|name| (words::plain(name), stroke)).filter(|_| trace["showlegend"] != false);
    Drawn { marks, axes: (axis_name(trace, "x"), axis_name(trace, "y")), legend, scale: None }
}

fn dash(value: &Value) -> &'static str {
    match value.as_str() {
        Some("dash") => "7 5",
        Some("dot") => "2 4",
        Some("dashdot") => "7 4 2 4",
        Some("longdash") => "12 6",
        _ => "",
    }
}
