//! Pixels to rows of patches, and gradients back: a convolution whose stride is its size is a product of these rows.
//!
//! Pixels are (images, channels, rows·size, cols·size); a patch row is (channels, size, size) flattened, as a convolution's
//! weight (width, channels, size, size) is, and patches go row by row.

mod cpu;
pub mod cuda;
mod noise;

use crate::error::expect_len;
use crate::{Error, Real};
pub use noise::noise;

/// Shape of a batch of pictures cut into square patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Images in the batch.
    pub images: usize,
    /// Channels of a pixel.
    pub channels: usize,
    /// Patches from top to bottom.
    pub rows: usize,
    /// Patches from left to right.
    pub cols: usize,
    /// Side of a patch in pixels.
    pub size: usize,
}

impl Shape {
    /// Values of one patch.
    pub fn patch_len(self) -> usize {
        self.channels * self.size * self.size
    }

    /// Values of the batch, as pixels or as patches.
    pub fn total(self) -> usize {
        self.images * self.rows * self.cols * self.patch_len()
    }
}

/// Fills `patches` (images·rows·cols, channels·size·size) from `pixels`.
///
/// ```
/// use kernels::patchify::{patchify, Shape};
/// let shape = Shape { images: 1, channels: 1, rows: 1, cols: 2, size: 2 };
/// let mut patches = [0.0f32; 8];
/// patchify(shape, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &mut patches).unwrap();
/// assert_eq!(patches, [1.0, 2.0, 5.0, 6.0, 3.0, 4.0, 7.0, 8.0]);
/// ```
pub fn patchify<T: Real>(shape: Shape, pixels: &[T], patches: &mut [T]) -> Result<(), Error> {
    expect_len("patchify", "pixels", pixels, shape.total())?;
    expect_len("patchify", "patches", patches, shape.total())?;
    cpu::patchify(shape, pixels, patches);
    Ok(())
}

/// Fills `pixels` from `patches`: the inverse, and so the gradient, of [`patchify`].
pub fn unpatchify<T: Real>(shape: Shape, patches: &[T], pixels: &mut [T]) -> Result<(), Error> {
    expect_len("patchify", "patches", patches, shape.total())?;
    expect_len("patchify", "pixels", pixels, shape.total())?;
    cpu::unpatchify(shape, patches, pixels);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::seeded;

    #[test]
    fn pixels_come_back_from_their_patches() {
        let shape = Shape { images: 2, channels: 3, rows: 2, cols: 3, size: 4 };
        let pixels = seeded::<f32>(1, shape.total());
        let (mut patches, mut back) = (vec![0.0; shape.total()], vec![0.0; shape.total()]);
        patchify(shape, &pixels, &mut patches).unwrap();
        unpatchify(shape, &patches, &mut back).unwrap();
        assert_ne!(pixels, patches);
        assert_eq!(pixels, back);
    }

    #[test]
    fn a_pixel_lands_in_its_patch() {
        let shape = Shape { images: 1, channels: 2, rows: 2, cols: 3, size: 2 };
        let mut pixels = vec![0.0f32; shape.total()];
        // Channel 1, pixel row 3, pixel column 4: patch (1, 2), place (1, 0) in it.
        pixels[24 + 3 * 6 + 4] = 1.0;
        let mut patches = vec![0.0; shape.total()];
        patchify(shape, &pixels, &mut patches).unwrap();
        let patch = 3 + 2;
        assert_eq!(patches.iter().position(|&v| v == 1.0), Some(patch * 8 + 4 + 2));
    }
}
