//! A chart as SVG, from plotly's JSON: bars, lines, points, heat maps, histograms and boxes, as far as a still picture needs them.
//!
//! A trace becomes marks in the coordinates of its axes; axes find their range and ticks from the marks; then everything is drawn.

mod axis;
mod bars;
mod boxes;
mod heat;
mod legend;
mod lines;
mod marks;
mod notes;
mod page;
mod words;

use serde_json::Value;

use axis::Axes;
use marks::Drawn;

/// Most traces of a chart.
const MOST_TRACES: usize = 200;

/// Draws a chart, or nothing where one of its traces is of a kind that is not known here.
///
/// ```
/// use pellucid::display::figure::svg;
/// use serde_json::json;
/// let bars = json!({ "data": [{ "type": "bar", "x": ["a", "<c>"], "y": [1, 2] }], "layout": {} });
/// let drawn = svg(&bars).expect("bars are known");
/// assert!(drawn.starts_with("<svg") && drawn.contains("&lt;c&gt;"));
/// assert!(svg(&json!({ "data": [{ "type": "pie" }] })).is_none());
/// ```
pub fn svg(figure: &Value) -> Option<String> {
    let none = Vec::new();
    let traces = figure["data"].as_array().unwrap_or(&none);
    if traces.len() > MOST_TRACES {
        return None;
    }
    let layout = &figure["layout"];
    let mut axes = Axes::of(layout, traces);
    let seen: Vec<&Value> = traces.iter().filter(|trace| trace["visible"] != false && trace["visible"] != "legendonly").collect();
    let drawn = marks_of(&seen, layout, &axes)?;
    axes.fit(&drawn);
    Some(page::draw(layout, &axes, &drawn))
}

fn marks_of(traces: &[&Value], layout: &Value, axes: &Axes) -> Option<Vec<Drawn>> {
    let mut groups = bars::Groups::of(traces, layout);
    traces
        .iter()
        .enumerate()
        .map(|(index, trace)| match trace["type"].as_str().unwrap_or("scatter") {
            "bar" => Some(bars::bars(trace, index, axes, &mut groups)),
            "histogram" => Some(bars::histogram(trace, index, axes)),
            "scatter" | "scattergl" => Some(lines::lines(trace, index, axes)),
            "heatmap" => Some(heat::cells(trace, axes)),
            "box" => Some(boxes::boxes(trace, index, axes)),
            _ => None,
        })
        .collect()
}

/// What a chart is, for those who cannot see it.
pub fn in_words(figure: &Value) -> String {
    let none = Vec::new();
    let of = |trace: &Value| {
        let name = trace["name"].as_str().map_or(String::new(), |name| format!(" “{}”", words::plain(name)));
        let kind = trace["type"].as_str().unwrap_or("scatter");
        let length = |key: &str| trace[key].as_array().map_or(0, Vec::len);
        format!("{kind}{name} ({} values)", length("x").max(length("y")).max(length("z")).max(length("values")))
    };
    let traces: Vec<String> = figure["data"].as_array().unwrap_or(&none).iter().take(12).map(of).collect();
    let titles = ["xaxis", "yaxis"].map(|axis| words::title(&figure["layout"][axis]["title"]));
    let axes: Vec<String> = titles.into_iter().filter(|title| !title.is_empty()).collect();
    let title = words::title(&figure["layout"]["title"]);
    let parts = [title, traces.join(", "), axes.join(" / ")].into_iter().filter(|part| !part.is_empty());
    format!("chart: {}", parts.collect::<Vec<_>>().join("; "))
}
