//! Loss and accuracy over the epochs of a training.

use plotly::common::{DashType, Line, Marker, Mode};
use plotly::layout::{HoverMode, RangeMode};
use plotly::{Layout, Plot, Scatter};

use super::style::{BLUE, ORANGE, axis, legend_above, plot};

/// What one epoch of training came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Number of the epoch.
    pub number: usize,
    /// Measured on the training data.
    pub training: Measured,
    /// Measured on the validation data, in epochs that were validated.
    pub validation: Option<Measured>,
}

/// Loss and accuracy on one set of data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Mean loss.
    pub loss: f64,
    /// Share of correctly predicted samples.
    pub accuracy: f64,
}

/// Loss above, accuracy below, training and validation in each; a value that is not finite leaves a gap.
pub fn training_curve(epochs: &[Epoch]) -> Plot {
    let mut figure = plot(480, layout(epochs));
    for set in [Set::Training, Set::Validation] {
        figure.add_trace(set.line(epochs, |measured| measured.loss).y_axis("y").show_legend(true));
        let accuracy = set.line(epochs, |measured| measured.accuracy);
        figure.add_trace(accuracy.y_axis("y2").show_legend(false).hover_template("%{y:.1%}"));
    }
    figure
}

#[derive(Clone, Copy)]
enum Set {
    Training,
    Validation,
}

impl Set {
    fn line(self, epochs: &[Epoch], value: fn(&Measured) -> f64) -> Box<Scatter<usize, Option<f64>>> {
        let (name, colour, dash) = match self {
            Set::Training => ("training", BLUE, DashType::Dash),
            Set::Validation => ("validation", ORANGE, DashType::Solid),
        };
        let measured = |epoch: &Epoch| match self {
            Set::Training => Some(epoch.training),
            Set::Validation => epoch.validation,
        };
        let finite = |epoch: &Epoch| measured(epoch).map(|m| value(&m)).filter(|value| value.is_finite());
        Scatter::new(epochs.iter().map(|epoch| epoch.number).collect(), epochs.iter().map(finite).collect())
            .name(name)
            .legend_group(name)
            .mode(Mode::LinesMarkers)
            .line(Line::new().color(colour).width(2.0).dash(dash))
            .marker(Marker::new().color(colour).size(5))
            .hover_template("%{y:.4g}")
    }
}

fn layout(epochs: &[Epoch]) -> Layout {
    let accuracy = axis("accuracy").domain(&[0.0, 0.44]).tick_format(".0%");
    // Without epochs plotly would invent a range below zero and above 100 %.
    let accuracy = if epochs.is_empty() { accuracy.range(vec![0.0, 1.0]) } else { accuracy };
    Layout::new()
        .x_axis(axis("epoch").anchor("y2").tick_format("d").show_grid(false))
        .y_axis(axis("loss").domain(&[0.56, 1.0]).range_mode(RangeMode::ToZero))
        .y_axis2(accuracy)
        .hover_mode(HoverMode::XUnified)
        .legend(legend_above())
}
