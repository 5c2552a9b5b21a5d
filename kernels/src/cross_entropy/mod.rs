//! Softmax cross-entropy: `loss = −1/images·Σ_b w_{c_b}·ln softmax(logits_b)[c_b]` and its gradient at the logits.

use crate::error::expect_len;
use crate::{Error, Real};

/// Softmax of each row of `logits` (images, classes).
///
/// ```
/// assert_eq!(kernels::cross_entropy::softmax(&[0.0f64, 0.0], 2), [0.5, 0.5]);
/// ```
pub fn softmax<T: Real>(logits: &[T], classes: usize) -> Vec<T> {
    let mut probabilities = logits.to_vec();
    for row in probabilities.chunks_mut(classes.max(1)) {
        let highest = row.iter().copied().fold(row[0], T::max);
        row.iter_mut().for_each(|value| *value = (*value - highest).exp());
        let total: T = row.iter().copied().sum();
        row.iter_mut().for_each(|value| *value = *value / total);
    }
    probabilities
}

/// Loss, averaged over images, and its gradient (images, classes).
///
/// `labels` (images) hold class indices; `class_weights` (classes) scale each image's term, empty for none.
/// A label that is no class is refused as a length, because the row it names does not exist.
pub fn loss_and_gradient<T: Real>(logits: &[T], labels: &[usize], class_weights: &[T]) -> Result<(f64, Vec<T>), Error> {
    let classes = logits.len().checked_div(labels.len()).unwrap_or(0);
    expect_len("cross_entropy", "logits", logits, classes * labels.len())?;
    expect_len("cross_entropy", "class_weights", class_weights, if class_weights.is_empty() { 0 } else { classes })?;
    if let Some(&label) = labels.iter().find(|&&label| label >= classes) {
        return Err(Error::Length { kernel: "cross_entropy", argument: "logits (classes of a row)", expected: label + 1, found: classes });
    }
    let mut gradient = softmax(logits, classes);
    let mut loss = 0.0;
    for ((row, logits), &label) in gradient.chunks_mut(classes).zip(logits.chunks(classes)).zip(labels) {
        let weight = class_weights.get(label).copied().unwrap_or(T::ONE).to_f64() / labels.len() as f64;
        loss -= weight * log_probability(logits, label);
        row[label] += -T::ONE;
        row.iter_mut().for_each(|value| *value *= T::from_f64(weight));
    }
    Ok((loss, gradient))
}

/// `ln softmax(logits)[label]`, in `f64`, without leaving the logarithm.
fn log_probability<T: Real>(logits: &[T], label: usize) -> f64 {
    let highest = logits.iter().map(|v| v.to_f64()).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logits.iter().map(|v| (v.to_f64() - highest).exp()).sum();
    logits[label].to_f64() - highest - total.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{assert_gradient, seeded};

    #[test]
    fn gradient_is_the_derivative() {
        let (logits, labels) = (seeded::<f64>(1, 8), [1, 3]);
        for weights in [vec![], vec![1.0, 2.0, 3.0, 4.0]] {
            let (_, gradient) = loss_and_gradient(&logits, &labels, &weights).unwrap();
            assert_gradient("logits", &logits, &gradient, |logits| loss_and_gradient(logits, &labels, &weights).unwrap().0);
        }
    }

    #[test]
    fn even_logits_cost_the_logarithm_of_the_classes() {
        let (loss, _) = loss_and_gradient(&[7.0f32; 14], &[0, 6], &[]).unwrap();
        assert!((loss - 7f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn large_logits_stay_finite() {
        let (loss, gradient) = loss_and_gradient(&[1e4f32, -1e4], &[1], &[]).unwrap();
        assert!((loss - 2e4).abs() < 1e-6 && gradient == [1.0, -1.0]);
    }

    #[test]
    fn a_label_beyond_the_classes_is_refused() {
        assert!(loss_and_gradient(&[0.0f32; 4], &[0, 2], &[]).is_err());
    }
}
