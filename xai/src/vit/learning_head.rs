//! The head while it learns: BatchNorm takes the batch's own statistics, where inference has the running ones folded in.

use kernels::activation::Activation;
use kernels::batch_norm::{self, Affine, AffineGradient, Statistics};
use kernels::linear::{self, Input, Then};
use kernels::{Real, Workspace};

use super::head::{Head, Hidden};
use super::layers::Linear;
use crate::Error;

/// What a pass through a learning head leaves behind.
#[derive(Debug)]
struct Tape<T> {
    /// What BatchNorm reads, (B, width).
    before: Vec<T>,
    /// With what it normalised.
    batch: Statistics<T>,
    /// After the `ReLU`, (B, width).
    after: Vec<T>,
}

/// Logits (B, classes) of pooled features (B, width); of a DNN-3-hidden head each depends on the whole batch.
pub(crate) fn logits<T: Real>(head: &Head<T>, pooled: &[T], workspace: &mut Workspace<T>) -> Result<Vec<T>, Error> {
    let (hidden, out) = layers(head)?;
    let tapes = forward(hidden, pooled, workspace)?;
    through(out, tapes.last().map_or(pooled, |tape| &tape.after), workspace)
}

/// Gradient at the pooled features (B, width) from the one at the logits (B, classes); adds those of the head's weights, and to what
/// stands for running statistics the batch's mean and unbiased variance.
pub(crate) fn backward<T: Real>(
    head: &Head<T>,
    pooled: &[T],
    dlogits: &[T],
    gradient: &mut Head<T>,
    workspace: &mut Workspace<T>,
) -> Result<Vec<T>, Error> {
    let (hidden, out) = layers(head)?;
    let tapes = forward(hidden, pooled, workspace)?;
    let (dhidden, dout) = layers_mut(gradient)?;
    let input = |depth: usize| if depth == 0 { pooled } else { &tapes[depth - 1].after };
    let mut gradient = through_backward(out, input(tapes.len()), dlogits, dout, tapes.last(), workspace)?;
    for (depth, (layer, dlayer)) in hidden.iter().zip(dhidden).enumerate().rev() {
        let Tape { before, batch, .. } = &tapes[depth];
        let mut dbefore = vec![T::ZERO; before.len()];
        let dnorm = AffineGradient { gain: &mut dlayer.gain.data, bias: &mut dlayer.bias.data };
        batch_norm::backward(affine(layer), batch, before, &gradient, &mut dbefore, dnorm)?;
        add(&mut dlayer.mean.data, &batch.mean);
        add(&mut dlayer.variance.data, &batch.variance);
        let gate = depth.checked_sub(1).map(|before| &tapes[before]);
        gradient = through_backward(&layer.linear, input(depth), &dbefore, &mut dlayer.linear, gate, workspace)?;
    }
    Ok(gradient)
}

fn layers<T: Real>(head: &Head<T>) -> Result<(&[Hidden<T>], &Linear<T>), Error> {
    match head {
        Head::Linear(out) => Ok((&[], out)),
        Head::Dnn3 { hidden, out, .. } => Ok((hidden, out)),
        Head::None | Head::Distilled { .. } => Err(Error::Untrainable { head: head.kind().name() }),
    }
}

fn layers_mut<T: Real>(head: &mut Head<T>) -> Result<(&mut [Hidden<T>], &mut Linear<T>), Error> {
    let kind = head.kind();
    match head {
        Head::Linear(out) => Ok((&mut [], out)),
        Head::Dnn3 { hidden, out, .. } => Ok((hidden, out)),
        Head::None | Head::Distilled { .. } => Err(Error::Untrainable { head: kind.name() }),
    }
}

fn forward<T: Real>(hidden: &[Hidden<T>], pooled: &[T], workspace: &mut Workspace<T>) -> Result<Vec<Tape<T>>, Error> {
    let mut tapes: Vec<Tape<T>> = Vec::with_capacity(hidden.len());
    for layer in hidden {
        let before = through(&layer.linear, tapes.last().map_or(pooled, |tape| &tape.after), workspace)?;
        let mut after = vec![T::ZERO; before.len()];
        let batch = batch_norm::forward(affine(layer), &before, &mut after)?;
        // What is not a number stays one.
        after.iter_mut().filter(|value| **value < T::ZERO).for_each(|value| *value = T::ZERO);
        tapes.push(Tape { before, batch, after });
    }
    Ok(tapes)
}

fn through<T: Real>(layer: &Linear<T>, x: &[T], workspace: &mut Workspace<T>) -> Result<Vec<T>, Error> {
    let mut y = vec![T::ZERO; x.len() / layer.inputs() * layer.outputs()];
    linear::forward(Input::Plain(x), layer.layer(), Then::Store(&mut y), workspace)?;
    Ok(y)
}

/// The gradient at a layer's input, and behind the `ReLU` that made it where there is one; adds those of weight and bias.
fn through_backward<T: Real>(
    layer: &Linear<T>,
    x: &[T],
    dy: &[T],
    gradient: &mut Linear<T>,
    made_by: Option<&Tape<T>>,
    workspace: &mut Workspace<T>,
) -> Result<Vec<T>, Error> {
    let (weight, bias) = gradient.parameters_mut();
    linear::backward_parameters(x, dy, weight, bias)?;
    let mut dx = vec![T::ZERO; x.len()];
    let then = match made_by {
        None => Then::Store(&mut dx),
        // What a ReLU let through is what is above zero after it.
        Some(tape) => Then::Gate { activation: Activation::Relu, before: &tape.after, to: &mut dx },
    };
    linear::backward(dy, &layer.weight, then, workspace)?;
    Ok(dx)
}

fn affine<T: Real>(layer: &Hidden<T>) -> Affine<'_, T> {
    Affine { gain: &layer.gain.data, bias: &layer.bias.data, eps: batch_norm::EPS }
}

fn add<T: Real>(to: &mut [T], values: &[T]) {
    to.iter_mut().zip(values).for_each(|(to, &value)| *to += value);
}
