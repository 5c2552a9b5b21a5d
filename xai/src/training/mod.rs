//! The smallest honest training loop's inner part: one optimiser step over the engine's weight gradients, on the CPU or on a device.
//!
//! The gradient is one region of f32 whose [`Range`]s stand in the order in which the backward pass finishes them, the head first.
//! [`Training::step_of`] adds the gradients of several batches in their order; [`Training::step_with`] lets other processes add theirs
//! while the pass still runs ([`Exchange`]). Both count an image the same, so that one process with the batches of N ends at the same
//! bits as N processes whose gradients are added in the order of their ranks.

mod exchange;
mod flat;
mod on_cpu;
mod step;
mod together;

use crate::vit::cuda::learning;
use crate::{Batch, Device, Error, Precision, Vit};
pub(crate) use flat::{groups, ranges};
use on_cpu::OnCpu;

pub use exchange::{Exchange, Values};
pub use flat::{Learnt, Range};
pub use kernels::adamw::Settings as AdamW;
pub use step::{Decay, Lesson, Step};
pub use together::Together;

/// What computes a step.
pub(crate) trait Learner: std::fmt::Debug + Send {
    fn ranges(&self) -> &[Range];
    /// Sets the gradient to zero.
    fn clear(&mut self) -> Result<(), Error>;
    /// Adds the gradient of a lesson that is part of a batch of `of` images.
    fn add(&mut self, lesson: Lesson, class_weights: &[f32], of: usize, exchange: Option<&mut dyn Exchange>) -> Result<Added, Error>;
    /// The gradient's Euclidean length, not finite where a value is not.
    fn length(&mut self) -> Result<f64, Error>;
    /// Step number `count` against `shorten` times the gradient.
    fn update(&mut self, step: Step, count: u32, shorten: f64) -> Result<(), Error>;
    fn vit(&self) -> Result<Vit, Error>;
}

/// What a lesson added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Added {
    /// Its share of the loss.
    pub loss: f64,
    /// Passes that it took.
    pub passes: usize,
}

/// A model while it learns: its weights and the optimiser's moments.
///
/// A DNN-3-hidden head learns with the statistics of its batches and moves its running statistics with every step; the statistics of
/// several batches of one step count by their images.
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
    learner: Box<dyn Learner>,
    steps: u32,
    passes: usize,
}

impl Training {
    /// Starts from a model's weights on the CPU, wherever the model was.
    pub fn of(vit: Vit) -> Self {
        Self::with(Box::new(OnCpu::new(vit)))
    }

    /// Starts from a model's weights on a device, wherever the model was. Weights, moments and gradients are f32; `precision` says in
    /// which numbers a CUDA device takes products and keeps activations (bf16 is f16 where it lacks that). The CPU learns in f32.
    ///
    /// # Errors
    /// [`Error::Kernel`] where the device is not there, has too little memory, or has no kernels for the architecture (LayerScale and
    /// normalised patches learn on the CPU alone), [`Error::Untrainable`] for rounded weights, for rounding on the CPU, and for heads
    /// other than linear and DNN-3-hidden ones.
    pub fn on(vit: Vit, device: Device, precision: Precision) -> Result<Self, Error> {
        match (device, precision) {
            (Device::Cpu, Precision::F32) => Ok(Self::of(vit)),
            (Device::Cpu, _) => Err(Error::Untrainable { head: "products rounded to bf16 on the CPU" }),
            (Device::Cuda(ordinal), _) => Ok(Self::with(Box::new(learning::open(vit, ordinal, precision)?))),
        }
    }

    /// The same for a learner that is there.
    pub(crate) fn with(learner: Box<dyn Learner>) -> Self {
        Self { learner, steps: 0, passes: 0 }
    }

    /// The model as it stands, in f32 on the device that it learns on.
    ///
    /// # Errors
    /// [`Error::Kernel`] where a device fails or has no memory for it.
    pub fn vit(&self) -> Result<Vit, Error> {
        self.learner.vit()
    }

    /// The gradient's tensors, in the order in which a backward pass finishes them.
    pub fn ranges(&self) -> &[Range] {
        self.learner.ranges()
    }

    /// Passes that the last step took: one for each lesson, more where a device had too little memory and halved one.
    pub fn passes(&self) -> usize {
        self.passes
    }

    /// Moves the weights against the gradient of the cross-entropy of `batch` (B, C, H, W) with `labels` (B);
    /// `class_weights` (classes) scale each image's term, empty for none. Returns the loss before the step.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is a label for each image and pictures have the model's channels and size, [`Error::Untrainable`]
    /// for a head other than linear and DNN-3-hidden ones and for rounded weights, [`Error::Kernel`] for labels beyond the classes, for
    /// a single picture before a DNN-3-hidden head, and for a device's faults (a batch that does not fit its memory is taken in halves, but not
    /// before a DNN-3-hidden head, whose statistics are those of the batch), [`Error::NotFinite`] where the gradient is no longer
    /// finite; the weights are then left as they were.
    pub fn step(&mut self, batch: &Batch, labels: &[usize], class_weights: &[f32], step: Step) -> Result<f64, Error> {
        self.step_of(&[Lesson { batch, labels }], class_weights, step)
    }

    /// One step against the gradient of several batches, added in their order. Every image counts the same; the loss is the mean over
    /// all of them.
    ///
    /// # Errors
    /// As for [`Training::step`], and [`Error::Shape`] where there is none.
    pub fn step_of(&mut self, lessons: &[Lesson], class_weights: &[f32], step: Step) -> Result<f64, Error> {
        let of = lessons.iter().map(|lesson| lesson.batch.len()).sum();
        if lessons.is_empty() {
            return Err(Error::Shape { what: "lessons of a step".into(), expected: "at least one".into(), found: "none".into() });
        }
        self.learner.clear()?;
        let (mut loss, mut passes) = (0.0, 0);
        for &lesson in lessons {
            let added = self.learner.add(lesson, class_weights, of, None)?;
            (loss, passes) = (loss + added.loss, passes + added.passes);
        }
        self.passes = passes;
        self.move_weights(step)?;
        Ok(loss)
    }

    /// One step with other processes that learn from other parts of a batch of `of` images: their gradients are added through
    /// `exchange` while this one's is still being made. Returns this part's share of the loss; all shares sum to it.
    ///
    /// # Errors
    /// As for [`Training::step`], and what `exchange` meets.
    pub fn step_with(
        &mut self,
        lesson: Lesson,
        of: usize,
        class_weights: &[f32],
        step: Step,
        exchange: &mut dyn Exchange,
    ) -> Result<f64, Error> {
        self.learner.clear()?;
        let Added { loss, passes } = self.learner.add(lesson, class_weights, of, Some(exchange))?;
        exchange.complete()?;
        self.passes = passes;
        self.move_weights(step)?;
        Ok(loss)
    }

    fn move_weights(&mut self, step: Step) -> Result<(), Error> {
        let length = self.learner.length()?;
        if !length.is_finite() {
            return Err(Error::NotFinite { what: "the gradient of the loss".into(), index: 0 });
        }
        let shorten = step.clip.map_or(1.0, |clip| f64::min(1.0, clip / length.max(f64::MIN_POSITIVE)));
        self.learner.update(step, self.steps + 1, shorten)?;
        self.steps += 1;
        Ok(())
    }
}
