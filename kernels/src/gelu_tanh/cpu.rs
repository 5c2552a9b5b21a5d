//! GELU's tanh form on the CPU: one pass, vectorised, in pieces that stay in the first cache.

use rayon::prelude::*;

use crate::Real;
use crate::simd::vectorised;

const PIECE: usize = 8192;
const CUBIC: f64 = 0.044715;
/// `2·√(2/π)`.
const SCALE: f64 = 1.595_769_121_605_730_8;

/// The logistic function of `2u`.
#[inline(always)]
fn logistic<T: Real>(x: T) -> T {
    let cubic = (x * x).mul_add(T::from_f64(CUBIC), T::ONE);
    T::ONE / (T::ONE + (-(T::from_f64(SCALE) * x * cubic)).exp())
}

pub(super) fn forward<T: Real>(x: &[T], y: &mut [T]) {
    y.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(y, x)| {
        vectorised(
            #[inline(always)]
            || y.iter_mut().zip(x).for_each(|(y, &x)| *y = x * logistic(x)),
        );
    });
}

pub(super) fn backward<T: Real>(x: &[T], dy: &mut [T]) {
    dy.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(dy, x)| {
        vectorised(
            #[inline(always)]
            || {
                for (dy, &x) in dy.iter_mut().zip(x) {
                    let s = logistic(x);
                    let slope = T::from_f64(SCALE) * (x * x).mul_add(T::from_f64(3.0 * CUBIC), T::ONE);
                    *dy *= (x * slope).mul_add(s * (T::ONE - s), s);
                }
            },
        );
    });
}
