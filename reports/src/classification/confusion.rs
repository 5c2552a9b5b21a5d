//! The confusion matrix: true classes down, predicted classes across.

use serde::Serialize;

use super::Predictions;
use super::predictions::{check_length, distinct_names};
use crate::Error;

/// Counts n\[t\]\[p\] of samples of true class t (row) predicted as class p (column), (C, C); at least one sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfusionMatrix {
    classes: Vec<String>,
    counts: Vec<Vec<u64>>,
}

/// Counts how often each true class is predicted as each class.
///
/// ```
/// use reports::classification::{Predictions, confusion_matrix};
///
/// let predictions = Predictions::new(
///     &["nevus", "melanoma"],
///     &[0, 0, 1],
///     &[[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]],
/// )?;
/// let matrix = confusion_matrix(&predictions);
/// assert_eq!(matrix.rows(), [[1, 1], [0, 1]]);
/// assert_eq!(matrix.balanced_accuracy(), 0.75);
/// # Ok::<(), reports::Error>(())
/// ```
pub fn confusion_matrix(predictions: &Predictions) -> ConfusionMatrix {
    let classes = predictions.classes().to_vec();
    let mut counts = vec![vec![0; classes.len()]; classes.len()];
    for (&truth, &predicted) in predictions.truth().iter().zip(predictions.predicted()) {
        counts[truth][predicted] += 1;
    }
    ConfusionMatrix { classes, counts }
}

impl ConfusionMatrix {
    /// A matrix from counts that were made elsewhere, `rows[truth][predicted]` (C, C).
    ///
    /// # Errors
    /// Fewer than two classes, a repeated name, a matrix that is not (C, C), no sample, or more than 2^64 - 1 of them.
    pub fn from_counts(class_names: &[impl AsRef<str>], rows: &[impl AsRef<[u64]>]) -> Result<Self, Error> {
        let classes = distinct_names(class_names)?;
        check_length(|| "rows of the confusion matrix, one for each class".into(), classes.len(), rows.len())?;
        for (row, counts) in rows.iter().enumerate() {
            check_length(|| format!("columns of confusion matrix row {row}"), classes.len(), counts.as_ref().len())?;
        }
        let counts: Vec<Vec<u64>> = rows.iter().map(|row| row.as_ref().to_vec()).collect();
        let total = counts.iter().flatten().try_fold(0_u64, |sum, &count| sum.checked_add(count));
        match total {
            None => Err(Error::CountOverflow),
            Some(0) => Err(Error::NoSamples { what: "the confusion matrix" }),
            Some(_) => Ok(ConfusionMatrix { classes, counts }),
        }
    }

    /// Class names (C).
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Counts (C, C): a row for each true class, in it a count for each predicted class.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// Number of samples, at least one.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Samples of each true class (C).
    pub fn support(&self) -> Vec<u64> {
        self.counts.iter().map(|row| row.iter().sum()).collect()
    }

    /// Samples predicted as each class (C).
    pub fn predicted(&self) -> Vec<u64> {
        (0..self.classes.len()).map(|class| self.counts.iter().map(|row| row[class]).sum()).collect()
    }

    /// Correctly predicted samples of each class (C).
    pub fn correct(&self) -> Vec<u64> {
        self.counts.iter().enumerate().map(|(class, row)| row[class]).collect()
    }

    /// Share of correctly predicted samples.
    pub fn accuracy(&self) -> f64 {
        self.correct().iter().sum::<u64>() as f64 / self.total() as f64
    }

    /// Mean recall over the classes that have samples.
    pub fn balanced_accuracy(&self) -> f64 {
        let recalls: Vec<f64> = self.shares().into_iter().enumerate().filter_map(|(class, row)| Some(row?[class])).collect();
        recalls.iter().sum::<f64>() / recalls.len() as f64
    }

    /// Each row divided by its sum (C, C): what became of the samples of a true class; `None` for a class without samples.
    pub fn shares(&self) -> Vec<Option<Vec<f64>>> {
        let share_of =
            |(row, support): (&Vec<u64>, u64)| (support > 0).then(|| row.iter().map(|&count| count as f64 / support as f64).collect());
        self.counts.iter().zip(self.support()).map(share_of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classification::samples::{close, three_classes};

    #[test]
    fn counts_by_hand() {
        // Ten samples, see `samples::three_classes`: truth 0 0 0 0 1 1 1 2 2 2, predicted 0 0 1 2 1 1 0 2 2 1.
        let matrix = confusion_matrix(&three_classes());
        assert_eq!(matrix.rows(), [[2, 1, 1], [1, 2, 0], [0, 1, 2]]);
        assert_eq!(matrix.support(), [4, 3, 3]);
        assert_eq!(matrix.predicted(), [3, 4, 3]);
        assert_eq!(matrix.correct(), [2, 2, 2]);
        assert_eq!(matrix.accuracy(), 0.6);
        // Recalls 1/2, 2/3, 2/3; their mean is 11/18.
        close(matrix.balanced_accuracy(), 11.0 / 18.0);
    }

    #[test]
    fn a_class_without_samples_has_no_shares_and_no_weight() {
        let matrix = ConfusionMatrix::from_counts(&["a", "b"], &[[3, 1], [0, 0]]).unwrap();
        assert_eq!(matrix.shares(), [Some(vec![0.75, 0.25]), None]);
        assert_eq!(matrix.balanced_accuracy(), 0.75);
    }

    #[test]
    fn refuses_malformed_counts() {
        let from = |rows: &[Vec<u64>]| ConfusionMatrix::from_counts(&["a", "b"], rows).unwrap_err();
        assert_eq!(from(&[vec![0, 0], vec![0, 0]]), Error::NoSamples { what: "the confusion matrix" });
        assert_eq!(from(&[vec![u64::MAX, 1], vec![0, 0]]), Error::CountOverflow);
        assert!(matches!(from(&[vec![1, 1]]), Error::Length { expected: 2, found: 1, .. }));
        assert!(matches!(from(&[vec![1, 1], vec![1]]), Error::Length { expected: 2, found: 1, .. }));
    }
}
