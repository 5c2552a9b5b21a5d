//! What every figure must hold.

use serde_json::Value;

use super::*;
use crate::classification::samples::three_classes;
use crate::classification::{self, ConfusionMatrix, DEFAULT_BINS, Predictions};

const HOSTILE: &str = "</script><a href=\"https://example.org\">&\u{2028}\"'";

/// Every figure with ordinary data, with hostile names and values, and with none.
fn all_figures() -> Vec<Plot> {
    let predictions = three_classes();
    let one_sided = Predictions::new(&[HOSTILE, "b"], &[0, 0], &[[0.9, 0.1], [0.4, 0.6]]).unwrap();
    let counts = |values: &[u64]| values.iter().map(|&count| ClassCount { class: HOSTILE.into(), count }).collect::<Vec<_>>();
    let bars = |values: &[f64]| {
        let bar = |&probability: &f64| ClassProbability { class: HOSTILE.into(), probability };
        values.iter().map(bar).collect::<Vec<_>>()
    };
    let broken = Measured { loss: f64::NAN, accuracy: f64::INFINITY };
    let epochs = [Epoch { number: 1, training: broken, validation: Some(broken) }];
    let mut figures = vec![
        class_bars(&bars(&[0.2, 0.8, f64::NAN, f64::NEG_INFINITY])),
        class_bars(&[]),
        training_curve(&epochs),
        training_curve(&[]),
        roc_curves(&[]),
    ];
    for scale in [CountScale::Linear, CountScale::Logarithmic] {
        figures.extend([&[31_626, 1, 0][..], &[0, 0], &[u64::MAX, u64::MAX], &[]].map(|values| class_balance(&counts(values), scale)));
    }
    for predictions in [predictions, one_sided] {
        figures.push(confusion_matrix(&classification::confusion_matrix(&predictions)));
        figures.push(roc_curves(&classification::roc_curves(&predictions)));
        figures.push(calibration(&classification::calibration(&predictions, DEFAULT_BINS)));
    }
    figures
}

fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, found)),
        _ => {}
    }
}

#[test]
fn json_is_valid_and_has_neither_markup_nor_nan() {
    for figure in all_figures() {
        let json = figure_json(&figure);
        assert!(!json.contains(['<', '>', '&']), "{json}");
        assert!(!json.contains("NaN") && !json.contains("inf %"), "{json}");
        let value: Value = serde_json::from_str(&json).expect("valid JSON");
        assert!(value["data"].is_array() && value["layout"].is_object() && value["config"].is_object());
    }
}

#[test]
fn no_string_of_a_figure_is_a_link_or_needs_an_inline_style() {
    for figure in all_figures() {
        let mut found = Vec::new();
        strings(&serde_json::from_str(&figure_json(&figure)).expect("valid JSON"), &mut found);
        for text in found {
            // Of the HTML that plotly reads, only what needs no inline style.
            let rest = text.replace("<br>", "").replace("<extra></extra>", "");
            assert!(!rest.contains('<'), "{text}");
            // The hostile class name is the only text with an address, and it is escaped.
            assert!(!text.contains("://") || text.contains("&lt;a href"), "{text}");
        }
    }
}

#[test]
fn backgrounds_are_transparent_and_the_font_is_the_page_s() {
    for figure in all_figures() {
        let value: Value = serde_json::from_str(&figure_json(&figure)).expect("valid JSON");
        assert_eq!(value["layout"]["paper_bgcolor"], "rgba(0, 0, 0, 0)");
        assert_eq!(value["layout"]["plot_bgcolor"], "rgba(0, 0, 0, 0)");
        assert_eq!(value["layout"]["font"]["family"], "inherit");
    }
}

#[test]
fn a_row_without_samples_carries_no_colour() {
    let matrix = ConfusionMatrix::from_counts(&["a", "b"], &[[3, 0], [0, 0]]).unwrap();
    let value: Value = serde_json::from_str(&figure_json(&confusion_matrix(&matrix))).expect("valid JSON");
    assert_eq!(value["data"][0]["z"], serde_json::json!([[1.0, 0.0], [null, null]]));
    let texts: Vec<&str> = (0..6).filter_map(|i| value["layout"]["annotations"][i]["text"].as_str()).collect();
    assert_eq!(texts, ["3", "100.0 %", "0", "–", "–", "true class"]);
}

#[test]
fn an_undefined_curve_keeps_its_place_in_the_legend() {
    let predictions = Predictions::new(&["a", "b"], &[0, 0], &[[0.9, 0.1], [0.4, 0.6]]).unwrap();
    let figure = roc_curves(&classification::roc_curves(&predictions));
    let value: Value = serde_json::from_str(&figure_json(&figure)).expect("valid JSON");
    assert_eq!(value["data"][0]["name"], "a: undefined");
    assert_eq!(value["data"][0]["x"], serde_json::json!([null]));
}

#[test]
fn the_library_is_whole_and_stands_alone() {
    let library = plotly_js();
    assert!(library.len() > 1_000_000, "{} bytes", library.len());
    assert!(library.starts_with("/**\n* plotly.js v"), "{}", &library[..60]);
    assert!(!library.contains("<script"), "more than one script");
    assert!(library.trim_end().ends_with("}));"), "cut short");
    assert_eq!(plotly_js_version(), Some("3.0.1"));
}

#[test]
fn attributes_cannot_be_left() {
    let html = to_div(&class_bars(&[]), "\"><script>", "a \"b\" <c>");
    assert_eq!(html.matches('<').count(), 2, "{html}");
    assert!(html.starts_with("<div id=\"&quot;&gt;&lt;script&gt;\" class=\"figure\""), "{html}");
}
