//! The head of three hidden layers while it learns, whose normalisation is the batch's own.

use kernels::check::{assert_gradient, seeded};

use super::{CLASSES, lively, pixels, random_pixels, score};
use crate::vit::arena::Arena;
use crate::vit::backward::{self, Extra};
use crate::vit::config::VitConfig;
use crate::vit::forward::{self, Keep};
use crate::vit::head::HeadKind;
use crate::vit::learning_head;
use crate::vit::weights::Weights;

const IMAGES: usize = 4;

fn logits(config: &VitConfig, weights: &Weights<f64>, data: &[f64]) -> Vec<f64> {
    let mut arena = Arena::default();
    let pass = forward::run(config, weights, &pixels(data, IMAGES), Keep::Nothing, &mut arena).unwrap();
    learning_head::logits(&weights.head, &pass.pooled, &mut arena.workspace).unwrap()
}

/// What a batch's mean takes away again: biases before BatchNorm, and that of the norm before the first layer.
fn has_no_gradient(name: &str) -> bool {
    name == "norm.bias" || name.starts_with("head.fc") && name.ends_with("bias")
}

#[test]
fn weight_gradients_through_batch_statistics_are_finite_differences() {
    let (config, head) = (VitConfig::tiny_for_tests(), HeadKind::Dnn3(CLASSES));
    let (weights, data) = (lively(&config, head), random_pixels(&config, IMAGES));
    let mut arena = Arena::default();
    let pass = forward::run(&config, &weights, &pixels(&data, IMAGES), Keep::Everything, &mut arena).unwrap();
    let seed = seeded(5, IMAGES * CLASSES);
    let found = backward::run(&config, &weights, &pixels(&data, IMAGES), &pass, &seed, Extra::Weights, &mut arena).unwrap();
    let found = found.weights.expect("asked for");
    for (index, (name, tensor)) in found.named().into_iter().enumerate() {
        if has_no_gradient(&name) || name.contains("running_") {
            continue;
        }
        let at = weights.named()[index].1.values().to_vec();
        // Some coordinates: each tensor is met, and the test stays short.
        let some: Vec<usize> = (0..at.len()).step_by((at.len() / 24).max(1)).collect();
        let moved = |values: &[f64]| {
            let mut weights = weights.clone();
            some.iter().zip(values).for_each(|(&i, &value)| weights.named_mut()[index].1.values()[i] = value);
            score(&logits(&config, &weights, &data))
        };
        let pick = |all: &[f64]| some.iter().map(|&i| all[i]).collect::<Vec<_>>();
        assert_gradient(&name, &pick(&at), &pick(tensor.values()), moved);
    }
    for (name, tensor) in found.named().into_iter().filter(|(name, _)| has_no_gradient(name)) {
        let largest = tensor.values().iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        assert!(largest < 1e-10, "{name} has a gradient of {largest:e}");
    }
}
