//! Receiver operating characteristic, one class against the rest.

use serde::Serialize;

use super::Predictions;
use super::ranking::{TieGroup, ranked_groups, totals};

/// ROC curve of one class against the rest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RocCurve {
    /// Name of the class.
    pub class: String,
    /// Area under the curve; undefined when the class or the rest has no sample.
    pub auc: Option<f64>,
    /// One point for each distinct score, from (0, 0) to (1, 1); empty when the area is undefined.
    pub points: Vec<RocPoint>,
}

/// One point of a ROC curve: "call it the class when its probability is at least the threshold".
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RocPoint {
    /// The threshold; `None` for the first point, above every score.
    pub threshold: Option<f64>,
    /// FP / (FP + TN), which is 1 - specificity.
    pub false_positive_rate: f64,
    /// TP / (TP + FN), the sensitivity.
    pub true_positive_rate: f64,
}

/// ROC curves of every class against the rest (C).
pub fn roc_curves(predictions: &Predictions) -> Vec<RocCurve> {
    let curve = |(class, name): (usize, &String)| {
        let groups = ranked_groups(predictions, class);
        RocCurve { class: name.clone(), auc: auc(&groups), points: points(&groups) }
    };
    predictions.classes().iter().enumerate().map(curve).collect()
}

/// Area under the ROC curve of every class against the rest (C): the Mann-Whitney statistic
/// `AUC = P(s⁺ > s⁻) + P(s⁺ = s⁻) / 2` over all pairs of a sample of the class and one of the rest.
///
/// 1 ranks perfectly, 0.5 is chance. Source: Hanley and `McNeil` 1982.
///
/// ```
/// use reports::classification::{Predictions, roc_auc};
///
/// let predictions = Predictions::new(
///     &["nevus", "melanoma"],
///     &[0, 0, 1, 1],
///     &[[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]],
/// )?;
/// // Four pairs: three are ranked rightly, one is a tie.
/// assert_eq!(roc_auc(&predictions)[1], Some(3.5 / 4.0));
/// # Ok::<(), reports::Error>(())
/// ```
pub fn roc_auc(predictions: &Predictions) -> Vec<Option<f64>> {
    (0..predictions.classes().len()).map(|class| auc(&ranked_groups(predictions, class))).collect()
}

fn auc(groups: &[TieGroup]) -> Option<f64> {
    let (positives, negatives) = totals(groups);
    let mut negatives_below = negatives as f64;
    let mut pairs = 0.0;
    for group in groups {
        negatives_below -= group.negatives as f64;
        pairs += group.positives as f64 * (negatives_below + group.negatives as f64 / 2.0);
    }
    (positives > 0 && negatives > 0).then(|| pairs / (positives as f64 * negatives as f64))
}

fn points(groups: &[TieGroup]) -> Vec<RocPoint> {
    let (positives, negatives) = totals(groups);
    if positives == 0 || negatives == 0 {
        return Vec::new();
    }
    let (mut tp, mut fp) = (0, 0);
    let mut points = vec![RocPoint { threshold: None, false_positive_rate: 0.0, true_positive_rate: 0.0 }];
    for group in groups {
        tp += group.positives;
        fp += group.negatives;
        points.push(RocPoint {
            threshold: Some(group.score),
            false_positive_rate: fp as f64 / negatives as f64,
            true_positive_rate: tp as f64 / positives as f64,
        });
    }
    points
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classification::samples::{any_predictions, close, three_classes};

    #[test]
    fn areas_by_scikit_learn() {
        // roc_auc_score(y == k, P[:, k]) of scikit-learn 1.9.1 on `samples::three_classes`: 0.875, 0.7857142857, 0.9523809524,
        // which are these shares of the 4*6, 3*7 and 3*7 pairs.
        let areas = roc_auc(&three_classes());
        for (area, expected) in areas.iter().zip([21.0 / 24.0, 16.5 / 21.0, 20.0 / 21.0]) {
            close(area.unwrap(), expected);
        }
    }

    #[test]
    fn curve_by_hand() {
        let predictions = Predictions::new(&["a", "b"], &[0, 0, 1, 1], &[[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]]);
        let curve = &roc_curves(&predictions.unwrap())[1];
        let seen: Vec<_> = curve.points.iter().map(|p| (p.threshold, p.false_positive_rate, p.true_positive_rate)).collect();
        let expected = [(None, 0.0, 0.0), (Some(0.8), 0.0, 0.5), (Some(0.4), 0.5, 1.0), (Some(0.1), 1.0, 1.0)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn undefined_without_the_class_or_without_the_rest() {
        let predictions = Predictions::new(&["a", "b"], &[0, 0], &[[0.9, 0.1], [0.6, 0.4]]).unwrap();
        assert_eq!(roc_auc(&predictions), [None, None]);
        assert!(roc_curves(&predictions).iter().all(|curve| curve.points.is_empty()));
    }

    proptest! {
        /// The ranked sum equals the definition over all pairs, and the trapezoids under the drawn curve.
        #[test]
        fn area_equals_all_pairs_and_trapezoids(predictions in any_predictions()) {
            for (class, curve) in roc_curves(&predictions).iter().enumerate() {
                let Some(area) = curve.auc else { continue };
                let trapezoid = |pair: &[RocPoint]| {
                    let width = pair[1].false_positive_rate - pair[0].false_positive_rate;
                    width * (pair[0].true_positive_rate + pair[1].true_positive_rate) / 2.0
                };
                close(area, curve.points.windows(2).map(trapezoid).sum());
                close(area, over_all_pairs(&predictions, class));
            }
        }

        /// Of two classes, each is the other's rest.
        #[test]
        fn two_classes_share_one_area(scores in prop::collection::vec((0..=8_u8, 0..2_usize), 1..40)) {
            let rows: Vec<[f64; 2]> = scores.iter().map(|(s, _)| [f64::from(*s) / 8.0, 1.0 - f64::from(*s) / 8.0]).collect();
            let truth: Vec<usize> = scores.iter().map(|(_, class)| *class).collect();
            let areas = roc_auc(&Predictions::new(&["a", "b"], &truth, &rows).unwrap());
            prop_assert_eq!(areas[0].is_some(), areas[1].is_some());
            if let (Some(a), Some(b)) = (areas[0], areas[1]) {
                close(a, b);
            }
        }
    }

    fn over_all_pairs(predictions: &Predictions, class: usize) -> f64 {
        let scores = predictions.column(class);
        let of = |wanted: bool| {
            let is = move |&i: &usize| (predictions.truth()[i] == class) == wanted;
            (0..predictions.len()).filter(is).map(|i| scores[i]).collect::<Vec<f64>>()
        };
        let (class_scores, rest) = (of(true), of(false));
        let wins = class_scores.iter().flat_map(|s| rest.iter().map(move |r| (s - r).signum() * f64::from(s != r)));
        0.5 + wins.sum::<f64>() / (2.0 * (class_scores.len() * rest.len()) as f64)
    }
}
