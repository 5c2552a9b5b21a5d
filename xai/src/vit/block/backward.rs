//! A block's way back: from the gradient at its output to the one at its input.

use kernels::Real;
use kernels::activation;
use kernels::attention::{self, Forward, ReadOuts};
use kernels::layer_norm::{self, AffineGradient};
use kernels::linear::{self, Input, Then};

use super::{BlockTape, near};
use crate::Error;
use crate::vit::arena::Arena;
use crate::vit::extent::Extent;
use crate::vit::layers::{Linear, Norm, Tensor};
use crate::vit::leading;
use crate::vit::weights::{Block, Mlp};

/// Turns `dx`, the gradient at the block's output, into the one at its input; adds weight gradients where asked.
///
/// `dx` is that of the tokens of `finished`, the leading ones or all; the rest of the block's output is read by nobody.
#[allow(clippy::too_many_arguments)]
pub(crate) fn backward<T: Real>(
    extent: Extent,
    finished: Extent,
    block: &Block<T>,
    tape: &BlockTape<T>,
    dx: Vec<T>,
    read_outs: ReadOuts<T>,
    mut gradient: Option<&mut Block<T>>,
    arena: &mut Arena<T>,
) -> Result<Vec<T>, Error> {
    let mut dx = dx;
    finish_backward(extent, finished, block, tape, &mut dx, gradient.as_deref_mut(), arena)?;
    if finished.tokens < extent.tokens {
        let read = std::mem::replace(&mut dx, extent.buffer(extent.width));
        leading::scatter(&read, extent, finished, &mut dx)?;
    }
    let Arena { workspace, scratch, .. } = &mut *arena;
    let dcontext = &scratch.context[..extent.len(extent.inner())];
    let dqkv = scratch.dqkv.at_least(tape.qkv.len());
    let forward = Forward { qkv: &tape.qkv, log_sum_exp: &tape.log_sum_exp, context: &tape.context };
    attention::backward(extent.attention(), forward, dcontext, dqkv, read_outs, workspace)?;
    let dnormed = scratch.rows.at_least(dx.len());
    linear::backward(dqkv, &block.qkv.weight, Then::Store(dnormed), workspace)?;
    if let Some(gradient) = gradient {
        normed_weights(extent, &block.norm1, &tape.input, (dqkv, dnormed), (&mut gradient.qkv, &mut gradient.norm1))?;
    }
    layer_norm::backward(block.norm1.affine(extent.eps), &tape.input, dnormed, &mut dx)?;
    Ok(dx)
}

/// The way back to attention: `dx` becomes the gradient at the tokens between, and the one at the context (B, N, A) comes to lie in
/// the arena's scratch, zero for the tokens that are not finished.
fn finish_backward<T: Real>(
    extent: Extent,
    finished: Extent,
    block: &Block<T>,
    tape: &BlockTape<T>,
    dx: &mut [T],
    mut gradient: Option<&mut Block<T>>,
    arena: &mut Arena<T>,
) -> Result<(), Error> {
    if let Some(mlp) = &block.mlp {
        mlp_backward(finished, mlp, tape, dx, gradient.as_deref_mut().and_then(|g| g.mlp.as_mut()), arena)?;
    }
    let dy = scaled(dx, &block.scale1);
    if let Some(gradient) = gradient {
        let context = leading::gather(&tape.context, extent, finished, extent.inner())?;
        branch_weights(&block.projection, &context, (dx, &dy), (&mut gradient.projection, gradient.scale1.as_mut()), arena)?;
    }
    let Arena { workspace, scratch, .. } = arena;
    let dcontext = scratch.context.at_least(extent.len(extent.inner()));
    let dy = dy.as_deref().unwrap_or(dx);
    if finished.tokens == extent.tokens {
        return Ok(linear::backward(dy, &block.projection.weight, Then::Store(dcontext), workspace)?);
    }
    let mut read = finished.buffer(extent.inner());
    linear::backward(dy, &block.projection.weight, Then::Store(&mut read), workspace)?;
    leading::scatter(&read, extent, finished, dcontext)?;
    Ok(())
}

fn mlp_backward<T: Real>(
    extent: Extent,
    mlp: &Mlp<T>,
    tape: &BlockTape<T>,
    dx: &mut [T],
    mut gradient: Option<&mut Mlp<T>>,
    arena: &mut Arena<T>,
) -> Result<(), Error> {
    let activation = extent.activation.into();
    let dy = scaled(dx, &mlp.scale);
    if let Some(gradient) = gradient.as_deref_mut() {
        let mut activated = vec![T::ZERO; tape.hidden.len()];
        activation::forward(activation, &tape.hidden, &mut activated)?;
        branch_weights(&mlp.fc2, &activated, (dx, &dy), (&mut gradient.fc2, gradient.scale.as_mut()), arena)?;
    }
    let Arena { workspace, scratch, .. } = arena;
    let (width, wide) = (extent.width, extent.intermediate);
    // The gradients of weights are made from all rows at once.
    let at_a_time = if gradient.is_some() { extent.images * extent.tokens } else { near::<T>(dx.len() / width, wide) };
    let dhidden = scratch.hidden.at_least(at_a_time.min(dx.len() / width) * wide);
    let dnormed = scratch.rows.at_least(dx.len());
    let rows = dy.as_deref().unwrap_or(dx).chunks(at_a_time * width).zip(dnormed.chunks_mut(at_a_time * width));
    for ((dy, dnormed), before) in rows.zip(tape.hidden.chunks(at_a_time * wide)) {
        let dhidden = &mut dhidden[..before.len()];
        linear::backward(dy, &mlp.fc2.weight, Then::Gate { activation, before, to: dhidden }, workspace)?;
        linear::backward(dhidden, &mlp.fc1.weight, Then::Store(dnormed), workspace)?;
    }
    if let Some(gradient) = gradient {
        normed_weights(extent, &mlp.norm, &tape.middle, (dhidden, dnormed), (&mut gradient.fc1, &mut gradient.norm))?;
    }
    Ok(layer_norm::backward(mlp.norm.affine(extent.eps), &tape.middle, dnormed, dx)?)
}

/// The gradient behind LayerScale, where a branch has one.
fn scaled<T: Real>(dx: &[T], scale: &Option<Tensor<T>>) -> Option<Vec<T>> {
    let scale = scale.as_ref()?;
    Some(dx.chunks(scale.data.len()).flat_map(|row| row.iter().zip(&scale.data).map(|(&dx, &s)| dx * s)).collect())
}

/// Adds the weight gradients of `scale·layer(input)`, given the gradients at the sum and behind the scale.
fn branch_weights<T: Real>(
    layer: &Linear<T>,
    input: &[T],
    (dx, dy): (&[T], &Option<Vec<T>>),
    (gradient, dscale): (&mut Linear<T>, Option<&mut Tensor<T>>),
    arena: &mut Arena<T>,
) -> Result<(), Error> {
    let (weight, bias) = gradient.parameters_mut();
    linear::backward_parameters(input, dy.as_deref().unwrap_or(dx), weight, bias)?;
    let Some(dscale) = dscale else { return Ok(()) };
    let mut branch = vec![T::ZERO; dx.len()];
    linear::forward(Input::Plain(input), layer.layer(), Then::Store(&mut branch), &mut arena.workspace)?;
    for (dx, branch) in dx.chunks(dscale.data.len()).zip(branch.chunks(dscale.data.len())) {
        dscale.data.iter_mut().zip(dx.iter().zip(branch)).for_each(|(sum, (&dx, &b))| *sum += dx * b);
    }
    Ok(())
}

/// Adds the weight gradients of `layer(norm(input))`, given the gradients at its output and at the normed rows.
fn normed_weights<T: Real>(
    extent: Extent,
    norm: &Norm<T>,
    input: &[T],
    (dy, dnormed): (&[T], &[T]),
    (dlayer, dnorm): (&mut Linear<T>, &mut Norm<T>),
) -> Result<(), Error> {
    let affine = norm.affine(extent.eps);
    let mut normed = vec![T::ZERO; input.len()];
    layer_norm::forward(affine, input, &mut normed)?;
    let (weight, bias) = dlayer.parameters_mut();
    linear::backward_parameters(&normed, dy, weight, bias)?;
    let dnorm = AffineGradient { gain: &mut dnorm.gain.data, bias: &mut dnorm.bias.data };
    Ok(layer_norm::backward_affine(affine, input, dnormed, dnorm)?)
}
