//! What a method found, and the full recipe of how.

use std::fmt;

use ndarray::{Array2, s};
use serde::{Deserialize, Serialize};

use crate::{Method, Patches, Target, sha256};

/// What one value of an attribution stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// One patch.
    Grid,
    /// One pixel of the model's input.
    Pixels,
}

/// Everything needed to compute an attribution again, bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The method with all its conventions.
    pub method: Method,
    /// The score explained; nothing for class-agnostic methods.
    pub target: Option<Target>,
    /// SHA-256 of the weights.
    pub model_sha256: String,
    /// The patch grid.
    pub patches: Patches,
    /// The device that computed.
    pub device: String,
    /// The kernels that computed.
    pub kernel_set: String,
    /// Images in the batch.
    pub batch: usize,
    /// Variants of a picture that a device had room for in one of the method's own passes, on which the last bits depend; nothing where
    /// no device made any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variants_at_once: Option<usize>,
}

impl Recipe {
    /// SHA-256 of the recipe as JSON.
    pub fn hash(&self) -> String {
        // A recipe holds only numbers, strings and plain enums, all of which JSON can write.
        sha256(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// What a path integral was to sum to, and what it summed to; always told, whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CompletenessGap {
    /// The score of the picture.
    pub score: f32,
    /// The score of the baseline.
    pub baseline_score: f32,
    /// `Σ relevance − (score − baseline score)`, over all pixels and channels, before channels become one.
    pub absolute: f32,
    /// The size of the gap as a share of the size of the score's change; nothing where the score does not change.
    pub relative: Option<f32>,
    /// Points of the path at which a gradient was taken: a forward and a backward pass each.
    pub steps: usize,
    /// Why no more were taken.
    pub outcome: Outcome,
}

/// Why an integration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The gap is as small as was asked.
    ToleranceMet,
    /// The steps that were allowed are used up, and the gap is larger than was asked.
    StepLimit,
    /// A fixed number of steps was asked, whatever the gap.
    FixedSteps,
}

impl CompletenessGap {
    /// From what the relevance sums to, the scores of baseline and picture, and the steps it took.
    pub(crate) fn of(sum: f64, [baseline_score, score]: [f64; 2], steps: usize, outcome: Outcome) -> Self {
        let change = score - baseline_score;
        let gap = sum - change;
        Self {
            score: score as f32,
            baseline_score: baseline_score as f32,
            absolute: gap as f32,
            relative: (change != 0.0).then(|| (gap / change).abs() as f32),
            steps,
            outcome,
        }
    }
}

impl fmt::Display for CompletenessGap {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { absolute, score, baseline_score, steps, .. } = self;
        let share = self.relative.map_or(String::new(), |share| format!(" ({:.2} %)", 100.0 * share));
        let end = match self.outcome {
            Outcome::ToleranceMet => "tolerance met",
            Outcome::StepLimit => "step limit reached, tolerance not met",
            Outcome::FixedSteps => "fixed steps",
        };
        write!(f, "gap {absolute:.2e}{share} of {:.3}, {steps} steps, {end}", score - baseline_score)
    }
}

/// Signed relevance of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// (rows, cols) of patches or (H, W) of pixels, in the method's own absolute scale.
    pub values: Array2<f32>,
    /// What one value stands for.
    pub support: Support,
    /// How it was made.
    pub recipe: Recipe,
    /// How much of the score's change the relevance misses, for methods that promise to miss nothing.
    pub completeness_gap: Option<CompletenessGap>,
}

impl Attribution {
    /// One value for each patch: grid values as they are, pixel values as the mean over their patch (signs kept).
    pub fn on_grid(&self) -> Array2<f32> {
        if self.support == Support::Grid {
            return self.values.clone();
        }
        let Patches { rows, cols } = self.recipe.patches;
        let (height, width) = (self.values.nrows() / rows, self.values.ncols() / cols);
        let patch = |(row, col)| s![row * height..(row + 1) * height, col * width..(col + 1) * width];
        Array2::from_shape_fn((rows, cols), |at| self.values.slice(patch(at)).mean().unwrap_or(0.0))
    }
}
