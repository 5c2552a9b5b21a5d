//! Rollout on the CPU.

use super::{Layer, Normalise};
use crate::Real;
use crate::matmul::{Parallelism, View, matmul};
use crate::simd::vectorised;

pub(super) fn push_row<T: Real>(layer: Layer, map: &[T], row: &mut [T], tokens: usize) {
    for (row, map) in row.chunks_mut(tokens).zip(map.chunks(tokens * tokens)) {
        let sums = row_sums(layer, map, tokens);
        let mut pushed = vec![T::ZERO; tokens];
        for (i, line) in map.chunks(tokens).enumerate() {
            let weight = if layer.normalise == Normalise::Rows { row[i] / sums[i] } else { row[i] };
            add_line(layer, i, line, weight, &mut pushed);
        }
        if layer.normalise == Normalise::ColumnsByRowSums {
            pushed.iter_mut().zip(&sums).for_each(|(value, &sum)| *value = *value / sum);
        }
        row.copy_from_slice(&pushed);
    }
}

/// `pushed += weight·(w·e_i + (1 − w)·line)`.
fn add_line<T: Real>(layer: Layer, i: usize, line: &[T], weight: T, pushed: &mut [T]) {
    let share = weight * T::from_f64(1.0 - layer.residual);
    vectorised(
        #[inline(always)]
        || pushed.iter_mut().zip(line).for_each(|(sum, &value)| *sum = share.mul_add(value, *sum)),
    );
    pushed[i] += weight * T::from_f64(layer.residual);
}

/// Sum of each row of `w·I + (1 − w)·F`.
fn row_sums<T: Real>(layer: Layer, map: &[T], tokens: usize) -> Vec<T> {
    let (keep, share) = (T::from_f64(layer.residual), T::from_f64(1.0 - layer.residual));
    map.chunks(tokens).map(|line| keep + share * line.iter().copied().sum()).collect()
}

pub(super) fn layer_matrix<T: Real>(layer: Layer, map: &mut [T], tokens: usize) {
    for map in map.chunks_mut(tokens * tokens) {
        let sums = row_sums(layer, map, tokens);
        for (i, line) in map.chunks_mut(tokens).enumerate() {
            line.iter_mut().for_each(|value| *value *= T::from_f64(1.0 - layer.residual));
            line[i] += T::from_f64(layer.residual);
            match layer.normalise {
                Normalise::Rows => line.iter_mut().for_each(|value| *value = *value / sums[i]),
                Normalise::ColumnsByRowSums => line.iter_mut().zip(&sums).for_each(|(value, &sum)| *value = *value / sum),
                Normalise::Nothing => {}
            }
        }
    }
}

pub(super) fn multiply<T: Real>(matrix: &[T], product: &mut [T], tokens: usize) {
    for (matrix, product) in matrix.chunks(tokens * tokens).zip(product.chunks_mut(tokens * tokens)) {
        let old = product.to_vec();
        matmul(
            T::ONE,
            View::square(matrix, tokens),
            View::square(&old[..], tokens),
            T::ZERO,
            View::square(product, tokens),
            Parallelism::Rayon(0),
        );
    }
}
