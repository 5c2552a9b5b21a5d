//! An experiment is a TOML file: cohort, split, model, optimiser, seed. A run writes its folder.
//!
//! The folder holds `experiment.toml` (what was asked), `computed.toml` (device and numbers it learned on), `curve.csv` (one line an epoch), `evaluation.json` and
//! `predictions.csv` (the test part), and the checkpoint: `model.safetensors`, `config.json`, `preprocessor_config.json`.

mod lessons;
mod record;
mod run;
mod schedule;

use std::path::Path;

use anyhow::Context;
use datasets::SplitPlan;
use datasets::synthetic::CohortPlan;
use serde::{Deserialize, Serialize};

pub use record::EpochLine;
pub use run::{Computing, report, run, run_on};

/// What is trained, on what, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// What the experiment is called.
    pub name: String,
    /// Seed of weights, order and augmentation.
    pub seed: u64,
    /// The drawn cohort.
    pub cohort: CohortPlan,
    /// Its parts; no patient is in two.
    pub split: SplitPlan,
    /// A named architecture.
    pub arch: String,
    /// The optimisation.
    pub training: TrainingPlan,
}

/// How weights are learned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingPlan {
    /// Passes over the training part.
    pub epochs: usize,
    /// Images of a step.
    pub batch: usize,
    /// Highest learning rate.
    pub rate: f64,
    /// Share of all steps in which the rate rises from zero; then it falls along a cosine to zero.
    pub warmup: f64,
    /// Decoupled weight decay of matrices.
    pub decay: f64,
    /// Longest gradient.
    pub clip: f64,
}

impl Experiment {
    /// Reads an experiment's file.
    ///
    /// # Errors
    /// When the file cannot be read, or a field is missing, unknown or of another type; the message names it.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("experiment {} cannot be read", path.display()))?;
        toml::from_str(&text).with_context(|| format!("experiment {} is not understood", path.display()))
    }
}
