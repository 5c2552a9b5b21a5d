//! The step on the CPU, in pieces that threads share.

use rayon::prelude::*;

use super::{Moments, Settings};
use crate::Real;
use crate::simd::vectorised;

pub(super) fn update<T: Real>(settings: Settings, step: u32, gradient: &[T], moments: &mut Moments<T>, weights: &mut [T]) {
    const PIECE: usize = 1 << 14;
    let moments = moments.first.par_chunks_mut(PIECE).zip(moments.second.par_chunks_mut(PIECE));
    let pieces = weights.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE)).zip(moments);
    pieces.for_each(|((weights, gradient), (first, second))| update_piece(settings, step, gradient, (first, second), weights));
}

fn update_piece<T: Real>(settings: Settings, step: u32, gradient: &[T], (first, second): (&mut [T], &mut [T]), weights: &mut [T]) {
    let Settings { rate, beta1, beta2, eps, decay } = settings;
    let [keep, b1, b2, eps] = [1.0 - rate * decay, beta1, beta2, eps].map(T::from_f64);
    let [new1, new2] = [1.0 - beta1, 1.0 - beta2].map(T::from_f64);
    let pace = T::from_f64(rate / (1.0 - beta1.powi(step as i32)));
    let correction = T::from_f64(1.0 / (1.0 - beta2.powi(step as i32)).sqrt());
    vectorised(
        #[inline(always)]
        || {
            for i in 0..weights.len() {
                let g = gradient[i];
                first[i] = b1 * first[i] + new1 * g;
                second[i] = b2 * second[i] + new2 * g * g;
                weights[i] = keep * weights[i] - pace * first[i] / (second[i].sqrt() * correction + eps);
            }
        },
    );
}
