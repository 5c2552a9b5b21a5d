//! Pixels to tokens: patches through a linear layer, the class token in front, positions added.

use kernels::linear::{self, Onto};
use kernels::patchify::{patchify, unpatchify};
use kernels::{Real, bicubic, patchify};

use super::config::VitConfig;
use super::layers::Linear;
use super::weights::Weights;
use crate::{Error, Patches};

/// Pixels (B, 3, H, W) that the engine reads.
#[derive(Clone, Copy)]
pub(crate) struct Pixels<'a, T> {
    pub data: &'a [T],
    pub images: usize,
    pub patches: Patches,
}

impl<T> Pixels<'_, T> {
    pub fn tokens(&self) -> usize {
        self.patches.count() + 1
    }

    pub fn patchify_shape(&self, config: &VitConfig) -> patchify::Shape {
        let Patches { rows, cols } = self.patches;
        patchify::Shape { images: self.images, channels: 3, rows, cols, size: config.patch_size }
    }
}

/// Token rows (B, N, D).
pub(crate) fn forward<T: Real>(config: &VitConfig, weights: &Weights<T>, pixels: &Pixels<T>) -> Result<Vec<T>, Error> {
    let (width, count) = (config.hidden_size, pixels.patches.count());
    let positions = positions(config, weights, pixels.patches)?; // (N, D)
    let embedded = embed(config, &weights.patch, pixels)?; // (B·P, D)
    let mut tokens = Vec::with_capacity(pixels.images * pixels.tokens() * width);
    for of_image in embedded.chunks(count * width) {
        tokens.extend(weights.cls.data.iter().chain(of_image).zip(&positions).map(|(&a, &b)| a + b));
    }
    Ok(tokens)
}

/// The position table for this grid: the trained one, or resized bicubically where the grid is another.
pub(crate) fn positions<T: Real>(config: &VitConfig, weights: &Weights<T>, patches: Patches) -> Result<Vec<T>, Error> {
    let trained = config.patches();
    let table = &weights.positions.data;
    if patches == trained {
        return Ok(table.clone());
    }
    let (cls, grid) = table.split_at(config.hidden_size);
    let resized = bicubic::resize(grid, (trained.rows, trained.cols), (patches.rows, patches.cols), config.hidden_size)?;
    Ok([cls, &resized].concat())
}

fn embed<T: Real>(config: &VitConfig, patch: &Linear<T>, pixels: &Pixels<T>) -> Result<Vec<T>, Error> {
    let mut embedded = vec![T::ZERO; pixels.images * pixels.patches.count() * config.hidden_size];
    linear::forward(linear_shape(config, pixels), patch.parameters(), &cut(config, pixels)?, Onto::Fresh, &mut embedded)?;
    Ok(embedded)
}

fn cut<T: Real>(config: &VitConfig, pixels: &Pixels<T>) -> Result<Vec<T>, Error> {
    let mut patches = vec![T::ZERO; pixels.data.len()];
    patchify(pixels.patchify_shape(config), pixels.data, &mut patches)?;
    Ok(patches)
}

fn linear_shape<T>(config: &VitConfig, pixels: &Pixels<T>) -> linear::Shape {
    linear::Shape { images: pixels.images, rows: pixels.patches.count(), inputs: config.patch_len(), outputs: config.hidden_size }
}

/// Gradient at the pixels (B, 3, H, W) from the one at the tokens (B, N, D).
pub(crate) fn backward<T: Real>(config: &VitConfig, weights: &Weights<T>, pixels: &Pixels<T>, dtokens: &[T]) -> Result<Vec<T>, Error> {
    let mut dpatches = vec![T::ZERO; pixels.data.len()];
    let of_patches = without_cls(config, pixels, dtokens);
    linear::backward(linear_shape(config, pixels), weights.patch.parameters(), &of_patches, Onto::Fresh, &mut dpatches)?;
    let mut dpixels = vec![T::ZERO; pixels.data.len()];
    unpatchify(pixels.patchify_shape(config), &dpatches, &mut dpixels)?;
    Ok(dpixels)
}

/// Adds the gradients of class token, positions and patch embedding; the grid must be the trained one.
pub(crate) fn backward_weights<T: Real>(
    config: &VitConfig,
    pixels: &Pixels<T>,
    dtokens: &[T],
    gradient: &mut Weights<T>,
) -> Result<(), Error> {
    let (width, trained) = (config.hidden_size, config.patches());
    if pixels.patches != trained {
        return Err(Error::Shape {
            what: "pictures to train on".into(),
            expected: format!("the checkpoint's grid of {} × {} patches", trained.rows, trained.cols),
            found: format!("{} × {}", pixels.patches.rows, pixels.patches.cols),
        });
    }
    for of_image in dtokens.chunks(pixels.tokens() * width) {
        gradient.cls.data.iter_mut().zip(of_image).for_each(|(sum, &value)| *sum += value);
        gradient.positions.data.iter_mut().zip(of_image).for_each(|(sum, &value)| *sum += value);
    }
    let (of_patches, cut) = (without_cls(config, pixels, dtokens), cut(config, pixels)?);
    let Linear { weight, bias } = &mut gradient.patch;
    linear::backward_parameters(linear_shape(config, pixels), &cut, &of_patches, &mut weight.data, Some(&mut bias.data))?;
    Ok(())
}

fn without_cls<T: Real>(config: &VitConfig, pixels: &Pixels<T>, dtokens: &[T]) -> Vec<T> {
    dtokens.chunks(pixels.tokens() * config.hidden_size).flat_map(|of_image| &of_image[config.hidden_size..]).copied().collect()
}
