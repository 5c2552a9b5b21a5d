//! Figures in a page that asks no other host and runs no inline script.

use std::sync::LazyLock;

use plotly::Plot;

/// Script that draws every element made by [`to_div`]; serve it beside [`plotly_js`], after which it must be loaded.
pub const FIGURES_JS: &str = include_str!("figures.js");

/// Style sheet of the figures: their text in the colour of the page, and what plotly.js would otherwise write inline.
///
/// Link it as `<link rel="stylesheet" id="plotly.js-style-global" class="no-inline-styles" href="…">` before the scripts:
/// by this id and class plotly.js leaves inline styles alone, and the policy `style-src 'self'` is not touched.
pub const FIGURES_CSS: &str = include_str!("figures.css");

/// Data, layout and configuration of a figure as JSON, for `Plotly.newPlot(element, f.data, f.layout, f.config)`.
///
/// `<`, `>` and `&` are written as `\u003c` and so on, so that the text may stand within any element of a page.
/// Values that are not finite are `null`.
///
/// ```
/// use reports::figures::{ClassProbability, class_bars, figure_json};
///
/// let hostile = ClassProbability { class: "</script>".into(), probability: f64::NAN };
/// let json = figure_json(&class_bars(&[hostile]));
/// assert!(!json.contains('<') && !json.contains("NaN"));
/// ```
pub fn figure_json(plot: &Plot) -> String {
    // In JSON these characters stand only within strings, where an escape means the same.
    plot.to_json().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// An element that [`FIGURES_JS`] fills with the figure; `description` is read out to those who cannot see it.
///
/// `id` and `description` are escaped.
pub fn to_div(plot: &Plot, id: &str, description: &str) -> String {
    let (id, description, figure) = (attribute(id), attribute(description), attribute(&figure_json(plot)));
    format!(r#"<div id="{id}" class="figure" role="img" aria-label="{description}" data-figure="{figure}"></div>"#)
}

/// The plotly.js library that the plotly crate embeds, without a script element, to be served as a file (about 4.6 MB,
/// 1.4 MB compressed).
pub fn plotly_js() -> &'static str {
    &PLOTLY_JS
}

/// The version of [`plotly_js`], as `3.0.1`.
pub fn plotly_js_version() -> Option<&'static str> {
    let line = plotly_js().lines().find(|line| line.contains("plotly.js v"))?;
    line.split_once("plotly.js v").map(|(_, version)| version.trim())
}

/// The plotly crate offers the library only within `<script>` elements, of which it is the first.
static PLOTLY_JS: LazyLock<String> = LazyLock::new(|| {
    let sources = Plot::offline_js_sources();
    let first = sources.split("<script type=\"text/javascript\">").nth(1).unwrap_or_default();
    let end = first.rfind("</script>").unwrap_or(first.len());
    first[..end].to_owned()
});

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
