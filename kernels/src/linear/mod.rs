//! Linear layer: `Y = X·W + b` with `X` (rows, inputs), `W` (inputs, outputs), `b` (outputs); what follows is done while
//! the result is still in the first cache.
//!
//! `W` is a [`Weight`]: packed once into panels, so that a product reads it straight through memory. `X` may be
//! normalised on the way in ([`Input::Normed`]); `Y` may be added to a residual stream, pass an activation, or be gated
//! by an activation's derivative on the way out ([`Then`]).
//!
//! Gradients: `dX = dY·Wᵀ` by the same product on the turned weight, `dW = Xᵀ·dY`, `db = Σ_rows dY`.
//!
//! The bits of a row do not depend on the rows beside it, nor on how many threads run.

mod cpu;
pub mod cuda;
pub mod cuda_bias;
pub mod hopper;
pub(crate) mod panels;
#[cfg(test)]
mod tests;
mod weight;

pub(crate) use cpu::{Strip, Tile, exact_tile, shares};
pub use weight::{Precision, Weight};

use crate::activation::Activation;
use crate::error::expect_len;
use crate::layer_norm::Affine;
use crate::{Error, Real, Workspace};

/// Weight and optional bias of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a, T: Real> {
    /// (inputs, outputs).
    pub weight: &'a Weight<T>,
    /// (outputs), or nothing.
    pub bias: Option<&'a [T]>,
}

/// The rows that enter a product.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a, T> {
    /// `X` (rows, inputs) as it is.
    Plain(&'a [T]),
    /// `X` (rows, inputs), each row normalised first.
    Normed(&'a [T], Affine<'a, T>),
}

impl<'a, T> Input<'a, T> {
    fn values(self) -> &'a [T] {
        match self {
            Self::Plain(x) | Self::Normed(x, _) => x,
        }
    }
}

/// What becomes of `Y` (rows, outputs).
#[derive(Debug)]
pub enum Then<'a, T> {
    /// `to ← Y`.
    Store(&'a mut [T]),
    /// `to ← to + scale ∘ Y`: a residual connection, with LayerScale (outputs) where there is one.
    Add {
        /// (rows, outputs).
        to: &'a mut [T],
        /// (outputs), or nothing.
        scale: Option<&'a [T]>,
    },
    /// `after ← φ(Y)`; `before ← Y` unless it is empty.
    Activate {
        /// `φ`.
        activation: Activation,
        /// (rows, outputs), or empty.
        before: &'a mut [T],
        /// (rows, outputs).
        after: &'a mut [T],
    },
    /// `to ← Y ∘ φ′(before)`: the way back through an activation.
    Gate {
        /// `φ`.
        activation: Activation,
        /// (rows, outputs).
        before: &'a [T],
        /// (rows, outputs).
        to: &'a mut [T],
    },
}

/// `Y = X·W + b`, then what is asked for; as many rows as `input` holds.
///
/// ```
/// use kernels::Workspace;
/// use kernels::linear::{forward, Input, Layer, Then, Weight};
/// let weight = Weight::from_rows(2, 1, &[3.0f32, 4.0]);
/// let layer = Layer { weight: &weight, bias: Some(&[5.0]) };
/// let mut y = [100.0];
/// let then = Then::Add { to: &mut y, scale: None };
/// forward(Input::Plain(&[1.0, 2.0]), layer, then, &mut Workspace::default()).unwrap();
/// assert_eq!(y, [100.0 + 3.0 + 8.0 + 5.0]);
/// ```
pub fn forward<T: Real>(input: Input<T>, layer: Layer<T>, then: Then<T>, workspace: &mut Workspace<T>) -> Result<(), Error> {
    let Layer { weight, bias } = layer;
    let rows = check(input, weight.inputs(), weight.outputs(), &then)?;
    if let Some(bias) = bias {
        expect_len("linear", "bias", bias, weight.outputs())?;
    }
    let product = cpu::Product { rows, inputs: weight.inputs(), outputs: weight.outputs(), panels: weight.panels(), bias };
    cpu::run(product, input, then, workspace);
    Ok(())
}

/// `dX = dY·Wᵀ`, then what is asked for.
pub fn backward<T: Real>(dy: &[T], weight: &Weight<T>, then: Then<T>, workspace: &mut Workspace<T>) -> Result<(), Error> {
    let rows = check(Input::Plain(dy), weight.outputs(), weight.inputs(), &then)?;
    let product = cpu::Product { rows, inputs: weight.outputs(), outputs: weight.inputs(), panels: weight.turned(), bias: None };
    cpu::run(product, Input::Plain(dy), then, workspace);
    Ok(())
}

/// Adds `xᵀ·dy` to `weight` and the column sums of `dy` to `bias` (outputs), over all rows.
pub fn backward_parameters<T: Real>(x: &[T], dy: &[T], weight: &mut Weight<T>, bias: Option<&mut [T]>) -> Result<(), Error> {
    let (inputs, outputs) = (weight.inputs(), weight.outputs());
    let rows = x.len() / inputs.max(1);
    expect_len("linear", "x", x, rows * inputs)?;
    expect_len("linear", "dy", dy, rows * outputs)?;
    expect_len("linear", "weight", weight.values(), inputs * outputs)?;
    cpu::gradient::of_weight((rows, inputs, outputs), x, dy, weight.values_mut());
    if let Some(bias) = bias {
        expect_len("linear", "bias", bias, outputs)?;
        cpu::gradient::of_bias(outputs, dy, bias);
    }
    Ok(())
}

/// Rows of the product, once every length fits.
fn check<T: Real>(input: Input<T>, inputs: usize, outputs: usize, then: &Then<T>) -> Result<usize, Error> {
    let rows = input.values().len() / inputs.max(1);
    expect_len("linear", "x", input.values(), rows * inputs)?;
    if let Input::Normed(_, affine) = input {
        expect_len("linear", "gain", affine.gain, inputs)?;
        expect_len("linear", "norm's bias", affine.bias, inputs)?;
    }
    let y = rows * outputs;
    match then {
        Then::Store(to) => expect_len("linear", "to", to, y)?,
        Then::Add { to, scale } => {
            expect_len("linear", "to", to, y)?;
            scale.map_or(Ok(()), |scale| expect_len("linear", "scale", scale, outputs))?;
        }
        Then::Activate { before, after, .. } => {
            expect_len("linear", "before", before, if before.is_empty() { 0 } else { y })?;
            expect_len("linear", "after", after, y)?;
        }
        Then::Gate { before, to, .. } => {
            expect_len("linear", "before", before, y)?;
            expect_len("linear", "to", to, y)?;
        }
    }
    Ok(rows)
}
