//! The functions between the two layers of an MLP, value by value.
//!
//! Products apply them while their results are in the first cache ([`crate::linear::Then`]); [`forward`] does it to rows
//! that are already there.

mod cpu;
pub mod cuda;
#[cfg(test)]
mod tests;

pub(crate) use cpu::{activate, gate};

use crate::error::expect_len;
use crate::{Error, Real};

/// Which function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x·Φ(x)`, the erf form (Hendrycks and Gimpel 2016); derivative `Φ(x) + x·e^(−x²/2)/√(2π)`.
    Gelu,
    /// `x·s(2u)` with `u = √(2/π)·(x + 0.044715·x³)` and the logistic function `s`: the tanh form of the same paper, which
    /// differs from the erf form by up to 5e-4.
    GeluTanh,
    /// `max(x, 0)`; derivative 0 at 0.
    Relu,
}

/// `y[i] = φ(x[i])`; any shape.
///
/// ```
/// use kernels::activation::{forward, Activation};
/// let mut y = [0.0f32; 3];
/// forward(Activation::Gelu, &[0.0, 100.0, -100.0], &mut y).unwrap();
/// assert_eq!(y, [0.0, 100.0, 0.0]);
/// ```
pub fn forward<T: Real>(activation: Activation, x: &[T], y: &mut [T]) -> Result<(), Error> {
    expect_len("activation", "y", y, x.len())?;
    cpu::forward(activation, x, y);
    Ok(())
}
