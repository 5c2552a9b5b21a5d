//! Resizing with Pillow's filters, antialiased when shrinking.

use super::Size;
use crate::Error;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;
use serde::Serialize;

/// Most pixels a resized picture may have, before any crop: 64 mebipixels, 192 MiB.
const MOST_PIXELS: u64 = 1 << 26;

/// The filter of a resize, numbered as Pillow does in `preprocessor_config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Resample {
    /// Pillow's 0: the nearest pixel, no averaging.
    Nearest,
    /// Pillow's 1: a windowed sinc over six pixels.
    Lanczos,
    /// Pillow's 2: a triangle over two pixels.
    Bilinear,
    /// Pillow's 3: Catmull-Rom over four pixels (a = -0.5).
    Bicubic,
}

impl Resample {
    fn algorithm(self) -> ResizeAlg {
        match self {
            Resample::Nearest => ResizeAlg::Nearest,
            Resample::Lanczos => ResizeAlg::Convolution(FilterType::Lanczos3),
            Resample::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
            Resample::Bicubic => ResizeAlg::Convolution(FilterType::CatmullRom),
        }
    }
}

/// Resizes to `size`; a picture that has it already comes back as it is.
pub(super) fn resize(image: &RgbImage, size: Size, resample: Resample) -> Result<RgbImage, Error> {
    let refuse = |problem: String| Error::Picture {
        height: image.height(),
        width: image.width(),
        problem,
    };
    if image.width() == 0 || image.height() == 0 {
        return Err(refuse("it has no pixels; decode it again".into()));
    }
    let (height, width) = (size.height, size.width);
    if height == 0 || width == 0 || u64::from(height) * u64::from(width) > MOST_PIXELS {
        return Err(refuse(format!(
            "resized it would be {height}x{width}; cut it to a less extreme shape first"
        )));
    }
    if (image.height(), image.width()) == (height, width) {
        return Ok(image.clone());
    }
    let unsupported = |cause: &dyn std::fmt::Display| {
        refuse(format!("it cannot be resized to {height}x{width}: {cause}"))
    };
    let source = ImageRef::new(
        image.width(),
        image.height(),
        image.as_raw(),
        PixelType::U8x3,
    )
    .map_err(|cause| unsupported(&cause))?;
    let mut resized = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(resample.algorithm());
    Resizer::new()
        .resize(&source, &mut resized, &options)
        .map_err(|cause| unsupported(&cause))?;
    RgbImage::from_raw(width, height, resized.into_vec())
        .ok_or_else(|| unsupported(&"the buffer is too short"))
}
