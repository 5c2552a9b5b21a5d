//! Softmax and cross-entropy on the CPU; the loss is summed in `f64`.

use crate::Real;

pub(super) fn softmax<T: Real>(logits: &[T], classes: usize) -> Vec<T> {
    let mut probabilities = logits.to_vec();
    for row in probabilities.chunks_mut(classes.max(1)) {
        let highest = row.iter().copied().fold(row[0], T::max);
        row.iter_mut().for_each(|value| *value = (*value - highest).exp());
        let total: T = row.iter().copied().sum();
        row.iter_mut().for_each(|value| *value = *value / total);
    }
    probabilities
}

pub(super) fn loss_and_gradient<T: Real>(
    logits: &[T],
    labels: &[usize],
    class_weights: &[T],
    (classes, of): (usize, usize),
) -> (f64, Vec<T>) {
    let mut gradient = softmax(logits, classes);
    let mut loss = 0.0;
    for ((row, logits), &label) in gradient.chunks_mut(classes).zip(logits.chunks(classes)).zip(labels) {
        let weight = class_weights.get(label).copied().unwrap_or(T::ONE).to_f64() / of as f64;
        loss -= weight * log_probability(logits, label);
        row[label] += -T::ONE;
        row.iter_mut().for_each(|value| *value *= T::from_f64(weight));
    }
    (loss, gradient)
}

/// `ln softmax(logits)[label]`, in `f64`, without leaving the logarithm.
fn log_probability<T: Real>(logits: &[T], label: usize) -> f64 {
    let highest = logits.iter().map(|v| v.to_f64()).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logits.iter().map(|v| (v.to_f64() - highest).exp()).sum();
    logits[label].to_f64() - highest - total.ln()
}
