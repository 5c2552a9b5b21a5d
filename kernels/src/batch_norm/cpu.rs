//! Columns of a batch on the CPU, summed in `f64` in the order of the rows.

use super::{Affine, AffineGradient, Statistics};
use crate::Real;

pub(super) fn forward<T: Real>(affine: Affine<T>, x: &[T], y: &mut [T]) -> Statistics<T> {
    let Affine { gain, bias, eps } = affine;
    let width = gain.len();
    let rows = (x.len() / width) as f64;
    let mean: Vec<f64> = sums(width, x, |_, x| x).into_iter().map(|sum| sum / rows).collect();
    let squares = sums(width, x, |column, x| (x - mean[column]) * (x - mean[column]));
    let narrow = |values: &[f64]| values.iter().map(|&value| T::from_f64(value)).collect();
    let rstd: Vec<f64> = squares.iter().map(|squares| 1.0 / (squares / rows + eps).sqrt()).collect();
    for (x, y) in x.chunks(width).zip(y.chunks_mut(width)) {
        for column in 0..width {
            let n = (x[column].to_f64() - mean[column]) * rstd[column];
            y[column] = T::from_f64(n * gain[column].to_f64() + bias[column].to_f64());
        }
    }
    let variance: Vec<f64> = squares.iter().map(|squares| squares / (rows - 1.0)).collect();
    Statistics { mean: narrow(&mean), rstd: narrow(&rstd), variance: narrow(&variance) }
}

pub(super) fn backward<T: Real>(affine: Affine<T>, batch: &Statistics<T>, x: &[T], dy: &[T], dx: &mut [T], gradient: AffineGradient<T>) {
    let width = affine.gain.len();
    let rows = (x.len() / width) as f64;
    let n = |column: usize, x: T| (x.to_f64() - batch.mean[column].to_f64()) * batch.rstd[column].to_f64();
    let dbias = sums(width, dy, |_, dy| dy);
    let mut dgain = vec![0.0; width];
    for (x, dy) in x.chunks(width).zip(dy.chunks(width)) {
        dgain.iter_mut().enumerate().for_each(|(column, sum)| *sum += dy[column].to_f64() * n(column, x[column]));
    }
    for ((x, dy), dx) in x.chunks(width).zip(dy.chunks(width)).zip(dx.chunks_mut(width)) {
        for column in 0..width {
            let centred = dy[column].to_f64() - dbias[column] / rows - n(column, x[column]) * dgain[column] / rows;
            dx[column] = T::from_f64(affine.gain[column].to_f64() * batch.rstd[column].to_f64() * centred);
        }
    }
    let add = |to: &mut [T], sums: &[f64]| to.iter_mut().zip(sums).for_each(|(to, &sum)| *to += T::from_f64(sum));
    add(gradient.gain, &dgain);
    add(gradient.bias, &dbias);
}

/// The sum of `term(column, value)` down each column.
fn sums<T: Real>(width: usize, values: &[T], term: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    for row in values.chunks(width) {
        sums.iter_mut().enumerate().for_each(|(column, sum)| *sum += term(column, row[column].to_f64()));
    }
    sums
}
