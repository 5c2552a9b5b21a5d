//! Many passes over variants of one picture, in batches that fit the memory.
//!
//! An image's bits do not depend on its batch, so neither the size of a batch nor the machine's memory shows in a result. On a CUDA
//! device variants are made where the picture lies (`vit::cuda::Variants`), and a recipe tells how many of them a pass had room for.

use ndarray::{Array3, ArrayView3, Axis, stack};

use crate::{Batch, Error, Probe, Target, Trace, Vit, VitConfig};

/// Memory that the recorded passes of one batch may take, in bytes.
const MEMORY: usize = 256 << 20;

/// More pictures in a batch make a pass no faster.
const MOST_IMAGES: usize = 16;

/// How far an explanation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Passes made so far: a forward pass with its backward pass counts as one.
    pub passes: usize,
    /// The most that will be made; an adaptive method may need fewer.
    pub most: usize,
}

/// Runs variants of pictures through a model and tells how far it is.
pub(super) struct Passes<'a> {
    vit: &'a Vit,
    batch: usize,
    progress: Progress,
    /// Variants that a device had room for in one pass.
    at_once: Option<usize>,
    watch: &'a mut dyn FnMut(Progress),
}

impl<'a> Passes<'a> {
    /// For every image of a trace, `most_an_image` passes at most.
    pub fn new(trace: &'a Trace, most_an_image: usize, watch: &'a mut dyn FnMut(Progress)) -> Self {
        let batch = (MEMORY / memory_of_an_image(trace.vit().config(), trace.patches().count()).max(1)).clamp(1, MOST_IMAGES);
        let progress = Progress { passes: 0, most: most_an_image * trace.batch().len() };
        Self { vit: trace.vit(), batch, progress, at_once: None, watch }
    }

    /// The model.
    pub fn vit(&self) -> &'a Vit {
        self.vit
    }

    /// Counts passes that were made elsewhere, on a device that had room for so many at once.
    pub fn made(&mut self, passes: usize, at_once: usize) {
        self.at_once = Some(self.at_once.map_or(at_once, |known| known.min(at_once)));
        self.skip_to(self.progress.passes + passes);
    }

    /// Variants that a device had room for in one pass; nothing where none made any.
    pub fn at_once(&self) -> Option<usize> {
        self.at_once
    }

    /// The same with another number of pictures a batch: for the test that it does not matter.
    #[cfg(test)]
    pub fn with_batch(self, batch: usize) -> Self {
        Self { batch, ..self }
    }

    /// Gives `each` the score of every picture (C, H, W) and its gradient at the pixels, in the order of the pictures.
    pub fn gradients(
        &mut self,
        target: Target,
        pictures: impl Iterator<Item = Array3<f32>>,
        mut each: impl FnMut(f64, ArrayView3<f32>),
    ) -> Result<(), Error> {
        let mut pictures = pictures.peekable();
        while pictures.peek().is_some() {
            let batch = joined(pictures.by_ref().take(self.batch).collect())?;
            let trace = self.vit.trace(&batch, Probe::Gradients)?;
            let gradients = trace.gradients(target)?;
            for (logits, gradient) in trace.logits().rows().into_iter().zip(gradients.pixels().outer_iter()) {
                each(target.score(&logits.to_vec()), gradient);
            }
            self.progress.passes += batch.len();
            (self.watch)(self.progress);
        }
        Ok(())
    }

    /// The scores of two pictures, without gradients.
    pub fn scores(&self, target: Target, pictures: [Array3<f32>; 2]) -> Result<[f64; 2], Error> {
        let trace = self.vit.trace(&joined(pictures.into())?, Probe::Logits)?;
        Ok([0, 1].map(|picture| target.score(&trace.logits().row(picture).to_vec())))
    }

    /// Counts passes that were not needed as made, so that a picture that ends early does not hold up the bar.
    pub fn skip_to(&mut self, passes: usize) {
        self.progress.passes = passes.min(self.progress.most);
        (self.watch)(self.progress);
    }
}

/// Pictures (C, H, W) as a batch (B, C, H, W).
fn joined(pictures: Vec<Array3<f32>>) -> Result<Batch, Error> {
    let views: Vec<_> = pictures.iter().map(|picture| picture.view()).collect();
    let pixels = stack(Axis(0), &views).map_err(|_| Error::Shape {
        what: "variants of a picture".into(),
        expected: "pictures of one size".into(),
        found: format!("{:?}", pictures.iter().map(Array3::dim).collect::<Vec<_>>()),
    })?;
    Batch::new(pixels)
}

/// `4·L·N·(6·D + M + H)` bytes, what a trace with gradients keeps of an image.
fn memory_of_an_image(config: &VitConfig, patches: usize) -> usize {
    let a_token = 6 * config.hidden_size + config.intermediate_size + config.num_attention_heads;
    4 * config.num_hidden_layers * (patches + 1) * a_token
}
