//! Calibration of the predicted class: does "80 %" come true in 80 % of the cases.

use std::num::NonZeroUsize;

use serde::Serialize;

use super::Predictions;

/// Number of bins of Guo et al. 2017, the usual choice.
pub const DEFAULT_BINS: NonZeroUsize = NonZeroUsize::new(15).expect("fifteen is not zero");

/// Reliability of the confidence (probability of the predicted class) in bins of equal width.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// The bins, from confidence 0 to 1; empty ones included.
    pub bins: Vec<CalibrationBin>,
    /// Expected calibration error, `ECE = Σ_b (n_b / N) |accuracy_b - confidence_b|`.
    pub expected_error: f64,
    /// Maximum calibration error, the largest gap of a bin.
    pub maximum_error: f64,
}

/// Samples whose confidence lies in (lower, upper]; the first bin holds confidence 0 as well.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Lower end, excluded.
    pub lower: f64,
    /// Upper end, included.
    pub upper: f64,
    /// Number of samples.
    pub count: u64,
    /// Number of them that were predicted correctly.
    pub correct: u64,
    /// Mean confidence of the samples; `None` in an empty bin.
    pub confidence: Option<f64>,
    /// Share of correctly predicted samples; `None` in an empty bin.
    pub accuracy: Option<f64>,
}

/// Bins the samples by confidence and compares mean confidence with accuracy.
///
/// `bins` bins of equal width 1/M, the b-th over (b/M, (b+1)/M]; [`DEFAULT_BINS`] is 15.
/// The error depends on the number of bins and is biased upwards for small samples: compare only like with like.
/// Source: Guo et al. 2017, *On calibration of modern neural networks*.
///
/// ```
/// use std::num::NonZeroUsize;
/// use reports::classification::{Predictions, calibration};
///
/// let predictions = Predictions::new(&["a", "b"], &[0, 1], &[[0.9, 0.1], [0.8, 0.2]])?;
/// let result = calibration(&predictions, NonZeroUsize::new(2).unwrap());
/// // Both lie in (0.5, 1]: mean confidence 0.85, accuracy 0.5.
/// assert!((result.expected_error - 0.35).abs() < 1e-12);
/// assert_eq!(result.bins[0].accuracy, None);
/// # Ok::<(), reports::Error>(())
/// ```
pub fn calibration(predictions: &Predictions, bins: NonZeroUsize) -> Calibration {
    let mut tallies = vec![Tally::default(); bins.get()];
    for ((row, &truth), &predicted) in predictions.rows().zip(predictions.truth()).zip(predictions.predicted()) {
        let tally = &mut tallies[bin_of(row[predicted], bins.get())];
        tally.count += 1;
        tally.correct += u64::from(predicted == truth);
        tally.confidence += row[predicted];
    }
    let bins: Vec<CalibrationBin> = tallies.iter().enumerate().map(|(bin, tally)| tally.finish(bin, bins.get())).collect();
    let gaps = |bin: &CalibrationBin| Some((bin.count as f64, (bin.accuracy? - bin.confidence?).abs()));
    let gaps: Vec<(f64, f64)> = bins.iter().filter_map(gaps).collect();
    let expected_error = gaps.iter().map(|(count, gap)| count * gap).sum::<f64>() / predictions.len() as f64;
    let maximum_error = gaps.iter().map(|&(_, gap)| gap).fold(0.0, f64::max);
    Calibration { bins, expected_error, maximum_error }
}

#[derive(Default, Clone)]
struct Tally {
    count: u64,
    correct: u64,
    confidence: f64,
}

impl Tally {
    fn finish(&self, bin: usize, bins: usize) -> CalibrationBin {
        let mean = |sum: f64| (self.count > 0).then(|| sum / self.count as f64);
        CalibrationBin {
            lower: edge(bin, bins),
            upper: edge(bin + 1, bins),
            count: self.count,
            correct: self.correct,
            confidence: mean(self.confidence),
            accuracy: mean(self.correct as f64),
        }
    }
}

fn edge(bin: usize, bins: usize) -> f64 {
    bin as f64 / bins as f64
}

/// The bin with edge(bin) < confidence <= edge(bin + 1), exact at the edges as they are reported.
fn bin_of(confidence: f64, bins: usize) -> usize {
    let mut bin = ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
    // The product is rounded, so the guess may be off by one at an edge.
    if bin > 0 && confidence <= edge(bin, bins) {
        bin -= 1;
    } else if bin + 1 < bins && confidence > edge(bin + 1, bins) {
        bin += 1;
    }
    bin
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classification::samples::{any_predictions, close};

    fn bins(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    #[test]
    fn error_by_hand() {
        // Ten bins. Confidence 0.65 and 0.70 (wrong, right) lie in (0.6, 0.7]: mean 0.675, accuracy 0.5, gap 0.175.
        // 0.95 (right) lies in (0.9, 1]: gap 0.05. ECE = (2 * 0.175 + 0.05) / 3.
        let rows = [[0.65, 0.35], [0.70, 0.30], [0.05, 0.95]];
        let result = calibration(&Predictions::new(&["a", "b"], &[1, 0, 1], &rows).unwrap(), bins(10));
        close(result.expected_error, 0.4 / 3.0);
        close(result.maximum_error, 0.175);
        let counts: Vec<u64> = result.bins.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [0, 0, 0, 0, 0, 0, 2, 0, 0, 1]);
    }

    #[test]
    fn edges_belong_to_the_bin_below() {
        for count in 1..=40 {
            for bin in 0..count {
                assert_eq!(bin_of(edge(bin + 1, count), count), bin, "upper edge of bin {bin} of {count}");
            }
        }
        assert_eq!(bin_of(0.0, 15), 0);
        assert_eq!(bin_of(1.00005, 15), 14); // a row may exceed one by the tolerance
    }

    proptest! {
        #[test]
        fn bins_hold_all_samples_and_errors_are_bounded(predictions in any_predictions(), count in 1..30_usize) {
            let result = calibration(&predictions, bins(count));
            prop_assert_eq!(result.bins.iter().map(|bin| bin.count).sum::<u64>(), predictions.len() as u64);
            prop_assert!((0.0..=result.maximum_error + 1e-12).contains(&result.expected_error));
            prop_assert!(result.maximum_error <= 1.0);
        }
    }
}
