//! How many samples each class has.

use plotly::common::{Marker, Orientation, TextPosition};
use plotly::layout::{Axis, AxisType};
use plotly::{Bar, Layout, Plot};

use super::style::{BLUE, axis, class_axis, from_the_top, label, plot};
use crate::table::percent;

/// A class with its number of samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassCount {
    /// Name of the class.
    pub class: String,
    /// Number of samples.
    pub count: u64,
}

/// The scale of the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CountScale {
    /// Bar lengths compare as the counts do: shows imbalance as it is.
    #[default]
    Linear,
    /// Powers of ten: rare classes stay readable beside common ones, but bar lengths no longer compare.
    Logarithmic,
}

/// Where a logarithmic axis begins: below one, so that a class of one sample has a bar.
const LOG_START: f64 = 0.7;

/// Horizontal bars in the order given from the top, each with its count and its share of all samples.
pub fn class_balance(counts: &[ClassCount], scale: CountScale) -> Plot {
    let total: f64 = counts.iter().map(|c| c.count as f64).sum();
    let share = |c: &ClassCount| percent((total > 0.0).then(|| c.count as f64 / total));
    let text = counts.iter().map(|c| format!("{} ({})", thousands(c.count), share(c))).collect::<Vec<String>>();
    let hover = counts.iter().zip(&text).map(|(c, text)| format!("{}: {text}", label(&c.class))).collect();
    let length = |c: &ClassCount| match scale {
        CountScale::Linear => c.count as f64,
        CountScale::Logarithmic => (c.count as f64).max(LOG_START), // zero has no logarithm: a bar of no length
    };
    let bars = Bar::new(counts.iter().map(length).collect(), (0..counts.len()).collect())
        .orientation(Orientation::Horizontal)
        .marker(Marker::new().color(BLUE))
        .text_array(text)
        .text_position(TextPosition::Outside)
        .clip_on_axis(false)
        .hover_text_array(hover)
        .hover_template("%{hovertext}<extra></extra>");
    let most = counts.iter().map(|c| c.count).max().unwrap_or(0).max(1) as f64;
    let names = counts.iter().map(|c| c.class.as_str());
    let classes = class_axis(names).range(from_the_top(counts.len()));
    let layout = Layout::new().x_axis(count_axis(scale, most)).y_axis(classes).bar_gap(0.35).show_legend(false);
    let mut figure = plot(90 + 32 * counts.len(), layout);
    figure.add_trace(bars);
    figure
}

/// The axis leaves a third of its length for the texts at the ends of the bars.
fn count_axis(scale: CountScale, most: f64) -> Axis {
    match scale {
        CountScale::Linear => axis("samples").range(vec![0.0, most * 1.3]).tick_format(",d").show_line(false).show_grid(false),
        CountScale::Logarithmic => {
            let (start, end) = (LOG_START.log10(), most.log10());
            let powers: Vec<f64> = (0..=end.ceil() as i32).map(|power| 10_f64.powi(power)).collect();
            axis("samples (logarithmic scale)")
                .type_(AxisType::Log)
                .range(vec![start, end + 0.3 * (end - start)])
                .tick_values(powers)
                .tick_format(",d")
                .show_line(false)
                .show_grid(false)
        }
    }
}

/// Groups of three digits, parted by thin spaces.
fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push('\u{2009}');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_thousands() {
        let written = [0, 999, 1000, 47_150, u64::MAX].map(|count| thousands(count).replace('\u{2009}', "_"));
        assert_eq!(written, ["0", "999", "1_000", "47_150", "18_446_744_073_709_551_615"]);
    }
}
