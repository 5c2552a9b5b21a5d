//! Pictures for models that read colours, and for those that read luminance.

use std::borrow::Cow;

use image::{Rgb, RgbImage};
use serde::Serialize;

use super::Preprocessor;

/// What a model reads of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Channels {
    /// Red, green and blue.
    Rgb,
    /// One number.
    Luminance,
}

impl Channels {
    pub fn count(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Luminance => 1,
        }
    }

    /// The picture as the model reads it; luminance stands in all three channels.
    pub fn of(self, image: &RgbImage) -> Cow<'_, RgbImage> {
        match self {
            Self::Rgb => Cow::Borrowed(image),
            Self::Luminance => {
                let grey = |x, y| Rgb([luminance(image.get_pixel(x, y).0); 3]);
                Cow::Owned(RgbImage::from_fn(image.width(), image.height(), grey))
            }
        }
    }
}

/// `0.299·R + 0.587·G + 0.114·B` (ITU-R BT.601) in Pillow's fixed-point form, rounded.
fn luminance([red, green, blue]: [u8; 3]) -> u8 {
    let sum = u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471;
    ((sum + 0x8000) >> 16) as u8
}

impl Preprocessor {
    /// The same for a model that reads 3 channels, or 1: pictures then become luminance,
    /// `0.299·R + 0.587·G + 0.114·B` as Pillow computes it, before they are resized; the first channel's mean and deviation count.
    ///
    /// ```
    /// use xai::Preprocessor;
    /// let grey = Preprocessor::for_size(2, 2).with_channels(1);
    /// let batch = grey.prepare(&image::RgbImage::from_pixel(4, 4, image::Rgb([255, 0, 0])))?;
    /// assert_eq!(batch.pixels().dim(), (1, 1, 2, 2));
    /// assert_eq!(batch.pixels()[[0, 0, 1, 1]], (76.0 / 255.0 - 0.5) / 0.5);
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn with_channels(self, channels: usize) -> Self {
        Self { channels: if channels == 1 { Channels::Luminance } else { Channels::Rgb }, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luminance_is_pillows() {
        // Image.new("RGB", (1, 1), colour).convert("L") for each colour.
        let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [1, 2, 3], [200, 150, 120], [10, 250, 90]];
        assert_eq!(colours.map(luminance), [76, 150, 29, 255, 2, 162, 160]);
    }
}
