//! Layer normalisation (Ba, Kiros and Hinton 2016): `y = (x − mean)·rstd·gain + bias`, per row of `width` values,
//! with `rstd = 1/√(variance + eps)` and the biased variance.

mod cpu;
pub mod cuda;

pub(crate) use cpu::{Moments, normalise};

use crate::error::expect_len;
use crate::{Error, Real};

/// Gain, bias and eps of one normalisation.
#[derive(Debug, Clone, Copy)]
pub struct Affine<'a, T> {
    /// (width).
    pub gain: &'a [T],
    /// (width).
    pub bias: &'a [T],
    /// Added to the variance.
    pub eps: f64,
}

/// Gradients of gain and bias, added to what is there.
#[derive(Debug)]
pub struct AffineGradient<'a, T> {
    /// (width).
    pub gain: &'a mut [T],
    /// (width).
    pub bias: &'a mut [T],
}

/// Normalises each row of `x` (rows, width) into `y` of the same shape.
///
/// ```
/// use kernels::layer_norm::{forward, Affine};
/// let affine = Affine { gain: &[1.0f64, 1.0], bias: &[0.0, 10.0], eps: 0.0 };
/// let mut y = [0.0; 2];
/// forward(affine, &[3.0, 5.0], &mut y).unwrap();
/// assert_eq!(y, [-1.0, 11.0]);
/// ```
pub fn forward<T: Real>(affine: Affine<T>, x: &[T], y: &mut [T]) -> Result<(), Error> {
    check(affine, x)?;
    expect_len("layer_norm", "y", y, x.len())?;
    cpu::forward(affine, x, y);
    Ok(())
}

/// Adds the gradient at the input to `dx` (rows, width), given the input `x` and the gradient `dy` at the output.
pub fn backward<T: Real>(affine: Affine<T>, x: &[T], dy: &[T], dx: &mut [T]) -> Result<(), Error> {
    check(affine, x)?;
    expect_len("layer_norm", "dy", dy, x.len())?;
    expect_len("layer_norm", "dx", dx, x.len())?;
    cpu::backward(affine, x, dy, dx);
    Ok(())
}

/// Adds the gradients of gain and bias, summed over rows.
pub fn backward_affine<T: Real>(affine: Affine<T>, x: &[T], dy: &[T], gradient: AffineGradient<T>) -> Result<(), Error> {
    check(affine, x)?;
    expect_len("layer_norm", "dy", dy, x.len())?;
    expect_len("layer_norm", "gradient.gain", gradient.gain, affine.gain.len())?;
    expect_len("layer_norm", "gradient.bias", gradient.bias, affine.gain.len())?;
    cpu::backward_affine(affine, x, dy, gradient);
    Ok(())
}

fn check<T>(affine: Affine<T>, x: &[T]) -> Result<(), Error> {
    expect_len("layer_norm", "bias", affine.bias, affine.gain.len())?;
    let whole_rows = x.len().checked_rem(affine.gain.len()).map_or(0, |rest| x.len() - rest);
    expect_len("layer_norm", "x", x, whole_rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Tolerance, assert_close, assert_gradient, seeded};

    const ROWS: usize = 3;
    const WIDTH: usize = 5;

    fn score(x: &[f64], gain: &[f64], bias: &[f64], weights: &[f64]) -> f64 {
        let mut y = vec![0.0; x.len()];
        forward(Affine { gain, bias, eps: 1e-6 }, x, &mut y).unwrap();
        y.iter().zip(weights).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn gradients_are_the_derivatives() {
        let (x, weights) = (seeded::<f64>(1, ROWS * WIDTH), seeded::<f64>(2, ROWS * WIDTH));
        let (gain, bias) = (seeded::<f64>(3, WIDTH), seeded::<f64>(4, WIDTH));
        let affine = Affine { gain: &gain, bias: &bias, eps: 1e-6 };
        let mut dx = vec![0.0; x.len()];
        backward(affine, &x, &weights, &mut dx).unwrap();
        assert_gradient("dx", &x, &dx, |x| score(x, &gain, &bias, &weights));
        let (mut dgain, mut dbias) = (vec![0.0; WIDTH], vec![0.0; WIDTH]);
        backward_affine(affine, &x, &weights, AffineGradient { gain: &mut dgain, bias: &mut dbias }).unwrap();
        assert_gradient("dgain", &gain, &dgain, |gain| score(&x, gain, &bias, &weights));
        assert_gradient("dbias", &bias, &dbias, |bias| score(&x, &gain, bias, &weights));
    }

    #[test]
    fn f32_agrees_with_f64_far_from_zero() {
        let x: Vec<f32> = seeded::<f32>(7, 4 * 384).iter().map(|v| v * 3.0 + 20.0).collect();
        let wide: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
        let (mut y, mut exact) = (vec![0.0f32; x.len()], vec![0.0f64; x.len()]);
        forward(Affine { gain: &[1.0; 384], bias: &[0.5; 384], eps: 1e-6 }, &x, &mut y).unwrap();
        forward(Affine { gain: &[1.0; 384], bias: &[0.5; 384], eps: 1e-6 }, &wide, &mut exact).unwrap();
        assert_close("layer norm", &y, &exact, Tolerance::absolute(2e-6));
    }

    #[test]
    fn a_broken_row_is_refused() {
        let affine = Affine { gain: &[1.0f32; 4], bias: &[0.0; 4], eps: 0.0 };
        assert!(matches!(forward(affine, &[0.0; 6], &mut [0.0; 6]), Err(Error::Length { argument: "x", .. })));
    }
}
