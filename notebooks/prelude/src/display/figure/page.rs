//! The page of a chart: margins, axes, marks, legend.

use serde_json::Value;

use super::axis::{Axes, Axis};
use super::marks::{Drawn, Mark, Side, Stroke};
use super::words::{self, INK};
use super::{legend, notes};

const WIDTH: f64 = 760.0;
const SIZE: f64 = 12.0;
const GRID: &str = "rgba(128,128,128,0.28)";

/// Where the axes span their field.
pub struct Field {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Field {
    /// A point from shares of the field, from its lower left corner.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.left + x * (self.right - self.left), self.bottom - y * (self.bottom - self.top))
    }

    /// The part of the field that an axis spans.
    fn part(&self, x: &Axis, y: &Axis) -> Self {
        let ((left, bottom), (right, top)) = (self.at(domain(x).0, domain(y).0), self.at(domain(x).1, domain(y).1));
        Self { left, right, top, bottom }
    }
}

fn domain(axis: &Axis) -> (f64, f64) {
    let end =
        |index: usize, otherwise: f64| axis.spec["domain"][index].as_f64().filter(|end| (0.0..=1.0).contains(end)).unwrap_or(otherwise);
    (end(0, 0.0), end(1, 1.0))
}

pub fn draw(layout: &Value, axes: &Axes, drawn: &[Drawn]) -> String {
    let height = layout["height"].as_f64().filter(|height| (80.0..=4000.0).contains(height)).unwrap_or(400.0);
    let entries = legend::entries(layout, drawn);
    let title = words::title(&layout["title"]);
    let scale = drawn.iter().find_map(|trace| trace.scale.as_ref());
    let above = legend::is_above(layout);
    let on_the_right = if entries.is_empty() || above { 0.0 } else { legend::width(&entries) } + if scale.is_some() { 70.0 } else { 0.0 };
    let top = 18.0 + if title.is_empty() { 0.0 } else { 26.0 } + if above && !entries.is_empty() { 24.0 } else { 0.0 };
    let field = Field { left: left_margin(axes), right: WIDTH - 18.0 - on_the_right, top, bottom: height - bottom_margin(axes) };

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         style=\"max-width: 100%; height: auto\" font-family=\"system-ui, sans-serif\" role=\"img\">"
    );
    svg += &words::text(&title, (WIDTH / 2.0, 22.0), 15.0, "middle", INK, 0.0);
    svg += &axes.along("x").map(|axis| across(axis, axes, &field)).collect::<String>();
    svg += &axes.along("y").map(|axis| upright(axis, &field)).collect::<String>();
    svg += &drawn.iter().map(|trace| marks(trace, axes, &field)).collect::<String>();
    svg += &notes::draw(layout, axes, &field);
    if let Some((anchors, ends)) = scale {
        svg += &legend::scale(anchors, *ends, field.right + 14.0, (field.top, field.bottom));
    }
    let corner = if above { (field.left, field.top - 14.0) } else { (field.right + 14.0, field.top + 10.0) };
    svg + &legend::draw(&entries, corner, above) + "</svg>"
}

/// Room for the longest text of any upright axis, and its title.
fn left_margin(axes: &Axes) -> f64 {
    let longest = axes.along("y").flat_map(|axis| axis.ticks(6)).map(|(_, text)| words::width(&text, SIZE)).fold(20.0, f64::max);
    let titled = axes.along("y").any(|axis| !words::title(&axis.spec["title"]).is_empty());
    (longest + 18.0 + if titled { 20.0 } else { 0.0 }).min(WIDTH / 2.0)
}

fn bottom_margin(axes: &Axes) -> f64 {
    let titled = axes.along("x").any(|axis| !words::title(&axis.spec["title"]).is_empty());
    let turned = axes.along("x").map(|axis| if are_crowded(axis) { 0.6 * longest(axis) } else { 0.0 }).fold(0.0, f64::max);
    26.0 + turned.min(160.0) + if titled { 22.0 } else { 0.0 }
}

fn longest(axis: &Axis) -> f64 {
    axis.ticks(8).iter().map(|(_, text)| words::width(text, SIZE)).fold(0.0, f64::max)
}

/// Whether texts side by side would touch.
fn are_crowded(axis: &Axis) -> bool {
    (longest(axis) + 8.0) * axis.ticks(8).len() as f64 > 0.85 * WIDTH
}

fn across(axis: &Axis, axes: &Axes, field: &Field) -> String {
    let mut svg = String::new();
    let crowded = are_crowded(axis);
    let grid = axis.spec["showgrid"] != false && axis.names.is_empty() && axis.spec["ticktext"].is_null();
    if axis.spec["showticklabels"] != false && axis.spec["visible"] != false {
        for (place, text) in axis.ticks(8) {
            let (start, end) = domain(axis);
            let (x, _) = field.at(start + axis.share(place) * (end - start), 0.0);
            if grid {
                svg += &segment((x, field.top), (x, field.bottom), GRID);
            }
            let (anchor, turn) = if crowded { ("end", -35.0) } else { ("middle", 0.0) };
            svg += &words::text(&text, (x, field.bottom + 16.0), SIZE, anchor, INK, turn);
        }
    }
    let lowest = axes.along("y").map(|y| domain(y).0).fold(1.0, f64::min);
    let y = field.at(0.0, lowest).1;
    if axis.spec["showline"] != false {
        svg += &segment((field.left, y), (field.right, y), GRID);
    }
    let middle = (field.left + field.right) / 2.0;
    let turned = if crowded { (0.6 * longest(axis)).min(160.0) } else { 0.0 };
    svg + &words::text(&words::title(&axis.spec["title"]), (middle, field.bottom + 38.0 + turned), 13.0, "middle", INK, 0.0)
}

fn upright(axis: &Axis, field: &Field) -> String {
    let mut svg = String::new();
    let (start, end) = domain(axis);
    let grid = axis.spec["showgrid"] != false && axis.names.is_empty() && axis.spec["ticktext"].is_null();
    for (place, text) in axis.ticks(if end - start < 0.6 { 4 } else { 6 }) {
        let (_, y) = field.at(0.0, start + axis.share(place) * (end - start));
        if grid {
            svg += &segment((field.left, y), (field.right, y), GRID);
        }
        svg += &words::text(&text, (field.left - 8.0, y + 4.0), SIZE, "end", INK, 0.0);
    }
    let (_, middle) = field.at(0.0, (start + end) / 2.0);
    svg + &words::text(&words::title(&axis.spec["title"]), (14.0, middle), 13.0, "middle", INK, -90.0)
}

fn segment(from: (f64, f64), to: (f64, f64), colour: &str) -> String {
    format!("<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\"/>", from.0, from.1, to.0, to.1)
}

fn marks(trace: &Drawn, axes: &Axes, field: &Field) -> String {
    let Some((x_axis, y_axis)) = axes.get(&trace.axes.0).zip(axes.get(&trace.axes.1)) else { return String::new() };
    let part = field.part(x_axis, y_axis);
    let at = |(x, y): (f64, f64)| part.at(x_axis.share(x), y_axis.share(y));
    trace.marks.iter().map(|mark| one(mark, &at)).collect()
}

fn one(mark: &Mark, at: &dyn Fn((f64, f64)) -> (f64, f64)) -> String {
    match mark {
        Mark::Area { x, y, colour } => {
            let ((a, b), (c, d)) = (at((x.0, y.0)), at((x.1, y.1)));
            let (left, top, wide, tall) = (a.min(c), b.min(d), (a - c).abs(), (b - d).abs());
            format!("<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{tall:.1}\" fill=\"{colour}\"/>")
        }
        Mark::Line { points, stroke: Stroke { colour, width, dash } } => {
            let mut path = String::new();
            let mut pen = "M";
            for point in points {
                pen = match point {
                    Some(point) => {
                        let (x, y) = at(*point);
                        path += &format!("{pen}{x:.1} {y:.1}");
                        "L"
                    }
                    None => "M",
                };
            }
            format!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dash}\"/>")
        }
        Mark::Dots { points, colour, radius } => {
            let dot = |(x, y): (f64, f64)| format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{colour}\"/>");
            points.iter().map(|point| dot(at(*point))).collect()
        }
        Mark::Label { at: place, text, side } => {
            let (x, y) = at(*place);
            match side {
                Side::Right => words::text(text, (x + 6.0, y + 4.0), SIZE, "start", INK, 0.0),
                Side::Above => words::text(text, (x, y - 5.0), SIZE, "middle", INK, 0.0),
            }
        }
    }
}
