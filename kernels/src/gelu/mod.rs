//! Gaussian error linear unit in its erf form (Hendrycks and Gimpel 2016): `gelu(x) = x·Φ(x)`, `Φ(x) = (1 + erf(x/√2))/2`.
//!
//! Derivative: `Φ(x) + x·φ(x)` with `φ(x) = e^{−x²/2}/√(2π)`.

mod cpu;

use crate::error::expect_len;
use crate::{Error, Real};

/// `y[i] = gelu(x[i])`; any shape.
///
/// ```
/// let mut y = [0.0f32; 2];
/// kernels::gelu::forward(&[0.0, 100.0], &mut y).unwrap();
/// assert_eq!(y, [0.0, 100.0]);
/// ```
pub fn forward<T: Real>(x: &[T], y: &mut [T]) -> Result<(), Error> {
    expect_len("gelu", "y", y, x.len())?;
    cpu::forward(x, y);
    Ok(())
}

/// Turns `dy` into `dx[i] = dy[i]·gelu′(x[i])`, in place.
pub fn backward<T: Real>(x: &[T], dy: &mut [T]) -> Result<(), Error> {
    expect_len("gelu", "dy", dy, x.len())?;
    cpu::backward(x, dy);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Tolerance, assert_close, assert_gradient, seeded};

    #[test]
    fn meets_known_values() {
        // gelu(1) = Φ(1) = 0.8413447460685429, gelu(−1) = −Φ(−1) = −0.15865525393145707.
        let mut y = [0.0f64; 2];
        forward(&[1.0, -1.0], &mut y).unwrap();
        assert_close("gelu", &y, &[0.841_344_746_068_542_9, -0.158_655_253_931_457_07], Tolerance::absolute(1e-15));
    }

    #[test]
    fn f32_agrees_with_f64() {
        let x: Vec<f32> = seeded::<f32>(3, 5000).iter().map(|v| v * 8.0).collect();
        let wide: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
        let (mut y, mut exact) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        forward(&x, &mut y).unwrap();
        forward(&wide, &mut exact).unwrap();
        assert_close("gelu", &y, &exact, Tolerance::both(1e-6));
        let (mut dy, mut exact) = (vec![1.0; x.len()], vec![1.0; x.len()]);
        backward(&x, &mut dy).unwrap();
        backward(&wide, &mut exact).unwrap();
        assert_close("gelu'", &dy, &exact, Tolerance::both(2e-6));
    }

    #[test]
    fn gradient_is_the_derivative() {
        let (x, weights) = (seeded::<f64>(4, 9), seeded::<f64>(5, 9));
        let mut gradient = weights.clone();
        backward(&x, &mut gradient).unwrap();
        assert_gradient("gelu", &x, &gradient, |x| {
            let mut y = vec![0.0; x.len()];
            forward(x, &mut y).unwrap();
            y.iter().zip(&weights).map(|(a, b)| a * b).sum()
        });
    }

    #[test]
    fn a_wrong_length_is_refused() {
        assert!(matches!(forward(&[1.0f32], &mut []), Err(Error::Length { argument: "y", expected: 1, found: 0, .. })));
    }
}
