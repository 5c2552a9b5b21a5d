//! Which part of the original picture the model sees.

use super::{Preprocessor, Size, crop};
use image::{GrayImage, imageops};
use serde::{Deserialize, Serialize};

/// A rectangle of the original picture, in its pixels; edges may lie outside where the crop had to pad.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Upper edge, in pixels below the picture's upper edge.
    pub top: f32,
    /// Left edge, in pixels right of the picture's left edge.
    pub left: f32,
    /// Height in pixels.
    pub height: f32,
    /// Width in pixels.
    pub width: f32,
}

impl Window {
    /// The whole picture.
    pub fn whole(height: u32, width: u32) -> Window {
        Window { top: 0.0, left: 0.0, height: height as f32, width: width as f32 }
    }

    /// The part of a lesion mask that lies in the window, to whole pixels, for localisation figures of what the model saw.
    ///
    /// Where the window reaches beyond the mask nothing is added: the result covers what both share.
    ///
    /// ```
    /// use image::{GrayImage, Luma};
    /// use xai::Window;
    /// let mask = GrayImage::from_fn(6, 4, |x, _| Luma([x as u8]));
    /// let seen = Window { top: 0.0, left: 1.2, height: 4.0, width: 4.0 }.cut(&mask);
    /// assert_eq!((seen.dimensions(), seen.get_pixel(0, 0).0), ((4, 4), [1]));
    /// ```
    pub fn cut(&self, mask: &GrayImage) -> GrayImage {
        let span = |start: f32, length: f32, pixels: u32| {
            let first = (start.round().max(0.0) as u32).min(pixels);
            let end = ((start + length).round().max(0.0) as u32).clamp(first, pixels);
            (first, end - first)
        };
        let (top, height) = span(self.top, self.height, mask.height());
        let (left, width) = span(self.left, self.width, mask.width());
        imageops::crop_imm(mask, left, top, width, height).to_image()
    }
}

impl Preprocessor {
    /// The rectangle of a picture of `height` by `width` pixels that reaches the model.
    ///
    /// A crop of `c` of `r` resized rows starts at `floor((r - c) / 2)`; one resized row is `height / r` rows of the original.
    ///
    /// ```
    /// use xai::{Preprocessor, Window};
    /// let seen = Preprocessor::for_size(224, 224).field_of_view(450, 600);
    /// assert_eq!(seen, Window::whole(450, 600));
    /// ```
    pub fn field_of_view(&self, height: u32, width: u32) -> Window {
        let resized = self.resized(Size { height, width });
        let size = self.crop.unwrap_or(resized);
        let (row, col) = crop::corner(resized, size);
        let rows = f64::from(height) / f64::from(resized.height.max(1));
        let cols = f64::from(width) / f64::from(resized.width.max(1));
        Window {
            top: (row as f64 * rows) as f32,
            left: (col as f64 * cols) as f32,
            height: (f64::from(size.height) * rows) as f32,
            width: (f64::from(size.width) * cols) as f32,
        }
    }
}
