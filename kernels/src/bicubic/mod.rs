//! Bicubic resizing of a table of vectors, as PyTorch's `interpolate(mode="bicubic", align_corners=False)` does:
//! half-pixel centres, Keys' cubic kernel with a = −0.75, coordinates clamped at the border, no antialiasing.
//!
//! Vision transformers resize their position table with it when a picture has another grid than the checkpoint's.

mod cpu;

use crate::error::expect_len;
use crate::{Error, Real};

/// Rows and columns of a grid.
pub type Grid = (usize, usize);

/// Resizes `table` (from.0, from.1, width) to (to.0, to.1, width).
///
/// ```
/// let table = [1.0f64, 2.0, 3.0, 4.0];
/// assert_eq!(kernels::bicubic::resize(&table, (2, 2), (2, 2), 1).unwrap(), table);
/// ```
pub fn resize<T: Real>(table: &[T], from: Grid, to: Grid, width: usize) -> Result<Vec<T>, Error> {
    expect_len("bicubic", "table", table, from.0 * from.1 * width)?;
    Ok(cpu::resize(table, from, to, width))
}

#[cfg(test)]
mod tests {
    use super::cpu::taps;
    use super::*;
    use crate::check::{Tolerance, assert_close, seeded};

    #[test]
    fn weights_sum_to_one() {
        for tap in taps(5, 7).iter().chain(&taps(7, 3)) {
            assert!((tap.iter().map(|t| t.1).sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn meets_pytorch_on_one_row() {
        // torch.nn.functional.interpolate([[0, 1, 2, 4]], size=(1, 2), mode="bicubic", align_corners=False) by hand:
        // source places 0.5 and 2.5, weights (−0.09375, 0.59375, 0.59375, −0.09375).
        let found = resize(&[0.0f64, 1.0, 2.0, 4.0], (1, 4), (1, 2), 1).unwrap();
        let expected = [0.593_75 - 2.0 * 0.093_75, -0.093_75 + 2.0 * 0.593_75 + 4.0 * 0.593_75 - 4.0 * 0.093_75];
        assert_close("row", &found, &expected, Tolerance::absolute(1e-12));
    }

    #[test]
    fn rows_and_columns_keep_their_places() {
        let table: Vec<f64> = seeded(1, 3 * 5);
        let transposed: Vec<f64> = (0..15).map(|i| table[(i % 3) * 5 + i / 3]).collect();
        let resized = resize(&table, (3, 5), (4, 7), 1).unwrap();
        let other = resize(&transposed, (5, 3), (7, 4), 1).unwrap();
        let back: Vec<f64> = (0..28).map(|i| other[(i % 7) * 4 + i / 7]).collect();
        assert_close("transposed", &back, &resized, Tolerance::absolute(1e-12));
    }
}
