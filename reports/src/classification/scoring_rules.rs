//! Proper scoring rules: they are best when the probabilities are the true ones.

use super::Predictions;

/// Log loss (cross-entropy) in nats, `-(1/N) Σ_i ln p_i` with `p_i` the probability of the true class.
///
/// A true class of probability zero would make it infinite; `p_i` is bounded below by 2.2e-16 (the spacing of
/// double precision at one, as in scikit-learn), so one such sample adds 36.04 / N.
///
/// ```
/// use reports::classification::{Predictions, log_loss};
///
/// let predictions = Predictions::new(&["a", "b"], &[0, 1], &[[0.5, 0.5], [0.75, 0.25]])?;
/// assert!((log_loss(&predictions) - (2.0_f64.ln() + 4.0_f64.ln()) / 2.0).abs() < 1e-12);
/// # Ok::<(), reports::Error>(())
/// ```
pub fn log_loss(predictions: &Predictions) -> f64 {
    let losses = predictions.rows().zip(predictions.truth()).map(|(row, &truth)| -row[truth].max(f64::EPSILON).ln());
    losses.sum::<f64>() / predictions.len() as f64
}

/// Brier score in its original form for many classes, `(1/N) Σ_i Σ_c (p_ic - y_ic)²`, from 0 (perfect) to 2.
///
/// For two classes it is twice the form that looks at one class only. Source: Brier 1950.
///
/// ```
/// use reports::classification::{Predictions, brier_score};
///
/// let predictions = Predictions::new(&["a", "b"], &[0, 1], &[[1.0, 0.0], [0.75, 0.25]])?;
/// assert_eq!(brier_score(&predictions), (0.0 + 2.0 * 0.75 * 0.75) / 2.0);
/// # Ok::<(), reports::Error>(())
/// ```
pub fn brier_score(predictions: &Predictions) -> f64 {
    let distance =
        |(row, &truth): (&[f64], &usize)| -> f64 { row.iter().enumerate().map(|(class, p)| (p - f64::from(class == truth)).powi(2)).sum() };
    predictions.rows().zip(predictions.truth()).map(distance).sum::<f64>() / predictions.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classification::samples::{close, three_classes};

    #[test]
    fn by_scikit_learn() {
        // log_loss(y, P) and brier_score_loss(y, P, scale_by_half=False) of scikit-learn 1.9.1.
        close(log_loss(&three_classes()), 0.7885314883126241);
        close(brier_score(&three_classes()), 0.4795);
    }

    #[test]
    fn a_sure_mistake_is_dear_but_finite() {
        let predictions = Predictions::new(&["a", "b"], &[1], &[[1.0, 0.0]]).unwrap();
        close(log_loss(&predictions), 52.0 * 2.0_f64.ln()); // epsilon is 2^-52
        assert_eq!(brier_score(&predictions), 2.0);
    }
}
