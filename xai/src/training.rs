//! The smallest honest training loop's inner part: one optimiser step over the engine's weight gradients.

use std::sync::Arc;

use kernels::adamw::{self, Moments};
use kernels::cross_entropy;

use crate::vit::Model;
use crate::vit::backward::{self, Extra};
use crate::vit::embedding::Pixels;
use crate::vit::forward::{self, Keep};
use crate::vit::weights::Weights;
use crate::{Batch, Device, Error, Patches, Precision, Vit};

pub use kernels::adamw::Settings as AdamW;

/// Which tensors weight decay pulls towards zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// All of them, as a bare PyTorch optimiser does.
    Everything,
    /// Weight matrices only: not biases, norms, tokens and positions.
    Matrices,
}

/// Settings of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The optimiser.
    pub adamw: AdamW,
    /// What decays.
    pub decay: Decay,
    /// Gradients whose Euclidean length over all weights exceeds this are shortened to it.
    pub clip: Option<f64>,
}

/// A model while it learns: its weights and the optimiser's moments.
///
/// ```
/// use xai::training::{AdamW, Decay, Step, Training};
/// use xai::{Batch, HeadKind, Vit, VitConfig};
/// let mut training = Training::of(Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?);
/// let batch = Batch::new(ndarray::Array4::from_shape_fn((2, 3, 8, 12), |(b, _, y, _)| if b == 0 { 1.0 } else { y as f32 / 8.0 }))?;
/// let step = Step { adamw: AdamW { rate: 3e-3, ..AdamW::default() }, decay: Decay::Matrices, clip: Some(1.0) };
/// let first = training.step(&batch, &[0, 1], &[], step)?;
/// let last = (0..60).map(|_| training.step(&batch, &[0, 1], &[], step)).last().expect("sixty steps")?;
/// assert!(last < 0.5 * first, "the loss falls: {first} to {last}");
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug)]
pub struct Training {
    vit: Vit,
    moments: Vec<Moments<f32>>,
    steps: u32,
}

impl Training {
    /// Starts from a model's weights; training computes on the CPU, wherever the model was.
    pub fn of(vit: Vit) -> Self {
        let model = Arc::unwrap_or_clone(vit.model);
        let vit = Vit { model: Arc::new(Model { device: Device::Cpu, engine: None, ..model }) };
        let moments = vit.model.weights.named().iter().map(|(_, tensor)| Moments::zero(tensor.values().len())).collect();
        Self { vit, moments, steps: 0 }
    }

    /// The model as it stands.
    pub fn vit(&self) -> &Vit {
        &self.vit
    }

    /// Moves the weights against the gradient of the cross-entropy of `batch` (B, C, H, W) with `labels` (B);
    /// `class_weights` (classes) scale each image's term, empty for none. Returns the loss before the step.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is a label for each image and pictures have the model's channels, [`Error::Untrainable`] for a head other than linear,
    /// [`Error::Kernel`] for labels beyond the classes, [`Error::NotFinite`] where the gradient is no longer finite; the weights are then left as they were.
    pub fn step(&mut self, batch: &Batch, labels: &[usize], class_weights: &[f32], step: Step) -> Result<f64, Error> {
        let (loss, mut gradient) = loss_and_gradient(&self.vit, batch, labels, class_weights)?;
        let length = gradient
            .named()
            .iter()
            .map(|(_, tensor)| tensor.values().iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>())
            .sum::<f64>()
            .sqrt();
        if !length.is_finite() {
            return Err(Error::NotFinite { what: "the gradient of the loss".into(), index: 0 });
        }
        let shorten = step.clip.map_or(1.0, |clip| f64::min(1.0, clip / length.max(f64::MIN_POSITIVE))) as f32;
        self.steps += 1;
        let model = Arc::make_mut(&mut self.vit.model);
        let tensors = model.weights.named_mut().into_iter().zip(gradient.named_mut()).zip(&mut self.moments);
        for (((name, mut weight), (_, mut gradient)), moments) in tensors {
            gradient.values().iter_mut().for_each(|g| *g *= shorten);
            let decays = step.decay == Decay::Everything || (weight.as_ref().shape().len() == 2 && name.ends_with(".weight"));
            let adamw = AdamW { decay: if decays { step.adamw.decay } else { 0.0 }, ..step.adamw };
            adamw::update(adamw, self.steps, gradient.values(), moments, weight.values())?;
        }
        Ok(loss)
    }
}

fn loss_and_gradient(vit: &Vit, batch: &Batch, labels: &[usize], class_weights: &[f32]) -> Result<(f64, Weights<f32>), Error> {
    let model = &vit.model;
    if labels.len() != batch.len() {
        return Err(Error::Shape {
            what: "labels".into(),
            expected: format!("one for each of {} images", batch.len()),
            found: labels.len().to_string(),
        });
    }
    if vit.precision() != Precision::F32 {
        return Err(Error::Untrainable { head: "rounded weights" });
    }
    batch.expect_channels(model.config.num_channels)?;
    let (height, width) = batch.size();
    let patches = Patches::cover(height, width, model.config.patch_size)?;
    let data = batch.pixels();
    let pixels = Pixels { data: data.as_slice().unwrap_or(&[]), images: batch.len(), patches };
    let mut arena = model.arenas.lend();
    let pass = forward::run(&model.config, &model.weights, &pixels, Keep::Everything, &mut arena)?;
    let (loss, dlogits) = cross_entropy::loss_and_gradient(&pass.logits, labels, class_weights)?;
    let found = backward::run(&model.config, &model.weights, &pixels, &pass, &dlogits, Extra::Weights, &mut arena)?;
    let untrainable = Error::Untrainable { head: "no weight gradients" };
    Ok((loss, found.weights.ok_or(untrainable)?))
}
