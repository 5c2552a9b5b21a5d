//! A heat map over the photograph it explains.
//!
//! The photograph stays legible: by default the relevance is outlined, not painted over, because dermoscopy is itself
//! in colour. The legend carries the absolute scale and says what the colours are not.

mod canvas;
mod contour;
mod fill;
mod legend;
mod side_by_side;
mod text;

pub use side_by_side::side_by_side;

use crate::{Colormap, HeatMap, Rescale, Window};
use canvas::View;
use image::{Rgb, RgbImage};
use serde::{Deserialize, Serialize};

/// What a flat map is labelled with, instead of a fill or a contour.
const NO_EVIDENCE: &str = "no localised evidence";

/// How a heat map is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverlayStyle {
    /// Opacity of the colours at the strongest relevance, 0 to 1; weaker relevance is fainter. `None` paints nothing.
    pub fill: Option<f32>,
    /// Share of the relevance that the outline encloses, 0 to 1. `None` draws no outline.
    pub contour: Option<f32>,
    /// Colours of an unsigned map; a signed one is always shown in red and blue.
    pub colormap: Colormap,
    /// Ends of the colours of an unsigned map; those of a signed one are always symmetric.
    pub rescale: Rescale,
    /// Whether the legend stands below the picture: colour bar, absolute scale, what the line encloses.
    pub colour_bar: bool,
    /// A line of text below the picture, for example the method and the class. Only ASCII is drawn; the rest becomes `?`.
    pub caption: Option<String>,
}

impl Default for OverlayStyle {
    /// The outline around half of the relevance, inferno over the map's own range, with a legend.
    fn default() -> OverlayStyle {
        OverlayStyle {
            fill: None,
            contour: Some(0.5),
            colormap: Colormap::Inferno,
            rescale: Rescale::MinMax,
            colour_bar: true,
            caption: None,
        }
    }
}

impl OverlayStyle {
    /// The default with colours at 60 % opacity.
    pub fn filled() -> OverlayStyle {
        OverlayStyle { fill: Some(0.6), ..OverlayStyle::default() }
    }

    /// The picture alone, at its own size: outline only, no legend and no caption.
    pub fn bare() -> OverlayStyle {
        OverlayStyle { colour_bar: false, ..OverlayStyle::default() }
    }

    /// A signed map in a sequential scale would show "against" as "a little for".
    fn for_map(&self, map: &HeatMap) -> OverlayStyle {
        if map.is_signed() || self.colormap == Colormap::RedBlue {
            OverlayStyle { colormap: Colormap::RedBlue, rescale: Rescale::Symmetric, ..self.clone() }
        } else {
            self.clone()
        }
    }
}

/// Draws `map` over the part of `image` that it covers.
///
/// `window` is that part in pixels of `image`, from [`Preprocessor::field_of_view`](crate::Preprocessor::field_of_view);
/// what lies outside is dimmed: the model did not see it. Without a legend and a caption the result has the size of
/// `image`; with one a strip is added below, and pictures too narrow for text are enlarged by a whole factor.
/// Relevance for the target is outlined with a solid line, relevance against it with a dashed one.
/// A flat map gets neither outline nor colours but the words "no localised evidence".
///
/// ```
/// use image::RgbImage;
/// use ndarray::array;
/// use xai::{HeatMap, OverlayStyle, Window, overlay};
/// let picture = RgbImage::new(60, 40);
/// let map = HeatMap::new(array![[0.0, 0.0, 0.0], [0.0, 0.0, 9.0]])?;
/// let drawn = overlay(&picture, &map, &Window::whole(40, 60), &OverlayStyle::bare());
/// assert_eq!(drawn.dimensions(), (60, 40));
/// assert_ne!(drawn, picture);
/// # Ok::<(), xai::Error>(())
/// ```
pub fn overlay(image: &RgbImage, map: &HeatMap, window: &Window, style: &OverlayStyle) -> RgbImage {
    let style = style.for_map(map);
    let with_words = style.colour_bar || style.caption.is_some();
    let factor = if with_words { canvas::enlargement(image) } else { 1 };
    let mut picture = canvas::enlarge(image, factor);
    let Some(view) = View::of(window, factor, &picture) else { return picture };
    view.dim_outside(&mut picture);
    let levels = if map.is_flat() {
        banner(&mut picture);
        Vec::new()
    } else {
        fill::paint(&mut picture, map, &view, &style);
        contour::outline(&mut picture, map, &view, &style)
    };
    if with_words { legend::below(&picture, map, &style, &levels) } else { picture }
}

/// White on dark along the upper edge, where it covers no lesion.
fn banner(picture: &mut RgbImage) {
    let size = text::size_for(picture.width());
    let line = text::height(size) * 3 / 2;
    canvas::rectangle(picture, (0, 0), (picture.width(), line), Rgb([20, 20, 20]));
    let left = picture.width().saturating_sub(text::width(NO_EVIDENCE, size)) / 2;
    text::draw(picture, (line / 6, left), NO_EVIDENCE, size, Rgb([255, 255, 255]));
}
