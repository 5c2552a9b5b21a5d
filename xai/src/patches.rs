//! The grid of patches a vision transformer cuts its picture into.

use crate::Error;
use serde::{Deserialize, Serialize};

/// Rows and columns of the token grid, never guessed from a square root of the token count.
///
/// Patch tokens are numbered row by row: token `k` stands at row `k / cols`, column `k % cols`.
///
/// ```
/// use xai::Patches;
/// let grid = Patches::cover(384, 288, 32)?;
/// assert_eq!(grid, Patches { rows: 12, cols: 9 });
/// assert_eq!(grid.count(), 108);
/// assert_eq!(grid.index(1, 0), 9);
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Patches {
    /// Patches from top to bottom.
    pub rows: usize,
    /// Patches from left to right.
    pub cols: usize,
}

impl Patches {
    /// The grid that square patches of `patch` pixels make on a picture of `height` by `width` pixels.
    ///
    /// # Errors
    /// [`Error::Shape`] where the patch is zero or does not divide both sides.
    pub fn cover(height: usize, width: usize, patch: usize) -> Result<Patches, Error> {
        let fits = patch > 0 && height > 0 && width > 0 && height.is_multiple_of(patch) && width.is_multiple_of(patch);
        if !fits {
            return Err(Error::Shape {
                what: "picture for the patch grid".into(),
                expected: format!("sides that are multiples of the patch size {patch}"),
                found: format!("{height}x{width} (height x width)"),
            });
        }
        Ok(Patches { rows: height / patch, cols: width / patch })
    }

    /// Number of patches, `rows * cols`.
    pub fn count(self) -> usize {
        self.rows * self.cols
    }

    /// Place of the patch at `row`, `col` among the patch tokens.
    pub fn index(self, row: usize, col: usize) -> usize {
        row * self.cols + col
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_that_does_not_divide_is_refused_by_size() {
        for (height, width, patch) in [(224, 224, 0), (0, 224, 16), (225, 224, 16), (224, 230, 16)] {
            let message = Patches::cover(height, width, patch).unwrap_err().to_string();
            assert!(message.contains(&format!("{height}x{width}")), "{message}");
        }
    }
}
