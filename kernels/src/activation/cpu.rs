//! Activations on the CPU: inlined into whatever loop they stand in, so that it becomes vector code.

use rayon::prelude::*;

use super::Activation;
use crate::Real;
use crate::simd::vectorised;

/// Values of a task: they stay in the first cache.
const PIECE: usize = 8192;
const SQRT_2_OVER_PI: f64 = 0.797_884_560_802_865_4;
const CUBIC: f64 = 0.044_715;

pub(super) fn forward<T: Real>(activation: Activation, x: &[T], y: &mut [T]) {
    y.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(y, x)| {
        vectorised(
            #[inline(always)]
            || activate(activation, y, x.iter().copied()),
        );
    });
}

/// `to ← φ(values)`; the choice of function stands outside the loop.
#[inline(always)]
pub(crate) fn activate<T: Real>(activation: Activation, to: &mut [T], values: impl Iterator<Item = T>) {
    let to = to.iter_mut().zip(values);
    match activation {
        Activation::Gelu => to.for_each(|(to, y)| *to = Activation::Gelu.value(y)),
        Activation::GeluTanh => to.for_each(|(to, y)| *to = Activation::GeluTanh.value(y)),
        Activation::Relu => to.for_each(|(to, y)| *to = Activation::Relu.value(y)),
    }
}

/// `to ← values ∘ φ′(before)`.
#[inline(always)]
pub(crate) fn gate<T: Real>(activation: Activation, to: &mut [T], before: &[T], values: impl Iterator<Item = T>) {
    let to = to.iter_mut().zip(before).zip(values);
    match activation {
        Activation::Gelu => to.for_each(|((to, &x), y)| *to = y * Activation::Gelu.slope(x)),
        Activation::GeluTanh => to.for_each(|((to, &x), y)| *to = y * Activation::GeluTanh.slope(x)),
        Activation::Relu => to.for_each(|((to, &x), y)| *to = y * Activation::Relu.slope(x)),
    }
}

impl Activation {
    /// `φ(x)`; NaN stays NaN.
    #[inline(always)]
    pub fn value<T: Real>(self, x: T) -> T {
        match self {
            Self::Gelu => {
                let half = T::from_f64(0.5) * x;
                half.mul_add((x * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf(), half)
            }
            Self::GeluTanh => x * logistic(twice_u(x)),
            Self::Relu => T::max(T::ZERO, x),
        }
    }

    /// `φ′(x)`.
    #[inline(always)]
    pub fn slope<T: Real>(self, x: T) -> T {
        let half = T::from_f64(0.5);
        match self {
            Self::Gelu => {
                let density = T::from_f64(1.0 / (2.0 * std::f64::consts::PI).sqrt());
                let cumulative = half.mul_add((x * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf(), half);
                (x * density).mul_add((-half * x * x).exp(), cumulative)
            }
            Self::GeluTanh => {
                let s = logistic(twice_u(x));
                let steepness = T::from_f64(2.0 * SQRT_2_OVER_PI) * (T::from_f64(3.0 * CUBIC) * x * x + T::ONE);
                s + x * s * (T::ONE - s) * steepness
            }
            Self::Relu => {
                if x > T::ZERO {
                    T::ONE
                } else {
                    T::ZERO
                }
            }
        }
    }
}

#[inline(always)]
fn twice_u<T: Real>(x: T) -> T {
    T::from_f64(2.0 * SQRT_2_OVER_PI) * (T::from_f64(CUBIC) * x * x).mul_add(x, x)
}

/// `1/(1 + e^(−x))`, by the exponential of a number below 0, so that nothing overflows.
#[inline(always)]
fn logistic<T: Real>(x: T) -> T {
    let small = T::min(x, -x).exp();
    let share = T::ONE / (T::ONE + small);
    if x > T::ZERO { share } else { small * share }
}
