//! Patches of pixels through a linear layer: `y = x·W + b`, or `norm(norm(x)·W + b)` where patches are normalised.

use kernels::layer_norm::{self, AffineGradient};
use kernels::linear::{self, Input, Then};
use kernels::patchify::{patchify, unpatchify};
use kernels::{Real, Workspace, patchify};

use super::config::VitConfig;
use super::embedding::Pixels;
use super::layers::Norm;
use super::weights::{PatchNorms, Weights};
use crate::{Error, Patches};

impl<T> Pixels<'_, T> {
    fn patchify_shape(&self, config: &VitConfig) -> patchify::Shape {
        let Patches { rows, cols } = self.patches;
        patchify::Shape { images: self.images, channels: config.num_channels, rows, cols, size: config.patch_size }
    }
}

/// What stands between pixels and tokens.
struct Steps<T> {
    /// Patches as they were cut, (B·P, C·S·S).
    cut: Vec<T>,
    /// What the linear layer reads; empty where that is `cut`.
    normed: Vec<T>,
    /// What the linear layer gives, (B·P, D).
    embedded: Vec<T>,
}

impl<T> Steps<T> {
    fn input(&self) -> &[T] {
        if self.normed.is_empty() { &self.cut } else { &self.normed }
    }
}

/// One vector a patch, (B·P, D).
pub(super) fn forward<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    pixels: &Pixels<T>,
    workspace: &mut Workspace<T>,
) -> Result<Vec<T>, Error> {
    let steps = steps(config, weights, pixels, workspace)?;
    match &weights.patch_norms {
        Some(norms) => normed(config, &norms.after, &steps.embedded),
        None => Ok(steps.embedded),
    }
}

fn steps<T: Real>(config: &VitConfig, weights: &Weights<T>, pixels: &Pixels<T>, workspace: &mut Workspace<T>) -> Result<Steps<T>, Error> {
    let mut cut = vec![T::ZERO; pixels.data.len()];
    patchify(pixels.patchify_shape(config), pixels.data, &mut cut)?;
    let normed = weights.patch_norms.as_ref().map_or(Ok(Vec::new()), |norms| normed(config, &norms.before, &cut))?;
    let mut steps = Steps { cut, normed, embedded: vec![T::ZERO; pixels.images * pixels.patches.count() * config.hidden_size] };
    let mut embedded = std::mem::take(&mut steps.embedded);
    linear::forward(Input::Plain(steps.input()), weights.patch.layer(), Then::Store(&mut embedded), workspace)?;
    Ok(Steps { embedded, ..steps })
}

fn normed<T: Real>(config: &VitConfig, norm: &Norm<T>, x: &[T]) -> Result<Vec<T>, Error> {
    let mut y = vec![T::ZERO; x.len()];
    layer_norm::forward(norm.affine(config.layer_norm_eps), x, &mut y)?;
    Ok(y)
}

/// Gradient at the pixels (B, C, H, W) from the one at the patches' vectors (B·P, D); adds weight gradients where asked.
pub(super) fn backward<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    pixels: &Pixels<T>,
    dtokens: Vec<T>,
    mut gradient: Option<&mut Weights<T>>,
    workspace: &mut Workspace<T>,
) -> Result<Vec<T>, Error> {
    // Without norms nothing of the forward pass is needed for the pixels.
    let steps = if weights.patch_norms.is_some() || gradient.is_some() { Some(steps(config, weights, pixels, workspace)?) } else { None };
    let mut dy = dtokens;
    if let (Some(PatchNorms { after, .. }), Some(steps)) = (&weights.patch_norms, &steps) {
        let of_norm = gradient.as_deref_mut().and_then(|g| g.patch_norms.as_mut()).map(|g| &mut g.after);
        dy = norm_backward(config, after, &steps.embedded, &dy, of_norm)?;
    }
    if let (Some(gradient), Some(steps)) = (gradient.as_deref_mut(), &steps) {
        let (weight, bias) = gradient.patch.parameters_mut();
        linear::backward_parameters(steps.input(), &dy, weight, bias)?;
    }
    let mut dpatches = vec![T::ZERO; pixels.data.len()];
    linear::backward(&dy, &weights.patch.weight, Then::Store(&mut dpatches), workspace)?;
    if let (Some(PatchNorms { before, .. }), Some(steps)) = (&weights.patch_norms, &steps) {
        let of_norm = gradient.and_then(|g| g.patch_norms.as_mut()).map(|g| &mut g.before);
        dpatches = norm_backward(config, before, &steps.cut, &dpatches, of_norm)?;
    }
    let mut dpixels = vec![T::ZERO; pixels.data.len()];
    unpatchify(pixels.patchify_shape(config), &dpatches, &mut dpixels)?;
    Ok(dpixels)
}

fn norm_backward<T: Real>(config: &VitConfig, norm: &Norm<T>, x: &[T], dy: &[T], gradient: Option<&mut Norm<T>>) -> Result<Vec<T>, Error> {
    let affine = norm.affine(config.layer_norm_eps);
    if let Some(gradient) = gradient {
        layer_norm::backward_affine(affine, x, dy, AffineGradient { gain: &mut gradient.gain.data, bias: &mut gradient.bias.data })?;
    }
    let mut dx = vec![T::ZERO; x.len()];
    layer_norm::backward(affine, x, dy, &mut dx)?;
    Ok(dx)
}
