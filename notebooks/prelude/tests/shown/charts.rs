//! Charts: plotly's JSON beside an SVG of ours.

use pellucid::display::figure;
use pellucid::prelude::*;
use serde_json::{Value, json};

use super::{markup, shown};

fn drawn(data: Value, layout: Value) -> String {
    let svg = figure::svg(&json!({ "data": data, "layout": layout })).expect("kinds that are known");
    markup::expect_closed(&svg);
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    svg
}

#[test]
fn every_chart_of_ours_has_both() {
    let counts: Vec<ClassCount> =
        Imbalance::thesis().counts().map(|c| ClassCount { class: c.class.name().into(), count: c.count as u64 }).into();
    for scale in [CountScale::Linear, CountScale::Logarithmic] {
        let rendering = shown(&class_balance(&counts, scale));
        let svg = rendering.svg.unwrap();
        assert_eq!(svg.matches("<rect").count(), 7, "a bar for each class");
        assert!(svg.contains("melanoma") && svg.contains("31"), "names and numbers");
        assert!(rendering.plotly.unwrap()["data"].is_array());
    }
    let matrix = ConfusionMatrix::from_counts(&["a", "b"], &[[3, 1], [0, 0]]).unwrap();
    assert_eq!(shown(&confusion_matrix(&matrix)).svg.unwrap().matches("<rect").count(), 2, "a row without samples has no colour");
}

#[test]
fn a_bar_is_as_long_as_its_value() {
    let svg = drawn(json!([{ "type": "bar", "x": ["a", "b"], "y": [1, 2] }]), json!({ "yaxis": { "range": [0, 2] } }));
    let heights: Vec<f64> = svg.split("<rect").skip(1).map(|bar| attribute(bar, "height")).collect();
    assert!((heights[1] / heights[0] - 2.0).abs() < 0.01, "{heights:?}");
}

#[test]
fn a_stack_stands_on_what_is_below() {
    let bars = |y: [i32; 1]| json!({ "type": "bar", "x": ["a"], "y": y });
    let svg = drawn(json!([bars([1]), bars([3])]), json!({ "barmode": "stack", "yaxis": { "range": [0, 4] } }));
    let bars: Vec<&str> = svg.split("<rect").skip(1).collect();
    let (lower, upper) = (attribute(bars[0], "y"), attribute(bars[1], "y") + attribute(bars[1], "height"));
    assert!((lower - upper).abs() < 0.3, "the second ends where the first begins: {lower} and {upper}");
}

#[test]
fn a_gap_parts_a_line_and_a_histogram_counts_everything() {
    let line = drawn(json!([{ "type": "scatter", "mode": "lines", "x": [0, 1, 2, 3], "y": [1, null, 2, 3] }]), json!({}));
    assert_eq!(line.matches('M').count(), 2, "{line}");
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let histogram = drawn(json!([{ "type": "histogram", "x": values, "nbinsx": 4 }]), json!({ "yaxis": { "range": [0, 25] } }));
    let heights: Vec<f64> = histogram.split("<rect").skip(1).map(|bar| attribute(bar, "height")).collect();
    assert!(heights.len() == 4 && heights.iter().all(|height| (height - heights[0]).abs() < 0.2), "{heights:?}");
}

#[test]
fn a_box_s_middle_is_its_median() {
    let svg = drawn(json!([{ "type": "box", "y": [1, 2, 3, 4, 100] }]), json!({ "yaxis": { "range": [0, 6] } }));
    assert_eq!(svg.matches("<circle").count(), 1, "one value lies outside");
}

#[test]
fn charts_of_nothing_and_of_nonsense_are_drawn() {
    let kinds = ["bar", "scatter", "heatmap", "histogram", "box"];
    for kind in kinds {
        let x = json!({ "type": kind });
        let nonsense = [
            json!({ "type": kind, "x": [], "y": [], "z": [] }),
            json!({ "type": kind, "x": [null, "a", 1e308, -1e308], "y": ["<b>", null, true, 1e308], "z": [[null], 3, "x"] }),
            json!({ "type": kind, "y": 3, "x": {"a": 1}, "z": [[1, 2], [3]], "xaxis": "<x>", "marker": { "color": "\"><script>", "size": -4 } }),
            json!({ "type": kind, "y": [5], "z": [[5]], "text": "</svg>", "name": "<script>", "orientation": "h" }),
        ];
        for trace in nonsense.into_iter().chain([x]) {
            for layout in [json!({}), json!({ "xaxis": { "type": "log", "range": [3, 3] }, "height": -3, "title": 3, "showlegend": true })]
            {
                drawn(json!([trace, trace]), layout);
            }
        }
    }
    drawn(json!([]), json!({ "annotations": [{ "x": "a", "y": null, "text": "<b>x</b>" }, 3], "title": { "text": "</svg><script>" } }));
    assert!(figure::svg(&json!(null)).is_some() && figure::svg(&json!({ "data": 3 })).is_some());
    assert!(figure::svg(&json!({ "data": [{ "type": "pie" }] })).is_none());
}

/// A number that an element has under a name.
fn attribute(element: &str, name: &str) -> f64 {
    let value = element.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} in {element}"))
}
