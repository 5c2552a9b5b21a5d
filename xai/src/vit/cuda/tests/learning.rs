//! Learning on a device against learning on the CPU: every weight's gradient in `f64`, steps in `f32`.

use std::sync::Arc;

use kernels::cross_entropy::share_of_loss_and_gradient;
use kernels::cuda::Storage;

use super::queue::Emulated;
use super::{CLASSES, cosine, device, lively, on_cpu, pictures, vit, wide};
use crate::training::{AdamW, Decay, Learner, Lesson, Step, Training};
use crate::vit::arena::Arena;
use crate::vit::backward::{self, Extra};
use crate::vit::choices::{Activation, FinalNorm, Pooling, Positions, Tokens};
use crate::vit::config::VitConfig;
use crate::vit::cuda::learning::Learning;
use crate::vit::embedding::Pixels;
use crate::vit::forward::{self, Keep};
use crate::vit::head::HeadKind;
use crate::vit::learning_head;
use crate::vit::weights::Weights;
use crate::{Batch, Error, Precision, Vit};

pub(super) const IMAGES: usize = 5;
pub(super) const LABELS: [usize; IMAGES] = [0, 2, 1, 1, 0];
const CLASS_WEIGHTS: [f32; CLASSES] = [1.0, 0.5, 2.0];
/// Of an optimiser that does not divide rounding by rounding, as a smaller one does where a gradient is zero by mathematics.
pub(super) const STEP: Step =
    Step { adamw: AdamW { rate: 1e-2, beta1: 0.9, beta2: 0.999, eps: 1e-3, decay: 0.05 }, decay: Decay::Matrices, clip: Some(0.5) };

/// Every choice that learns on a device, each at least once.
fn configs() -> Vec<(&'static str, VitConfig, HeadKind)> {
    let vit = vit();
    let registers = Tokens { registers: 2, distillation: true, ..Tokens::CLS };
    let registers =
        VitConfig { pooling: Pooling::ClsAndMean, special_tokens: registers, positions: Positions::NotRegisters, ..vit.clone() };
    let no_token = VitConfig {
        special_tokens: Tokens::NONE,
        pooling: Pooling::MeanPatches,
        final_norm: FinalNorm::Pooled,
        hidden_act: Activation::GeluTanh,
        ..vit.clone()
    };
    let filled = VitConfig {
        head_size: Some(20),
        qkv_bias: false,
        hidden_act: Activation::Relu,
        intermediate_size: 85,
        num_channels: 1,
        patch_size: 5,
        image_size: (10, 15),
        positions: Positions::Patches,
        ..vit.clone()
    };
    let attention_alone = VitConfig { intermediate_size: 0, ..vit.clone() };
    let linear = HeadKind::Linear(CLASSES);
    vec![
        ("vit", vit.clone(), linear),
        ("registers", registers, linear),
        ("mean of patches", no_token, linear),
        ("filled with zeros", filled, linear),
        ("attention alone", attention_alone, linear),
        ("three hidden layers", vit, HeadKind::Dnn3(CLASSES)),
    ]
}

/// How near a device must come: the loss, and each gradient and the length by their size.
///
/// What is allowed is a small multiple of what rounding does, and grows with it: f32, f16 and bf16 keep 24, 11 and 8 bits. A normalised
/// batch of few pictures that resemble each other makes much of how features are rounded, some five times as much as without.
pub(super) fn gates(storage: Storage, head: HeadKind) -> (f64, f64) {
    match (storage, head) {
        (Storage::F32, _) => (1e-5, 1.5e-5),
        (Storage::F16, HeadKind::Dnn3(_)) => (1e-3, 5e-2),
        (Storage::F16, _) => (1e-3, 1e-2),
        (Storage::Bf16, HeadKind::Dnn3(_)) => (1e-2, 0.25),
        (Storage::Bf16, _) => (1e-2, 5e-2),
    }
}

/// The gradient of a share of the loss by the CPU in `f64`, as rows by name, and the share.
fn exact(vit: &Vit, batch: &Batch, of: usize) -> (f64, Vec<(String, Vec<f64>)>) {
    let (config, head) = (vit.config(), vit.head());
    let mut weights = Weights::<f64>::zeros(config, head);
    for ((_, mut to), (_, from)) in weights.named_mut().into_iter().zip(vit.model.weights.named()) {
        to.fill(wide(&from.to_rows()));
    }
    let data: Vec<f64> = batch.pixels().iter().map(|&value| f64::from(value)).collect();
    let pixels = Pixels { data: &data, images: batch.len(), patches: config.patches() };
    let mut arena = Arena::default();
    let pass = forward::run(config, &weights, &pixels, Keep::Everything, &mut arena).unwrap();
    let logits = learning_head::logits(&weights.head, &pass.pooled, &mut arena.workspace).unwrap();
    let (loss, dlogits) = share_of_loss_and_gradient(&logits, &LABELS, &wide(&CLASS_WEIGHTS), of).unwrap();
    let found = backward::run(config, &weights, &pixels, &pass, &dlogits, Extra::Weights, &mut arena).unwrap();
    let gradient = found.weights.expect("asked for");
    let share = batch.len() as f64 / of as f64;
    let factor = |name: &str| if name.contains("running_") { share } else { 1.0 };
    let rows = |(name, tensor): (String, crate::vit::layers::Parameter<f64>)| {
        let values = tensor.to_rows().iter().map(|value| factor(&name) * value).collect();
        (name, values)
    };
    (loss, gradient.named().into_iter().rev().map(rows).collect())
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

fn assert_gradients(what: &str, storage: Storage, config: &VitConfig, head: HeadKind) {
    let Some(queue) = device() else { return };
    let (vit, batch, of) = (on_cpu(config, head), pictures(config, IMAGES), IMAGES + 2);
    let (loss, expected) = exact(&vit, &batch, of);
    let mut learning = Learning::on(vit, queue, 0, storage).unwrap();
    learning.clear().unwrap();
    let found_loss = learning.add(Lesson { batch: &batch, labels: &LABELS }, &CLASS_WEIGHTS, of, None).unwrap().loss;
    let (of_loss, of_gradient) = gates(storage, head);
    assert!((found_loss - loss).abs() <= of_loss * loss, "{what}: loss {found_loss}, expected {loss}");
    let learnt = || expected.iter().filter(|(name, _)| !name.contains("running_"));
    let largest = learnt().map(|(_, values)| norm(values)).fold(0.0, f64::max);
    let found = learning.gradients().unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    for ((found_name, found), (name, expected)) in found.iter().zip(&expected) {
        assert_eq!(found_name, name, "{what}");
        assert_eq!(found.len(), expected.len(), "{what}: {name}");
        let difference: Vec<f64> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
        // A gradient that is zero by mathematics is rounding.
        let off = norm(&difference) / norm(expected).max(1e-2 * largest);
        assert!(off <= of_gradient, "{what}: the gradient of {name} is off by {off:e}");
    }
    let length = learnt().map(|(_, values)| norm(values) * norm(values)).sum::<f64>().sqrt();
    let found_length = learning.length().unwrap();
    assert!((found_length - length).abs() <= of_gradient * length, "{what}: length {found_length}, expected {length}");
}

#[test]
fn gradients_in_f32() {
    for (what, config, head) in configs() {
        assert_gradients(&format!("{what}, f32"), Storage::F32, &config, head);
    }
}

#[test]
fn gradients_in_bf16_and_f16() {
    for (what, config, head) in configs() {
        for storage in [Storage::Bf16, Storage::F16] {
            assert_gradients(&format!("{what}, {storage}"), storage, &config, head);
        }
    }
}

pub(super) fn training(vit: &Vit, queue: Arc<Emulated>, storage: Storage) -> Training {
    Training::with(Box::new(Learning::on(vit.clone(), queue, 0, storage).unwrap()))
}

/// Names and rows of all weights.
pub(super) fn rows(vit: &Vit) -> Vec<(String, Vec<f32>)> {
    vit.model.weights.named().iter().map(|(name, tensor)| (name.clone(), tensor.to_rows())).collect()
}

/// Three steps there and on the CPU: each divides by what the one before made of it, so differences grow tenfold.
fn assert_steps(what: &str, config: &VitConfig, head: HeadKind) {
    let Some(queue) = device() else { return };
    let (vit, batch) = (on_cpu(config, head), pictures(config, IMAGES));
    let (mut there, mut here) = (training(&vit, queue, Storage::F32), Training::of(vit.clone()));
    assert_eq!(rows(&there.vit().unwrap()), rows(&vit), "{what}: what was brought there comes back");
    for _ in 0..3 {
        let (found, expected) = (there.step(&batch, &LABELS, &[], STEP).unwrap(), here.step(&batch, &LABELS, &[], STEP).unwrap());
        assert!((found - expected).abs() <= 1e-4 * expected, "{what}: loss {found}, expected {expected}");
    }
    let (found, expected) = (there.vit().unwrap(), here.vit().unwrap());
    for (((name, found), (_, expected)), (_, start)) in rows(&found).iter().zip(&rows(&expected)).zip(&rows(&vit)) {
        let moved = |to: &[f32]| to.iter().zip(start).map(|(a, b)| f64::from(a - b)).collect::<Vec<_>>();
        let (found, expected) = (moved(found), moved(expected));
        if norm(&expected) < 1e-4 * (expected.len() as f64).sqrt() {
            let most = 2e-4 * (expected.len() as f64).sqrt();
            assert!(norm(&found) < most, "{what}: {name} has no gradient and moves by {}", norm(&found));
            continue;
        }
        let near = cosine(&found, &expected);
        assert!(near >= 0.999_999, "{what}: the cosine of three steps of {name} is {near}");
    }
    let logits = |vit: &Vit| wide(vit.trace(&batch, crate::Probe::Logits).unwrap().logits().as_slice().unwrap());
    let near = cosine(&logits(&found), &logits(&expected));
    assert!(near >= 0.999_999, "{what}: the cosine of the learnt models' logits is {near}");
}

#[test]
fn three_steps_end_where_the_cpu_ends() {
    for (what, config, head) in configs() {
        assert_steps(what, &config, head);
    }
}

#[test]
fn a_step_that_meets_no_number_changes_nothing() {
    let config = vit();
    for head in [HeadKind::Linear(CLASSES), HeadKind::Dnn3(CLASSES)] {
        let Some(queue) = device() else { return };
        let (vit, batch) = (on_cpu(&config, head), pictures(&config, IMAGES));
        let beyond = Batch::new(batch.pixels().mapv(|value| 3e38 * value)).unwrap();
        for mut training in [training(&vit, queue.clone(), Storage::F32), training(&vit, queue, Storage::F16), Training::of(vit.clone())] {
            training.step(&batch, &LABELS, &[], STEP).unwrap();
            let before = rows(&training.vit().unwrap());
            let refused = training.step(&beyond, &LABELS, &[], STEP).unwrap_err();
            assert!(matches!(refused, Error::NotFinite { .. }) && refused.to_string().contains("gradient of the loss"), "{refused}");
            assert_eq!(rows(&training.vit().unwrap()), before);
            assert!(training.step(&batch, &LABELS, &[], STEP).unwrap().is_finite(), "it goes on");
            assert_ne!(rows(&training.vit().unwrap()), before);
        }
    }
}

#[test]
fn what_does_not_learn_on_a_device_says_where_it_does() {
    let Some(queue) = device() else { return };
    let refused = |config: VitConfig, head| Learning::on(on_cpu(&config, head), queue.clone(), 0, Storage::F32).unwrap_err();
    let linear = HeadKind::Linear(CLASSES);
    for config in [VitConfig { layer_scale: true, ..vit() }, VitConfig { patch_norms: true, ..vit() }] {
        let refused = refused(config, linear).to_string();
        assert!(refused.contains("train on the CPU"), "{refused}");
    }
    assert!(matches!(refused(vit(), HeadKind::None), Error::Untrainable { .. }));
    let rounded = on_cpu(&vit(), linear).with_precision(Precision::Bf16).unwrap();
    assert!(matches!(Learning::on(rounded, queue.clone(), 0, Storage::F32), Err(Error::Untrainable { .. })));
    assert!(matches!(Training::on(on_cpu(&vit(), linear), crate::Device::Cpu, Precision::Bf16), Err(Error::Untrainable { .. })));

    let mut training = training(&on_cpu(&vit(), HeadKind::Dnn3(CLASSES)), queue, Storage::F32);
    let other = VitConfig { image_size: (16, 24), ..vit() };
    let mut step = |batch: &Batch, labels: &[usize]| training.step(batch, labels, &[], STEP).unwrap_err();
    assert!(matches!(step(&pictures(&vit(), 1), &[0]), Error::Kernel(kernels::Error::NoVariance { rows: 1 })));
    assert!(matches!(step(&pictures(&other, 2), &[0, 1]), Error::Shape { .. }));
    assert!(matches!(step(&pictures(&vit(), 2), &[0]), Error::Shape { .. }));
    assert!(matches!(step(&pictures(&vit(), 2), &[0, CLASSES]), Error::Kernel(kernels::Error::Length { .. })));
    assert!(lively(&vit(), linear).count() > 0);
}
