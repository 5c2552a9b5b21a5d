//! The explicit path: full N×N products over all layers, from stored maps of all heads. Slow, and the oracle of the row identities.

use kernels::rollout::{layer_matrix, multiply};
use ndarray::Array3;

use super::rollout::prepared;
use super::{Relevance, Rollout};
use crate::{Error, Target, Trace};

/// `R = Ã_L ⋯ Ã_1` for each image, (B, N, N); rollout shows its rows weighted by [`Trace::start_row`]:
/// row 0 for a head that reads the class token.
///
/// # Errors
/// As for [`super::explain`] with rollout.
pub fn rollout(trace: &Trace, settings: &Rollout) -> Result<Array3<f32>, Error> {
    let tokens = trace.token_count();
    settings.validate(trace.layers())?;
    let mut product = identity(trace.batch().len(), tokens);
    for layer in settings.start_layer..trace.layers() {
        let mut matrix = prepared(trace, settings, layer)?;
        layer_matrix(settings.layer(), &mut matrix, tokens)?;
        multiply(&matrix, &mut product, tokens)?;
    }
    Ok(Array3::from_shape_fn((trace.batch().len(), tokens, tokens), |(b, i, j)| product[(b * tokens + i) * tokens + j]))
}

/// `R ← R + E_h[(∇A ∘ A)⁺]·R` over all layers for each image, (B, N, N); relevance shows its rows weighted
/// by [`Trace::start_row`]: row 0 for a head that reads the class token.
///
/// # Errors
/// As for [`super::explain`] with relevance.
pub fn relevance(trace: &Trace, target: Target, settings: &Relevance) -> Result<Array3<f32>, Error> {
    let tokens = trace.token_count();
    let images = trace.batch().len();
    settings.validate(trace.layers())?;
    let gradients = trace.attention_gradients(target)?;
    let mut product = identity(images, tokens);
    for (layer, gradient) in gradients.iter().enumerate().skip(settings.start_layer) {
        let positive = (&trace.attention(layer)? * gradient).mapv(|value| value.max(0.0));
        let mean: Vec<f32> = positive.mean_axis(ndarray::Axis(1)).iter().flatten().copied().collect(); // (B, N, N)
        let before = product.clone();
        multiply(&mean, &mut product, tokens)?;
        product.iter_mut().zip(before).for_each(|(value, before)| *value += before);
    }
    Ok(Array3::from_shape_fn((images, tokens, tokens), |(b, i, j)| product[(b * tokens + i) * tokens + j]))
}

fn identity(images: usize, tokens: usize) -> Vec<f32> {
    (0..images * tokens * tokens).map(|at| if at / tokens % tokens == at % tokens { 1.0 } else { 0.0 }).collect()
}
