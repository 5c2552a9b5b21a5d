//! Which part of the original picture the model sees.

use super::{Preprocessor, Size, crop};
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
