//! Gradient rollout, the heuristic of Gildenblat's vit-explain (2020): rollout of attention weighted by its gradient.
//!
//! `F_l = (E_h[A_l ∘ ∇A_l])⁺`, then as rollout does: small entries discarded, `Ã_l = N(w·I + (1 − w)·F_l)`,
//! `R = Ã_L ⋯ Ã_1`, read at the class token. The positive part is taken *after* the mean over heads: a head that speaks
//! against a class takes from those that speak for it, unlike in Chefer's relevance.
//!
//! Discarding needs an order over the whole N × N map of a layer, so that map is made, fused over heads, one layer at a time;
//! the product is pushed as one row. [`super::explicit::gradient_rollout`] is the full product.

use kernels::rollout::{Layer, Normalise, push_row};
use ndarray::{Array2, Array3, Array4, Axis};
use serde::{Deserialize, Serialize};

use super::grids;
use super::rollout::{Discard, Protect, Residual, discard, expect_sane};
use crate::{Error, Target, Trace};

/// Which gradient weights a layer's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// The layer's own.
    SameLayer,
    /// That of layer `L + 1 − l`: gradients arrive from the last layer to the first, and vit-explain does not turn them round.
    Reversed,
}

/// Settings of gradient rollout; the presets carry the name of their source.
///
/// ```
/// use xai::{explain, Batch, GradientRollout, HeadKind, Method, Target, Vit, VitConfig};
/// let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?;
/// let batch = Batch::new(ndarray::Array4::from_shape_fn((1, 3, 8, 12), |(_, _, y, x)| (y * x) as f32 / 90.0))?;
/// let method = Method::GradientRollout(GradientRollout::vit_explain_fixed());
/// let map = explain(&vit.trace(&batch, method.probe())?, Target::Class(1), &method)?.remove(0).values;
/// // A row of a product of stochastic matrices: never negative, and with the class token's own share it sums to one.
/// assert!(map.iter().all(|value| *value >= 0.0) && map.sum() <= 1.0);
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GradientRollout {
    /// Which gradient weights a layer's attention.
    pub pairing: Pairing,
    /// The share of the identity.
    pub residual: Residual,
    /// What small entries become.
    pub discard: Discard,
    /// What is divided by row sums.
    #[serde(with = "super::rollout::normalise")]
    pub normalise: Normalise,
    /// The first layer that enters the product; those below are left out.
    pub start_layer: usize,
}

impl GradientRollout {
    /// vit-explain's settings (90 % discarded, half identity) computed as they are meant: each layer meets its own gradient,
    /// rows are normalised, attention to the class token is kept.
    pub fn vit_explain_fixed() -> Self {
        Self {
            pairing: Pairing::SameLayer,
            residual: Residual { weight: 0.5 },
            discard: Discard::Lowest { ratio: 0.9, protect: Protect::ClsColumn },
            normalise: Normalise::Rows,
            start_layer: 0,
        }
    }

    /// vit-explain as it computes: layers meet each other's gradients, columns are divided by row sums, nothing is protected.
    /// For comparison with published maps only.
    pub fn vit_explain_compat() -> Self {
        Self {
            pairing: Pairing::Reversed,
            discard: Discard::Lowest { ratio: 0.9, protect: Protect::Nothing },
            normalise: Normalise::ColumnsByRowSums,
            ..Self::vit_explain_fixed()
        }
    }

    /// How one layer enters the product.
    pub(super) fn layer(&self) -> Layer {
        Layer { residual: f64::from(self.residual.weight), normalise: self.normalise }
    }

    pub(super) fn validate(&self, layers: usize) -> Result<(), Error> {
        expect_sane("gradient rollout", self.residual, self.discard, self.start_layer, layers)
    }
}

pub(super) fn maps(trace: &Trace, target: Target, settings: &GradientRollout) -> Result<Vec<Array2<f32>>, Error> {
    let tokens = trace.token_count();
    settings.validate(trace.layers())?;
    let mut row = trace.start_row().into_raw_vec_and_offset().0;
    for map in prepared(trace, target, settings)?.iter().skip(settings.start_layer).rev() {
        push_row(settings.layer(), map, &mut row, tokens)?;
    }
    Ok(grids(trace, &row))
}

/// The fused map (B, N, N) of every layer after its positive part was taken and small entries were discarded.
pub(super) fn prepared(trace: &Trace, target: Target, settings: &GradientRollout) -> Result<Vec<Vec<f32>>, Error> {
    let tokens = trace.token_count();
    let weighted = match settings.pairing {
        Pairing::SameLayer => trace.weighted_attention(target)?,
        Pairing::Reversed => reversed(trace, target)?,
    };
    let prepare = |map: Array3<f32>| {
        let mut map: Vec<f32> = map.iter().map(|value| value.max(0.0)).collect();
        if let Discard::Lowest { ratio, protect } = settings.discard {
            let protect = protect.in_model(trace);
            map.chunks_mut(tokens * tokens).for_each(|map| discard(map, tokens, ratio, protect));
        }
        map
    };
    Ok(weighted.into_iter().map(prepare).collect())
}

/// The defect: `E_h[A_l ∘ ∇A_(L+1−l)]`. It needs the maps of two layers at once, so it takes the explicit path.
fn reversed(trace: &Trace, target: Target) -> Result<Vec<Array3<f32>>, Error> {
    let gradients = trace.attention_gradients(target)?;
    let fused = |(layer, gradient): (usize, &Array4<f32>)| {
        let product = gradient * &trace.attention(layer)?; // (B, H, N, N)
        Ok(product.sum_axis(Axis(1)) / product.len_of(Axis(1)) as f32)
    };
    gradients.iter().rev().enumerate().map(fused).collect()
}
