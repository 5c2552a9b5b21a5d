//! Gaussian error linear unit in its tanh form (Hendrycks and Gimpel 2016): `x·(1 + tanh u)/2` with `u = √(2/π)·(x + 0.044715·x³)`.
//!
//! `(1 + tanh u)/2` is the logistic function `s` of `2u`, so the derivative is `s + x·s·(1 − s)·2u′`.
//! It differs from the erf form by up to 5e-4: a checkpoint's configuration says which of the two was trained.

mod cpu;

use crate::error::expect_len;
use crate::{Error, Real};

/// `y[i] = gelu_tanh(x[i])`; any shape.
///
/// ```
/// let mut y = [0.0f32; 2];
/// kernels::gelu_tanh::forward(&[0.0, 100.0], &mut y).unwrap();
/// assert_eq!(y, [0.0, 100.0]);
/// ```
pub fn forward<T: Real>(x: &[T], y: &mut [T]) -> Result<(), Error> {
    expect_len("gelu_tanh", "y", y, x.len())?;
    cpu::forward(x, y);
    Ok(())
}

/// Turns `dy` into `dx[i] = dy[i]·gelu_tanh′(x[i])`, in place.
pub fn backward<T: Real>(x: &[T], dy: &mut [T]) -> Result<(), Error> {
    expect_len("gelu_tanh", "dy", dy, x.len())?;
    cpu::backward(x, dy);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Tolerance, assert_close, assert_gradient, seeded};

    #[test]
    fn is_the_formula() {
        let x: Vec<f64> = seeded::<f64>(1, 50).iter().map(|v| v * 6.0).collect();
        let mut y = vec![0.0; x.len()];
        forward(&x, &mut y).unwrap();
        let formula = |x: &f64| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh());
        assert_close("gelu_tanh", &y, &x.iter().map(formula).collect::<Vec<_>>(), Tolerance::absolute(1e-14));
    }

    #[test]
    fn f32_agrees_with_f64() {
        let x: Vec<f32> = seeded::<f32>(3, 5000).iter().map(|v| v * 12.0).collect();
        let wide: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
        let (mut y, mut exact) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        forward(&x, &mut y).unwrap();
        forward(&wide, &mut exact).unwrap();
        assert_close("gelu_tanh", &y, &exact, Tolerance::both(2e-6));
        let (mut dy, mut exact) = (vec![1.0; x.len()], vec![1.0; x.len()]);
        backward(&x, &mut dy).unwrap();
        backward(&wide, &mut exact).unwrap();
        assert_close("gelu_tanh'", &dy, &exact, Tolerance::both(4e-6));
    }

    #[test]
    fn gradient_is_the_derivative() {
        let (x, weights) = (seeded::<f64>(4, 9), seeded::<f64>(5, 9));
        let mut gradient = weights.clone();
        backward(&x, &mut gradient).unwrap();
        assert_gradient("gelu_tanh", &x, &gradient, |x| {
            let mut y = vec![0.0; x.len()];
            forward(x, &mut y).unwrap();
            y.iter().zip(&weights).map(|(a, b)| a * b).sum()
        });
    }

    #[test]
    fn large_values_stay_finite() {
        let (mut y, mut dy) = ([0.0f32; 2], [1.0f32; 2]);
        forward(&[-1e6, 1e6], &mut y).unwrap();
        backward(&[-1e6, 1e6], &mut dy).unwrap();
        assert_close("ends", &[y, dy].concat(), &[0.0f32, 1e6, 0.0, 1.0], Tolerance::both(1e-6));
    }

    #[test]
    fn a_wrong_length_is_refused() {
        assert!(matches!(forward(&[1.0f32], &mut []), Err(Error::Length { argument: "y", expected: 1, found: 0, .. })));
    }
}
