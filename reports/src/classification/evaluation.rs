//! All metrics of one set of predictions, for a results file.

use serde::Serialize;

use super::{
    Calibration, ClassAverages, ClassMean, ClassScores, ConfusionMatrix, DEFAULT_BINS, Predictions, Undefined, Weighting,
    average_precision, brier_score, calibration, class_averages, class_mean, class_scores, cohen_kappa, confusion_matrix, log_loss,
    matthews_correlation, roc_auc,
};

/// All metrics of one set of predictions. In JSON an undefined value is `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Number of samples.
    pub samples: usize,
    /// Share of correctly predicted samples.
    pub accuracy: f64,
    /// Mean recall over the classes that have samples.
    pub balanced_accuracy: f64,
    /// Macro mean of the one-against-the-rest areas under the ROC curve.
    pub macro_auc: Option<ClassMean>,
    /// Macro mean of the average precisions.
    pub macro_average_precision: Option<ClassMean>,
    /// Unweighted means over the classes, undefined scores left out.
    pub macro_averages: ClassAverages,
    /// Means weighted by number of samples, undefined scores left out.
    pub weighted_averages: ClassAverages,
    /// Cohen's kappa.
    pub kappa: Option<f64>,
    /// Matthews correlation coefficient.
    pub matthews: Option<f64>,
    /// Log loss in nats.
    pub log_loss: f64,
    /// Brier score, from 0 to 2.
    pub brier: f64,
    /// Reliability in [`DEFAULT_BINS`] bins, with the expected calibration error.
    pub calibration: Calibration,
    /// Scores class by class.
    pub classes: Vec<ClassEvaluation>,
    /// The confusion matrix.
    pub confusion: ConfusionMatrix,
}

/// The scores of one class against the rest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassEvaluation {
    /// Scores of the predicted class.
    #[serde(flatten)]
    pub scores: ClassScores,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
}

impl Evaluation {
    /// Computes every metric of this module once.
    ///
    /// ```
    /// use reports::classification::{Evaluation, Predictions};
    ///
    /// let predictions = Predictions::new(&["nevus", "melanoma"], &[0, 0], &[[0.9, 0.1], [0.4, 0.6]])?;
    /// let evaluation = Evaluation::of(&predictions);
    /// assert_eq!(evaluation.accuracy, 0.5);
    /// assert_eq!(evaluation.classes[1].scores.recall, None);
    /// assert_eq!(evaluation.macro_auc, None);
    /// # Ok::<(), reports::Error>(())
    /// ```
    pub fn of(predictions: &Predictions) -> Evaluation {
        let confusion = confusion_matrix(predictions);
        let scores = class_scores(&confusion);
        let (areas, precisions) = (roc_auc(predictions), average_precision(predictions));
        Evaluation {
            samples: predictions.len(),
            accuracy: confusion.accuracy(),
            balanced_accuracy: confusion.balanced_accuracy(),
            macro_auc: class_mean(&areas),
            macro_average_precision: class_mean(&precisions),
            macro_averages: class_averages(&scores, Weighting::Macro, Undefined::Skip),
            weighted_averages: class_averages(&scores, Weighting::Support, Undefined::Skip),
            kappa: cohen_kappa(&confusion),
            matthews: matthews_correlation(&confusion),
            log_loss: log_loss(predictions),
            brier: brier_score(predictions),
            calibration: calibration(predictions, DEFAULT_BINS),
            classes: by_class(scores, areas, precisions),
            confusion,
        }
    }
}

fn by_class(scores: Vec<ClassScores>, areas: Vec<Option<f64>>, precisions: Vec<Option<f64>>) -> Vec<ClassEvaluation> {
    let joined = scores.into_iter().zip(areas).zip(precisions);
    joined.map(|((scores, auc), average_precision)| ClassEvaluation { scores, auc, average_precision }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classification::samples::{any_predictions, close, three_classes};

    #[test]
    fn gathers_what_the_functions_say() {
        let evaluation = Evaluation::of(&three_classes());
        close(evaluation.macro_auc.unwrap().value, 0.871031746031746); // scikit-learn, multi_class="ovr"
        close(evaluation.kappa.unwrap(), 0.4029850746268656);
        close(evaluation.matthews.unwrap(), 0.4090909090909091);
        close(evaluation.macro_averages.precision.unwrap().value, 0.6111111111111112);
        close(evaluation.weighted_averages.f1.unwrap().value, 0.6);
        assert_eq!(evaluation.classes[2].scores.class, "c");
    }

    proptest! {
        /// Every number has its range, and JSON knows no NaN: what is undefined is null and was `None`.
        #[test]
        fn numbers_stay_in_range(predictions in any_predictions()) {
            let e = Evaluation::of(&predictions);
            let shares = e.classes.iter().flat_map(|c| {
                [c.scores.precision, c.scores.recall, c.scores.specificity, c.scores.f1, c.auc, c.average_precision]
            });
            let all = shares.chain([Some(e.accuracy), Some(e.balanced_accuracy), Some(e.calibration.expected_error)]);
            for value in all.flatten() {
                prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{value} is no share");
            }
            for value in [e.kappa, e.matthews].into_iter().flatten() {
                prop_assert!((-1.0 - 1e-12..=1.0 + 1e-12).contains(&value), "{value} is no correlation");
            }
            prop_assert!((0.0..=2.0 + 1e-12).contains(&e.brier));
            prop_assert!(e.log_loss >= 0.0 && e.log_loss <= 36.05);
            close(e.weighted_averages.recall.unwrap().value, e.accuracy);
        }

        /// Metrics do not depend on the order of the samples.
        #[test]
        fn order_of_samples_does_not_matter(predictions in any_predictions()) {
            let reversed: Vec<usize> = (0..predictions.len()).rev().collect();
            let (a, b) = (Evaluation::of(&predictions), Evaluation::of(&predictions.select(&reversed).unwrap()));
            prop_assert_eq!(a.confusion, b.confusion);
            prop_assert_eq!(a.macro_auc, b.macro_auc);
            prop_assert_eq!(a.macro_average_precision, b.macro_average_precision);
            close(a.log_loss, b.log_loss);
            close(a.calibration.expected_error, b.calibration.expected_error);
        }
    }
}
