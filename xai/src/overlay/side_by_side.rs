//! The photograph beside its overlay.

use super::text;
use image::{Rgb, RgbImage, imageops};

/// The untouched picture on the left, its overlay on the right, at the same size.
///
/// Where the overlay was enlarged for its legend, the picture is enlarged as well; below it stands the word "original".
///
/// ```
/// use image::RgbImage;
/// use xai::{OverlayStyle, side_by_side};
/// let pair = side_by_side(&RgbImage::new(60, 40), &RgbImage::new(60, 40));
/// assert_eq!(pair.height(), 40);
/// assert!(pair.width() > 120);
/// ```
pub fn side_by_side(original: &RgbImage, overlay: &RgbImage) -> RgbImage {
    let (width, height) = (overlay.width(), overlay.height());
    let gap = (width / 60).max(4);
    let tall = (u64::from(original.height()) * u64::from(width)).checked_div(u64::from(original.width()));
    let tall = tall.unwrap_or(0).min(u64::from(height)) as u32;
    let mut pair = RgbImage::from_pixel(2 * width + gap, height, Rgb([255, 255, 255]));
    if original.dimensions() == (width, tall) {
        imageops::replace(&mut pair, original, 0, 0);
    } else if width > 0 && tall > 0 {
        let fitted = imageops::resize(original, width, tall, imageops::FilterType::CatmullRom);
        imageops::replace(&mut pair, &fitted, 0, 0);
    }
    imageops::replace(&mut pair, overlay, i64::from(width + gap), 0);
    let size = text::size_for(width);
    let top = tall + text::height(size) / 2;
    if top + text::height(size) <= height {
        let left = width.saturating_sub(text::width("original", size)) / 2;
        text::draw(&mut pair, (top, left), "original", size, Rgb([35, 35, 35]));
    }
    pair
}
