//! A training run that shows its curve while it runs.

use std::fmt;

use anyhow::{Context, Result};
use datasets::SplitPlan;
use datasets::synthetic::{CohortPlan, Shares};
use reports::classification::Evaluation;
use reports::figures::{Epoch, Measured};
use workbench::experiment::{self, EpochLine, Experiment, TrainingPlan};

use crate::display::Slot;
use crate::{Model, load};

/// What a training run came to.
#[derive(Clone)]
pub struct TrainingRun {
    /// The model as of its best epoch.
    pub model: Model,
    /// Loss and accuracy over the epochs.
    pub epochs: Vec<Epoch>,
    /// How well the test part is predicted.
    pub evaluation: Evaluation,
}

/// A small ViT on drawn lesions, the same number of each class: for trying things, in a minute or so an epoch for each thousand images.
///
/// ```
/// use pellucid::prelude::*;
/// let experiment = Experiment { seed: 5, ..small_experiment(140, 2) };
/// assert_eq!((experiment.cohort.images, experiment.training.epochs), (140, 2));
/// ```
pub fn small_experiment(images: usize, epochs: usize) -> Experiment {
    Experiment {
        name: "notebook".into(),
        seed: 7,
        cohort: CohortPlan { images, patients: (images * 2 / 3).max(1), shares: Shares::Balanced, ..CohortPlan::default() },
        split: SplitPlan { train: 0.7, validation: 0.15, test: 0.15, seed: 3 },
        arch: "vit_drawn_patch14_168".into(),
        training: TrainingPlan { epochs, batch: 32, rate: 1e-3, warmup: 0.05, decay: 0.05, clip: 1.0 },
    }
}

/// Trains as the experiment says; the curve grows below the cell.
///
/// # Errors
/// When the cohort or the split cannot be made, training diverges, or the cell is interrupted: then nothing is kept.
pub fn train(experiment: &Experiment) -> Result<TrainingRun> {
    crate::begin();
    let folder = tempfile::tempdir().context("a run needs a temporary folder")?;
    let (mut epochs, slot) = (Vec::new(), Slot::new());
    let evaluation = experiment::run(experiment, folder.path(), &mut |line| {
        epochs.push(epoch(line));
        slot.show(&reports::figures::training_curve(&epochs));
    })?;
    let folder = folder.path().to_str().context("the temporary folder has no name in Unicode")?;
    Ok(TrainingRun { model: load(folder)?, epochs, evaluation })
}

fn epoch(line: &EpochLine) -> Epoch {
    // The engine does not count what is right while it learns: a share that was not measured leaves a gap.
    let training = Measured { loss: line.training_loss, accuracy: f64::NAN };
    let validation = Measured { loss: line.validation_loss, accuracy: line.validation_accuracy };
    Epoch { number: line.epoch, training, validation: Some(validation) }
}

impl fmt::Debug for TrainingRun {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{} epochs, {:?}", self.epochs.len(), self.model)?;
        write!(f, "{}", self.evaluation.summary_table())
    }
}
