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
                let mut sums = [[T::ZERO; LANES]; 2];
                for ((x, dy), gain) in x.chunks(LANES).zip(dy.chunks(LANES)).zip(affine.gain.chunks(LANES)) {
                    let [of_g, of_gn] = &mut sums;
                    for ((((of_g, of_gn), &x), &dy), &gain) in of_g.iter_mut().zip(of_gn).zip(x).zip(dy).zip(gain) {
                        *of_g += dy * gain;
                        *of_gn += dy * gain * ((x - mean) * rstd);
                    }
                }
                let [mean_g, mean_gn] = sums.map(|lanes| share * lanes.into_iter().sum::<T>());
                for (((dx, &x), &dy), &gain) in dx.iter_mut().zip(x).zip(dy).zip(affine.gain) {
                    let n = (x - mean) * rstd;
                    *dx += rstd * (dy * gain - mean_g - n * mean_gn);
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
        let mean = share * sum(x, |x| x);
        let variance = share * sum(x, |x| (x - mean) * (x - mean));
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
fn sum<T: Real>(x: &[T], term: impl Fn(T) -> T) -> T {
    let mut lanes = [T::ZERO; LANES];
    for chunk in x.chunks(LANES) {
        lanes.iter_mut().zip(chunk).for_each(|(lane, &x)| *lane += term(x));
    }
    lanes.into_iter().sum()
}
