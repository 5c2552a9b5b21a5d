//! Prepared pictures as they were before they were normalised: a quarter of the bytes, with what each byte stands for.

use image::RgbImage;
use ndarray::Array4;

/// Pictures of bytes (B, H, W, C), and the prepared value of every byte in each channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bytes {
    /// (B, H, W, C).
    pub pictures: Vec<u8>,
    /// (C, 256).
    pub values: Vec<f32>,
    /// Images, channels, height and width.
    pub shape: (usize, usize, usize, usize),
}

impl Bytes {
    /// One picture, of which the first `channels` are read; `value` says what a byte is in a channel.
    pub fn of(picture: &RgbImage, channels: usize, value: impl Fn(u8, usize) -> f32) -> Self {
        let shape = (1, channels, picture.height() as usize, picture.width() as usize);
        let values =
            (0..channels).flat_map(|channel| (0..=u8::MAX).map(move |byte| (byte, channel))).map(|(byte, channel)| value(byte, channel));
        let pictures = picture.as_raw().chunks(3).flat_map(|pixel| &pixel[..channels]).copied().collect();
        Self { pictures, values: values.collect(), shape }
    }

    /// Pictures of one size and with the same values, one after the other; nothing where they differ.
    pub fn stack(all: &[&Self]) -> Option<Self> {
        let (first, mut pictures) = (*all.first()?, Vec::new());
        let (_, channels, height, width) = first.shape;
        for Self { pictures: more, values, shape } in all {
            if *values != first.values || (shape.1, shape.2, shape.3) != (channels, height, width) {
                return None;
            }
            pictures.extend_from_slice(more);
        }
        let images = all.iter().map(|bytes| bytes.shape.0).sum();
        Some(Self { pictures, values: first.values.clone(), shape: (images, channels, height, width) })
    }

    /// Whether every byte stands for a number, used or not.
    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }

    /// The prepared values, (B, C, H, W).
    pub fn pixels(&self) -> Array4<f32> {
        let (_, channels, height, width) = self.shape;
        Array4::from_shape_fn(self.shape, |(image, channel, row, col)| {
            let byte = self.pictures[((image * height + row) * width + col) * channels + channel];
            self.values[channel * 256 + usize::from(byte)]
        })
    }
}
