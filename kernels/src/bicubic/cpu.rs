//! Bicubic resizing on the CPU: a place of the target is a task, its vector summed in `f64`.

use rayon::prelude::*;

use super::Grid;
use crate::Real;

pub(super) fn resize<T: Real>(table: &[T], from: Grid, to: Grid, width: usize) -> Vec<T> {
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
    resized
}

/// For every place of the target: four source indices with their weights.
pub(super) fn taps(from: usize, to: usize) -> Vec<[(usize, f64); 4]> {
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
