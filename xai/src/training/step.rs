//! What a step is made of.

use super::{AdamW, Learnt, Range};
use crate::{Batch, Error};

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

/// Pictures and what they show.
#[derive(Debug, Clone, Copy)]
pub struct Lesson<'a> {
    /// (B, C, H, W).
    pub batch: &'a Batch,
    /// A class for each image, (B).
    pub labels: &'a [usize],
}

impl Lesson<'_> {
    /// Refuses labels that do not go with the pictures.
    pub(crate) fn expect_labels(&self) -> Result<(), Error> {
        if self.labels.len() == self.batch.len() {
            return Ok(());
        }
        Err(Error::Shape {
            what: "labels".into(),
            expected: format!("one for each of {} images", self.batch.len()),
            found: self.labels.len().to_string(),
        })
    }
}

impl Step {
    /// The optimiser's settings for one tensor.
    pub(crate) fn of(self, range: &Range) -> AdamW {
        let decays = self.decay == Decay::Everything || range.learnt == Learnt::Matrix;
        AdamW { decay: if decays { self.adamw.decay } else { 0.0 }, ..self.adamw }
    }
}
