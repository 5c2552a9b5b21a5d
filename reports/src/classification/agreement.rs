//! Agreement beyond chance: Cohen's kappa and the Matthews correlation coefficient.

use super::ConfusionMatrix;

/// Cohen's kappa, `(p_o - p_e) / (1 - p_e)`, with `p_o` the accuracy and `p_e = Σ_c t_c p_c / n²` the agreement by chance
/// of `t_c` true and `p_c` predicted samples of class c.
///
/// 1 is perfect, 0 what chance gives; undefined when truth and predictions are one and the same single class.
/// Source: Cohen 1960, *A coefficient of agreement for nominal scales*.
///
/// ```
/// use reports::classification::{ConfusionMatrix, cohen_kappa};
///
/// let matrix = ConfusionMatrix::from_counts(&["no", "yes"], &[[20, 5], [10, 15]])?;
/// // p_o = 35/50 = 0.7; p_e = (25*30 + 25*20) / 50^2 = 0.5.
/// assert!((cohen_kappa(&matrix).unwrap() - 0.4).abs() < 1e-12);
/// # Ok::<(), reports::Error>(())
/// ```
pub fn cohen_kappa(matrix: &ConfusionMatrix) -> Option<f64> {
    let Margins { total, correct, truth, predicted } = margins(matrix);
    let chance = dot(&truth, &predicted) / (total * total);
    (chance < 1.0).then(|| (correct / total - chance) / (1.0 - chance))
}

/// Matthews correlation coefficient in its form for many classes,
/// `(c n - Σ t_c p_c) / sqrt((n² - Σ p_c²) (n² - Σ t_c²))` for c correct of n samples,
/// `t_c` true and `p_c` predicted ones of class c.
///
/// 1 is perfect, 0 no association; undefined when the truth or the predictions are constant.
/// Source: Gorodkin 2004, *Comparing two K-category assignments by a K-category correlation coefficient*.
///
/// ```
/// use reports::classification::{ConfusionMatrix, matthews_correlation};
///
/// // Two classes: (TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)) = (15*20 - 5*10) / sqrt(20*25*25*30).
/// let matrix = ConfusionMatrix::from_counts(&["no", "yes"], &[[20, 5], [10, 15]])?;
/// let expected = 250.0 / f64::sqrt(20.0 * 25.0 * 25.0 * 30.0);
/// assert!((matthews_correlation(&matrix).unwrap() - expected).abs() < 1e-12);
/// # Ok::<(), reports::Error>(())
/// ```
pub fn matthews_correlation(matrix: &ConfusionMatrix) -> Option<f64> {
    let Margins { total, correct, truth, predicted } = margins(matrix);
    let square = total * total;
    let spread = (square - dot(&predicted, &predicted)) * (square - dot(&truth, &truth));
    (spread > 0.0).then(|| (correct * total - dot(&truth, &predicted)) / spread.sqrt())
}

struct Margins {
    total: f64,
    correct: f64,
    truth: Vec<f64>,
    predicted: Vec<f64>,
}

fn margins(matrix: &ConfusionMatrix) -> Margins {
    let floats = |counts: Vec<u64>| counts.into_iter().map(|count| count as f64).collect();
    Margins {
        total: matrix.total() as f64,
        correct: matrix.correct().iter().sum::<u64>() as f64,
        truth: floats(matrix.support()),
        predicted: floats(matrix.predicted()),
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classification::confusion_matrix;
    use crate::classification::samples::{close, three_classes};

    #[test]
    fn three_classes_by_hand() {
        // n = 10, c = 6, t = (4, 3, 3), p = (3, 4, 3): Σ t p = 33, Σ t² = Σ p² = 34.
        let matrix = confusion_matrix(&three_classes());
        close(cohen_kappa(&matrix).unwrap(), (0.6 - 0.33) / (1.0 - 0.33));
        close(matthews_correlation(&matrix).unwrap(), (60.0 - 33.0) / 66.0);
    }

    #[test]
    fn constant_truth_or_predictions_are_undefined() {
        let constant = ConfusionMatrix::from_counts(&["a", "b"], &[[3, 0], [0, 0]]).unwrap();
        assert_eq!(cohen_kappa(&constant), None);
        assert_eq!(matthews_correlation(&constant), None);
        let one_sided = ConfusionMatrix::from_counts(&["a", "b"], &[[3, 0], [1, 0]]).unwrap();
        assert_eq!(cohen_kappa(&one_sided), Some(0.0));
        assert_eq!(matthews_correlation(&one_sided), None);
    }

    #[test]
    fn perfect_agreement_is_one() {
        let matrix = ConfusionMatrix::from_counts(&["a", "b"], &[[3, 0], [0, 4]]).unwrap();
        close(cohen_kappa(&matrix).unwrap(), 1.0);
        close(matthews_correlation(&matrix).unwrap(), 1.0);
    }
}
