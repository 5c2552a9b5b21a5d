//! One pre-norm block: `x ← x + s1·proj(attention(norm1(x)))`, then `x ← x + s2·fc2(act(fc1(norm2(x))))`.
//!
//! The heads together may be wider or narrower than a token; a block may end after its attention.

use kernels::Real;
use kernels::attention::{self, Fused, ReadOuts};
use kernels::layer_norm::{self, AffineGradient};
use kernels::linear::{self, Onto};

use super::choices::Activation;
use super::config::VitConfig;
use super::layers::{Linear, Norm, Tensor};
use super::weights::{Block, Mlp};
use crate::Error;

/// Batch and head layout of a pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub images: usize,
    pub tokens: usize,
    pub heads: usize,
    pub head_width: usize,
    /// Of a token, D.
    pub width: usize,
    /// Inside the MLP, M.
    pub intermediate: usize,
    pub activation: Activation,
    pub eps: f64,
}

impl Extent {
    pub fn new(config: &VitConfig, images: usize, tokens: usize) -> Self {
        Self {
            images,
            tokens,
            heads: config.num_attention_heads,
            head_width: config.head_width(),
            width: config.hidden_size,
            intermediate: config.intermediate_size,
            activation: config.hidden_act,
            eps: config.layer_norm_eps,
        }
    }

    pub fn attention(&self) -> attention::Shape {
        attention::Shape { images: self.images, tokens: self.tokens, heads: self.heads, head_width: self.head_width }
    }

    fn linear<T: Real>(&self, layer: &Linear<T>) -> linear::Shape {
        linear::Shape { images: self.images, rows: self.tokens, inputs: layer.inputs(), outputs: layer.outputs() }
    }

    /// A buffer (B, N, width).
    fn buffer<T: Real>(&self, width: usize) -> Vec<T> {
        vec![T::ZERO; self.images * self.tokens * width]
    }
}

/// What a block leaves behind for its backward pass.
#[derive(Debug, Clone)]
pub(crate) struct BlockTape<T> {
    /// Tokens before the block, (B, N, D).
    pub input: Vec<T>,
    /// (B, N, 3·A), A the width of all heads.
    pub qkv: Vec<T>,
    /// (B, N, H).
    pub log_sum_exp: Vec<T>,
    /// Attention's output before its projection, (B, N, A).
    pub context: Vec<T>,
    /// Tokens between attention and MLP, (B, N, D).
    pub middle: Vec<T>,
    /// The MLP before its activation, (B, N, M).
    pub hidden: Vec<T>,
}

impl<T: Real> BlockTape<T> {
    pub fn new(extent: Extent) -> Self {
        Self {
            input: extent.buffer(extent.width),
            middle: if extent.intermediate > 0 { extent.buffer(extent.width) } else { Vec::new() },
            ..Self::lean(extent)
        }
    }

    /// A tape without the tokens between branches: maps can be made from it, gradients cannot.
    pub fn lean(extent: Extent) -> Self {
        let inner = extent.heads * extent.head_width;
        Self {
            input: Vec::new(),
            qkv: extent.buffer(3 * inner),
            log_sum_exp: extent.buffer(extent.heads),
            context: extent.buffer(inner),
            middle: Vec::new(),
            hidden: extent.buffer(extent.intermediate),
        }
    }
}

/// Copies the tokens onto a full tape; a lean one has no room for them.
fn keep<T: Real>(x: &[T], tape: &mut [T]) {
    tape.iter_mut().zip(x).for_each(|(tape, &x)| *tape = x);
}

/// Buffers that every block uses again.
#[derive(Debug)]
pub(crate) struct Scratch<T> {
    normed: Vec<T>,
    activated: Vec<T>,
    branch: Vec<T>,
}

impl<T: Real> Scratch<T> {
    pub fn new(extent: Extent) -> Self {
        let [normed, branch] = [(); 2].map(|()| extent.buffer(extent.width));
        Self { normed, activated: extent.buffer(extent.intermediate), branch }
    }
}

/// Takes `x` (B, N, D) through the block and fills `tape`; the fused map is filled on the way.
pub(crate) fn forward<T: Real>(
    extent: Extent,
    block: &Block<T>,
    x: &mut [T],
    tape: &mut BlockTape<T>,
    scratch: &mut Scratch<T>,
    fused: Option<Fused<T>>,
) -> Result<(), Error> {
    keep(x, &mut tape.input);
    layer_norm::forward(block.norm1.affine(extent.eps), x, &mut scratch.normed)?;
    linear::forward(extent.linear(&block.qkv), block.qkv.parameters(), &scratch.normed, Onto::Fresh, &mut tape.qkv)?;
    attention::forward(extent.attention(), &tape.qkv, &mut tape.context, &mut tape.log_sum_exp, fused)?;
    add_branch(extent, &block.projection, &block.scale1, &tape.context, x, &mut scratch.branch)?;

    match &block.mlp {
        Some(mlp) => mlp_forward(extent, mlp, x, tape, scratch),
        None => Ok(()),
    }
}

fn mlp_forward<T: Real>(extent: Extent, mlp: &Mlp<T>, x: &mut [T], tape: &mut BlockTape<T>, scratch: &mut Scratch<T>) -> Result<(), Error> {
    keep(x, &mut tape.middle);
    layer_norm::forward(mlp.norm.affine(extent.eps), x, &mut scratch.normed)?;
    linear::forward(extent.linear(&mlp.fc1), mlp.fc1.parameters(), &scratch.normed, Onto::Fresh, &mut tape.hidden)?;
    extent.activation.forward(&tape.hidden, &mut scratch.activated)?;
    add_branch(extent, &mlp.fc2, &mlp.scale, &scratch.activated, x, &mut scratch.branch)
}

/// `x ← x + scale·layer(input)`; without LayerScale the product adds straight onto the residual stream.
fn add_branch<T: Real>(
    extent: Extent,
    layer: &Linear<T>,
    scale: &Option<Tensor<T>>,
    input: &[T],
    x: &mut [T],
    branch: &mut [T],
) -> Result<(), Error> {
    let Some(scale) = scale else {
        return Ok(linear::forward(extent.linear(layer), layer.parameters(), input, Onto::Existing, x)?);
    };
    linear::forward(extent.linear(layer), layer.parameters(), input, Onto::Fresh, branch)?;
    for (x, branch) in x.chunks_mut(extent.width).zip(branch.chunks(extent.width)) {
        x.iter_mut().zip(branch).zip(&scale.data).for_each(|((x, &b), &s)| *x += s * b);
    }
    Ok(())
}

/// Turns `dx`, the gradient at the block's output, into the one at its input; adds weight gradients where asked.
pub(crate) fn backward<T: Real>(
    extent: Extent,
    block: &Block<T>,
    tape: &BlockTape<T>,
    dx: &mut [T],
    read_outs: ReadOuts<T>,
    mut gradient: Option<&mut Block<T>>,
) -> Result<(), Error> {
    if let Some(mlp) = &block.mlp {
        mlp_backward(extent, mlp, tape, dx, gradient.as_deref_mut().and_then(|g| g.mlp.as_mut()))?;
    }
    let projection = gradient.as_deref_mut().map(|g| (&mut g.projection, g.scale1.as_mut()));
    let dcontext = branch_backward(extent, &block.projection, &block.scale1, &tape.context, dx, projection)?;
    let mut dqkv = vec![T::ZERO; tape.qkv.len()];
    attention::backward(extent.attention(), &tape.qkv, &tape.log_sum_exp, &dcontext, &mut dqkv, read_outs)?;
    let qkv = gradient.map(|g| (&mut g.qkv, &mut g.norm1));
    normed_backward(extent, &block.qkv, &block.norm1, &tape.input, &dqkv, dx, qkv)
}

fn mlp_backward<T: Real>(
    extent: Extent,
    mlp: &Mlp<T>,
    tape: &BlockTape<T>,
    dx: &mut [T],
    mut gradient: Option<&mut Mlp<T>>,
) -> Result<(), Error> {
    let mut activated = vec![T::ZERO; tape.hidden.len()];
    if gradient.is_some() {
        extent.activation.forward(&tape.hidden, &mut activated)?;
    }
    let fc2 = gradient.as_deref_mut().map(|g| (&mut g.fc2, g.scale.as_mut()));
    let mut dhidden = branch_backward(extent, &mlp.fc2, &mlp.scale, &activated, dx, fc2)?;
    extent.activation.backward(&tape.hidden, &mut dhidden)?;
    let fc1 = gradient.map(|g| (&mut g.fc1, &mut g.norm));
    normed_backward(extent, &mlp.fc1, &mlp.norm, &tape.middle, &dhidden, dx, fc1)
}

/// Gradient at the input of `scale·layer(input)`, given the one at the sum.
fn branch_backward<T: Real>(
    extent: Extent,
    layer: &Linear<T>,
    scale: &Option<Tensor<T>>,
    input: &[T],
    dx: &[T],
    gradient: Option<(&mut Linear<T>, Option<&mut Tensor<T>>)>,
) -> Result<Vec<T>, Error> {
    let shape = extent.linear(layer);
    let mut dy = dx.to_vec();
    if let Some(scale) = scale {
        dy.chunks_mut(extent.width).for_each(|row| row.iter_mut().zip(&scale.data).for_each(|(dy, &s)| *dy *= s));
    }
    if let Some((gradient, dscale)) = gradient {
        let (weight, bias) = gradient.parameters_mut();
        linear::backward_parameters(shape, input, &dy, weight, bias)?;
        if let Some(dscale) = dscale {
            let mut branch = vec![T::ZERO; dx.len()];
            linear::forward(shape, layer.parameters(), input, Onto::Fresh, &mut branch)?;
            for (dx, branch) in dx.chunks(extent.width).zip(branch.chunks(extent.width)) {
                dscale.data.iter_mut().zip(dx.iter().zip(branch)).for_each(|(sum, (&dx, &b))| *sum += dx * b);
            }
        }
    }
    let mut dinput = extent.buffer(layer.inputs());
    linear::backward(shape, layer.parameters(), &dy, Onto::Fresh, &mut dinput)?;
    Ok(dinput)
}

/// Adds to `dx` what comes back through `layer(norm(input))`, given the gradient at its output.
fn normed_backward<T: Real>(
    extent: Extent,
    layer: &Linear<T>,
    norm: &Norm<T>,
    input: &[T],
    dy: &[T],
    dx: &mut [T],
    gradient: Option<(&mut Linear<T>, &mut Norm<T>)>,
) -> Result<(), Error> {
    let affine = norm.affine(extent.eps);
    let mut dnormed = extent.buffer(extent.width);
    linear::backward(extent.linear(layer), layer.parameters(), dy, Onto::Fresh, &mut dnormed)?;
    if let Some((dlayer, dnorm)) = gradient {
        let mut normed = extent.buffer(extent.width);
        layer_norm::forward(affine, input, &mut normed)?;
        let (weight, bias) = dlayer.parameters_mut();
        linear::backward_parameters(extent.linear(layer), &normed, dy, weight, bias)?;
        let dnorm = AffineGradient { gain: &mut dnorm.gain.data, bias: &mut dnorm.bias.data };
        layer_norm::backward_affine(affine, input, &dnormed, dnorm)?;
    }
    layer_norm::backward(affine, input, &dnormed, dx)?;
    Ok(())
}
