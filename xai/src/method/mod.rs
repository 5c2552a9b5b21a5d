//! Explanation methods: an enum with a settings struct each, and one function that runs them.
//!
//! | method | reads | class-specific | source |
//! |---|---|---|---|
//! | [`AttentionMap`] | one map's CLS row | no | raw attention |
//! | [`Rollout`] | fused maps of all layers | no | Abnar and Zuidema, ACL 2020 |
//! | [`GradientRollout`] | maps times their gradients, of all layers | yes | vit-explain, Gildenblat 2020 |
//! | [`Relevance`] | maps and their gradients | yes | Chefer, Gur and Wolf, ICCV 2021 |
//! | [`Gradient`] | gradient at the pixels | yes | Simonyan, Vedaldi and Zisserman, 2014 |
//! | [`InputXGradient`] | pixels times gradient | yes | Shrikumar et al., 2016 |
//! | [`SmoothGrad`] | gradients of noisy copies, a pass each | yes | Smilkov et al., 2017 |
//! | [`IntegratedGradients`] | gradients along a path, a pass each | yes | Sundararajan, Taly and Yan, ICML 2017 |
//!
//! All but the last two read one trace: a forward pass and, for a target, one backward pass that they share.

mod attention;
pub mod explicit;
mod gradient;
mod gradient_rollout;
mod integrated_gradients;
mod named;
#[cfg(all(test, unix))]
mod on_device;
#[cfg(all(test, unix))]
mod on_device_passes;
mod passes;
mod presets;
mod relevance;
mod rollout;
mod smooth_grad;
#[cfg(test)]
mod tests;

use std::fmt;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{Attribution, Error, Probe, Recipe, Support, Target, Trace};
pub use attention::{AttentionMap, HeadChoice, LayerChoice};
pub use gradient::{ChannelReduction, Gradient, InputXGradient};
pub use gradient_rollout::{GradientRollout, Pairing};
pub use integrated_gradients::{Baseline, GivenBaseline, IntegratedGradients, Quadrature};
pub use passes::Progress;
pub use relevance::Relevance;
pub use rollout::{Discard, Protect, Residual, Rollout};
pub use smooth_grad::{SmoothGrad, Statistic};

/// How to explain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The CLS row of one attention map.
    Attention(AttentionMap),
    /// Attention rollout.
    Rollout(Rollout),
    /// Rollout of attention weighted by its gradient.
    GradientRollout(GradientRollout),
    /// Chefer's generic relevance.
    Relevance(Relevance),
    /// The gradient at the pixels.
    Gradient(Gradient),
    /// Pixels times gradient.
    InputXGradient(InputXGradient),
    /// Statistics of the gradient over noisy copies.
    SmoothGrad(SmoothGrad),
    /// The gradient integrated from a baseline to the picture.
    IntegratedGradients(IntegratedGradients),
}

impl Method {
    /// The least probe that a trace needs for this method. Methods that make passes of their own read only the trace's logits.
    pub fn probe(&self) -> Probe {
        match self {
            Self::Attention(_) => Probe::Attention,
            Self::Rollout(rollout) => Probe::Fused(rollout.head_fusion),
            Self::GradientRollout(_) | Self::Relevance(_) | Self::Gradient(_) | Self::InputXGradient(_) => Probe::Gradients,
            Self::SmoothGrad(_) | Self::IntegratedGradients(_) => Probe::Logits,
        }
    }

    /// True where the map depends on the target; attention and rollout look the same for every class.
    pub fn is_class_specific(&self) -> bool {
        !matches!(self, Self::Attention(_) | Self::Rollout(_))
    }

    /// Passes of its own, forward and backward, that the method makes for one image at most; 0 where the trace is enough.
    ///
    /// ```
    /// use xai::{Method, Rollout, SmoothGrad};
    /// assert_eq!(Method::Rollout(Rollout::abnar_2020()).most_passes(), 0);
    /// assert_eq!(Method::SmoothGrad(SmoothGrad::smilkov_2017()).most_passes(), 50);
    /// ```
    pub fn most_passes(&self) -> usize {
        match self {
            Self::SmoothGrad(settings) => settings.samples,
            Self::IntegratedGradients(settings) => settings.most_passes(),
            _ => 0,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Attention(_) => "attention",
            Self::Rollout(_) => "rollout",
            Self::GradientRollout(_) => "gradient rollout",
            Self::Relevance(_) => "relevance",
            Self::Gradient(_) => "gradient",
            Self::InputXGradient(_) => "input x gradient",
            Self::SmoothGrad(SmoothGrad { statistic: Statistic::Mean, .. }) => "SmoothGrad",
            Self::SmoothGrad(SmoothGrad { statistic: Statistic::MeanSquare, .. }) => "SmoothGrad squared",
            Self::SmoothGrad(SmoothGrad { statistic: Statistic::Variance, .. }) => "VarGrad",
            Self::IntegratedGradients(_) => "integrated gradients",
        })
    }
}

/// Explains every image of a trace: one attribution an image, in the order of the batch.
///
/// # Errors
/// [`Error::NotKept`] where the trace kept too little, [`Error::NoHead`] where a class-specific method meets a model
/// without a head, [`Error::Unknown`] for a layer, head or class that does not exist, [`Error::Shape`] for settings that mean nothing.
pub fn explain(trace: &Trace, target: Target, method: &Method) -> Result<Vec<Attribution>, Error> {
    explain_watched(trace, target, method, &mut |_| {})
}

/// The same, telling `watch` after every batch of passes how far it is; methods that need no passes of their own tell nothing.
///
/// ```
/// use xai::{explain_watched, Batch, HeadKind, Method, Probe, SmoothGrad, Target, Vit, VitConfig};
/// let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?;
/// let trace = vit.trace(&Batch::new(ndarray::Array4::zeros((1, 3, 8, 12)))?, Probe::Logits)?;
/// let mut last = None;
/// explain_watched(&trace, Target::Class(0), &Method::SmoothGrad(SmoothGrad::smilkov_2017()), &mut |progress| last = Some(progress))?;
/// assert_eq!(last.map(|progress| (progress.passes, progress.most)), Some((50, 50)));
/// # Ok::<(), xai::Error>(())
/// ```
///
/// # Errors
/// As for [`explain`].
pub fn explain_watched(trace: &Trace, target: Target, method: &Method, watch: &mut dyn FnMut(Progress)) -> Result<Vec<Attribution>, Error> {
    let (mut gaps, mut variants_at_once) = (vec![None; trace.batch().len()], None);
    let maps = match method {
        Method::Attention(settings) => attention::maps(trace, settings)?,
        Method::Rollout(settings) => rollout::maps(trace, settings)?,
        Method::GradientRollout(settings) => gradient_rollout::maps(trace, target, settings)?,
        Method::Relevance(settings) => relevance::maps(trace, target, settings)?,
        Method::Gradient(settings) => gradient::maps(trace, target, settings)?,
        Method::InputXGradient(settings) => gradient::input_times(trace, target, settings)?,
        Method::SmoothGrad(settings) => {
            let (maps, at_once) = smooth_grad::maps(trace, target, settings, watch)?;
            variants_at_once = at_once;
            maps
        }
        Method::IntegratedGradients(settings) => {
            let (found, at_once) = integrated_gradients::maps(trace, target, settings, watch)?;
            let (maps, found): (Vec<_>, Vec<_>) = found.into_iter().unzip();
            (gaps, variants_at_once) = (found.into_iter().map(Some).collect(), at_once);
            maps
        }
    };
    let targets = if method.is_class_specific() { trace.resolve(target)?.into_iter().map(Some).collect() } else { vec![None; maps.len()] };
    let recipes = targets.into_iter().map(|target| Recipe { variants_at_once, ..recipe(trace, target, method) });
    let attribution = |((values, recipe), gap)| Attribution { values, support: support(method), recipe, completeness_gap: gap };
    Ok(maps.into_iter().zip(recipes).zip(gaps).map(attribution).collect())
}

/// What a method's values stand on.
fn support(method: &Method) -> Support {
    match method {
        Method::Attention(_) | Method::Rollout(_) | Method::GradientRollout(_) | Method::Relevance(_) => Support::Grid,
        Method::Gradient(_) | Method::InputXGradient(_) | Method::SmoothGrad(_) | Method::IntegratedGradients(_) => Support::Pixels,
    }
}

fn recipe(trace: &Trace, target: Option<Target>, method: &Method) -> Recipe {
    Recipe {
        method: method.clone(),
        target,
        model_sha256: trace.vit().source().sha256.clone(),
        patches: trace.patches(),
        device: trace.vit().device().to_string(),
        kernel_set: format!("pellucid {} {}", env!("CARGO_PKG_VERSION"), trace.vit().kernel_set()),
        batch: trace.batch().len(),
        variants_at_once: None,
    }
}

/// The patches of rows over tokens (B, N), as grids: the tokens before the patches are left out.
fn grids(trace: &Trace, rows: &[f32]) -> Vec<Array2<f32>> {
    let patches = trace.patches();
    let first = trace.vit().config().special_tokens.count();
    let grid = |row: &[f32]| Array2::from_shape_fn((patches.rows, patches.cols), |(r, c)| row[first + patches.index(r, c)]);
    rows.chunks(trace.token_count()).map(grid).collect()
}
