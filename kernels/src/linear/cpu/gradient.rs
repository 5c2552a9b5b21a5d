//! Gradients of weights and biases: training only, never paid for by an explanation.

use rayon::prelude::*;

use super::super::panels::WIDTH;
use crate::Real;
use crate::matmul::{Parallelism, View, matmul};

/// Adds `xᵀ·dy` to the panels of a weight; every panel is a product of its own.
pub(in super::super) fn of_weight<T: Real>((rows, inputs, outputs): (usize, usize, usize), x: &[T], dy: &[T], panels: &mut [T]) {
    if rows == 0 || inputs == 0 {
        return;
    }
    let x = View::rows(x, rows, inputs, inputs).transposed();
    panels.par_chunks_mut(inputs * WIDTH).enumerate().for_each(|(panel, values)| {
        let width = values.len() / inputs;
        let dy = View::rows(&dy[panel * WIDTH..], rows, width, outputs);
        matmul(T::ONE, x, dy, T::ONE, View::rows(values, inputs, width, width), Parallelism::None);
    });
}

/// Each thread owns some columns and walks all rows, so the order of the sum is fixed.
pub(in super::super) fn of_bias<T: Real>(outputs: usize, dy: &[T], bias: &mut [T]) {
    const COLUMNS: usize = 64;
    bias.par_chunks_mut(COLUMNS).enumerate().for_each(|(block, bias)| {
        for row in dy.chunks(outputs) {
            for (sum, &value) in bias.iter_mut().zip(&row[block * COLUMNS..]) {
                *sum += value;
            }
        }
    });
}
