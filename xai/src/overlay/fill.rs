//! Colours over the skin.

use super::OverlayStyle;
use super::canvas::View;
use crate::HeatMap;
use image::RgbImage;

/// Blends the map's colours over the picture: opacity grows with the strength of the relevance.
///
/// `pixel = (1 - a) * pixel + a * colour` with `a = opacity * |value|`, so that skin the model did not rely on keeps its own colour.
pub(super) fn paint(picture: &mut RgbImage, map: &HeatMap, view: &View, style: &OverlayStyle) {
    let Some(opacity) = style.fill.filter(|opacity| *opacity > 0.0) else { return };
    let scaled = map.rescale(style.rescale);
    for (col, row, pixel) in picture.enumerate_pixels_mut() {
        if let Some((down, across)) = view.place(row, col) {
            let value = scaled.at(down, across);
            let share = opacity.min(1.0) * value.abs();
            let colour = style.colormap.colour(value);
            for (channel, over) in pixel.0.iter_mut().zip(colour) {
                *channel = (f32::from(*channel) * (1.0 - share) + f32::from(over) * share).round() as u8;
            }
        }
    }
}
