//! Means of a score over classes, which always say over how many.

use serde::Serialize;

use super::ClassScores;

/// Mean of a score over those classes for which it is defined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassMean {
    /// The mean.
    pub value: f64,
    /// Over how many classes.
    pub over: usize,
    /// Out of how many.
    pub classes: usize,
}

/// Unweighted mean over the defined values; `None` when there is none.
///
/// ```
/// use reports::classification::class_mean;
///
/// let mean = class_mean(&[Some(0.5), None, Some(1.0)]).unwrap();
/// assert_eq!((mean.value, mean.over, mean.classes), (0.75, 2, 3));
/// assert_eq!(class_mean(&[None, None]), None);
/// ```
pub fn class_mean(scores: &[Option<f64>]) -> Option<ClassMean> {
    weighted_mean(scores.iter().map(|&score| (score, 1.0)))
}

/// How classes are weighted in a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Weighting {
    /// Every class alike: rare classes count as much as common ones.
    Macro,
    /// By number of samples.
    Support,
}

/// What becomes of an undefined score in a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Undefined {
    /// It is left out, and [`ClassMean::over`] says so.
    Skip,
    /// It counts as zero, as in scikit-learn with `zero_division=0`: a model that never predicts a class pays for it.
    Zero,
}

/// Means of the four scores of [`ClassScores`] over classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassAverages {
    /// Mean precision.
    pub precision: Option<ClassMean>,
    /// Mean recall (sensitivity).
    pub recall: Option<ClassMean>,
    /// Mean specificity.
    pub specificity: Option<ClassMean>,
    /// Mean F1.
    pub f1: Option<ClassMean>,
}

/// Means of precision, recall, specificity and F1 over classes.
///
/// With [`Weighting::Support`] the mean recall equals the accuracy.
pub fn class_averages(scores: &[ClassScores], weighting: Weighting, undefined: Undefined) -> ClassAverages {
    let mean = |pick: fn(&ClassScores) -> Option<f64>| {
        weighted_mean(scores.iter().map(|class| {
            let score = match undefined {
                Undefined::Skip => pick(class),
                Undefined::Zero => Some(pick(class).unwrap_or(0.0)),
            };
            let weight = match weighting {
                Weighting::Macro => 1.0,
                Weighting::Support => class.support as f64,
            };
            (score, weight)
        }))
    };
    ClassAverages {
        precision: mean(|class| class.precision),
        recall: mean(|class| class.recall),
        specificity: mean(|class| class.specificity),
        f1: mean(|class| class.f1),
    }
}

/// Σ w s / Σ w over the defined scores of positive weight; `classes` counts those of positive weight.
fn weighted_mean(scores: impl Iterator<Item = (Option<f64>, f64)>) -> Option<ClassMean> {
    let weighed: Vec<(Option<f64>, f64)> = scores.filter(|&(_, weight)| weight > 0.0).collect();
    let defined: Vec<(f64, f64)> = weighed.iter().filter_map(|&(score, weight)| Some((score?, weight))).collect();
    let total: f64 = defined.iter().map(|(_, weight)| weight).sum();
    let sum: f64 = defined.iter().map(|(score, weight)| score * weight).sum();
    (!defined.is_empty()).then(|| ClassMean { value: sum / total, over: defined.len(), classes: weighed.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classification::samples::{close, three_classes};
    use crate::classification::{ConfusionMatrix, class_scores, confusion_matrix};

    #[test]
    fn means_by_hand() {
        let scores = class_scores(&confusion_matrix(&three_classes()));
        let equal = class_averages(&scores, Weighting::Macro, Undefined::Skip);
        close(equal.precision.unwrap().value, (2.0 / 3.0 + 1.0 / 2.0 + 2.0 / 3.0) / 3.0);
        close(equal.f1.unwrap().value, (4.0 / 7.0 + 4.0 / 7.0 + 2.0 / 3.0) / 3.0);
        let weighted = class_averages(&scores, Weighting::Support, Undefined::Skip);
        close(weighted.precision.unwrap().value, (4.0 * 2.0 / 3.0 + 3.0 * 1.0 / 2.0 + 3.0 * 2.0 / 3.0) / 10.0);
        close(weighted.recall.unwrap().value, 0.6); // the accuracy
    }

    #[test]
    fn undefined_scores_are_skipped_aloud_or_count_as_zero() {
        // Precision of a: undefined (never called), of b: 5/7, of c: 0 (called once, no sample).
        let matrix = ConfusionMatrix::from_counts(&["a", "b", "c"], &[[0, 2, 0], [0, 5, 1], [0, 0, 0]]).unwrap();
        let scores = class_scores(&matrix);
        let skipped = class_averages(&scores, Weighting::Macro, Undefined::Skip).precision.unwrap();
        assert_eq!((skipped.over, skipped.classes), (2, 3));
        close(skipped.value, 5.0 / 14.0);
        let zeroed = class_averages(&scores, Weighting::Macro, Undefined::Zero).precision.unwrap();
        assert_eq!((zeroed.over, zeroed.classes), (3, 3));
        close(zeroed.value, 5.0 / 21.0);
        // By support class c weighs nothing: it is no class of the mean.
        let weighted = class_averages(&scores, Weighting::Support, Undefined::Zero).precision.unwrap();
        assert_eq!((weighted.over, weighted.classes), (2, 2));
        close(weighted.value, 6.0 / 8.0 * 5.0 / 7.0);
    }
}
