//! Precision, recall, specificity and F1, one class against the rest.

use serde::Serialize;

use super::ConfusionMatrix;

/// Scores of one class against the rest; with TP, FP, FN, TN its true and false positives and negatives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassScores {
    /// Name of the class.
    pub class: String,
    /// Samples of the class, TP + FN.
    pub support: u64,
    /// Samples predicted as the class, TP + FP.
    pub predicted: u64,
    /// TP / (TP + FP), positive predictive value; undefined when the class is never predicted.
    pub precision: Option<f64>,
    /// TP / (TP + FN), sensitivity; undefined when the class has no sample.
    pub recall: Option<f64>,
    /// TN / (TN + FP); undefined when all samples are of the class.
    pub specificity: Option<f64>,
    /// 2 TP / (2 TP + FP + FN), harmonic mean of precision and recall; undefined when the class has no sample.
    pub f1: Option<f64>,
}

/// Scores of every class (C), in the order of the class indices.
///
/// ```
/// use reports::classification::{ConfusionMatrix, class_scores};
///
/// let matrix = ConfusionMatrix::from_counts(&["nevus", "melanoma"], &[[8, 2], [0, 0]])?;
/// let scores = class_scores(&matrix);
/// assert_eq!(scores[0].recall, Some(0.8));
/// assert_eq!(scores[1].recall, None); // no melanoma was there to be found
/// assert_eq!(scores[1].specificity, Some(0.8));
/// # Ok::<(), reports::Error>(())
/// ```
pub fn class_scores(matrix: &ConfusionMatrix) -> Vec<ClassScores> {
    let (support, predicted, correct) = (matrix.support(), matrix.predicted(), matrix.correct());
    let score = |(class, name): (usize, &String)| {
        let (tp, positives, called) = (correct[class], support[class], predicted[class]);
        let negatives = matrix.total() - positives;
        ClassScores {
            class: name.clone(),
            support: positives,
            predicted: called,
            precision: share(tp, called),
            recall: share(tp, positives),
            specificity: share(negatives - (called - tp), negatives),
            // 2 TP + FP + FN = predicted + support; without a sample there was nothing to find, so no F1.
            f1: (positives > 0).then(|| 2.0 * tp as f64 / (called as f64 + positives as f64)),
        }
    };
    matrix.classes().iter().enumerate().map(score).collect()
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classification::confusion_matrix;
    use crate::classification::samples::three_classes;

    #[test]
    fn scores_by_hand() {
        // Matrix [[2, 1, 1], [1, 2, 0], [0, 1, 2]].
        // Class 0: TP 2, FP 1, FN 2, TN 5. Class 1: TP 2, FP 2, FN 1, TN 5. Class 2: TP 2, FP 1, FN 1, TN 6.
        let scores = class_scores(&confusion_matrix(&three_classes()));
        let column = |pick: fn(&ClassScores) -> Option<f64>| scores.iter().map(|s| pick(s).unwrap()).collect::<Vec<_>>();
        assert_eq!(column(|s| s.precision), [2.0 / 3.0, 2.0 / 4.0, 2.0 / 3.0]);
        assert_eq!(column(|s| s.recall), [2.0 / 4.0, 2.0 / 3.0, 2.0 / 3.0]);
        assert_eq!(column(|s| s.specificity), [5.0 / 6.0, 5.0 / 7.0, 6.0 / 7.0]);
        assert_eq!(column(|s| s.f1), [4.0 / 7.0, 4.0 / 7.0, 4.0 / 6.0]);
    }

    #[test]
    fn undefined_is_none_and_zero_is_zero() {
        // Class a has samples but is never called; class c has none but is called once.
        let matrix = ConfusionMatrix::from_counts(&["a", "b", "c"], &[[0, 2, 0], [0, 5, 1], [0, 0, 0]]).unwrap();
        let scores = class_scores(&matrix);
        assert_eq!((scores[0].precision, scores[0].recall, scores[0].f1), (None, Some(0.0), Some(0.0)));
        assert_eq!((scores[2].precision, scores[2].recall, scores[2].f1), (Some(0.0), None, None));
    }

    #[test]
    fn a_class_that_is_everything_has_no_specificity() {
        let matrix = ConfusionMatrix::from_counts(&["a", "b"], &[[3, 1], [0, 0]]).unwrap();
        assert_eq!(class_scores(&matrix)[0].specificity, None);
    }
}
