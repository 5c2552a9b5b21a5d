//! The engine of CUDA devices against the one of the CPU in `f64`, on a device that runs the kernels' own sources on this machine.

#[allow(dead_code)]
#[path = "../../../../../kernels/emulator/library.rs"]
pub(crate) mod emulator;
mod learning;
mod learning_rounded;
mod learning_together;
mod limits;
mod maps;
mod parity;
#[allow(dead_code)]
#[path = "../../../../../kernels/emulator/queue.rs"]
pub(crate) mod queue;

use std::sync::Arc;

use kernels::check::seeded;
use kernels::cuda::Storage;

use super::Engine;
use crate::vit::Model;
use crate::vit::choices::{Activation, FinalNorm, Pooling, Positions, Tokens};
use crate::vit::config::VitConfig;
use crate::vit::head::HeadKind;
use crate::vit::weights::Weights;
use crate::{Batch, Device, Vit};
use emulator::Schedule;
use queue::Emulated;

pub(crate) const CLASSES: usize = 3;

/// Two blocks of two heads of 32 values on 16 patches.
pub(crate) fn vit() -> VitConfig {
    VitConfig { image_size: (16, 16), hidden_size: 64, num_attention_heads: 2, intermediate_size: 88, ..VitConfig::tiny_for_tests() }
}

/// Every choice that an architecture has, each at least once.
pub(crate) fn configs() -> Vec<(&'static str, VitConfig, HeadKind)> {
    let vit = vit();
    let registers = Tokens { registers: 2, ..Tokens::CLS };
    let dinov2 = VitConfig {
        layer_scale: true,
        pooling: Pooling::ClsAndMean,
        special_tokens: registers,
        positions: Positions::NotRegisters,
        ..vit.clone()
    };
    let deit = VitConfig {
        special_tokens: Tokens { distillation: true, ..Tokens::CLS },
        pooling: Pooling::ClsAndDistillation,
        positions: Positions::Patches,
        hidden_act: Activation::GeluTanh,
        ..vit.clone()
    };
    let mean = VitConfig { special_tokens: Tokens::NONE, pooling: Pooling::MeanPatches, final_norm: FinalNorm::Pooled, ..vit.clone() };
    let vit_pytorch = VitConfig {
        head_size: Some(20),
        qkv_bias: false,
        hidden_act: Activation::Relu,
        num_channels: 1,
        patch_norms: true,
        pooling: Pooling::MeanTokens,
        ..vit.clone()
    };
    let attention_alone = VitConfig { intermediate_size: 0, image_size: (28, 28), ..vit.clone() };
    vec![
        ("vit", vit.clone(), HeadKind::Linear(CLASSES)),
        ("dinov2 with registers", dinov2, HeadKind::Linear(CLASSES)),
        ("distilled", deit, HeadKind::Distilled(CLASSES)),
        ("mean of patches", mean, HeadKind::Linear(CLASSES)),
        ("vit-pytorch", vit_pytorch, HeadKind::Linear(CLASSES)),
        ("attention alone, 50 tokens", attention_alone, HeadKind::Linear(CLASSES)),
        ("three hidden layers", vit, HeadKind::Dnn3(CLASSES)),
    ]
}

/// Weights with which attention and activations matter.
fn lively(config: &VitConfig, head: HeadKind) -> Weights<f32> {
    let mut weights = Weights::zeros(config, head);
    for (index, (name, mut tensor)) in weights.named_mut().into_iter().enumerate() {
        let is_gain = tensor.as_ref().shape().len() == 1 && (name.ends_with("weight") || name.ends_with("running_var"));
        // Hidden units that are mostly on: where rounding turns one on or off, a gradient jumps.
        let is_on = name.starts_with("head.bn") && name.ends_with("bias");
        let offset = if is_gain || is_on || name.contains("scale") { 1.0 } else { 0.0 };
        let numbers = seeded::<f32>(index as u64 + 1, tensor.as_ref().to_rows().len());
        tensor.fill(numbers.iter().map(|v| 0.25 * v + offset).collect());
    }
    weights
}

pub(crate) fn pictures(config: &VitConfig, images: usize) -> Batch {
    let (height, width) = config.image_size;
    let values = seeded::<f32>(77, images * config.num_channels * height * width);
    let shape = (images, config.num_channels, height, width);
    Batch::new(ndarray::Array4::from_shape_vec(shape, values).expect("as many values")).expect("finite values")
}

/// The emulated device, or nothing where there is no C++ compiler.
pub(crate) fn device() -> Option<Arc<Emulated>> {
    Emulated::new(Schedule::Backward).map(Arc::new)
}

/// A model on the CPU.
pub(crate) fn on_cpu(config: &VitConfig, head: HeadKind) -> Vit {
    let vit = Vit::random(config.clone(), head, 1).expect("an architecture");
    let model = Arc::unwrap_or_clone(vit.model);
    Vit { model: Arc::new(Model { weights: lively(config, head), ..model }) }
}

/// The same model on a device.
pub(crate) fn on_device(vit: &Vit, queue: Arc<Emulated>, storage: Storage) -> Result<Vit, crate::Error> {
    let model = Model::clone(&vit.model);
    let engine = Engine::on(queue, storage, &model.config, &model.weights)?;
    Ok(Vit { model: Arc::new(Model { device: Device::Cuda(0), engine: Some(Arc::new(engine)), ..model }) })
}

/// The length of the difference over that of what was expected; NaN where one of them is.
pub(crate) fn off(found: impl IntoIterator<Item = f64>, expected: impl IntoIterator<Item = f64>) -> f64 {
    let (mut difference, mut size) = (0.0, 0.0);
    for (found, expected) in found.into_iter().zip(expected) {
        difference += (found - expected) * (found - expected);
        size += expected * expected;
    }
    f64::sqrt(difference / size)
}

/// The cosine between what was found and what was expected; NaN where one of them is.
pub(crate) fn cosine(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len(), "lengths differ");
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(found, expected) / (dot(found, found) * dot(expected, expected)).sqrt()
}

pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}
