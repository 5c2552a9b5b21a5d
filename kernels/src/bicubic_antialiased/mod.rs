//! Bicubic resizing of a table of vectors with antialiasing, as PyTorch's `interpolate(mode="bicubic", antialias=True)` does:
//! half-pixel centres, Keys' cubic kernel with a = −0.5, stretched by the scale where the grid shrinks, weights summing to one.
//!
//! DINOv2 with registers and timm resize their position tables with it; where the grid grows it differs from [`crate::bicubic`]
//! by the kernel's `a` and by renormalising at the border instead of repeating it.

mod cpu;

use crate::bicubic::Grid;
use crate::error::expect_len;
use crate::{Error, Real};

/// Resizes `table` (from.0, from.1, width) to (to.0, to.1, width).
///
/// ```
/// let table = [1.0f64, 2.0, 3.0, 4.0];
/// assert_eq!(kernels::bicubic_antialiased::resize(&table, (2, 2), (2, 2), 1).unwrap(), table);
/// ```
pub fn resize<T: Real>(table: &[T], from: Grid, to: Grid, width: usize) -> Result<Vec<T>, Error> {
    expect_len("bicubic_antialiased", "table", table, from.0 * from.1 * width)?;
    Ok(cpu::resize(table, from, to, width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Tolerance, assert_close, seeded};

    #[test]
    fn meets_pytorch_on_one_row() {
        // torch.nn.functional.interpolate([[0, 1, 2, 4, 8, 3]], size=(1, n), mode="bicubic", antialias=True) in float64.
        let cases: [&[f64]; 3] = [
            &[0.45606694560669464, 3.435114503816794, 5.506276150627615],
            &[0.27993527508090704, 1.63093415007657, 5.47626339969372, 4.933656957928802],
            &[
                -0.05223880597014925,
                0.5565949485500468,
                1.3310546875,
                2.1884765625,
                3.6474609375,
                7.0712890625,
                6.414405986903648,
                2.738805970149254,
            ],
        ];
        for expected in cases {
            let found = resize(&[0.0f64, 1.0, 2.0, 4.0, 8.0, 3.0], (1, 6), (1, expected.len()), 1).unwrap();
            assert_close("row", &found, expected, Tolerance::absolute(1e-12));
        }
    }

    #[test]
    fn rows_and_columns_keep_their_places() {
        let table: Vec<f64> = seeded(1, 5 * 3);
        let transposed: Vec<f64> = (0..15).map(|i| table[(i % 5) * 3 + i / 5]).collect();
        let resized = resize(&table, (5, 3), (2, 7), 1).unwrap();
        let other = resize(&transposed, (3, 5), (7, 2), 1).unwrap();
        let back: Vec<f64> = (0..14).map(|i| other[(i % 7) * 2 + i / 7]).collect();
        assert_close("transposed", &back, &resized, Tolerance::absolute(1e-12));
    }

    #[test]
    fn an_even_table_stays_even() {
        assert_close("even", &resize(&[2.0f32; 35], (5, 7), (3, 2), 1).unwrap(), &[2.0; 6], Tolerance::absolute(1e-6));
        assert!(resize(&[2.0f32; 34], (5, 7), (3, 2), 1).is_err());
    }
}
