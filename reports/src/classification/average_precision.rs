//! Average precision: the area under the precision-recall curve, without interpolation.

use super::Predictions;
use super::ranking::{ranked_groups, totals};

/// Average precision of every class against the rest (C), `AP = Σ_i (R_i - R_{i-1}) P_i`
/// with precision `P_i` and recall `R_i` at the i-th distinct score from the top.
///
/// A random ranking gives about the share of the class, so compare it to that. Undefined for a class without samples.
/// Ties enter together, so the value does not depend on the order of the samples (as in scikit-learn).
///
/// ```
/// use reports::classification::{Predictions, average_precision};
///
/// let predictions = Predictions::new(
///     &["nevus", "melanoma"],
///     &[1, 0, 1, 0],
///     &[[0.1, 0.9], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]],
/// )?;
/// // Melanoma, from the top: R 1/2 at P 1/1, then R 1 at P 2/3.
/// let melanoma = average_precision(&predictions)[1].unwrap();
/// assert!((melanoma - (0.5 * 1.0 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
/// # Ok::<(), reports::Error>(())
/// ```
pub fn average_precision(predictions: &Predictions) -> Vec<Option<f64>> {
    (0..predictions.classes().len()).map(|class| of_class(predictions, class)).collect()
}

fn of_class(predictions: &Predictions, class: usize) -> Option<f64> {
    let groups = ranked_groups(predictions, class);
    let (positives, _) = totals(&groups);
    let (mut tp, mut called, mut sum) = (0, 0, 0.0);
    for group in &groups {
        tp += group.positives;
        called += group.positives + group.negatives;
        sum += group.positives as f64 * tp as f64 / called as f64;
    }
    (positives > 0).then(|| sum / positives as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classification::samples::{close, three_classes};

    #[test]
    fn by_scikit_learn() {
        // average_precision_score(y == k, P[:, k]) of scikit-learn 1.9.1 on `samples::three_classes`.
        let values = average_precision(&three_classes());
        for (value, expected) in values.iter().zip([0.8041666666666667, 0.6666666666666667, 0.9166666666666665]) {
            close(value.unwrap(), expected);
        }
    }

    #[test]
    fn all_tied_gives_the_share_of_the_class() {
        let predictions = Predictions::new(&["a", "b"], &[0, 1, 1, 1], &[[0.5, 0.5]; 4]).unwrap();
        assert_eq!(average_precision(&predictions), [Some(0.25), Some(0.75)]);
    }

    #[test]
    fn undefined_without_a_sample() {
        let predictions = Predictions::new(&["a", "b"], &[0], &[[0.5, 0.5]]).unwrap();
        assert_eq!(average_precision(&predictions), [Some(1.0), None]);
    }
}
