//! The reliability diagram.

use plotly::common::{DashType, ErrorData, ErrorType, HoverInfo, Line, Marker, Mode};
use plotly::layout::Annotation;
use plotly::{Bar, Layout, Plot, Scatter};

use super::style::{BLUE, FAINT, INK, PALE_BLUE, axis, plot, share_axis};
use crate::classification::{Calibration, CalibrationBin};
use crate::statistics::{Confidence, Interval, wilson_interval};
use crate::table::percent;

/// Accuracy over confidence in bins, with 95 % Wilson intervals; below it how the confidences are distributed.
///
/// On the diagonal "80 %" comes true in 80 % of the cases; points below it are overconfident.
pub fn calibration(calibration: &Calibration) -> Plot {
    let filled: Vec<&CalibrationBin> = calibration.bins.iter().filter(|bin| bin.count > 0).collect();
    let mut figure = plot(480, layout(calibration));
    figure.add_trace(ideal());
    figure.add_trace(accuracies(&filled));
    figure.add_trace(counts(&filled));
    figure
}

fn ideal() -> Box<Scatter<f64, f64>> {
    Scatter::new(vec![0.0, 1.0], vec![0.0, 1.0])
        .mode(Mode::Lines)
        .line(Line::new().color(INK).width(1.0).dash(DashType::Dot))
        .hover_info(HoverInfo::Skip)
}

fn accuracies(bins: &[&CalibrationBin]) -> Box<Scatter<Option<f64>, Option<f64>>> {
    let interval = |bin: &&CalibrationBin| wilson_interval(bin.correct, bin.count, Confidence::NinetyFive).ok();
    let ends = |side: fn(&Interval) -> f64| -> Vec<f64> { bins.iter().map(|bin| interval(bin).as_ref().map_or(0.0, side)).collect() };
    let error = ErrorData::new(ErrorType::Data)
        .symmetric(false)
        .array(ends(|i| i.upper - i.estimate))
        .array_minus(ends(|i| i.estimate - i.lower))
        .color(PALE_BLUE)
        .thickness(1.5)
        .width(4);
    Scatter::new(bins.iter().map(|bin| bin.confidence).collect(), bins.iter().map(|bin| bin.accuracy).collect())
        .mode(Mode::LinesMarkers)
        .line(Line::new().color(BLUE).width(2.0))
        .marker(Marker::new().color(BLUE).size(8))
        .error_y(error)
        .text_array(bins.iter().map(|bin| format!("{} of {} correct", bin.correct, bin.count)).collect())
        .hover_template("confidence %{x:.1%}, accuracy %{y:.1%}<br>%{text}<extra></extra>")
}

fn counts(bins: &[&CalibrationBin]) -> Box<Bar<f64, u64>> {
    let middle = |bin: &&CalibrationBin| (bin.lower + bin.upper) / 2.0;
    let width = bins.first().map_or(1.0, |bin| bin.upper - bin.lower);
    Bar::new(bins.iter().map(middle).collect(), bins.iter().map(|bin| bin.count).collect())
        .y_axis("y2")
        .width(0.92 * width)
        .marker(Marker::new().color(PALE_BLUE))
        .hover_template("%{y} samples<extra></extra>")
}

fn layout(calibration: &Calibration) -> Layout {
    let error = Annotation::new()
        .text(format!("expected calibration error {}", percent(Some(calibration.expected_error))))
        .x_ref("paper")
        .y_ref("paper")
        .x(0.02)
        .y(0.98)
        .show_arrow(false);
    let most = calibration.bins.iter().map(|bin| bin.count).max().unwrap_or(0);
    let below = axis("samples").domain(&[0.0, 0.17]).tick_format(",d");
    // Of few samples plotly would mark halves.
    let below = if most <= 3 { below.dtick(1.0) } else { below.n_ticks(3) };
    Layout::new()
        .x_axis(share_axis("confidence (probability of the predicted class)", 0.01).anchor("y2"))
        .y_axis(share_axis("accuracy", 0.03).domain(&[0.25, 1.0]).line_color(FAINT))
        .y_axis2(below)
        .annotations(vec![error])
        .show_legend(false)
}
