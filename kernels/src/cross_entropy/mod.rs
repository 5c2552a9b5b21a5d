//! Softmax cross-entropy: `loss = −1/images·Σ_b w_{c_b}·ln softmax(logits_b)[c_b]` and its gradient at the logits.

mod cpu;

use crate::error::expect_len;
use crate::{Error, Real};

/// Softmax of each row of `logits` (images, classes).
///
/// ```
/// assert_eq!(kernels::cross_entropy::softmax(&[0.0f64, 0.0], 2), [0.5, 0.5]);
/// ```
pub fn softmax<T: Real>(logits: &[T], classes: usize) -> Vec<T> {
    cpu::softmax(logits, classes)
}

/// Loss, averaged over images, and its gradient (images, classes).
///
/// `labels` (images) hold class indices; `class_weights` (classes) scale each image's term, empty for none.
/// A label that is no class is refused as a length, because the row it names does not exist.
pub fn loss_and_gradient<T: Real>(logits: &[T], labels: &[usize], class_weights: &[T]) -> Result<(f64, Vec<T>), Error> {
    let classes = logits.len().checked_div(labels.len()).unwrap_or(0);
    expect_len("cross_entropy", "logits", logits, classes * labels.len())?;
    expect_len("cross_entropy", "class_weights", class_weights, if class_weights.is_empty() { 0 } else { classes })?;
    if classes == 0 {
        return Err(Error::Length { kernel: "cross_entropy", argument: "logits (classes of a row)", expected: 1, found: 0 });
    }
    if let Some(&label) = labels.iter().find(|&&label| label >= classes) {
        return Err(Error::Length { kernel: "cross_entropy", argument: "logits (classes of a row)", expected: label + 1, found: classes });
    }
    Ok(cpu::loss_and_gradient(logits, labels, class_weights, classes))
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
        assert!(loss_and_gradient::<f32>(&[], &[], &[]).is_err() && loss_and_gradient::<f32>(&[], &[0], &[]).is_err());
    }
}
