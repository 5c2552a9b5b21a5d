//! Adam with decoupled weight decay (Loshchilov and Hutter 2019), one step on one tensor:
//!
//! ```text
//! w ← w − rate·decay·w
//! m ← β1·m + (1 − β1)·g        v ← β2·v + (1 − β2)·g²
//! w ← w − rate·(m/(1 − β1ᵗ)) / (√(v/(1 − β2ᵗ)) + eps)
//! ```

mod cpu;
pub mod cuda;

use crate::error::expect_len;
use crate::{Error, Real};

/// Settings of the optimiser; the defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Learning rate.
    pub rate: f64,
    /// Decay of the first moment, β1.
    pub beta1: f64,
    /// Decay of the second moment, β2.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay.
    pub decay: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rate: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.01 }
    }
}

/// Running moments of one tensor's gradient.
#[derive(Debug, Clone, Default)]
pub struct Moments<T> {
    first: Vec<T>,
    second: Vec<T>,
}

impl<T: Real> Moments<T> {
    /// Zero moments for a tensor of `count` values.
    pub fn zero(count: usize) -> Self {
        Self { first: vec![T::ZERO; count], second: vec![T::ZERO; count] }
    }
}

/// Moves `weights` by step number `step`, which counts from 1.
///
/// ```
/// use kernels::adamw::{update, Moments, Settings};
/// let (mut weights, mut moments) = ([1.0f64], Moments::zero(1));
/// update(Settings { rate: 0.1, decay: 0.0, ..Settings::default() }, 1, &[123.0], &mut moments, &mut weights).unwrap();
/// assert!((weights[0] - 0.9).abs() < 1e-9, "the first step has the length of the rate");
/// ```
pub fn update<T: Real>(settings: Settings, step: u32, gradient: &[T], moments: &mut Moments<T>, weights: &mut [T]) -> Result<(), Error> {
    expect_len("adamw", "gradient", gradient, weights.len())?;
    expect_len("adamw", "moments", &moments.first, weights.len())?;
    cpu::update(settings, step, gradient, moments, weights);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Tolerance, assert_close};

    #[test]
    fn two_steps_follow_the_formula() {
        let settings = Settings { rate: 0.5, decay: 0.1, eps: 0.0, ..Settings::default() };
        let (mut weights, mut moments) = ([2.0f64], Moments::zero(1));
        update(settings, 1, &[3.0], &mut moments, &mut weights).unwrap();
        // 2·0.95 − 0.5·3/3 = 1.4
        assert_close("first", &weights, &[1.4], Tolerance::absolute(1e-12));
        update(settings, 2, &[-1.0], &mut moments, &mut weights).unwrap();
        // m = 0.9·0.3 − 0.1 = 0.17, m̂ = 0.17/0.19; v = 0.999·0.009 + 0.001 = 0.009991, v̂ = 0.009991/0.001999
        let expected = 1.4 * 0.95 - 0.5 * (0.17 / 0.19) / (0.009_991f64 / 0.001_999).sqrt();
        assert_close("second", &weights, &[expected], Tolerance::absolute(1e-12));
    }

    #[test]
    fn a_wrong_gradient_is_refused() {
        let refused = update(Settings::default(), 1, &[], &mut Moments::zero(1), &mut [0.0f32]);
        assert!(matches!(refused, Err(Error::Length { argument: "gradient", .. })));
    }
}
