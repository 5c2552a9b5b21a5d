//! Pixels to tokens: patches through their embedding, the other tokens in front, positions added to those that have one.

use kernels::{Real, Workspace, bicubic, bicubic_antialiased};

use super::choices::PositionResize;
use super::config::VitConfig;
use super::patch_embedding;
use super::weights::Weights;
use crate::{Error, Patches};

/// Pixels (B, C, H, W) that the engine reads.
#[derive(Clone, Copy)]
pub(crate) struct Pixels<'a, T> {
    pub data: &'a [T],
    pub images: usize,
    pub patches: Patches,
}

/// Token rows (B, N, D).
pub(crate) fn forward<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    pixels: &Pixels<T>,
    workspace: &mut Workspace<T>,
) -> Result<Vec<T>, Error> {
    let (width, count) = (config.hidden_size, pixels.patches.count());
    let positions = positions(config, weights, pixels.patches)?; // (positioned, D)
    let embedded = patch_embedding::forward(config, weights, pixels, workspace)?; // (B·P, D)
    let (of_special, of_patches) = positions.split_at(config.positioned() * width);
    let mut special = weights.special_tokens(); // (S, D)
    special.iter_mut().zip(of_special).for_each(|(token, &position)| *token += position);
    let mut tokens = Vec::with_capacity(pixels.images * (special.len() + count * width));
    for of_image in embedded.chunks(count * width) {
        tokens.extend_from_slice(&special);
        tokens.extend(of_image.iter().zip(of_patches).map(|(&a, &b)| a + b));
    }
    Ok(tokens)
}

/// The position table for this grid: the trained one, or resized bicubically where the grid is another; (positioned tokens, D).
pub(crate) fn positions<T: Real>(config: &VitConfig, weights: &Weights<T>, patches: Patches) -> Result<Vec<T>, Error> {
    let trained = config.patches();
    let table = &weights.positions.data;
    if patches == trained {
        return Ok(table.clone());
    }
    let (special, grid) = table.split_at(config.positioned() * config.hidden_size);
    let (from, to) = ((trained.rows, trained.cols), (patches.rows, patches.cols));
    let resized = match config.position_resize {
        PositionResize::Bicubic => bicubic::resize(grid, from, to, config.hidden_size)?,
        PositionResize::Antialiased => bicubic_antialiased::resize(grid, from, to, config.hidden_size)?,
    };
    Ok([special, &resized].concat())
}

/// Gradient at the pixels (B, C, H, W) from the one at the tokens (B, N, D); adds weight gradients where asked.
///
/// Weight gradients need the trained grid.
pub(crate) fn backward<T: Real>(
    config: &VitConfig,
    weights: &Weights<T>,
    pixels: &Pixels<T>,
    dtokens: &[T],
    mut gradient: Option<&mut Weights<T>>,
    workspace: &mut Workspace<T>,
) -> Result<Vec<T>, Error> {
    if let Some(gradient) = gradient.as_deref_mut() {
        token_weights(config, pixels, dtokens, gradient)?;
    }
    let (width, special) = (config.hidden_size, config.special_tokens.count());
    let of_image = (special + pixels.patches.count()) * width;
    let of_patches = dtokens.chunks(of_image).flat_map(|of_image| &of_image[special * width..]).copied().collect();
    patch_embedding::backward(config, weights, pixels, of_patches, gradient, workspace)
}

/// Adds the gradients of positions and of the tokens before the patches.
fn token_weights<T: Real>(config: &VitConfig, pixels: &Pixels<T>, dtokens: &[T], gradient: &mut Weights<T>) -> Result<(), Error> {
    let (width, special) = (config.hidden_size, config.special_tokens.count());
    expect_trained_grid(config, pixels.patches)?;
    for of_image in dtokens.chunks(config.tokens() * width) {
        let (of_special, of_patches) = of_image.split_at(special * width);
        let tokens = [&mut gradient.cls, &mut gradient.distillation, &mut gradient.registers];
        let learnt = tokens.into_iter().flatten().flat_map(|token| &mut token.data);
        learnt.zip(of_special).for_each(|(sum, &value)| *sum += value);
        let positioned = of_special[..config.positioned() * width].iter().chain(of_patches);
        gradient.positions.data.iter_mut().zip(positioned).for_each(|(sum, &value)| *sum += value);
    }
    Ok(())
}

/// Refuses pictures whose grid is not the one that positions are learnt for.
pub(crate) fn expect_trained_grid(config: &VitConfig, patches: Patches) -> Result<(), Error> {
    let trained = config.patches();
    if patches == trained {
        return Ok(());
    }
    Err(Error::Shape {
        what: "pictures to train on".into(),
        expected: format!("the checkpoint's grid of {} × {} patches", trained.rows, trained.cols),
        found: format!("{} × {}", patches.rows, patches.cols),
    })
}
