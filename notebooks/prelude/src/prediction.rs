//! What a model says about a lesion, and how well that agrees with what is known.

use std::fmt;

use anyhow::{Context, Result};
use datasets::LesionClass;
use plotly::Plot;
use reports::classification::{Evaluation, Predictions};
use reports::figures::{ClassProbability, class_bars};

use crate::{Lesion, Model};

/// Class probabilities of one lesion.
#[derive(Clone, PartialEq)]
pub struct Prediction {
    /// The lesion's name.
    pub lesion: String,
    /// Its class, where it is known.
    pub truth: Option<LesionClass>,
    /// Names of the classes; none without a head.
    pub classes: Vec<String>,
    /// A probability for each.
    pub probabilities: Vec<f32>,
    /// What must be said beside it.
    pub caution: Option<String>,
}

impl Prediction {
    pub(crate) fn of(model: &Model, lesion: &Lesion, probabilities: &[f32]) -> Self {
        let classes = model.labels().names().to_vec();
        Self { lesion: lesion.name.clone(), truth: lesion.class, classes, probabilities: probabilities.to_vec(), caution: model.caution() }
    }

    /// The class of the highest probability with that probability; nothing without a head.
    pub fn predicted(&self) -> Option<(&str, f32)> {
        let best = (0..self.probabilities.len()).max_by(|&a, &b| self.probabilities[a].total_cmp(&self.probabilities[b]))?;
        Some((self.classes.get(best)?, self.probabilities[best]))
    }

    /// A bar for each class.
    pub fn bars(&self) -> Plot {
        let bar = |(class, &probability): (&String, &f32)| ClassProbability { class: class.clone(), probability: probability.into() };
        class_bars(&self.classes.iter().zip(&self.probabilities).map(bar).collect::<Vec<_>>())
    }
}

impl fmt::Debug for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.predicted() {
            Some((class, probability)) => write!(f, "{}: {class}, {:.1} %", self.lesion, 100.0 * probability),
            None => write!(f, "{}: no classes, the model has no head", self.lesion),
        }
    }
}

/// How well predictions agree with the classes that are known of their lesions.
///
/// ```
/// use pellucid::prelude::*;
/// let evaluation = evaluate(&load("drawn")?.predict_all(&drawn::lesions(14))?)?;
/// assert_eq!(evaluation.samples, 14);
/// assert!(evaluation.accuracy > 0.3, "a guess has 0.14, this has {}", evaluation.accuracy);
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// When a lesion's class is not known or not one of the model's, or there is no prediction.
pub fn evaluate(predictions: &[Prediction]) -> Result<Evaluation> {
    let first = predictions.first().context("there is no prediction to evaluate")?;
    let truth = |prediction: &Prediction| {
        let class = prediction.truth.with_context(|| format!("the class of {} is not known", prediction.lesion))?;
        let index = prediction.classes.iter().position(|name| name == class.name());
        index.with_context(|| format!("{} is a {}, which is no class of the model", prediction.lesion, class.name()))
    };
    let truths = predictions.iter().map(truth).collect::<Result<Vec<usize>>>()?;
    let rows: Vec<&[f32]> = predictions.iter().map(|prediction| prediction.probabilities.as_slice()).collect();
    Ok(Evaluation::of(&Predictions::new(&first.classes, &truths, &rows)?))
}
