//! What is done on the way back to blocks of maps, value by value: (queries, 32), one vector lane a key.

use std::ops::Range;

use super::{RowRule, Shape};
use crate::Real;
use crate::linear::panels::WIDTH;
use crate::simd::vectorised;

/// `A = exp(S − log-sum-exp)`, in place.
pub(super) fn probabilities<T: Real>(scores: &mut [T], log_sum_exp: &[T]) {
    vectorised(
        #[inline(always)]
        || {
            for (scores, &log_sum_exp) in scores.chunks_mut(WIDTH).zip(log_sum_exp) {
                scores.iter_mut().for_each(|score| *score = (*score - log_sum_exp).exp());
            }
        },
    );
}

/// `sums_j += Σ_i row_i·f(A_ij, dA_ij)`; an empty row asks for nothing.
pub(super) fn add_row<T: Real>(rule: RowRule, maps: (&[T], &[T]), row: &[T], sums: &mut [T; WIDTH]) {
    match rule {
        RowRule::Relevance => gather(maps, row, sums, |a, g| T::max(a * g, T::ZERO)),
        RowRule::Attention => gather(maps, row, sums, |a, _| a),
        RowRule::PositiveGradient => gather(maps, row, sums, |_, g| T::max(g, T::ZERO)),
    }
}

fn gather<T: Real>((map, gradients): (&[T], &[T]), row: &[T], sums: &mut [T; WIDTH], of: impl Fn(T, T) -> T) {
    vectorised(
        #[inline(always)]
        || {
            for ((map, gradients), &weight) in map.chunks(WIDTH).zip(gradients.chunks(WIDTH)).zip(row) {
                for ((sum, &a), &g) in sums.iter_mut().zip(map).zip(gradients) {
                    *sum += weight * of(a, g);
                }
            }
        },
    );
}

/// Turns `A` into `dS = A ∘ (dA − dO·O)`.
pub(super) fn softmax_gradient<T: Real>(map: &mut [T], gradients: &[T], dots: &[T]) {
    vectorised(
        #[inline(always)]
        || {
            for ((map, gradients), &dot) in map.chunks_mut(WIDTH).zip(gradients.chunks(WIDTH)).zip(dots) {
                map.iter_mut().zip(gradients).for_each(|(a, &g)| *a *= g - dot);
            }
        },
    );
}

/// Lays some keys' columns (queries, 32) into panels of 32 queries, each (keys, 32).
pub(super) fn turn<T: Real>(keys: Range<usize>, columns: &[T], square: &mut [T]) {
    let of_panel = square.len() / columns.len().div_ceil(WIDTH * WIDTH).max(1);
    for (columns, panel) in columns.chunks(WIDTH * WIDTH).zip(square.chunks_mut(of_panel)) {
        for (lane, row) in columns.chunks(WIDTH).enumerate() {
            for (key, &value) in keys.clone().zip(row) {
                panel[key * WIDTH + lane] = value;
            }
        }
    }
}

/// Means the heads' relevance rows in the order of the heads.
pub(super) fn sum_rows<T: Real>(shape: Shape, by_head: &[T], row_step: &mut [T]) {
    let share = T::from_f64(1.0 / shape.heads as f64);
    for (step, of_image) in row_step.chunks_mut(shape.tokens).zip(by_head.chunks(shape.heads * shape.tokens)) {
        step.fill(T::ZERO);
        for of_head in of_image.chunks(shape.tokens) {
            step.iter_mut().zip(of_head).for_each(|(sum, &value)| *sum += share * value);
        }
    }
}
