//! bf16 against f32: the gates of a fast path whose weights and activations have 8 significant bits.

use ndarray::{Array2, Array4};
use xai::{Batch, HeadKind, Method, Precision, Target, Vit, VitConfig, explain};

fn numbers(values: impl IntoIterator<Item = f32>) -> Vec<f64> {
    values.into_iter().map(f64::from).collect()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Euclidean length of the difference, relative to `b`; NaN where anything is.
fn relative(a: &[f64], b: &[f64]) -> f64 {
    let length = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
    length(&mut a.iter().zip(b).map(|(a, b)| a - b)) / length(&mut b.iter().copied())
}

#[test]
fn bf16_stays_within_its_gates() {
    let batch = Batch::new(Array4::from_shape_fn((2, 3, 224, 224), |(image, channel, row, col)| {
        ((row / 16 * 7 + col / 16 * 5 + channel * 3 + image * 11) % 17) as f32 / 8.0 - 1.0 + (row * col % 13) as f32 / 50.0
    }));
    let batch = batch.unwrap();
    let exact = Vit::random(VitConfig::vit_tiny_patch16_224(), HeadKind::Linear(7), 3).unwrap();
    let rounded = exact.clone().with_precision(Precision::Bf16).unwrap();
    assert_eq!((exact.precision(), rounded.precision()), (Precision::F32, Precision::Bf16));
    let logits = |vit: &Vit| numbers(vit.trace(&batch, xai::Probe::Logits).unwrap().logits().iter().copied());
    let off = relative(&logits(&rounded), &logits(&exact));
    println!("logits: relative difference {off:.1e}");
    assert!((1e-6..=2e-2).contains(&off), "logits differ by {off:e}: zero would mean that nothing was rounded");
    for (name, gate) in [("rollout", 0.9995), ("relevance", 0.995), ("gradient", 0.99)] {
        let method = Method::by_name(name).unwrap();
        let maps = |vit: &Vit| explain(&vit.trace(&batch, method.probe()).unwrap(), Target::Class(2), &method).unwrap();
        for (found, expected) in maps(&rounded).iter().zip(maps(&exact)) {
            let flat = |map: &Array2<f32>| numbers(map.iter().copied());
            let found = cosine(&flat(&found.values), &flat(&expected.values));
            println!("{name}: cosine {found:.6}");
            assert!(found >= gate, "{name}: cosine {found} is below {gate}");
        }
    }
}

#[test]
fn a_comparison_with_nan_fails() {
    let (near, far) = (cosine(&[f64::NAN, 1.0], &[1.0, 1.0]) >= 0.0, relative(&[f64::NAN], &[1.0]) <= f64::MAX);
    assert!(!near && !far, "no gate lets NaN through");
}

#[test]
fn recipes_say_which_numbers_and_instructions() {
    let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1).unwrap().with_precision(Precision::Bf16).unwrap();
    let batch = Batch::new(Array4::zeros((1, 3, 8, 12))).unwrap();
    let method = Method::by_name("rollout").unwrap();
    let map = explain(&vit.trace(&batch, method.probe()).unwrap(), Target::Predicted, &method).unwrap().remove(0);
    let words: Vec<&str> = map.recipe.kernel_set.split(' ').collect();
    assert_eq!((words[0], words[2], words[3]), ("pellucid", "bf16", kernels::Instructions::best().name()));
}
