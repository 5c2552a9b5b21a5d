//! Predictions that several tests share.

use proptest::prelude::*;

use super::Predictions;

/// Fails unless both values agree to 1e-12, and on NaN.
#[track_caller]
pub(crate) fn close(found: f64, expected: f64) {
    let difference = (found - expected).abs();
    assert!(difference <= 1e-12, "found {found}, expected {expected}, difference {difference}");
}

/// Ten samples of three classes, with ties, multiples of 1/20 so that every row sums to one exactly enough.
pub(crate) fn three_classes() -> Predictions {
    let truth = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2];
    let twentieths =
        [[14, 4, 2], [10, 6, 4], [6, 12, 2], [5, 5, 10], [3, 13, 4], [4, 10, 6], [12, 6, 2], [2, 4, 14], [4, 4, 12], [2, 11, 7]];
    let rows = twentieths.map(|row: [u8; 3]| row.map(|value| f64::from(value) / 20.0));
    Predictions::new(&["a", "b", "c"], &truth, &rows).expect("valid by construction")
}

/// Up to forty samples of two to five classes; coarse values, so that ties are common.
pub(crate) fn any_predictions() -> impl Strategy<Value = Predictions> {
    let sample = |classes| (0..classes, prop::collection::vec(0..6_u32, classes));
    (2..=5_usize).prop_flat_map(move |classes| {
        prop::collection::vec(sample(classes), 1..40).prop_map(move |samples| {
            let (truth, weights): (Vec<usize>, Vec<Vec<u32>>) = samples.into_iter().unzip();
            let names: Vec<String> = (0..classes).map(|class| format!("class {class}")).collect();
            let rows: Vec<Vec<f64>> = weights.iter().map(|row| normalised(row)).collect();
            Predictions::new(&names, &truth, &rows).expect("valid by construction")
        })
    })
}

fn normalised(weights: &[u32]) -> Vec<f64> {
    let sum: u32 = weights.iter().sum();
    match sum {
        0 => vec![1.0 / weights.len() as f64; weights.len()],
        _ => weights.iter().map(|&weight| f64::from(weight) / f64::from(sum)).collect(),
    }
}

#[test]
#[should_panic(expected = "difference")]
fn close_fails_on_nan() {
    close(f64::NAN, f64::NAN);
}

#[test]
#[should_panic(expected = "difference")]
fn close_fails_on_a_difference() {
    close(1.0, 1.0 + 1e-11);
}
