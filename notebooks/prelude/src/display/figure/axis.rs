//! Axes: what is a number and what a name, how far they reach, and where their ticks are.

use std::collections::BTreeMap;

use serde_json::Value;

use super::marks::Drawn;
use super::words;

/// Names on one axis.
const MOST_NAMES: usize = 500;

/// Every axis by its name: `x`, `x2`, `y`.
pub struct Axes(BTreeMap<String, Axis>);

/// One axis.
#[derive(Debug)]
pub struct Axis {
    /// As the layout has it.
    pub spec: Value,
    /// Names at 0, 1, 2 … instead of numbers.
    pub names: Vec<String>,
    /// From its start to its end; powers of ten on a logarithmic one. The start is the higher number where it is turned round.
    pub range: (f64, f64),
    is_log: bool,
}

impl Axes {
    /// The axes that traces use.
    pub fn of(layout: &Value, traces: &[Value]) -> Self {
        let mut axes = BTreeMap::new();
        for trace in traces {
            for direction in ["x", "y"] {
                let name = axis_name(trace, direction);
                let spec = &layout[name.replacen(direction, &format!("{direction}axis"), 1)];
                let axis = axes.entry(name).or_insert_with(|| Axis::new(spec));
                axis.learn_names(&trace[direction]);
                if let Some(name) = box_name(trace, direction) {
                    axis.learn_names(&Value::Array(vec![name.into()]));
                }
            }
        }
        for direction in ["x", "y"] {
            axes.entry(direction.to_owned()).or_insert_with(|| Axis::new(&layout[format!("{direction}axis")]));
        }
        Self(axes)
    }

    pub fn get(&self, name: &str) -> Option<&Axis> {
        self.0.get(name)
    }

    /// All of one direction.
    pub fn along<'a>(&'a self, direction: &'a str) -> impl Iterator<Item = &'a Axis> {
        self.0.iter().filter(move |(name, _)| name.starts_with(direction)).map(|(_, axis)| axis)
    }

    /// A value of a trace on its axis.
    pub fn place(&self, trace: &Value, direction: &str, value: &Value) -> Option<f64> {
        self.0.get(&axis_name(trace, direction))?.place(value)
    }

    /// Finds the range of every axis that names none.
    pub fn fit(&mut self, drawn: &[Drawn]) {
        for (name, axis) in &mut self.0 {
            let (mut low, mut high, mut areas) = (f64::INFINITY, f64::NEG_INFINITY, true);
            for trace in drawn.iter().filter(|trace| trace.axes.0 == *name || trace.axes.1 == *name) {
                for mark in &trace.marks {
                    areas &= mark.is_area();
                    let values = mark.extent().into_iter().map(|(x, y)| if name.starts_with('x') { x } else { y });
                    values.filter(|value| value.is_finite()).for_each(|value| (low, high) = (low.min(value), high.max(value)));
                }
            }
            axis.set_range((low, high), areas);
        }
    }
}

/// A box without a place of its own stands at its name.
pub fn box_name<'a>(trace: &'a Value, direction: &str) -> Option<&'a str> {
    let across = if trace["y"].is_null() { "y" } else { "x" };
    let placeless = trace["type"] == "box" && direction == across && trace[direction].is_null();
    trace["name"].as_str().filter(|_| placeless)
}

/// `x`, `y2`: the axis of a trace.
pub fn axis_name(trace: &Value, direction: &str) -> String {
    let given = trace[format!("{direction}axis")].as_str().unwrap_or(direction);
    let rest = given.strip_prefix(direction).unwrap_or_default();
    if rest.len() <= 2 && rest.chars().all(|c| c.is_ascii_digit()) && rest != "1" { given.to_owned() } else { direction.to_owned() }
}

impl Axis {
    fn new(spec: &Value) -> Self {
        Self { spec: spec.clone(), names: Vec::new(), range: (0.0, 1.0), is_log: spec["type"] == "log" }
    }

    fn learn_names(&mut self, values: &Value) {
        let none = Vec::new();
        for value in values.as_array().unwrap_or(&none).iter().take(100_000) {
            if let Some(name) = value.as_str().filter(|name| name.parse::<f64>().is_err() || self.spec["type"] == "category")
                && self.names.len() < MOST_NAMES
                && !self.names.iter().any(|known| known == name)
            {
                self.names.push(name.to_owned());
            }
        }
    }

    /// Where a value stands.
    pub fn place(&self, value: &Value) -> Option<f64> {
        let named = |text: &str| self.names.iter().position(|name| name == text).map(|index| index as f64);
        let number = match value {
            Value::String(text) if !self.names.is_empty() => return named(text),
            Value::String(text) => text.parse().ok()?,
            Value::Number(number) => number.as_f64()?,
            Value::Bool(yes) => f64::from(u8::from(*yes)),
            _ => return None,
        };
        let placed = if self.is_log { number.log10() } else { number };
        placed.is_finite().then_some(placed)
    }

    /// Where a bar begins: at zero, or below everything on a logarithmic axis.
    pub fn ground(&self) -> f64 {
        if self.is_log { f64::NEG_INFINITY } else { 0.0 }
    }

    fn set_range(&mut self, (low, high): (f64, f64), areas: bool) {
        let given: Vec<f64> = (0..2).filter_map(|end| self.spec["range"][end].as_f64()).collect();
        if let [start, end] = given[..] {
            self.range = if start == end { (start - 0.5, end + 0.5) } else { (start, end) };
            return;
        }
        let (mut low, mut high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let room = if areas { 0.0 } else { 0.05 * (high - low) };
        (low, high) = (if low == 0.0 && areas { 0.0 } else { low - room }, high + if areas { 0.05 * (high - low) } else { room });
        if self.spec["rangemode"] == "tozero" {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if !self.names.is_empty() {
            (low, high) = (-0.5, self.names.len() as f64 - 0.5);
        }
        if low == high {
            (low, high) = (low - 0.5, high + 0.5);
        }
        self.range = if self.spec["autorange"] == "reversed" { (high, low) } else { (low, high) };
    }

    /// From 0 at the start of the axis to 1 at its end; what lies beyond is held at the edge.
    pub fn share(&self, place: f64) -> f64 {
        let (start, end) = self.range;
        ((place - start) / (end - start)).clamp(-0.001, 1.001)
    }

    /// Places with their texts, about `count` of them.
    pub fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        let inside = |place: &f64| (0.0..=1.0).contains(&((place - self.range.0) / (self.range.1 - self.range.0)));
        let format = self.spec["tickformat"].as_str().unwrap_or_default();
        if let Some(places) = self.spec["tickvals"].as_array() {
            let text = |(index, place): (usize, f64)| {
                let named = self.spec["ticktext"][index].as_str().map(words::plain);
                (place, named.unwrap_or_else(|| words::number(if self.is_log { 10_f64.powf(place) } else { place }, format, 0.0)))
            };
            let places = places.iter().map(|value| self.place(value).unwrap_or(f64::NAN)).enumerate();
            return places.filter(|(_, place)| inside(place)).map(text).collect();
        }
        if !self.names.is_empty() {
            let every = self.names.len().div_ceil(60).max(1);
            return self.names.iter().enumerate().step_by(every).map(|(index, name)| (index as f64, words::plain(name))).collect();
        }
        let step = if self.is_log { 1.0 } else { nice_step((self.range.1 - self.range.0).abs() / count.max(1) as f64) };
        let (low, high) = (self.range.0.min(self.range.1), self.range.0.max(self.range.1));
        let first = (low / step).ceil() as i64;
        let places = (first..first.saturating_add(60)).map(|index| index as f64 * step).take_while(|place| *place <= high + 1e-9 * step);
        let text = |place: f64| words::number(if self.is_log { 10_f64.powf(place) } else { place }, format, step);
        places.map(|place| (place, text(place))).collect()
    }
}

/// 1, 2 or 5 times a power of ten.
fn nice_step(least: f64) -> f64 {
    if !(least.is_finite() && least > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= least).unwrap_or(10.0 * power)
}
