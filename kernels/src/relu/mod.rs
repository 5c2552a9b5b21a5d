//! Rectified linear unit: `relu(x) = max(x, 0)`; its derivative is 1 above zero and 0 elsewhere, at zero too.

mod cpu;

use crate::error::expect_len;
use crate::{Error, Real};

/// `y[i] = max(x[i], 0)`; any shape.
///
/// ```
/// let mut y = [9.0f32; 2];
/// kernels::relu::forward(&[-2.0, 3.0], &mut y).unwrap();
/// assert_eq!(y, [0.0, 3.0]);
/// ```
pub fn forward<T: Real>(x: &[T], y: &mut [T]) -> Result<(), Error> {
    expect_len("relu", "y", y, x.len())?;
    cpu::forward(x, y);
    Ok(())
}

/// Turns `dy` into `dx[i] = dy[i]` where `x[i] > 0` and zero elsewhere, in place.
pub fn backward<T: Real>(x: &[T], dy: &mut [T]) -> Result<(), Error> {
    expect_len("relu", "dy", dy, x.len())?;
    cpu::backward(x, dy);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{assert_gradient, seeded};

    #[test]
    fn gradient_is_the_derivative() {
        let (x, weights) = (seeded::<f64>(4, 40), seeded::<f64>(5, 40));
        let mut gradient = weights.clone();
        backward(&x, &mut gradient).unwrap();
        assert_gradient("relu", &x, &gradient, |x| {
            let mut y = vec![0.0; x.len()];
            forward(x, &mut y).unwrap();
            y.iter().zip(&weights).map(|(a, b)| a * b).sum()
        });
    }

    #[test]
    fn at_zero_nothing_flows_as_in_pytorch() {
        let mut dy = [1.0f32; 3];
        backward(&[-1.0, 0.0, 1.0], &mut dy).unwrap();
        assert_eq!(dy, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn not_a_number_stays_one() {
        let mut y = [0.0f32];
        forward(&[f32::NAN], &mut y).unwrap();
        assert!(y[0].is_nan());
    }

    #[test]
    fn a_wrong_length_is_refused() {
        assert!(matches!(forward(&[1.0f32], &mut []), Err(Error::Length { argument: "y", expected: 1, found: 0, .. })));
    }
}
