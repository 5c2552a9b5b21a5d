//! Attention rollout (Abnar and Zuidema 2020) through layers, as one row or as the explicit product.
//!
//! A layer's matrix is `Ã = N(w·I + (1 − w)·F)` with the fused map `F`, the residual weight `w` and a normalisation `N`.
//! The explanation reads one row of `R = Ã_L ⋯ Ã_1`, and `e·R` needs no product of matrices:
//! `r ← r·Ã_l` from the last layer down is the same row at 2·tokens² operations a layer.

mod cpu;
pub mod cuda;
pub mod cuda_explicit;

use crate::error::expect_len;
use crate::{Error, Real};

/// How a layer's matrix is scaled after the residual connection was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Normalise {
    /// Each row is divided by its sum.
    Rows,
    /// Each *column* j is divided by the sum of *row* j: the defect of a much-copied implementation, kept for comparison only.
    ColumnsByRowSums,
    /// Nothing is divided.
    Nothing,
}

/// How one layer enters the product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layer {
    /// Weight `w` of the identity, in [0, 1]: 0.5 in the paper.
    pub residual: f64,
    /// What is divided by row sums.
    pub normalise: Normalise,
}

/// `row ← row·Ã` for each image: `row` (images, tokens), `map` (images, tokens, tokens).
///
/// ```
/// use kernels::rollout::{push_row, Layer, Normalise};
/// let layer = Layer { residual: 0.5, normalise: Normalise::Rows };
/// let mut row = [1.0f64, 0.0];
/// push_row(layer, &[0.2, 0.8, 0.5, 0.5], &mut row, 2).unwrap();
/// assert_eq!(row, [0.6, 0.4]);
/// ```
pub fn push_row<T: Real>(layer: Layer, map: &[T], row: &mut [T], tokens: usize) -> Result<(), Error> {
    let images = row.len().checked_div(tokens).unwrap_or(0);
    expect_len("rollout", "row", row, images * tokens)?;
    expect_len("rollout", "map", map, images * tokens * tokens)?;
    cpu::push_row(layer, map, row, tokens);
    Ok(())
}

/// Turns fused maps (images, tokens, tokens) into the matrices `Ã`, in place: the explicit path.
pub fn layer_matrix<T: Real>(layer: Layer, map: &mut [T], tokens: usize) -> Result<(), Error> {
    let images = map.len().checked_div(tokens * tokens).unwrap_or(0);
    expect_len("rollout", "map", map, images * tokens * tokens)?;
    cpu::layer_matrix(layer, map, tokens);
    Ok(())
}

/// `product ← matrix·product` for each image, all (images, tokens, tokens): the explicit path, layers in rising order.
pub fn multiply<T: Real>(matrix: &[T], product: &mut [T], tokens: usize) -> Result<(), Error> {
    expect_len("rollout", "matrix", matrix, product.len())?;
    let images = product.len().checked_div(tokens * tokens).unwrap_or(0);
    expect_len("rollout", "product", product, images * tokens * tokens)?;
    cpu::multiply(matrix, product, tokens);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Tolerance, assert_close, seeded};

    const TOKENS: usize = 6;

    fn maps(seed: u64, images: usize) -> Vec<f64> {
        seeded::<f64>(seed, images * TOKENS * TOKENS).iter().map(|v| v.abs() + 0.01).collect()
    }

    #[test]
    fn the_row_is_a_row_of_the_explicit_product() {
        for normalise in [Normalise::Rows, Normalise::ColumnsByRowSums, Normalise::Nothing] {
            let layer = Layer { residual: 0.3, normalise };
            let layers: Vec<_> = (0..4).map(|seed| maps(seed, 2)).collect();
            let mut product = vec![0.0; 2 * TOKENS * TOKENS];
            (0..2 * TOKENS).for_each(|i| product[i * TOKENS + i % TOKENS] = 1.0);
            for map in &layers {
                let mut matrix = map.clone();
                layer_matrix(layer, &mut matrix, TOKENS).unwrap();
                multiply(&matrix, &mut product, TOKENS).unwrap();
            }
            for start in 0..TOKENS {
                let mut row = vec![0.0; 2 * TOKENS];
                (row[start], row[TOKENS + start]) = (1.0, 1.0);
                layers.iter().rev().for_each(|map| push_row(layer, map, &mut row, TOKENS).unwrap());
                let explicit: Vec<f64> = product.chunks(TOKENS * TOKENS).flat_map(|p| p[start * TOKENS..][..TOKENS].to_vec()).collect();
                assert_close("row", &row, &explicit, Tolerance::both(1e-13));
            }
        }
    }

    #[test]
    fn row_normalisation_keeps_a_distribution() {
        let layer = Layer { residual: 0.5, normalise: Normalise::Rows };
        let mut row = vec![0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        push_row(layer, &maps(3, 1), &mut row, TOKENS).unwrap();
        assert_close("sum", &[row.iter().sum::<f64>()], &[1.0], Tolerance::absolute(1e-14));
    }

    #[test]
    fn the_column_defect_differs_from_the_row_form() {
        let [mut right, mut defective] = [[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]; 2];
        push_row(Layer { residual: 0.5, normalise: Normalise::Rows }, &maps(3, 1), &mut right, TOKENS).unwrap();
        push_row(Layer { residual: 0.5, normalise: Normalise::ColumnsByRowSums }, &maps(3, 1), &mut defective, TOKENS).unwrap();
        assert!(right.iter().zip(&defective).any(|(a, b)| (a - b).abs() > 1e-3));
    }

    #[test]
    fn identity_attention_changes_nothing() {
        let identity: Vec<f64> = (0..TOKENS * TOKENS).map(|i| f64::from(u8::from(i / TOKENS == i % TOKENS))).collect();
        let start = seeded::<f64>(1, TOKENS);
        let mut row = start.clone();
        push_row(Layer { residual: 0.5, normalise: Normalise::Rows }, &identity, &mut row, TOKENS).unwrap();
        assert_close("row", &row, &start, Tolerance::absolute(1e-15));
    }
}
