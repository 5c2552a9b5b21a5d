//! GELU on the CPU: one pass, vectorised, in pieces that stay in the first cache.

use rayon::prelude::*;

use crate::Real;
use crate::simd::vectorised;

const PIECE: usize = 8192;

pub(super) fn forward<T: Real>(x: &[T], y: &mut [T]) {
    let half = T::from_f64(0.5);
    let scale = T::from_f64(std::f64::consts::FRAC_1_SQRT_2);
    y.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(y, x)| {
        vectorised(
            #[inline(always)]
            || {
                for (y, &x) in y.iter_mut().zip(x) {
                    let half_x = half * x;
                    *y = half_x.mul_add((x * scale).erf(), half_x);
                }
            },
        );
    });
}

pub(super) fn backward<T: Real>(x: &[T], dy: &mut [T]) {
    let half = T::from_f64(0.5);
    let scale = T::from_f64(std::f64::consts::FRAC_1_SQRT_2);
    let density = T::from_f64(1.0 / (2.0 * std::f64::consts::PI).sqrt());
    dy.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(dy, x)| {
        vectorised(
            #[inline(always)]
            || {
                for (dy, &x) in dy.iter_mut().zip(x) {
                    let cumulative = half.mul_add((x * scale).erf(), half);
                    *dy *= (x * density).mul_add((-half * x * x).exp(), cumulative);
                }
            },
        );
    });
}
