//! Pixels ready for the model.

use std::sync::{Arc, OnceLock};

use crate::Error;
use crate::bytes::Bytes;
use ndarray::{Array4, ArrayView4, Axis, concatenate};

/// Normalised pixels, (B, C, H, W), finite and never empty; three channels, or one for luminance.
///
/// ```
/// use ndarray::Array4;
/// use xai::Batch;
/// let one = Batch::new(Array4::zeros((1, 3, 28, 56)))?;
/// let two = Batch::stack(&[one.clone(), one])?;
/// assert_eq!((two.len(), two.size()), (2, (28, 56)));
/// # Ok::<(), xai::Error>(())
/// ```
///
/// A preprocessor's batch keeps the bytes of its pictures: a device gets those, and the processor's numbers are made when they are
/// first asked for.
#[derive(Debug, Clone)]
pub struct Batch {
    shape: (usize, usize, usize, usize),
    pixels: OnceLock<Array4<f32>>, // (B, C, H, W)
    bytes: Option<Arc<Bytes>>,
}

impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        self.pixels() == other.pixels()
    }
}

impl Batch {
    /// Takes normalised pixels, (B, C, H, W).
    ///
    /// # Errors
    /// [`Error::Shape`] where there is neither one channel nor three, or a dimension is zero,
    /// [`Error::NotFinite`] where a value is NaN or infinite.
    pub fn new(pixels: Array4<f32>) -> Result<Batch, Error> {
        expect_shape(pixels.dim())?;
        if let Some(index) = pixels.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { what: "batch of pixels".into(), index });
        }
        Ok(Self::of(pixels.as_standard_layout().into_owned()))
    }

    /// Takes pictures with what their bytes stand for.
    pub(crate) fn of_bytes(bytes: Bytes) -> Result<Batch, Error> {
        if !bytes.is_finite() {
            return Self::new(bytes.pixels());
        }
        expect_shape(bytes.shape)?;
        Ok(Batch { shape: bytes.shape, pixels: OnceLock::new(), bytes: Some(Arc::new(bytes)) })
    }

    fn of(pixels: Array4<f32>) -> Self {
        Self { shape: pixels.dim(), pixels: OnceLock::from(pixels), bytes: None }
    }

    /// Joins batches of one size along B, in their order.
    ///
    /// # Errors
    /// [`Error::Shape`] where there is nothing to join or the sizes differ.
    pub fn stack(batches: &[Batch]) -> Result<Batch, Error> {
        let bytes: Option<Vec<_>> = batches.iter().map(Batch::bytes).collect();
        if let Some(bytes) = bytes.and_then(|bytes| Bytes::stack(&bytes)) {
            return Self::of_bytes(bytes);
        }
        let views: Vec<_> = batches.iter().map(Batch::pixels).collect();
        let pixels = concatenate(Axis(0), &views).map_err(|_| Error::Shape {
            what: "batches to stack".into(),
            expected: "at least one batch, all of the same channels, height and width".into(),
            found: format!("{:?}", batches.iter().map(Batch::size).collect::<Vec<_>>()),
        })?;
        Ok(Self::of(pixels))
    }

    /// The pixels, (B, C, H, W), contiguous in this order.
    pub fn pixels(&self) -> ArrayView4<'_, f32> {
        self.pixels.get_or_init(|| self.bytes().map_or_else(Default::default, Bytes::pixels)).view()
    }

    /// The bytes behind the pixels, where a preprocessor made them.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        self.bytes.as_deref()
    }

    /// The pixels of all images in a row.
    pub(crate) fn contiguous(&self) -> &[f32] {
        // Pixels are kept in standard layout, so the slice is always there.
        self.pixels().to_slice().unwrap_or(&[])
    }

    /// Number of images, B.
    pub fn len(&self) -> usize {
        self.shape.0
    }

    /// Always false: an empty batch cannot be made.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Channels of a pixel: 3, or 1 for luminance.
    pub fn channels(&self) -> usize {
        self.shape.1
    }

    /// Height and width in pixels.
    pub fn size(&self) -> (usize, usize) {
        let (_, _, height, width) = self.shape;
        (height, width)
    }

    /// Refuses pictures that a model of `channels` cannot read.
    pub(crate) fn expect_channels(&self, channels: usize) -> Result<(), Error> {
        if self.channels() == channels {
            return Ok(());
        }
        Err(Error::Shape {
            what: "channels of the pictures".into(),
            expected: format!("{channels}, as the model reads"),
            found: format!("{}; prepare pictures with the model's own preprocessor", self.channels()),
        })
    }
}

fn expect_shape(shape: (usize, usize, usize, usize)) -> Result<(), Error> {
    let (images, channels, height, width) = shape;
    if [1, 3].contains(&channels) && images > 0 && height > 0 && width > 0 {
        return Ok(());
    }
    Err(Error::Shape {
        what: "batch of pixels".into(),
        expected: "(B, 3, H, W) or (B, 1, H, W) with B, H and W at least 1".into(),
        found: format!("{shape:?}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Preprocessor;

    #[test]
    fn bytes_stay_beside_pixels_as_long_as_they_mean_the_same() {
        let picture = |seed: u32| image::RgbImage::from_fn(3, 2, |x, y| image::Rgb([0, 1, 2].map(|c| (seed + 40 * x + 20 * y + c) as u8)));
        let preprocessor = Preprocessor::for_size(2, 3);
        let [one, two] = [0, 7].map(|seed| preprocessor.prepare(&picture(seed)).unwrap());
        let both = Batch::stack(&[one.clone(), two.clone()]).unwrap();
        let bytes = both.bytes().expect("prepared pictures keep their bytes");
        assert_eq!((bytes.pictures.len(), bytes.values.len(), bytes.shape), (36, 768, (2, 3, 2, 3)));
        assert_eq!(both.pixels().index_axis(Axis(0), 1), two.pixels().index_axis(Axis(0), 0));
        assert_eq!(one.pixels()[[0, 2, 1, 2]], (102.0f64 / 255.0) as f32 * 2.0 - 1.0);
        let grey = preprocessor.clone().with_channels(1).prepare(&picture(0)).unwrap();
        assert_eq!(grey.bytes().map(|bytes| bytes.pictures.len()), Some(6));
        let other = preprocessor.with_normalization(crate::Normalization::IMAGENET).prepare(&picture(0)).unwrap();
        let mixed = Batch::stack(&[one.clone(), other]).unwrap();
        assert!(mixed.bytes().is_none() && mixed.pixels().index_axis(Axis(0), 0) == one.pixels().index_axis(Axis(0), 0));
    }

    #[test]
    fn refuses_what_a_model_cannot_read() {
        assert!(matches!(Batch::new(Array4::zeros((0, 3, 4, 4))), Err(Error::Shape { .. })));
        assert!(matches!(Batch::new(Array4::zeros((1, 2, 4, 4))), Err(Error::Shape { .. })));
        let mut pixels = Array4::zeros((1, 3, 2, 2));
        pixels[[0, 1, 0, 0]] = f32::NAN;
        assert!(matches!(Batch::new(pixels), Err(Error::NotFinite { index: 4, .. })));
    }

    #[test]
    fn stacks_in_order_and_refuses_other_sizes() {
        let dark = Batch::new(Array4::zeros((1, 3, 2, 3))).unwrap();
        let light = Batch::new(Array4::ones((2, 3, 2, 3))).unwrap();
        let both = Batch::stack(&[dark.clone(), light]).unwrap();
        assert_eq!(both.len(), 3);
        assert_eq!((both.pixels()[[0, 0, 0, 0]], both.pixels()[[2, 2, 1, 2]]), (0.0, 1.0));
        let grey = Batch::new(Array4::zeros((1, 1, 2, 3))).unwrap();
        assert!(matches!(Batch::stack(&[dark.clone(), grey]), Err(Error::Shape { .. })));
        let other = Batch::new(Array4::zeros((1, 3, 3, 2))).unwrap();
        assert!(matches!(Batch::stack(&[dark, other]), Err(Error::Shape { .. })));
        assert!(matches!(Batch::stack(&[]), Err(Error::Shape { .. })));
    }
}
