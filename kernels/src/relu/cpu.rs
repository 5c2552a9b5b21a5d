//! ReLU on the CPU: one pass, vectorised, in pieces that stay in the first cache.

use rayon::prelude::*;

use crate::Real;
use crate::simd::vectorised;

const PIECE: usize = 8192;

pub(super) fn forward<T: Real>(x: &[T], y: &mut [T]) {
    y.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(y, x)| {
        vectorised(
            #[inline(always)]
            || {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = if x < T::ZERO { T::ZERO } else { x }; // NaN passes through.
                }
            },
        );
    });
}

pub(super) fn backward<T: Real>(x: &[T], dy: &mut [T]) {
    dy.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(dy, x)| {
        vectorised(
            #[inline(always)]
            || {
                for (dy, &x) in dy.iter_mut().zip(x) {
                    *dy = if x <= T::ZERO { T::ZERO } else { *dy };
                }
            },
        );
    });
}
