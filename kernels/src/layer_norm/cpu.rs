//! Layer normalisation on the CPU: the mean first, then the variance around it, so that a large mean costs no digits.

use rayon::prelude::*;

use super::{Affine, AffineGradient};
use crate::Real;
use crate::simd::vectorised;

/// Independent partial sums, so that a reduction becomes vector code with a fixed order.
const LANES: usize = 16;

pub(super) fn forward<T: Real>(affine: Affine<T>, x: &[T], y: &mut [T]) {
    let width = affine.gain.len();
    y.par_chunks_mut(width).zip(x.par_chunks(width)).with_min_len(16).for_each(|(y, x)| {
        vectorised(
            #[inline(always)]
            || {
                normalise(Moments::of(x, affine.eps), x, affine.gain, affine.bias, y);
            },
        );
    });
}

/// With `n = (x − mean)·rstd` and `g = dy·gain`: `dx += rstd·(g − mean(g) − n·mean(g·n))`.
pub(super) fn backward<T: Real>(affine: Affine<T>, x: &[T], dy: &[T], dx: &mut [T]) {
    let width = affine.gain.len();
    let rows = dx.par_chunks_mut(width).zip(x.par_chunks(width)).zip(dy.par_chunks(width));
    rows.with_min_len(16).for_each(|((dx, x), dy)| {
        vectorised(
            #[inline(always)]
            || {
                let Moments { mean, rstd } = Moments::of(x, affine.eps);
                let share = T::from_f64(1.0 / width as f64);
                let mean_g = share * sum(width, |i| dy[i] * affine.gain[i]);
                let mean_gn = share * sum(width, |i| dy[i] * affine.gain[i] * (x[i] - mean) * rstd);
                for i in 0..width {
                    let n = (x[i] - mean) * rstd;
                    dx[i] += rstd * (dy[i] * affine.gain[i] - mean_g - n * mean_gn);
                }
            },
        );
    });
}

pub(super) fn backward_affine<T: Real>(affine: Affine<T>, x: &[T], dy: &[T], gradient: AffineGradient<T>) {
    let width = affine.gain.len();
    for (x, dy) in x.chunks(width).zip(dy.chunks(width)) {
        vectorised(
            #[inline(always)]
            || {
                let Moments { mean, rstd } = Moments::of(x, affine.eps);
                for i in 0..width {
                    gradient.gain[i] += dy[i] * (x[i] - mean) * rstd;
                    gradient.bias[i] += dy[i];
                }
            },
        );
    }
}

/// Mean and reciprocal deviation of a row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moments<T> {
    pub mean: T,
    pub rstd: T,
}

impl<T: Real> Moments<T> {
    #[inline(always)]
    pub fn of(x: &[T], eps: f64) -> Self {
        let share = T::from_f64(1.0 / x.len() as f64);
        let mean = share * sum(x.len(), |i| x[i]);
        let variance = share * sum(x.len(), |i| (x[i] - mean) * (x[i] - mean));
        Self { mean, rstd: T::ONE / (variance + T::from_f64(eps)).sqrt() }
    }
}

/// `y ← (x − mean)·rstd·gain + bias`, for a row or a piece of one.
#[inline(always)]
pub(crate) fn normalise<T: Real>(moments: Moments<T>, x: &[T], gain: &[T], bias: &[T], y: &mut [T]) {
    for (((y, &x), &gain), &bias) in y.iter_mut().zip(x).zip(gain).zip(bias) {
        *y = ((x - moments.mean) * moments.rstd).mul_add(gain, bias);
    }
}

#[inline(always)]
fn sum<T: Real>(count: usize, term: impl Fn(usize) -> T) -> T {
    let mut lanes = [T::ZERO; LANES];
    let whole = count - count % LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, partial) in lanes.iter_mut().enumerate() {
            *partial += term(start + lane);
        }
    }
    for i in whole..count {
        lanes[i - whole] += term(i);
    }
    lanes.into_iter().sum()
}
