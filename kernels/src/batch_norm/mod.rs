//! Batch normalisation (Ioffe and Szegedy 2015, arXiv 1502.03167) of the columns of `x` (rows, width), as PyTorch's `BatchNorm1d`:
//! `y = (x − mean)·rstd·gain + bias`, per column, with `rstd = 1/√(variance + eps)` and the biased variance of the batch.
//!
//! What inference normalises with follows along: `running ← (1 − momentum)·running + momentum·of the batch`, the unbiased variance.

mod cpu;
pub mod cuda;
#[cfg(test)]
mod tests;

pub use crate::layer_norm::{Affine, AffineGradient};

use crate::error::expect_len;
use crate::{Error, Real};

/// PyTorch's default, added to the variance.
pub const EPS: f64 = 1e-5;
/// PyTorch's default share of a batch in running statistics.
pub const MOMENTUM: f64 = 0.1;

/// Statistics of a batch, one value a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics<T> {
    /// (width).
    pub mean: Vec<T>,
    /// `1/√(biased variance + eps)`, (width).
    pub rstd: Vec<T>,
    /// The unbiased variance, for the running one, (width).
    pub variance: Vec<T>,
}

/// Normalises the columns of `x` (rows, width) into `y` of the same shape, and says with what.
///
/// ```
/// use kernels::batch_norm::{Affine, forward};
/// let affine = Affine { gain: &[1.0f64], bias: &[10.0], eps: 0.0 };
/// let mut y = [0.0; 2];
/// let batch = forward(affine, &[3.0, 5.0], &mut y).unwrap();
/// assert_eq!((y, batch.mean[0], batch.variance[0]), ([9.0, 11.0], 4.0, 2.0));
/// ```
///
/// # Errors
/// [`Error::NoVariance`] for fewer than two rows, [`Error::Length`] for shapes that do not fit.
pub fn forward<T: Real>(affine: Affine<T>, x: &[T], y: &mut [T]) -> Result<Statistics<T>, Error> {
    check(affine, x)?;
    expect_len("batch_norm", "y", y, x.len())?;
    Ok(cpu::forward(affine, x, y))
}

/// Writes the gradient at the input to `dx` (rows, width), given the input `x`, its statistics and the gradient `dy` at the output;
/// adds the gradients of gain and bias.
///
/// With `n = (x − mean)·rstd`: `dx = gain·rstd·(dy − mean(dy) − n·mean(dy·n))`, `dgain = Σ dy·n`, `dbias = Σ dy`.
///
/// # Errors
/// As for [`forward`].
pub fn backward<T: Real>(
    affine: Affine<T>,
    batch: &Statistics<T>,
    x: &[T],
    dy: &[T],
    dx: &mut [T],
    gradient: AffineGradient<T>,
) -> Result<(), Error> {
    check(affine, x)?;
    let width = affine.gain.len();
    expect_len("batch_norm", "statistics", &batch.mean, width)?;
    expect_len("batch_norm", "statistics", &batch.rstd, width)?;
    expect_len("batch_norm", "dy", dy, x.len())?;
    expect_len("batch_norm", "dx", dx, x.len())?;
    expect_len("batch_norm", "gradient.gain", gradient.gain, width)?;
    expect_len("batch_norm", "gradient.bias", gradient.bias, width)?;
    cpu::backward(affine, batch, x, dy, dx, gradient);
    Ok(())
}

/// Moves running statistics towards a batch's by [`MOMENTUM`].
///
/// ```
/// let mut mean = [1.0f64];
/// kernels::batch_norm::follow(&mut mean, &[2.0]).unwrap();
/// assert!((mean[0] - 1.1).abs() < 1e-15);
/// ```
///
/// # Errors
/// [`Error::Length`] for different widths.
pub fn follow<T: Real>(running: &mut [T], of_batch: &[T]) -> Result<(), Error> {
    expect_len("batch_norm", "statistics", of_batch, running.len())?;
    let (keep, take) = (T::from_f64(1.0 - MOMENTUM), T::from_f64(MOMENTUM));
    running.iter_mut().zip(of_batch).for_each(|(running, &new)| *running = keep * *running + take * new);
    Ok(())
}

/// Refuses batches that have no variance.
///
/// # Errors
/// [`Error::NoVariance`] for fewer than two rows.
pub fn expect_variance(rows: usize) -> Result<(), Error> {
    if rows < 2 { Err(Error::NoVariance { rows }) } else { Ok(()) }
}

fn check<T>(affine: Affine<T>, x: &[T]) -> Result<(), Error> {
    let width = affine.gain.len();
    expect_len("batch_norm", "bias", affine.bias, width)?;
    let rows = x.len().checked_div(width).unwrap_or(0);
    expect_len("batch_norm", "x", x, rows * width)?;
    expect_variance(rows)
}
