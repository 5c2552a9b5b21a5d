//! How well class probabilities agree with the true classes.
//!
//! [`Predictions`] holds validated input; every metric is a function of it or of its [`ConfusionMatrix`];
//! [`Evaluation::of`] gathers them all.
//!
//! | metric | function | undefined (`None`) when |
//! |---|---|---|
//! | accuracy, balanced accuracy | [`ConfusionMatrix::accuracy`], [`ConfusionMatrix::balanced_accuracy`] | never |
//! | precision, recall, specificity, F1 | [`class_scores`] | its denominator is zero |
//! | macro and weighted means | [`class_averages`] | no class has a value |
//! | ROC curve and AUC, one class against the rest | [`roc_curves`], [`roc_auc`] | the class, or the rest, has no sample |
//! | average precision | [`average_precision`] | the class has no sample |
//! | log loss, Brier score | [`log_loss`], [`brier_score`] | never |
//! | calibration error | [`calibration`] | never |
//! | Cohen's kappa, Matthews correlation | [`cohen_kappa`], [`matthews_correlation`] | truth or predictions are constant |

mod agreement;
mod average_precision;
mod averages;
mod calibration;
mod class_scores;
mod confusion;
mod evaluation;
mod evaluation_tables;
mod predictions;
mod ranking;
mod roc;
mod scoring_rules;

pub use agreement::{cohen_kappa, matthews_correlation};
pub use average_precision::average_precision;
pub use averages::{ClassAverages, ClassMean, Undefined, Weighting, class_averages, class_mean};
pub use calibration::{Calibration, CalibrationBin, DEFAULT_BINS, calibration};
pub use class_scores::{ClassScores, class_scores};
pub use confusion::{ConfusionMatrix, confusion_matrix};
pub use evaluation::{ClassEvaluation, Evaluation};
pub use predictions::Predictions;
pub use roc::{RocCurve, RocPoint, roc_auc, roc_curves};
pub use scoring_rules::{brier_score, log_loss};

#[cfg(test)]
pub(crate) mod samples;
