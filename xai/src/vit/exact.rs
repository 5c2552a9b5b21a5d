//! The same passes in `f64`, by the processor: the yardstick of every device.

use kernels::attention::HeadFusion;
use kernels::rollout::{Layer, Normalise, push_row};

use super::arena::Arena;
use super::backward::{self, Extra};
use super::embedding::Pixels;
use super::forward::{self, Keep};
use super::weights::Weights;
use super::{Vit, pooling};
use crate::{Batch, Error, Patches};

/// What a model makes of a batch, in `f64`.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact {
    /// (B, classes).
    pub logits: Vec<f64>,
    /// `∂logit/∂pixels`, (B, C, H, W).
    pub pixels: Vec<f64>,
    /// The relevance row of Chefer et al. (ICCV 2021) over all layers, (B, N).
    pub relevance: Vec<f64>,
    /// The row (B, N) that starts where the head reads, pushed through `½(I + A)` of every layer, `A` the mean over heads.
    pub pushed: Vec<f64>,
}

impl Vit {
    /// Passes with all numbers in `f64`, weights as they are; gradients are those of one class's logit. Takes twice a model's memory.
    ///
    /// ```
    /// use xai::{Batch, HeadKind, Probe, Vit, VitConfig};
    /// let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?;
    /// let batch = Batch::new(ndarray::Array4::from_elem((1, 3, 8, 12), 0.5))?;
    /// let (exact, trace) = (vit.exact(&batch, 1)?, vit.trace(&batch, Probe::Logits)?);
    /// assert!(exact.logits.iter().zip(trace.logits()).all(|(exact, &logit)| (exact - f64::from(logit)).abs() < 1e-6));
    /// assert!((exact.pushed.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    /// # Ok::<(), xai::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Vit::trace`]; [`Error::Unknown`] for a class beyond the head.
    pub fn exact(&self, batch: &Batch, class: usize) -> Result<Exact, Error> {
        let (config, classes) = (&self.model.config, self.model.weights.head.classes());
        if class >= classes {
            let known = (0..classes).map(|class| class.to_string()).collect();
            return Err(Error::Unknown { what: "class".into(), given: class.to_string(), known });
        }
        batch.expect_channels(config.num_channels)?;
        let (height, width) = batch.size();
        let data: Vec<f64> = batch.pixels().iter().map(|&value| value.into()).collect();
        let pixels = Pixels { data: &data, images: batch.len(), patches: Patches::cover(height, width, config.patch_size)? };
        let dlogits: Vec<f64> = (0..batch.len() * classes).map(|at| f64::from(u8::from(at % classes == class))).collect();
        let (weights, mut arena) = (self.wide(), Arena::default());
        let pass = forward::run(config, &weights, &pixels, Keep::Everything, &mut arena)?;
        let found = backward::run(config, &weights, &pixels, &pass, &dlogits, Extra::Nothing, &mut arena)?;
        let fused = forward::run(config, &weights, &pixels, Keep::Fused(HeadFusion::Mean), &mut arena)?.fused;
        let mut pushed = pooling::start_row(config, batch.len(), pass.extent.tokens);
        for map in fused.iter().rev() {
            push_row(Layer { residual: 0.5, normalise: Normalise::Rows }, map, &mut pushed, pass.extent.tokens)?;
        }
        let relevance = found.relevance.into_iter().next().unwrap_or_default();
        Ok(Exact { logits: pass.logits, pixels: found.pixels, relevance, pushed })
    }

    fn wide(&self) -> Weights<f64> {
        let mut wide = Weights::<f64>::zeros(&self.model.config, self.head());
        for ((_, mut to), (_, from)) in wide.named_mut().into_iter().zip(self.model.weights.named()) {
            to.fill(from.to_rows().into_iter().map(f64::from).collect());
        }
        wide
    }
}
