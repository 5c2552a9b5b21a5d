//! Antialiased bicubic resizing on the CPU: a place of the target is a task, its vector summed in `f64`.

use rayon::prelude::*;

use crate::Real;
use crate::bicubic::Grid;

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

/// For every place of the target: the source indices in reach with their weights.
fn taps(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let place = |target: usize| {
        let centre = scale * (target as f64 + 0.5);
        // Both ends are truncated towards zero as the reference does.
        let first = (centre - 2.0 * stretch + 0.5).max(0.0) as usize;
        let end = ((centre + 2.0 * stretch + 0.5) as usize).min(from);
        let weights: Vec<f64> = (first..end).map(|source| cubic((source as f64 + 0.5 - centre) / stretch)).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().enumerate().map(|(index, weight)| (first + index, weight / total)).collect()
    };
    (0..to).map(place).collect()
}

const A: f64 = -0.5;

/// Keys' kernel.
fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}
