//! Maps of gradients on the CPU.

use super::{Moments, Reduction, Statistic};
use crate::Real;
use crate::patchify::Shape;

pub(super) fn fold<T: Real>(moments: &mut Moments<T>, gradients: &[T]) {
    for gradient in gradients.chunks(moments.mean.len().max(1)) {
        moments.folded += 1;
        let share = T::from_f64(1.0 / moments.folded as f64);
        for ((mean, squares), &value) in moments.mean.iter_mut().zip(&mut moments.squares).zip(gradient) {
            let off = value - *mean;
            *mean += share * off;
            *squares += off * (value - *mean);
        }
    }
}

pub(super) fn read<T: Real>(moments: &Moments<T>, statistic: Statistic) -> Vec<T> {
    let share = T::from_f64(1.0 / moments.folded as f64);
    let read = |(&mean, &squares): (&T, &T)| match statistic {
        Statistic::Mean => mean,
        Statistic::MeanSquare => squares * share + mean * mean,
        Statistic::Variance => squares * share,
    };
    moments.mean.iter().zip(&moments.squares).map(read).collect()
}

pub(super) fn accumulate<T: Real>(weights: &[T], gradients: &[T], sum: &mut [T]) {
    for (&weight, gradient) in weights.iter().zip(gradients.chunks(sum.len().max(1))) {
        sum.iter_mut().zip(gradient).for_each(|(sum, &value)| *sum += weight * value);
    }
}

pub(super) fn attribute<T: Real>(moved: &[T], sum: &mut [T]) -> f64 {
    sum.iter_mut().zip(moved).for_each(|(sum, &moved)| *sum *= moved);
    sum.iter().map(|value| value.to_f64()).sum()
}

pub(super) fn reduce<T: Real>(shape: Shape, reduction: Reduction, values: &[T], map: &mut [T]) {
    let Shape { channels, rows, cols, size, .. } = shape;
    let (width, area) = (cols * size, size * size);
    for (image, map) in map.chunks_mut((rows * size * width).max(1)).enumerate() {
        for (pixel, to) in map.iter_mut().enumerate() {
            let (y, x) = (pixel / width, pixel % width);
            let patch = (image * rows + y / size) * cols + x / size;
            let first = patch * channels * area + y % size * size + x % size;
            let mut of_channels = (0..channels).map(|channel| values[first + channel * area]);
            *to = match reduction {
                Reduction::MaxAbs => of_channels.fold(T::ZERO, |most, value| T::max(most, T::max(value, -value))),
                Reduction::Length => of_channels.map(|value| value * value).sum::<T>().sqrt(),
                Reduction::Sum => of_channels.by_ref().sum(),
            };
        }
    }
}
