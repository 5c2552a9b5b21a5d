//! The explicit path: full N×N products over all layers from stored maps of all heads, and samples all stored.
//! Slow, and the oracle of the row identities and of running sums.

use kernels::rollout::{layer_matrix, multiply};
use ndarray::{Array3, Array4, ArrayView4, Axis};

use super::rollout::prepared;
use super::{Discard, GradientRollout, Relevance, Rollout, SmoothGrad, Statistic, gradient_rollout as weighted};
use crate::{Batch, Error, Probe, Target, Trace};

/// `R = Ã_L ⋯ Ã_1` for each image, (B, N, N); rollout shows its rows weighted by [`Trace::start_row`]:
/// row 0 for a head that reads the class token. Computed where the trace is, unless small attention is discarded.
///
/// # Errors
/// As for [`super::explain`] with rollout.
pub fn rollout(trace: &Trace, settings: &Rollout) -> Result<Array3<f32>, Error> {
    let tokens = trace.token_count();
    settings.validate(trace.layers())?;
    // Discarding needs an order over a whole map, which is made here.
    if settings.discard == Discard::Nothing
        && let Some(product) = trace.product(settings.head_fusion, settings.layer(), settings.start_layer)?
    {
        return Ok(per_image(trace, &product));
    }
    let mut product = identity(trace.batch().len(), tokens);
    for layer in settings.start_layer..trace.layers() {
        let mut matrix = prepared(trace, settings, layer)?;
        layer_matrix(settings.layer(), &mut matrix, tokens)?;
        multiply(&matrix, &mut product, tokens)?;
    }
    Ok(per_image(trace, &product))
}

/// The same product of gradient rollout's matrices, (B, N, N).
///
/// # Errors
/// As for [`super::explain`] with gradient rollout.
pub fn gradient_rollout(trace: &Trace, target: Target, settings: &GradientRollout) -> Result<Array3<f32>, Error> {
    let tokens = trace.token_count();
    settings.validate(trace.layers())?;
    let mut product = identity(trace.batch().len(), tokens);
    for mut matrix in weighted::prepared(trace, target, settings)?.into_iter().skip(settings.start_layer) {
        layer_matrix(settings.layer(), &mut matrix, tokens)?;
        multiply(&matrix, &mut product, tokens)?;
    }
    Ok(per_image(trace, &product))
}

/// `R ← R + E_h[(∇A ∘ A)⁺]·R` over all layers for each image, (B, N, N); relevance shows its rows weighted
/// by [`Trace::start_row`]: row 0 for a head that reads the class token.
///
/// # Errors
/// As for [`super::explain`] with relevance.
pub fn relevance(trace: &Trace, target: Target, settings: &Relevance) -> Result<Array3<f32>, Error> {
    let tokens = trace.token_count();
    settings.validate(trace.layers())?;
    let gradients = trace.attention_gradients(target)?;
    let mut product = identity(trace.batch().len(), tokens);
    for (layer, gradient) in gradients.iter().enumerate().skip(settings.start_layer) {
        let positive = (&trace.attention(layer)? * gradient).mapv(|value| value.max(0.0));
        let mean: Vec<f32> = positive.mean_axis(Axis(1)).iter().flatten().copied().collect(); // (B, N, N)
        let before = product.clone();
        multiply(&mean, &mut product, tokens)?;
        product.iter_mut().zip(before).for_each(|(value, before)| *value += before);
    }
    Ok(per_image(trace, &product))
}

/// The statistic of `SmoothGrad` over given standard normal deviates (n, C, H, W), for each image and channel, (B, C, H, W).
///
/// The definition: every gradient is stored, then told of. The number of deviates counts, not `settings.samples`.
///
/// # Errors
/// As for [`super::explain`] with `SmoothGrad`.
pub fn smooth_grad(trace: &Trace, target: Target, settings: &SmoothGrad, deviates: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    let (pictures, targets, count) = (trace.batch().pixels(), trace.resolve(target)?, deviates.len_of(Axis(0)) as f64);
    let mut found = Array4::zeros(pictures.dim());
    for ((picture, target), mut found) in pictures.outer_iter().zip(targets).zip(found.outer_iter_mut()) {
        let noisy = &deviates * settings.deviation(picture) + picture; // (n, C, H, W)
        let of_noisy = trace.vit().trace(&Batch::new(noisy)?, Probe::Gradients)?;
        let gradients = of_noisy.gradients(target)?.pixels().mapv(f64::from); // (n, C, H, W)
        let mean = gradients.sum_axis(Axis(0)) / count;
        let square = |values: Array4<f64>| values.mapv(|value| value * value).sum_axis(Axis(0)) / count;
        let told = match settings.statistic {
            Statistic::Mean => mean,
            Statistic::MeanSquare => square(gradients),
            Statistic::Variance => square(gradients - mean),
        };
        found.assign(&told.mapv(|value| value as f32));
    }
    Ok(found)
}

/// (B, N, N).
fn per_image(trace: &Trace, product: &[f32]) -> Array3<f32> {
    let tokens = trace.token_count();
    Array3::from_shape_fn((trace.batch().len(), tokens, tokens), |(b, i, j)| product[(b * tokens + i) * tokens + j])
}

fn identity(images: usize, tokens: usize) -> Vec<f32> {
    (0..images * tokens * tokens).map(|at| if at / tokens % tokens == at % tokens { 1.0 } else { 0.0 }).collect()
}
