//! Figures: plain functions from data to [`plotly::Plot`], in one house style.
//!
//! Lightness carries the order and no rainbow is used; line patterns and numbers say the same as colours. Backgrounds
//! are transparent and the font is the page's, so figures stand in light and in dark pages.
//!
//! A page shows a figure with [`to_div`] and loads [`plotly_js`], [`FIGURES_JS`] and [`FIGURES_CSS`] from its own
//! server: no other host is asked, and a policy that forbids inline scripts and styles is kept.
//!
//! ```
//! use reports::figures::{ClassProbability, class_bars, to_div};
//!
//! let bars = class_bars(&[
//!     ClassProbability { class: "nevus".into(), probability: 0.85 },
//!     ClassProbability { class: "melanoma".into(), probability: 0.15 },
//! ]);
//! let html = to_div(&bars, "classes", "nevus 85 %, melanoma 15 %");
//! assert!(html.starts_with(r#"<div id="classes" class="figure""#));
//! ```

mod calibration;
mod class_balance;
mod class_bars;
mod confusion_matrix;
mod embed;
mod roc_curves;
mod style;
mod training_curve;

pub use calibration::calibration;
pub use class_balance::{ClassCount, CountScale, class_balance};
pub use class_bars::{ClassProbability, class_bars};
pub use confusion_matrix::confusion_matrix;
pub use embed::{FIGURES_CSS, FIGURES_JS, figure_json, plotly_js, plotly_js_version, to_div};
pub use plotly::Plot;
pub use roc_curves::roc_curves;
pub use training_curve::{Epoch, Measured, training_curve};

#[cfg(test)]
mod tests;
