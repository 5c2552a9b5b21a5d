//! True classes beside predicted probabilities, checked once.

use crate::Error;

/// How far a row of probabilities may be from summing to one (single precision softmax stays far within).
const ROW_SUM_TOLERANCE: f64 = 1e-4;

/// True classes beside predicted probabilities of N samples and C classes.
///
/// Values are kept as given; rows are not rescaled.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    classes: Vec<String>,
    truth: Vec<usize>,
    predicted: Vec<usize>,
    probabilities: Vec<f64>, // (N, C), row after row
}

impl Predictions {
    /// Checks and keeps `class_names` (C), `truth` (N class indices) and `probabilities` (N rows of C).
    ///
    /// ```
    /// use reports::{Error, classification::Predictions};
    ///
    /// let predictions = Predictions::new(&["nevus", "melanoma"], &[1], &[[0.25_f32, 0.75]])?;
    /// assert_eq!(predictions.predicted(), [1]);
    ///
    /// let logits = Predictions::new(&["nevus", "melanoma"], &[1], &[[0.5, 2.5]]);
    /// assert_eq!(logits, Err(Error::RowSum { sample: 0, sum: 3.0 }));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// Fewer than two classes, a repeated class name, no sample, lengths that differ, a class out of range,
    /// a probability that is not finite or negative, a row whose sum is off 1 by more than 1e-4.
    pub fn new<P, R>(class_names: &[impl AsRef<str>], truth: &[usize], probabilities: &[R]) -> Result<Self, Error>
    where
        P: Into<f64> + Copy,
        R: AsRef<[P]>,
    {
        let classes = distinct_names(class_names)?;
        if truth.is_empty() {
            return Err(Error::NoSamples { what: "predictions" });
        }
        check_length(|| "probability rows, one for each true class".into(), truth.len(), probabilities.len())?;
        let mut values = Vec::with_capacity(truth.len() * classes.len());
        for (sample, (&class, row)) in truth.iter().zip(probabilities).enumerate() {
            if class >= classes.len() {
                return Err(Error::ClassOutOfRange { sample, class, classes: classes.len() });
            }
            let row: Vec<f64> = row.as_ref().iter().map(|&p| p.into()).collect();
            check_row(sample, &row, classes.len())?;
            values.extend(row);
        }
        let predicted = values.chunks_exact(classes.len()).map(most_probable).collect();
        Ok(Predictions { classes, truth: truth.to_vec(), predicted, probabilities: values })
    }

    /// The same predictions for some samples, in the order given; an index may repeat, as in a bootstrap resample.
    ///
    /// # Errors
    /// No index, or one out of range.
    pub fn select(&self, samples: &[usize]) -> Result<Self, Error> {
        if samples.is_empty() {
            return Err(Error::NoSamples { what: "a selection of predictions" });
        }
        if let Some(&index) = samples.iter().find(|&&index| index >= self.len()) {
            return Err(Error::SampleOutOfRange { index, samples: self.len() });
        }
        Ok(Predictions {
            classes: self.classes.clone(),
            truth: samples.iter().map(|&sample| self.truth[sample]).collect(),
            predicted: samples.iter().map(|&sample| self.predicted[sample]).collect(),
            probabilities: samples.iter().flat_map(|&sample| self.row(sample)).copied().collect(),
        })
    }

    /// Number of samples N, at least one.
    #[expect(clippy::len_without_is_empty, reason = "predictions are never empty")]
    pub fn len(&self) -> usize {
        self.truth.len()
    }

    /// Class names (C), in the order of the class indices.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// True class index of each sample (N).
    pub fn truth(&self) -> &[usize] {
        &self.truth
    }

    /// Most probable class of each sample (N); of equal ones the first.
    pub fn predicted(&self) -> &[usize] {
        &self.predicted
    }

    /// Probability rows (C each), one for each sample.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.probabilities.chunks_exact(self.classes.len())
    }

    /// Probabilities of one class (N); `class` must be below the number of classes.
    pub(crate) fn column(&self, class: usize) -> Vec<f64> {
        self.rows().map(|row| row[class]).collect()
    }

    fn row(&self, sample: usize) -> &[f64] {
        let width = self.classes.len();
        &self.probabilities[sample * width..(sample + 1) * width]
    }
}

/// Owned class names, at least two and no two alike.
pub(crate) fn distinct_names(names: &[impl AsRef<str>]) -> Result<Vec<String>, Error> {
    if names.len() < 2 {
        return Err(Error::TooFewClasses { found: names.len() });
    }
    let mut seen = std::collections::HashMap::new();
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name.as_ref(), second) {
            return Err(Error::RepeatedClass { name: name.as_ref().into(), first, second });
        }
    }
    Ok(names.iter().map(|name| name.as_ref().to_owned()).collect())
}

/// Refuses a length other than the expected one.
pub(crate) fn check_length(what: impl FnOnce() -> String, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Length { what: what(), expected, found }) }
}

fn check_row(sample: usize, row: &[f64], classes: usize) -> Result<(), Error> {
    check_length(|| format!("probabilities of sample {sample}, one for each class"), classes, row.len())?;
    for (class, &value) in row.iter().enumerate() {
        if !(value.is_finite() && value >= 0.0) {
            return Err(Error::InvalidProbability { sample, class, value });
        }
    }
    let sum: f64 = row.iter().sum();
    // Written so that an infinite sum of finite values fails as well.
    if (sum - 1.0).abs() <= ROW_SUM_TOLERANCE { Ok(()) } else { Err(Error::RowSum { sample, sum }) }
}

fn most_probable(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["nevus", "melanoma"];

    fn build(truth: &[usize], rows: &[Vec<f64>]) -> Result<Predictions, Error> {
        Predictions::new(&NAMES, truth, rows)
    }

    #[test]
    fn refuses_by_name() {
        let one = |row: Vec<f64>| build(&[0], &[row]).unwrap_err();
        assert_eq!(build(&[], &[]), Err(Error::NoSamples { what: "predictions" }));
        assert_eq!(build(&[2], &[vec![1.0, 0.0]]), Err(Error::ClassOutOfRange { sample: 0, class: 2, classes: 2 }));
        assert!(matches!(one(vec![f64::NAN, 1.0]), Error::InvalidProbability { sample: 0, class: 0, .. }));
        assert_eq!(one(vec![1.1, -0.1]), Error::InvalidProbability { sample: 0, class: 1, value: -0.1 });
        assert_eq!(one(vec![f64::MAX, f64::MAX]), Error::RowSum { sample: 0, sum: f64::INFINITY });
        assert_eq!(one(vec![0.5, 0.4998]), Error::RowSum { sample: 0, sum: 0.9998 });
        assert!(matches!(one(vec![1.0]), Error::Length { expected: 2, found: 1, .. }));
        assert!(matches!(build(&[0, 1], &[vec![1.0, 0.0]]), Err(Error::Length { expected: 2, found: 1, .. })));
        assert!(build(&[0], &[vec![0.5, 0.50005]]).is_ok());
    }

    #[test]
    fn refuses_class_names_that_cannot_be_told_apart() {
        let rows = [[1.0, 0.0]];
        let repeated = Predictions::new(&["nevus", "nevus"], &[0], &rows);
        assert_eq!(repeated, Err(Error::RepeatedClass { name: "nevus".into(), first: 0, second: 1 }));
        assert_eq!(Predictions::new(&["nevus"], &[0], &[[1.0]]), Err(Error::TooFewClasses { found: 1 }));
    }

    #[test]
    fn of_equal_probabilities_the_first_class_is_predicted() {
        assert_eq!(build(&[1], &[vec![0.5, 0.5]]).unwrap().predicted(), [0]);
    }

    #[test]
    fn selects_with_repetition_and_refuses_what_is_not_there() {
        let all = build(&[0, 1], &[vec![1.0, 0.0], vec![0.25, 0.75]]).unwrap();
        let picked = all.select(&[1, 1, 0]).unwrap();
        assert_eq!(picked.truth(), [1, 1, 0]);
        assert_eq!(picked.predicted(), [1, 1, 0]);
        assert_eq!(picked.column(1), [0.75, 0.75, 0.0]);
        assert_eq!(all.select(&[2]), Err(Error::SampleOutOfRange { index: 2, samples: 2 }));
        assert!(all.select(&[]).is_err());
    }
}
