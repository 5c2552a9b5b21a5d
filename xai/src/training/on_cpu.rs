//! Learning on the CPU.

use std::sync::Arc;

use kernels::adamw::{self, Moments};
use kernels::{batch_norm, cross_entropy};

use super::{Added, Exchange, Learner, Learnt, Lesson, Range, Step, Values, groups, ranges};
use crate::vit::Model;
use crate::vit::backward::{self, Extra};
use crate::vit::embedding::Pixels;
use crate::vit::forward::{self, Keep};
use crate::vit::learning_head;
use crate::vit::weights::Weights;
use crate::{Device, Error, Patches, Precision, Vit};

/// A model, its gradient and its moments in this machine's memory.
#[derive(Debug)]
pub(super) struct OnCpu {
    vit: Vit,
    ranges: Vec<Range>,
    gradient: Vec<f32>,
    /// One for each range.
    moments: Vec<Moments<f32>>,
}

impl OnCpu {
    pub fn new(vit: Vit) -> Self {
        let model = Arc::unwrap_or_clone(vit.model);
        let vit = Vit { model: Arc::new(Model { device: Device::Cpu, engine: None, ..model }) };
        let tensors = vit.model.weights.named();
        let is_matrix = |name: &str, shape: &[usize]| shape.len() == 2 && name.ends_with(".weight");
        let tensor = |(name, tensor): &(String, crate::vit::layers::Parameter<f32>)| {
            (name.clone(), is_matrix(name, &tensor.shape()), tensor.values().len())
        };
        let ranges = ranges(&tensors.iter().map(tensor).collect::<Vec<_>>(), 1);
        let moments = ranges.iter().map(|range| Moments::zero(range.len)).collect();
        let gradient = vec![0.0; ranges.last().map_or(0, |range| range.start + range.len)];
        Self { vit, ranges, gradient, moments }
    }
}

impl Learner for OnCpu {
    fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    fn clear(&mut self) -> Result<(), Error> {
        self.gradient.fill(0.0);
        Ok(())
    }

    fn add(&mut self, lesson: Lesson, class_weights: &[f32], of: usize, exchange: Option<&mut dyn Exchange>) -> Result<Added, Error> {
        let (loss, gradient) = loss_and_gradient(&self.vit, lesson, class_weights, of)?;
        let share = lesson.batch.len() as f32 / of as f32;
        for (range, (_, tensor)) in self.ranges.iter().zip(gradient.named().iter().rev()) {
            let factor = if range.learnt == Learnt::Statistic { share } else { 1.0 };
            let to = &mut self.gradient[range.start..range.start + range.len];
            to.iter_mut().zip(tensor.values()).for_each(|(sum, &value)| *sum += factor * value);
        }
        let added = Added { loss, passes: 1 };
        let Some(exchange) = exchange else { return Ok(added) };
        for group in groups(&self.ranges) {
            let ranges = &self.ranges[group];
            let (first, last) = (&ranges[0], &ranges[ranges.len() - 1]);
            exchange.finished(ranges, Values::Host(&mut self.gradient[first.start..last.start + last.len]))?;
        }
        Ok(added)
    }

    fn length(&mut self) -> Result<f64, Error> {
        let learnt = self.ranges.iter().filter(|range| range.learnt != Learnt::Statistic);
        let values = learnt.flat_map(|range| &self.gradient[range.start..range.start + range.len]);
        Ok(values.map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt())
    }

    fn update(&mut self, step: Step, count: u32, shorten: f64) -> Result<(), Error> {
        let model = Arc::make_mut(&mut self.vit.model);
        let tensors = model.weights.named_mut().into_iter().rev().zip(&self.ranges).zip(&mut self.moments);
        for (((_, mut weight), range), moments) in tensors {
            let gradient = &mut self.gradient[range.start..range.start + range.len];
            if range.learnt == Learnt::Statistic {
                batch_norm::follow(weight.values(), gradient)?;
                continue;
            }
            gradient.iter_mut().for_each(|g| *g *= shorten as f32);
            adamw::update(step.of(range), count, gradient, moments, weight.values())?;
        }
        model.weights.head.refold();
        Ok(())
    }

    fn vit(&self) -> Result<Vit, Error> {
        Ok(self.vit.clone())
    }
}

fn loss_and_gradient(vit: &Vit, lesson: Lesson, class_weights: &[f32], of: usize) -> Result<(f64, Weights<f32>), Error> {
    let (model, Lesson { batch, labels }) = (&vit.model, lesson);
    lesson.expect_labels()?;
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
    let logits = learning_head::logits(&model.weights.head, &pass.pooled, &mut arena.workspace)?;
    let (loss, dlogits) = cross_entropy::share_of_loss_and_gradient(&logits, labels, class_weights, of)?;
    let found = backward::run(&model.config, &model.weights, &pixels, &pass, &dlogits, Extra::Weights, &mut arena)?;
    let untrainable = Error::Untrainable { head: "no weight gradients" };
    Ok((loss, found.weights.ok_or(untrainable)?))
}
