//! Bicubic resizing of a table of vectors, as PyTorch's `interpolate(mode="bicubic", align_corners=False)` does:
//! half-pixel centres, Keys' cubic kernel with a = −0.75, coordinates clamped at the border, no antialiasing.
//!
//! Vision transformers resize their position table with it when a picture has another grid than the checkpoint's.

use rayon::prelude::*;

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
    let (rows, cols) = (taps(from.0, to.0), taps(from.1, to.1));
    let mut resized = vec![T::ZERO; to.0 * to.1 * width];
    resized.par_chunks_mut(width.max(1)).enumerate().for_each_init(Vec::new, |sum, (place, out)| {
        sum.clear();
        sum.resize(width, 0.0);
        for (y, x) in rows[place / to.1].iter().flat_map(|y| cols[place % to.1].iter().map(move |x| (y, x))) {
            let weight = y.1 * x.1;
            let vector = &table[(y.0 * from.1 + x.0) * width..][..width];
            sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += weight * value.to_f64());
        }
        out.iter_mut().zip(sum).for_each(|(out, sum)| *out = T::from_f64(*sum));
    });
    Ok(resized)
}

/// For every place of the target: four source indices with their weights.
fn taps(from: usize, to: usize) -> Vec<[(usize, f64); 4]> {
    let place = |target: usize| {
        let source = (target as f64 + 0.5) * from as f64 / to as f64 - 0.5;
        let (base, t) = (source.floor(), source - source.floor());
        let weights = [far(1.0 + t), near(t), near(1.0 - t), far(2.0 - t)];
        std::array::from_fn(|i| (((base as i64 + i as i64 - 1).clamp(0, from as i64 - 1)) as usize, weights[i]))
    };
    (0..to).map(place).collect()
}

const A: f64 = -0.75;

/// Keys' kernel for distances up to 1.
fn near(x: f64) -> f64 {
    ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
}

/// Keys' kernel for distances from 1 to 2.
fn far(x: f64) -> f64 {
    ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A
}

#[cfg(test)]
mod tests {
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
