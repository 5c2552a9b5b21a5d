//! What a method found, and the full recipe of how.

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
}

impl Recipe {
    /// SHA-256 of the recipe as JSON.
    pub fn hash(&self) -> String {
        // A recipe holds only numbers, strings and plain enums, all of which JSON can write.
        sha256(&serde_json::to_vec(self).unwrap_or_default())
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
    /// `Σ relevance − (score − score at the baseline)`, for methods that promise it to be zero.
    pub completeness_gap: Option<f32>,
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
