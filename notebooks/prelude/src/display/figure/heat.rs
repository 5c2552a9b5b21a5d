//! Heat maps.

use serde_json::Value;

use super::axis::{Axes, axis_name};
use super::marks::{Drawn, Mark};

/// Rows or columns that are drawn; larger maps are sampled.
const MOST_SIDE: usize = 150;

/// Viridis (van der Walt and Smith 2015, public domain), at equal distances.
const VIRIDIS: [[u8; 3]; 5] = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

pub fn cells(trace: &Value, axes: &Axes) -> Drawn {
    let none = Vec::new();
    let rows = trace["z"].as_array().unwrap_or(&none);
    let value = |row: usize, col: usize| rows[row].get(col).and_then(Value::as_f64).filter(|value| value.is_finite());
    let wide = rows.iter().filter_map(Value::as_array).map(Vec::len).max().unwrap_or(0);
    let every = rows.len().max(wide).div_ceil(MOST_SIDE).max(1);
    let all = (0..rows.len()).step_by(every).flat_map(|row| (0..wide).step_by(every).map(move |col| (row, col)));
    let known: Vec<(usize, usize, f64)> = all.filter_map(|(row, col)| Some((row, col, value(row, col)?))).collect();
    let (low, high) = ends(trace, &known);
    let anchors = anchors(&trace["colorscale"], trace["reversescale"] == true);
    let place = |direction: &str, at: usize| match trace[direction].get(at) {
        Some(value) => axes.place(trace, direction, value),
        None => Some(at as f64),
    };
    let half = every as f64 / 2.0 * 0.985;
    let mark = |&(row, col, value): &(usize, usize, f64)| {
        let (x, y) = (place("x", col)?, place("y", row)?);
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        let [red, green, blue] = between(&anchors, share.clamp(0.0, 1.0));
        Some(Mark::Area { x: (x - half, x + half), y: (y - half, y + half), colour: format!("rgb({red},{green},{blue})") })
    };
    let marks = known.iter().filter_map(mark).collect();
    let scale = (trace["showscale"] != false && !known.is_empty()).then_some((anchors.clone(), (low, high)));
    Drawn { marks, axes: (axis_name(trace, "x"), axis_name(trace, "y")), legend: None, scale }
}

fn ends(trace: &Value, known: &[(usize, usize, f64)]) -> (f64, f64) {
    let (low, high) =
        known.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, _, value)| (low.min(*value), high.max(*value)));
    (trace["zmin"].as_f64().unwrap_or(low), trace["zmax"].as_f64().unwrap_or(high))
}

/// Anchors of a scale that is written out; a scale that is only named is viridis here.
fn anchors(scale: &Value, turned: bool) -> Vec<(f64, [u8; 3])> {
    let written =
        scale.as_array().map(|anchors| anchors.iter().filter_map(|a| Some((a[0].as_f64()?, rgb(a[1].as_str()?)?))).collect::<Vec<_>>());
    let by_default = || VIRIDIS.iter().enumerate().map(|(place, colour)| (place as f64 / 4.0, *colour)).collect();
    let anchors: Vec<(f64, [u8; 3])> = written.filter(|anchors| anchors.len() >= 2).unwrap_or_else(by_default);
    if !turned {
        return anchors;
    }
    anchors.into_iter().rev().map(|(place, colour)| (1.0 - place, colour)).collect()
}

fn rgb(text: &str) -> Option<[u8; 3]> {
    if let Some(digits) = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii()) {
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        return Some([part(0)?, part(2)?, part(4)?]);
    }
    let parts: Vec<u8> = text.strip_prefix("rgb(")?.strip_suffix(')')?.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    parts.try_into().ok()
}

/// The colour at a share of the scale.
pub fn between(anchors: &[(f64, [u8; 3])], share: f64) -> [u8; 3] {
    let above = anchors.iter().position(|(place, _)| *place >= share).unwrap_or(anchors.len() - 1).max(1);
    let ((low, from), (high, to)) = (anchors[above - 1], anchors[above]);
    let part = if high > low { ((share - low) / (high - low)).clamp(0.0, 1.0) } else { 1.0 };
    [0, 1, 2].map(|channel| (f64::from(from[channel]) + part * (f64::from(to[channel]) - f64::from(from[channel]))).round() as u8)
}
