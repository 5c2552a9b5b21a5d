//! From a photograph to the pixels a checkpoint was trained on.
//!
//! The order is the reference's (Hugging Face `transformers`, `PilBackend`): resize, centre crop, rescale, normalise.
//! Every step works on the same 8-bit values as there (with Pillow 13), so that a checkpoint sees what it saw in training.

mod channels;
mod config;
mod crop;
mod defaults;
mod field_of_view;
mod json;
mod normalization;
mod resample;

use channels::Channels;
pub use field_of_view::Window;
pub use normalization::Normalization;
pub use resample::Resample;

use crate::bytes::Bytes;
use crate::{Batch, Error};
use image::RgbImage;
use serde::Serialize;

/// Resize, crop, rescale and normalise exactly as a checkpoint's `preprocessor_config.json` says.
///
/// ```
/// use image::RgbImage;
/// use xai::Preprocessor;
/// let dinov2 = r#"{ "image_processor_type": "BitImageProcessor", "size": { "shortest_edge": 256 },
///                   "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225] }"#;
/// let preprocessor = Preprocessor::from_config(dinov2)?;
/// let batch = preprocessor.prepare(&RgbImage::new(600, 450))?;
/// assert_eq!(batch.size(), preprocessor.output_size());
/// // 600 x 450 becomes 341 x 256, of which the middle 224 x 224 is seen: 394 of 450 rows.
/// assert_eq!(preprocessor.field_of_view(450, 600).height, 393.75);
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preprocessor {
    resize: Resize,
    resample: Resample,
    crop: Option<Size>,
    rescale: Option<f64>,
    normalization: Option<Normalization>,
    channels: Channels,
}

/// Height before width, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Size {
    height: u32,
    width: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Resize {
    Keep,
    To(Size),
    ShortestEdge(u32),
}

impl Preprocessor {
    /// Reads the text of a `preprocessor_config.json`.
    ///
    /// A field that is missing or null takes the default of the `image_processor_type` in `transformers` 5.23
    /// (`ViTImageProcessor` where no type is named). Known types: ViT, `DeiT`, Bit (DINOv2) and CLIP.
    ///
    /// # Errors
    /// [`Error::Config`] with the field's name for text that is no JSON object, an unknown type, a field this
    /// preprocessor does not know and that is switched on, a value out of range, or settings whose output has
    /// no fixed size.
    pub fn from_config(json: &str) -> Result<Preprocessor, Error> {
        config::read(json)
    }

    /// Bilinear resize to `height` by `width`, then mean 0.5 and deviation 0.5: the original ViT's way.
    ///
    /// [`prepare`](Self::prepare) refuses a side of zero and more than 2^26 pixels.
    pub fn for_size(height: usize, width: usize) -> Preprocessor {
        let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        Preprocessor {
            resize: Resize::To(Size { height: side(height), width: side(width) }),
            resample: Resample::Bilinear,
            crop: None,
            rescale: Some(1.0 / 255.0),
            normalization: Some(Normalization::STANDARD),
            channels: Channels::Rgb,
        }
    }

    /// The same, with another mean and deviation.
    pub fn with_normalization(self, normalization: Normalization) -> Preprocessor {
        Preprocessor { normalization: Some(normalization), ..self }
    }

    /// The same, with another filter for the resize.
    pub fn with_resample(self, resample: Resample) -> Preprocessor {
        Preprocessor { resample, ..self }
    }

    /// Pixels for the model, (1, C, H, W).
    ///
    /// # Errors
    /// [`Error::Picture`] where the picture is empty, or so long and thin that its resized form would not fit in memory.
    pub fn prepare(&self, image: &RgbImage) -> Result<Batch, Error> {
        let seen = self.seen(image)?;
        Batch::of_bytes(Bytes::of(&seen, self.channels.count(), |byte, channel| self.scale(byte, channel)))
    }

    /// The 8-bit picture the model sees: resized and cropped, neither rescaled nor normalised; grey for a model of one channel.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub fn seen(&self, image: &RgbImage) -> Result<RgbImage, Error> {
        let original = Size { height: image.height(), width: image.width() };
        let resized = resample::resize(&self.channels.of(image), self.resized(original), self.resample)?;
        Ok(match self.crop {
            Some(size) => crop::center(&resized, size),
            None => resized,
        })
    }

    /// The picture behind the prepared pixels of one image: [`prepare`](Self::prepare) backwards, as far as it can be.
    ///
    /// ```
    /// use xai::Preprocessor;
    /// let preprocessor = Preprocessor::for_size(4, 4);
    /// let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([200, 100, 0]));
    /// assert_eq!(preprocessor.picture_of(&preprocessor.prepare(&picture)?, 0), picture);
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn picture_of(&self, batch: &Batch, image: usize) -> RgbImage {
        let pixels = batch.pixels();
        let (height, width) = batch.size();
        let last = batch.channels() - 1;
        let colour = |row: u32, col: u32, channel: usize| {
            let channel = channel.min(last);
            self.unscale(pixels[[image, channel, row as usize, col as usize]], channel)
        };
        RgbImage::from_fn(width as u32, height as u32, |col, row| image::Rgb([0, 1, 2].map(|channel| colour(row, col, channel))))
    }

    /// Height and width of what comes out, whatever goes in.
    pub fn output_size(&self) -> (usize, usize) {
        let size = match (self.crop, self.resize) {
            (Some(size), _) | (None, Resize::To(size)) => size,
            (None, Resize::ShortestEdge(edge)) => Size { height: edge, width: edge },
            (None, Resize::Keep) => Size { height: 0, width: 0 },
        };
        (size.height as usize, size.width as usize)
    }

    /// Size after the resize. The longer edge is truncated, not rounded, as the reference does.
    fn resized(&self, original: Size) -> Size {
        match self.resize {
            Resize::Keep => original,
            Resize::To(size) => size,
            Resize::ShortestEdge(edge) => shortest_edge(original, edge),
        }
    }

    /// `(value * rescale - mean) / std`, rounded to f32 where the reference rounds.
    fn scale(&self, value: u8, channel: usize) -> f32 {
        let value = self.rescale.map_or(f32::from(value), |factor| (f64::from(value) * factor) as f32);
        self.normalization.map_or(value, |by| (value - by.mean[channel]) / by.std[channel])
    }

    fn unscale(&self, value: f32, channel: usize) -> u8 {
        let value = f64::from(self.normalization.map_or(value, |by| value * by.std[channel] + by.mean[channel]));
        (value / self.rescale.unwrap_or(1.0)).round().clamp(0.0, 255.0) as u8
    }
}

fn shortest_edge(original: Size, edge: u32) -> Size {
    let (short, long) = (original.height.min(original.width), original.height.max(original.width));
    // An empty picture is refused by the resize that follows.
    let longer = (u64::from(edge) * u64::from(long)).checked_div(u64::from(short)).unwrap_or(0);
    let longer = u32::try_from(longer).unwrap_or(u32::MAX);
    if original.width <= original.height { Size { height: longer, width: edge } } else { Size { height: edge, width: longer } }
}
