//! Linear layers on the CPU: one product per image, the bias laid down first so that the product adds onto it.

use rayon::prelude::*;

use super::{Onto, Parameters, Shape};
use crate::Real;
use crate::images::for_each_image;
use crate::matmul::{Parallelism, View, matmul};

pub(super) fn forward<T: Real>(shape: Shape, layer: Parameters<T>, x: &[T], onto: Onto, y: &mut [T]) {
    let Shape { images, rows, inputs, outputs } = shape;
    let weight = View::rows(layer.weight, inputs, outputs, outputs);
    for_each_image(y, images, |image, y, threads| {
        let onto_bias = lay_bias(layer.bias, onto, outputs, y);
        let x = View::rows(&x[image * rows * inputs..][..rows * inputs], rows, inputs, inputs);
        matmul(T::ONE, x, weight, onto_bias, View::rows(y, rows, outputs, outputs), threads);
    });
}

/// Puts the bias where the product will be added; returns the factor for what is there.
fn lay_bias<T: Real>(bias: Option<&[T]>, onto: Onto, outputs: usize, y: &mut [T]) -> T {
    match (bias, onto) {
        (None, Onto::Fresh) => return T::ZERO,
        (None, Onto::Existing) => {}
        (Some(bias), Onto::Fresh) => y.par_chunks_mut(outputs).with_min_len(16).for_each(|row| row.copy_from_slice(bias)),
        (Some(bias), Onto::Existing) => {
            y.par_chunks_mut(outputs).with_min_len(16).for_each(|row| row.iter_mut().zip(bias).for_each(|(y, &b)| *y += b));
        }
    }
    T::ONE
}

pub(super) fn backward<T: Real>(shape: Shape, layer: Parameters<T>, dy: &[T], onto: Onto, dx: &mut [T]) {
    let Shape { images, rows, inputs, outputs } = shape;
    let weight = View::rows(layer.weight, inputs, outputs, outputs).transposed();
    let beta = if onto == Onto::Fresh { T::ZERO } else { T::ONE };
    for_each_image(dx, images, |image, dx, threads| {
        let dy = View::rows(&dy[image * rows * outputs..][..rows * outputs], rows, outputs, outputs);
        matmul(T::ONE, dy, weight, beta, View::rows(dx, rows, inputs, inputs), threads);
    });
}

pub(super) fn backward_weight<T: Real>(shape: Shape, x: &[T], dy: &[T], weight: &mut [T]) {
    let Shape { inputs, outputs, .. } = shape;
    let rows = shape.images * shape.rows;
    let (x, dy) = (View::rows(x, rows, inputs, inputs).transposed(), View::rows(dy, rows, outputs, outputs));
    matmul(T::ONE, x, dy, T::ONE, View::rows(weight, inputs, outputs, outputs), Parallelism::Rayon(0));
}

/// Each thread owns some columns and walks all rows, so the order of the sum is fixed.
pub(super) fn backward_bias<T: Real>(shape: Shape, dy: &[T], bias: &mut [T]) {
    const COLUMNS: usize = 64;
    bias.par_chunks_mut(COLUMNS).enumerate().for_each(|(block, bias)| {
        for row in dy.chunks(shape.outputs) {
            for (sum, &value) in bias.iter_mut().zip(&row[block * COLUMNS..]) {
                *sum += value;
            }
        }
    });
}
