//! Probability of each class as a bar.

use plotly::common::{Marker, Orientation, TextPosition};
use plotly::{Bar, Layout, Plot};

use super::style::{BLUE, PALE_BLUE, axis, class_axis, from_the_top, label, plot};
use crate::table::percent;

/// A class with its predicted probability.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassProbability {
    /// Name of the class.
    pub class: String,
    /// Probability from 0 to 1; a value that is not finite is shown as undefined.
    pub probability: f64,
}

/// Horizontal bars from 0 to 100 %, in the order given from the top, each with its number; the highest stands out.
pub fn class_bars(probabilities: &[ClassProbability]) -> Plot {
    let values: Vec<Option<f64>> = probabilities.iter().map(|p| Some(p.probability).filter(|p| p.is_finite())).collect();
    let highest = values.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let colour = |value: &Option<f64>| if *value == Some(highest) { BLUE } else { PALE_BLUE };
    let hover = |(p, value): (&ClassProbability, &Option<f64>)| format!("{}: {}", label(&p.class), percent(*value));
    // An undefined value keeps a bar of no length, so that its text is drawn.
    let lengths = values.iter().map(|value| value.unwrap_or(0.0)).collect();
    let bars = Bar::new(lengths, (0..values.len()).collect())
        .orientation(Orientation::Horizontal)
        .marker(Marker::new().color_array(values.iter().map(colour).collect()))
        .text_array(values.iter().map(|&value| percent(value)).collect())
        .text_position(TextPosition::Outside)
        .clip_on_axis(false)
        .hover_text_array(probabilities.iter().zip(&values).map(hover).collect())
        .hover_template("%{hovertext}<extra></extra>");
    let mut figure = plot(70 + 32 * probabilities.len(), layout(probabilities));
    figure.add_trace(bars);
    figure
}

fn layout(probabilities: &[ClassProbability]) -> Layout {
    let share =
        axis("").range(vec![0.0, 1.1]).tick_format(".0%").tick_values(vec![0.0, 0.25, 0.5, 0.75, 1.0]).show_line(false).show_grid(false);
    let names = probabilities.iter().map(|p| p.class.as_str());
    let classes = class_axis(names).range(from_the_top(probabilities.len()));
    Layout::new().x_axis(share).y_axis(classes).bar_gap(0.35).show_legend(false)
}
