//! The functions between the two layers of an MLP, value by value.

use crate::Real;

/// Which function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x·Φ(x)`, the erf form (Hendrycks and Gimpel 2016).
    Gelu,
    /// `x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2`, the approximation of the same paper.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    /// `φ(x)`.
    #[inline(always)]
    pub fn value<T: Real>(self, x: T) -> T {
        let half = T::from_f64(0.5);
        match self {
            Self::Gelu => {
                let half_x = half * x;
                half_x.mul_add((x * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf(), half_x)
            }
            Self::GeluTanh => x * sigmoid(inner(x)),
            Self::Relu => T::max(T::ZERO, x),
        }
    }

    /// `φ′(x)`; 0 at the kink of [`Activation::Relu`], as PyTorch has it.
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
                let gate = sigmoid(inner(x));
                let steepness = T::from_f64(2.0 * SQRT_2_OVER_PI) * (T::from_f64(3.0 * CUBIC) * x * x + T::ONE);
                gate + x * gate * (T::ONE - gate) * steepness
            }
            Self::Relu => {
                if x > T::ZERO {
                    T::ONE
                } else {
                    x * T::ZERO
                }
            }
        }
    }
}

const SQRT_2_OVER_PI: f64 = 0.797_884_560_802_865_4;
const CUBIC: f64 = 0.044_715;

/// Twice the argument of the approximation's tanh: `(1 + tanh(a))/2` is the sigmoid of `2a`.
#[inline(always)]
fn inner<T: Real>(x: T) -> T {
    T::from_f64(2.0 * SQRT_2_OVER_PI) * (T::from_f64(CUBIC) * x * x).mul_add(x, x)
}

/// `1/(1 + e^(−x))`, by the exponential of a number below 0 so that nothing overflows.
#[inline(always)]
fn sigmoid<T: Real>(x: T) -> T {
    let small = (if x > T::ZERO { -x } else { x }).exp();
    let share = T::ONE / (T::ONE + small);
    if x > T::ZERO { share } else { small * share }
}
