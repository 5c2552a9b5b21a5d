//! Softmax cross-entropy: `loss = −1/images·Σ_b w_{c_b}·ln softmax(logits_b)[c_b]` and its gradient at the logits.

mod cpu;
pub mod cuda;

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
    share_of_loss_and_gradient(logits, labels, class_weights, labels.len())
}

/// What these images add to the loss and the gradient of a batch of `of` images that was divided.
///
/// ```
/// use kernels::cross_entropy::{loss_and_gradient, share_of_loss_and_gradient};
/// let (whole, _) = loss_and_gradient(&[1.0f64, 2.0, 0.5, -1.0], &[0, 1], &[]).unwrap();
/// let (first, _) = share_of_loss_and_gradient(&[1.0f64, 2.0], &[0], &[], 2).unwrap();
/// let (second, _) = share_of_loss_and_gradient(&[0.5f64, -1.0], &[1], &[], 2).unwrap();
/// assert!((first + second - whole).abs() < 1e-15);
/// ```
///
/// # Errors
/// As for [`loss_and_gradient`].
pub fn share_of_loss_and_gradient<T: Real>(logits: &[T], labels: &[usize], class_weights: &[T], of: usize) -> Result<(f64, Vec<T>), Error> {
    let classes = logits.len().checked_div(labels.len()).unwrap_or(0);
    expect_len("cross_entropy", "logits", logits, classes * labels.len())?;
    check(classes, labels, class_weights)?;
    Ok(cpu::loss_and_gradient(logits, labels, class_weights, (classes, of)))
}

/// Refuses labels that are no class, and weights that are not one for each class.
///
/// # Errors
/// [`Error::Length`].
pub fn check<T>(classes: usize, labels: &[usize], class_weights: &[T]) -> Result<(), Error> {
    expect_len("cross_entropy", "class_weights", class_weights, if class_weights.is_empty() { 0 } else { classes })?;
    if classes == 0 {
        return Err(Error::Length { kernel: "cross_entropy", argument: "logits (classes of a row)", expected: 1, found: 0 });
    }
    match labels.iter().find(|&&label| label >= classes) {
        Some(&label) => {
            Err(Error::Length { kernel: "cross_entropy", argument: "logits (classes of a row)", expected: label + 1, found: classes })
        }
        None => Ok(()),
    }
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
