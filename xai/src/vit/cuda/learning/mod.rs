//! Learning on a device: the engine's passes with everything kept, and the way back with the gradient of every weight.
//!
//! Weights learn as f32. Where products read bf16 or f16, those are copies that the optimiser writes along; biases, norms and the head
//! are f32 in the engine and learn where they lie. The gradient is one region ([`crate::training::Range`]); its sums have one order, so
//! the same steps give the same bits. Launches are not recorded: another process may be told of a finished piece between any two.
//!
//! Read `tensors` (where weights lie), `places` (where a step keeps its numbers), `head`, `backward`, `embedding`, `lesson`, `step`.

mod backward;
mod embedding;
mod head;
mod lesson;
mod places;
mod step;
mod tensors;

use std::collections::HashMap;
use std::sync::Arc;

use kernels::cuda::driver::Driver;
use kernels::cuda::{Address, Fault, Queue, Region, Storage};
use kernels::{batch_norm, cross_entropy};

use super::input::Pictures;
use super::{Engine, Grid, failed};
use crate::training::{Added, Exchange, Learner, Lesson, Range, Step, ranges};
use crate::vit::Model;
use crate::vit::arena::Arenas;
use crate::vit::embedding::expect_trained_grid;
use crate::vit::head::HeadKind;
use crate::{Device, Error, Patches, Precision, Vit};
use head::LearningHead;
use tensors::Tensor;

/// A model that learns on a device.
#[derive(Debug)]
pub(crate) struct Learning {
    engine: Engine,
    /// What the weights were when learning began; running statistics as they are now.
    model: Model,
    ordinal: usize,
    /// As many as ranges, in their order.
    tensors: Vec<Tensor>,
    ranges: Vec<Range>,
    /// Indices of both by name.
    named: HashMap<String, usize>,
    head: LearningHead,
    gradient: Region,
    moments: [Region; 2],
    /// What tokens get added, made of tokens and positions after each step.
    grid: Grid,
    /// f64 sums of squares.
    squares: Region,
    _masters: Region,
}

/// Brings a model onto the device of this ordinal, to learn there; bf16 is f16 on devices that lack it.
pub(crate) fn open(vit: Vit, ordinal: usize, precision: Precision) -> Result<Learning, Error> {
    let driver = Driver::open(ordinal).map_err(|fault| kernels::Error::Cuda { ordinal, fault })?;
    let storage = match precision {
        Precision::F32 => Storage::F32,
        Precision::Bf16 if driver.capability() < 80 => Storage::F16,
        Precision::Bf16 => Storage::Bf16,
    };
    Learning::on(vit, Arc::new(driver), ordinal, storage)
}

impl Learning {
    /// Brings a model onto a device, to learn there.
    pub fn on(vit: Vit, queue: Arc<dyn Queue>, ordinal: usize, storage: Storage) -> Result<Self, Error> {
        expect_trainable(&vit)?;
        let model = Model { device: Device::Cpu, engine: None, ..Arc::unwrap_or_clone(vit.model) };
        let engine = Engine::on(queue, storage, &model.config, &model.weights)?;
        let (tensors, masters) = tensors::lay(&engine, &model)?;
        let listed: Vec<_> = tensors.iter().rev().map(|tensor| (tensor.name.clone(), tensor.is_matrix, tensor.len())).collect();
        let ranges = ranges(&listed, tensors::ALIGNMENT);
        let named: HashMap<_, _> = ranges.iter().enumerate().map(|(index, range)| (range.name.clone(), index)).collect();
        let bytes = 4 * ranges.last().map_or(0, |range| range.start + range.len).next_multiple_of(tensors::ALIGNMENT);
        let zero = || {
            let region = engine.arena.take(bytes)?;
            engine.queue.clear(region.at(), bytes)?;
            Ok(region)
        };
        let [gradient, first, second] = [zero().map_err(failed)?, zero().map_err(failed)?, zero().map_err(failed)?];
        let grid = step::grid(&engine, &model.config).map_err(failed)?;
        let squares = engine.arena.take(8 * step::most_squares(&engine, &ranges)).map_err(failed)?;
        let head = LearningHead::of(&model.weights.head, |name| tensors[named[name]].master);
        let moments = [first, second];
        let learning = Self { engine, model, ordinal, tensors, ranges, named, head, gradient, moments, grid, squares, _masters: masters };
        learning.refresh_tokens().map_err(failed)?;
        Ok(learning)
    }

    /// Where the gradient of a tensor is; none where the model has no such tensor.
    fn gradient_of(&self, name: &str) -> Address {
        self.named.get(name).map_or(Address::NONE, |&index| self.gradient.at().plus(4 * self.ranges[index].start))
    }

    /// Where a tensor is, as f32.
    fn master_of(&self, name: &str) -> Address {
        self.named.get(name).map_or(Address::NONE, |&index| self.tensors[index].master)
    }

    fn expect_fitting(&self, lesson: &Lesson, class_weights: &[f32]) -> Result<Patches, Error> {
        let (config, images) = (&self.model.config, lesson.batch.len());
        lesson.expect_labels()?;
        lesson.batch.expect_channels(config.num_channels)?;
        let (height, width) = lesson.batch.size();
        let patches = Patches::cover(height, width, config.patch_size)?;
        expect_trained_grid(config, patches)?;
        cross_entropy::check(self.head.classes, lesson.labels, class_weights)?;
        if !self.head.hidden.is_empty() {
            batch_norm::expect_variance(images)?;
        }
        Ok(patches)
    }
}

/// Refuses what learns on the CPU alone, or nowhere.
fn expect_trainable(vit: &Vit) -> Result<(), Error> {
    let (config, head) = (vit.config(), vit.head());
    let on_cpu_alone = |what: &str| Err(failed(Fault::Unsupported(format!("{what} does not learn on CUDA devices; train on the CPU"))));
    if vit.precision() != Precision::F32 {
        return Err(Error::Untrainable { head: "rounded weights" });
    }
    match head {
        HeadKind::None | HeadKind::Distilled(_) => Err(Error::Untrainable { head: head.name() }),
        _ if config.layer_scale => on_cpu_alone("LayerScale"),
        _ if config.patch_norms => on_cpu_alone("a norm around the patch embedding"),
        _ => Ok(()),
    }
}

impl Learner for Learning {
    fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    fn clear(&mut self) -> Result<(), Error> {
        let end = self.ranges.last().map_or(0, |range| range.start + range.len);
        self.engine.queue.clear(self.gradient.at(), 4 * end).map_err(failed)
    }

    fn add(&mut self, lesson: Lesson, class_weights: &[f32], of: usize, exchange: Option<&mut dyn Exchange>) -> Result<Added, Error> {
        let patches = self.expect_fitting(&lesson, class_weights)?;
        self.add_pictures((Pictures::of(lesson.batch, patches), lesson.labels), class_weights, of, exchange)
    }

    fn length(&mut self) -> Result<f64, Error> {
        self.gradient_length()
    }

    fn update(&mut self, step: Step, count: u32, shorten: f64) -> Result<(), Error> {
        self.move_weights(step, count, shorten)
    }

    fn vit(&self) -> Result<Vit, Error> {
        let weights = self.weights()?;
        let engine = Engine::on(self.engine.queue.clone(), Storage::F32, &self.model.config, &weights)?;
        let Model { config, labels, preprocessor, source, .. } = &self.model;
        let model = Model {
            config: config.clone(),
            weights,
            labels: labels.clone(),
            preprocessor: preprocessor.clone(),
            device: Device::Cuda(self.ordinal),
            source: source.clone(),
            arenas: Arenas::default(),
            engine: Some(Arc::new(engine)),
        };
        Ok(Vit { model: Arc::new(model) })
    }
}
