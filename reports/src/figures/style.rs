//! The house style, in one place.

use plotly::common::{ColorScale, ColorScaleElement, DashType, Font, Orientation, Title};
use plotly::configuration::{DisplayModeBar, ModeBarButtonName};
use plotly::layout::{Axis, Legend, Margin, ModeBar, TicksDirection};
use plotly::{Configuration, Layout, Plot};

/// Text: a grey of about equal contrast (4 : 1) to white and to a dark page; `figures.css` turns it into the page's own colour.
pub(crate) const INK: &str = "#787878";
/// Text that says "nothing here".
pub(crate) const FAINT_INK: &str = "rgba(120, 120, 120, 0.7)";
/// The same on the dark end of viridis.
pub(crate) const FAINT_ON_DARK: &str = "rgba(255, 255, 255, 0.5)";
/// The one colour of figures with a single series, and of training.
pub(crate) const BLUE: &str = "#3f7fc4";
/// The second colour, told from the first by every kind of colour vision.
pub(crate) const ORANGE: &str = "#c9661c";
/// The first colour, for what stands back.
pub(crate) const PALE_BLUE: &str = "rgba(63, 127, 196, 0.5)";
/// Invisible.
pub(crate) const CLEAR: &str = "rgba(0, 0, 0, 0)";
/// Grid lines, axes and references, visible on light and on dark.
pub(crate) const FAINT: &str = "rgba(128, 128, 128, 0.28)";

/// Characters of a name on an axis; the longest name of a class of the thesis has 26.
const LONGEST_LABEL: usize = 32;

/// Colour and line pattern of the series of one figure.
///
/// Each colour has a contrast of 3 : 1 or more to white and to a dark page. Seven colours of so narrow a range of lightness
/// cannot all be told apart by every kind of colour vision; the two of one pattern can.
const SERIES: [(&str, Pattern); 7] = [
    (BLUE, Pattern::Solid),
    (ORANGE, Pattern::Solid),
    ("#31926c", Pattern::Dash),
    ("#b86fb9", Pattern::Dash),
    ("#8a8f1f", Pattern::Dot),
    ("#7b5bd0", Pattern::Dot),
    ("#5f7c85", Pattern::DashDot),
];

#[derive(Clone, Copy)]
enum Pattern {
    Solid,
    Dash,
    Dot,
    DashDot,
}

/// Colour and line pattern of the n-th series; an eighth starts over.
pub(crate) fn series(index: usize) -> (&'static str, DashType) {
    let (colour, pattern) = SERIES[index % SERIES.len()];
    let dash = match pattern {
        Pattern::Solid => DashType::Solid,
        Pattern::Dash => DashType::Dash,
        Pattern::Dot => DashType::Dot,
        Pattern::DashDot => DashType::DashDot,
    };
    (colour, dash)
}

/// A figure of the given height in pixels; its width is the page's.
pub(crate) fn plot(height: usize, layout: Layout) -> Plot {
    let mut plot = Plot::new();
    plot.set_layout(house(layout).height(height));
    plot.set_configuration(configuration());
    plot
}

fn house(layout: Layout) -> Layout {
    let modebar = ModeBar::new().background_color(CLEAR).color(FAINT).active_color(INK);
    layout
        .auto_size(true)
        .paper_background_color(CLEAR)
        .plot_background_color(CLEAR)
        .font(Font::new().family("inherit").size(13).color(INK))
        .margin(Margin::new().left(8).right(16).top(28).bottom(8).auto_expand(true))
        .mode_bar(modebar)
}

fn configuration() -> Configuration {
    Configuration::new().responsive(true).display_logo(false).display_mode_bar(DisplayModeBar::Hover).mode_bar_buttons_to_remove(vec![
        ModeBarButtonName::Lasso2d,
        ModeBarButtonName::Select2d,
        ModeBarButtonName::AutoScale2d,
    ])
}

/// A quiet axis with a title and faint grid lines.
pub(crate) fn axis(text: &str) -> Axis {
    Axis::new().title(title(text)).auto_margin(true).grid_color(FAINT).zero_line(false).line_color(FAINT).show_line(true)
}

/// The title of an axis, no larger than its labels.
pub(crate) fn title(text: &str) -> Title {
    Title::with_text(text).font(Font::new().size(13))
}

/// An axis of shares from 0 to 1, written in percent; `room` is left at both ends for marks that stand on them.
pub(crate) fn share_axis(text: &str, room: f64) -> Axis {
    axis(text).range(vec![-room, 1.0 + room]).tick_format(".0%").dtick(0.25).tick0(0.0)
}

/// An axis of classes at 0, 1, 2 … with their names, without grid; numbers as names would be taken for places.
pub(crate) fn class_axis<'a>(names: impl Iterator<Item = &'a str>) -> Axis {
    let names: Vec<String> = names.map(short_label).collect();
    Axis::new()
        .tick_values((0..names.len()).map(|place| place as f64).collect())
        .tick_text(names)
        // Invisible ticks keep the names at a distance.
        .ticks(TicksDirection::Outside)
        .tick_length(6)
        .tick_color(CLEAR)
        .auto_margin(true)
        .show_grid(false)
        .zero_line(false)
}

/// The range of a class axis whose first class stands at the top.
pub(crate) fn from_the_top(classes: usize) -> Vec<f64> {
    vec![classes as f64 - 0.5, -0.5]
}

/// A legend in one line above the figure.
pub(crate) fn legend_above() -> Legend {
    Legend::new().orientation(Orientation::Horizontal).x(0.0).y(1.02).y_anchor(plotly::common::Anchor::Bottom).background_color(CLEAR)
}

/// A name on an axis or in a legend: a long one is cut, since it would take the room of the figure.
pub(crate) fn short_label(name: &str) -> String {
    if name.chars().count() <= LONGEST_LABEL {
        return label(name);
    }
    let cut: String = name.chars().take(LONGEST_LABEL - 1).collect();
    label(&format!("{}…", cut.trim_end()))
}

/// A name as plotly shall show it: it reads a little HTML, so the marks of HTML are escaped.
pub(crate) fn label(name: &str) -> String {
    name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Anchors of viridis at equal distances, from 0 to 1 (van der Walt and Smith 2015, public domain).
const VIRIDIS: [&str; 9] = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];

/// Viridis as a plotly colour scale.
pub(crate) fn viridis() -> ColorScale {
    let last = (VIRIDIS.len() - 1) as f64;
    let anchor = |(place, colour): (usize, &&str)| ColorScaleElement(place as f64 / last, (*colour).into());
    ColorScale::Vector(VIRIDIS.iter().enumerate().map(anchor).collect())
}

/// Text on a viridis cell: white on its dark part, black on its light part, 4 : 1 or more everywhere.
pub(crate) fn ink_on_viridis(value: f64) -> &'static str {
    if value < 0.42 { "#ffffff" } else { "#000000" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DARK_PAGE: &str = "#16181d";

    /// Contrast of two colours `#rrggbb` after the Web Content Accessibility Guidelines, from 1 to 21.
    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("two hexadecimal digits")) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn long_labels_are_cut_before_they_are_escaped() {
        assert_eq!(short_label(&"<".repeat(32)), "&lt;".repeat(32));
        assert_eq!(short_label(&"é<".repeat(20)), format!("{}é…", "é&lt;".repeat(15)));
    }

    #[test]
    fn contrast_by_its_definition() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
        assert!((contrast("#767676", "#ffffff") - 4.54).abs() < 0.01); // the well-known lightest grey of 4.5 : 1
    }

    #[test]
    fn lines_and_text_stand_out_on_light_and_on_dark_pages() {
        for page in ["#ffffff", DARK_PAGE] {
            for (colour, _) in SERIES {
                assert!(contrast(colour, page) >= 3.0, "{colour} on {page}: {}", contrast(colour, page));
            }
            assert!(contrast(INK, page) >= 4.0, "ink on {page}: {}", contrast(INK, page));
        }
    }

    #[test]
    fn text_stands_out_on_every_anchor_of_viridis_and_lightness_only_grows() {
        for (place, colour) in VIRIDIS.iter().enumerate() {
            let ink = ink_on_viridis(place as f64 / 8.0);
            assert!(contrast(colour, ink) >= 4.0, "{ink} on {colour}: {}", contrast(colour, ink));
        }
        assert!(VIRIDIS.windows(2).all(|pair| luminance(pair[0]) < luminance(pair[1])));
    }
}
