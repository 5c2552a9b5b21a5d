//! Bars, beside each other or stacked, and histograms.

use std::collections::BTreeMap;

use serde_json::Value;

use super::axis::{Axes, axis_name};
use super::marks::{Drawn, Mark, Side, Stroke};
use super::words;

/// How the bars of several traces share a place.
pub struct Groups {
    beside: bool,
    traces: usize,
    gap: f64,
    next: usize,
    /// How high the stack at a place is, above and below zero.
    heights: BTreeMap<(i64, bool), f64>,
}

impl Groups {
    pub fn of(traces: &[&Value], layout: &Value) -> Self {
        let count = traces.iter().filter(|trace| trace["type"] == "bar").count();
        let beside = !matches!(layout["barmode"].as_str(), Some("stack" | "relative" | "overlay"));
        let gap = layout["bargap"].as_f64().filter(|gap| (0.0..1.0).contains(gap)).unwrap_or(0.2);
        Self { beside, traces: count.max(1), gap, next: 0, heights: BTreeMap::new() }
    }
}

pub fn bars(trace: &Value, index: usize, axes: &Axes, groups: &mut Groups) -> Drawn {
    let flat = trace["orientation"] == "h";
    let (along, up) = if flat { ("y", "x") } else { ("x", "y") };
    let none = Vec::new();
    let lengths = trace[up].as_array().unwrap_or(&none);
    let (width, offset) = groups.share();
    let ground = axes.get(&axis_name(trace, up)).map_or(0.0, |axis| axis.ground());
    let mut marks = Vec::new();
    for (at, length) in lengths.iter().enumerate() {
        let place = match trace[along].get(at) {
            Some(place) => axes.place(trace, along, place),
            None => Some(at as f64),
        };
        let (Some(place), Some(length)) = (place, axes.place(trace, up, length)) else { continue };
        let from = groups.stand_on(place, length, ground);
        let to = if from == ground { length } else { from + length };
        let span = (place + offset - width / 2.0, place + offset + width / 2.0);
        let (x, y) = if flat { ((from, to), span) } else { (span, (from, to)) };
        let colours = &trace["marker"]["color"];
        marks.push(Mark::Area { x, y, colour: words::colour(colours.get(at).unwrap_or(colours), index) });
        if let Some(text) = trace["text"].get(at).or(trace["text"].as_str().map(|_| &trace["text"])).and_then(Value::as_str) {
            let (at, side) = if flat { ((to, place + offset), Side::Right) } else { ((place + offset, to), Side::Above) };
            marks.push(Mark::Label { at, text: words::plain(text), side });
        }
    }
    drawn(trace, index, marks)
}

impl Groups {
    /// Width of a bar and how far it stands from its place.
    fn share(&mut self) -> (f64, f64) {
        let room = 1.0 - self.gap;
        if !self.beside {
            return (room, 0.0);
        }
        let width = room / self.traces as f64;
        let offset = (self.next as f64 + 0.5) * width - room / 2.0;
        self.next += 1;
        (width, offset)
    }

    fn stand_on(&mut self, place: f64, length: f64, ground: f64) -> f64 {
        if self.beside {
            return ground;
        }
        let key = ((place * 1024.0).round() as i64, length < 0.0);
        let height = self.heights.entry(key).or_insert(0.0);
        let from = *height;
        *height += length;
        if from == 0.0 { ground } else { from }
    }
}

pub fn histogram(trace: &Value, index: usize, axes: &Axes) -> Drawn {
    let flat = trace["x"].is_null();
    let along = if flat { "y" } else { "x" };
    let none = Vec::new();
    let values: Vec<f64> = trace[along].as_array().unwrap_or(&none).iter().filter_map(|value| axes.place(trace, along, value)).collect();
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
    let asked = trace[format!("nbins{along}")].as_u64().unwrap_or(0) as usize;
    let named = axes.get(&axis_name(trace, along)).map_or(0, |axis| axis.names.len());
    let bins = if named > 0 {
        named
    } else if asked > 0 {
        asked.min(500)
    } else {
        ((values.len() as f64).sqrt() as usize).clamp(1, 60)
    };
    let (start, width) = if named > 0 { (-0.5, 1.0) } else { (low, f64::max((high - low) / bins as f64, f64::MIN_POSITIVE)) };
    let mut counts = vec![0_u64; bins];
    values.iter().for_each(|value| counts[(((value - start) / width) as usize).min(bins - 1)] += 1);
    let colour = words::colour(&trace["marker"]["color"], index);
    let bar = |(bin, &count): (usize, &u64)| {
        let span = (start + bin as f64 * width, start + (bin as f64 + 0.94) * width);
        let (x, y) = if flat { ((0.0, count as f64), span) } else { (span, (0.0, count as f64)) };
        Mark::Area { x, y, colour: colour.clone() }
    };
    let marks = if values.is_empty() { Vec::new() } else { counts.iter().enumerate().map(bar).collect() };
    drawn(trace, index, marks)
}

fn drawn(trace: &Value, index: usize, marks: Vec<Mark>) -> Drawn {
    let colour = marks.iter().find_map(|mark| if let Mark::Area { colour, .. } = mark { Some(colour.clone()) } else { None });
    let stroke = Stroke { colour: colour.unwrap_or_else(|| words::colour(&Value::Null, index)), width: 8.0, dash: "" };
    let legend = trace["name"].as_str().map(|name| (words::plain(name), stroke));
    Drawn { marks, axes: (axis_name(trace, "x"), axis_name(trace, "y")), legend, scale: None }
}
