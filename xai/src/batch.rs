//! Pixels ready for the model.

use crate::Error;
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
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pixels: Array4<f32>, // (B, C, H, W)
}

impl Batch {
    /// Takes normalised pixels, (B, C, H, W).
    ///
    /// # Errors
    /// [`Error::Shape`] where there is neither one channel nor three, or a dimension is zero,
    /// [`Error::NotFinite`] where a value is NaN or infinite.
    pub fn new(pixels: Array4<f32>) -> Result<Batch, Error> {
        let (images, channels, height, width) = pixels.dim();
        if ![1, 3].contains(&channels) || images == 0 || height == 0 || width == 0 {
            return Err(Error::Shape {
                what: "batch of pixels".into(),
                expected: "(B, 3, H, W) or (B, 1, H, W) with B, H and W at least 1".into(),
                found: format!("{:?}", pixels.dim()),
            });
        }
        if let Some(index) = pixels.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { what: "batch of pixels".into(), index });
        }
        Ok(Batch { pixels: pixels.as_standard_layout().into_owned() })
    }

    /// Joins batches of one size along B, in their order.
    ///
    /// # Errors
    /// [`Error::Shape`] where there is nothing to join or the sizes differ.
    pub fn stack(batches: &[Batch]) -> Result<Batch, Error> {
        let views: Vec<_> = batches.iter().map(Batch::pixels).collect();
        let pixels = concatenate(Axis(0), &views).map_err(|_| Error::Shape {
            what: "batches to stack".into(),
            expected: "at least one batch, all of the same channels, height and width".into(),
            found: format!("{:?}", batches.iter().map(Batch::size).collect::<Vec<_>>()),
        })?;
        Ok(Batch { pixels })
    }

    /// The pixels, (B, C, H, W), contiguous in this order.
    pub fn pixels(&self) -> ArrayView4<'_, f32> {
        self.pixels.view()
    }

    /// Number of images, B.
    pub fn len(&self) -> usize {
        self.pixels.dim().0
    }

    /// Always false: an empty batch cannot be made.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Channels of a pixel: 3, or 1 for luminance.
    pub fn channels(&self) -> usize {
        self.pixels.dim().1
    }

    /// Height and width in pixels.
    pub fn size(&self) -> (usize, usize) {
        let (_, _, height, width) = self.pixels.dim();
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

#[cfg(test)]
mod tests {
    use super::*;

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
