//! The head while it learns, all of it in f32: BatchNorm takes the batch's statistics, as in [`crate::vit::learning_head`].

use kernels::batch_norm;
use kernels::batch_norm::cuda::BatchNorm;
use kernels::cross_entropy::cuda::{self as cross_entropy, CrossEntropy};
use kernels::cuda::{Address, Fault, Storage, as_bytes};
use kernels::linear::cuda::Then;

use super::Learning;
use super::places::{Lying, OfHidden};
use crate::Error;
use crate::vit::cuda::failed;
use crate::vit::cuda::forward::Run;
use crate::vit::cuda::weights::Dense;
use crate::vit::head::Head;
use crate::vit::layers::Linear;

/// Its layers where they learn.
#[derive(Debug)]
pub(super) struct LearningHead {
    pub hidden: Vec<LearningHidden>,
    pub out: Dense,
    /// As the gradient has it.
    name: &'static str,
    pub classes: usize,
}

/// A linear layer and the norm behind it.
#[derive(Debug)]
pub(super) struct LearningHidden {
    pub dense: Dense,
    gain: Address,
    bias: Address,
}

impl LearningHead {
    /// Of a linear or a DNN-3-hidden head, whose tensors stand where `at` says.
    pub fn of(head: &Head<f32>, at: impl Fn(&str) -> Address) -> Self {
        let dense = |name: &str, layer: &Linear<f32>, outputs: usize| Dense {
            weight: at(&format!("{name}.weight")),
            bias: at(&format!("{name}.bias")),
            inputs: layer.inputs(),
            outputs,
        };
        let filled = |layer: &Linear<f32>| layer.outputs().next_multiple_of(Storage::F32.pack());
        let none = Dense { weight: Address::NONE, bias: Address::NONE, inputs: 0, outputs: 0 };
        match head {
            Head::Linear(out) => Self { hidden: Vec::new(), out: dense("head", out, filled(out)), name: "head", classes: head.classes() },
            Head::Dnn3 { hidden, out, .. } => {
                let layer = |(index, layer): (usize, &crate::vit::head::Hidden<f32>)| LearningHidden {
                    dense: dense(&format!("head.fc{}", index + 1), &layer.linear, layer.linear.outputs()),
                    gain: at(&format!("head.bn{}.weight", index + 1)),
                    bias: at(&format!("head.bn{}.bias", index + 1)),
                };
                let hidden = hidden.iter().enumerate().map(layer).collect();
                Self { hidden, out: dense("head.out", out, filled(out)), name: "head.out", classes: head.classes() }
            }
            Head::None | Head::Distilled { .. } => Self { hidden: Vec::new(), out: none, name: "", classes: 0 },
        }
    }
}

impl Learning {
    /// From the pooled features to logits; the batch's statistics are added to the gradient, as its share of `of` images.
    pub(super) fn head_forward(&self, run: &Run, lying: &Lying, of: usize) -> Result<(), Fault> {
        let images = run.sizes.extent.images;
        let mut x = lying.kept.pooled;
        for (index, (layer, places)) in self.head.hidden.iter().zip(&lying.head.hidden).enumerate() {
            run.forward(Storage::F32, x, layer.dense, images, Then::Wide(places.before))?;
            batch_norm::cuda::forward(run.queue, self.norm(index, places, images, images as f32 / of as f32))?;
            x = places.after;
        }
        run.forward(Storage::F32, x, self.head.out, images, Then::Wide(lying.head.logits))
    }

    /// The gradient at the logits, and each image's share of the loss.
    pub(super) fn loss(&self, lying: &Lying, labels: &[usize], class_weights: &[f32], of: usize) -> Result<(), Error> {
        let (queue, places) = (&*self.engine.queue, &lying.head);
        let labels: Vec<u8> = labels.iter().flat_map(|&label| (label as i32).to_le_bytes()).collect();
        queue.upload(places.labels, &labels).map_err(failed)?;
        if !class_weights.is_empty() {
            queue.upload(places.class_weights, as_bytes(class_weights)).map_err(failed)?;
        }
        let arguments = CrossEntropy {
            logits: places.logits,
            labels: places.labels,
            class_weights: if class_weights.is_empty() { Address::NONE } else { places.class_weights },
            losses: places.losses,
            gradient: places.dlogits,
            images: (labels.len() / 4) as i32,
            classes: self.head.classes as i32,
            stride: self.head.out.outputs as i32,
            share: 1.0 / of as f32,
        };
        cross_entropy::loss_and_gradient(queue, arguments).map_err(failed)
    }

    /// From the gradient at the logits to the one at the pooled features, with the gradients of the head's weights.
    pub(super) fn head_backward(&self, run: &Run, lying: &Lying) -> Result<(), Fault> {
        let (images, places) = (run.sizes.extent.images, &lying.head);
        let before = |depth: usize| depth.checked_sub(1).map(|before| &places.hidden[before]);
        let input = |depth: usize| before(depth).map_or(lying.kept.pooled, |before| before.after);
        let to = |depth: usize| Then::Wide(before(depth).map_or(places.dpooled, |before| before.dafter));
        let last = self.head.hidden.len();
        self.of_layer(run, Storage::F32, self.head.name, self.head.out, (places.dlogits, input(last)), (images, lying.back.partials))?;
        run.backward(Storage::F32, places.dlogits, self.head.out, images, to(last))?;
        for (depth, (layer, of_layer)) in self.head.hidden.iter().zip(&places.hidden).enumerate().rev() {
            batch_norm::cuda::backward(run.queue, self.norm(depth, of_layer, images, 0.0))?;
            let name = format!("head.fc{}", depth + 1);
            self.of_layer(run, Storage::F32, &name, layer.dense, (of_layer.dbefore, input(depth)), (images, lying.back.partials))?;
            run.backward(Storage::F32, of_layer.dbefore, layer.dense, images, to(depth))?;
        }
        Ok(())
    }

    fn norm(&self, index: usize, places: &OfHidden, images: usize, share: f32) -> BatchNorm {
        let LearningHidden { dense, gain, bias } = self.head.hidden[index];
        let gradient = |part: &str| self.gradient_of(&format!("head.bn{}.{part}", index + 1));
        BatchNorm {
            x: places.before,
            gain,
            bias,
            y: places.after,
            moments: places.moments,
            mean: gradient("running_mean"),
            variance: gradient("running_var"),
            dy: places.dafter,
            dx: places.dbefore,
            dgain: gradient("weight"),
            dbias: gradient("bias"),
            rows: images as i32,
            width: dense.outputs as i32,
            relu: 1,
            eps: batch_norm::EPS as f32,
            share,
        }
    }
}
