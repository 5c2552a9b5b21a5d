//! The engine in `f64` against a plain-loop definition and against finite differences.

mod definition;
mod learning;

use kernels::check::{Tolerance, assert_close, assert_gradient, seeded};

use super::arena::Arena;
use super::backward::{self, Cotangents, Extra};
use super::choices::{Activation, FinalNorm, Pooling, Positions, Tokens};
use super::config::VitConfig;
use super::embedding::Pixels;
use super::forward::{self, Keep, Pass};
use super::head::HeadKind;
use super::pooling;
use super::weights::Weights;
use crate::Patches;

const CLASSES: usize = 3;

/// Weights far from their initial values, so that no gradient is small by chance.
fn lively(config: &VitConfig, head: HeadKind) -> Weights<f64> {
    let mut weights = Weights::zeros(config, head);
    for (index, (name, mut tensor)) in weights.named_mut().into_iter().enumerate() {
        let offset = if name.ends_with("running_var") { 1.5 } else { 0.0 };
        let numbers = seeded::<f64>(index as u64 + 1, tensor.values().len());
        tensor.fill(numbers.iter().map(|v| 0.6 * v + offset).collect());
    }
    weights
}

fn configs() -> Vec<(VitConfig, HeadKind)> {
    let vit = VitConfig::tiny_for_tests();
    let registers = Tokens { registers: 2, ..Tokens::CLS };
    let dinov2 = VitConfig { layer_scale: true, pooling: Pooling::ClsAndMean, ..vit.clone() };
    let with_registers = VitConfig { special_tokens: registers, positions: Positions::NotRegisters, ..dinov2.clone() };
    let no_embed_class =
        VitConfig { special_tokens: registers, positions: Positions::Patches, hidden_act: Activation::GeluTanh, ..vit.clone() };
    let deit =
        VitConfig { special_tokens: Tokens { distillation: true, ..Tokens::CLS }, pooling: Pooling::ClsAndDistillation, ..vit.clone() };
    let mean = VitConfig { pooling: Pooling::MeanPatches, ..vit.clone() };
    let fc_norm = VitConfig { special_tokens: Tokens::NONE, final_norm: FinalNorm::Pooled, ..mean.clone() };
    let vit_pytorch = VitConfig {
        head_size: Some(5),
        qkv_bias: false,
        hidden_act: Activation::Relu,
        num_channels: 1,
        patch_norms: true,
        final_norm: FinalNorm::Pooled,
        pooling: Pooling::MeanTokens,
        ..vit.clone()
    };
    let attention_alone = VitConfig { intermediate_size: 0, num_channels: 1, head_size: Some(1), ..vit.clone() };
    let linear = [vit.clone(), dinov2, with_registers, no_embed_class, mean, fc_norm, vit_pytorch, attention_alone];
    let linear = linear.into_iter().map(|config| (config, HeadKind::Linear(CLASSES)));
    linear.chain([(vit, HeadKind::Dnn3(CLASSES)), (deit, HeadKind::Distilled(CLASSES))]).collect()
}

const GRID: Patches = Patches { rows: 2, cols: 3 };

fn pixels(data: &[f64], images: usize) -> Pixels<'_, f64> {
    Pixels { data, images, patches: GRID }
}

fn random_pixels(config: &VitConfig, images: usize) -> Vec<f64> {
    seeded(77, images * config.num_channels * 8 * 12)
}

fn pass(config: &VitConfig, weights: &Weights<f64>, data: &[f64], images: usize) -> Pass<f64> {
    forward::run(config, weights, &pixels(data, images), Keep::Everything, &mut Arena::default()).unwrap()
}

/// `Σ seed·logits`, so that one number depends on every logit.
fn score(logits: &[f64]) -> f64 {
    logits.iter().zip(seeded::<f64>(5, logits.len())).map(|(a, b)| a * b).sum()
}

fn pull_back(config: &VitConfig, weights: &Weights<f64>, data: &[f64], images: usize, extra: Extra) -> Cotangents<f64> {
    let pass = pass(config, weights, data, images);
    let seed = seeded(5, pass.logits.len());
    backward::run(config, weights, &pixels(data, images), &pass, &seed, extra, &mut Arena::default()).unwrap()
}

#[test]
fn forward_is_the_definition() {
    for (config, head) in configs() {
        let (weights, data) = (lively(&config, head), random_pixels(&config, 2));
        let found = pass(&config, &weights, &data, 2);
        let one = data.len() / 2;
        let expected: Vec<f64> = data.chunks(one).flat_map(|image| definition::logits(&config, &weights, image, &[])).collect();
        assert_close("logits", &found.logits, &expected, Tolerance::both(1e-11));
    }
}

#[test]
fn pixel_gradients_are_finite_differences_for_one_image_and_for_two() {
    for (config, head) in configs() {
        let weights = lively(&config, head);
        for images in [1, 2] {
            let data = random_pixels(&config, images);
            let found = pull_back(&config, &weights, &data, images, Extra::Nothing);
            assert_gradient(&format!("pixels, B = {images}"), &data, &found.pixels, |data| {
                score(&pass(&config, &weights, data, images).logits)
            });
        }
    }
}

#[test]
fn attention_gradients_are_finite_differences_for_one_image_and_for_two() {
    for (config, head) in configs() {
        let weights = lively(&config, head);
        for images in [1, 2] {
            let data = random_pixels(&config, images);
            let found = pull_back(&config, &weights, &data, images, Extra::MapGradients).maps;
            let gradient: Vec<f64> =
                (0..images).flat_map(|image| found.iter().flat_map(move |map| image_of(map, image, images).to_vec())).collect();
            assert_gradient("attention", &vec![0.0; gradient.len()], &gradient, |nudges| {
                let of_image =
                    |image: usize| definition::logits(&config, &weights, image_of(&data, image, images), image_of(nudges, image, images));
                score(&(0..images).flat_map(of_image).collect::<Vec<_>>())
            });
        }
    }
}

fn image_of(all: &[f64], image: usize, images: usize) -> &[f64] {
    &all[image * all.len() / images..(image + 1) * all.len() / images]
}

#[test]
fn weight_gradients_are_finite_differences() {
    for (config, head) in configs().into_iter().filter(|(_, head)| matches!(head, HeadKind::Linear(_))) {
        let (weights, data) = (lively(&config, head), random_pixels(&config, 2));
        let found = pull_back(&config, &weights, &data, 2, Extra::Weights).weights.expect("asked for");
        for (index, (name, tensor)) in found.named().into_iter().enumerate() {
            let at = weights.named()[index].1.values().to_vec();
            // Every seventh coordinate: each tensor is met, and the test stays short.
            let some: Vec<usize> = (0..at.len()).step_by(if at.len() > 50 { 7 } else { 1 }).collect();
            let moved = |values: &[f64]| {
                let mut weights = weights.clone();
                some.iter().zip(values).for_each(|(&i, &value)| weights.named_mut()[index].1.values()[i] = value);
                score(&pass(&config, &weights, &data, 2).logits)
            };
            let pick = |all: &[f64]| some.iter().map(|&i| all[i]).collect::<Vec<_>>();
            assert_gradient(&name, &pick(&at), &pick(tensor.values()), moved);
        }
    }
}

#[test]
fn the_relevance_row_is_the_explicit_product() {
    for (config, head) in configs() {
        let (weights, data) = (lively(&config, head), random_pixels(&config, 2));
        let pass = pass(&config, &weights, &data, 2);
        let found = pull_back(&config, &weights, &data, 2, Extra::MapGradients);
        let shape = pass.extent.attention();
        let mut row: Vec<f64> = pooling::start_row(&config, 2, shape.tokens);
        for (layer, tape) in pass.blocks.iter().enumerate().rev() {
            let mut maps = vec![0.0; shape.maps_len()];
            kernels::attention::probabilities(shape, &tape.qkv, &tape.log_sum_exp, &mut maps).unwrap();
            let before = row.clone();
            for (at, (a, g)) in maps.iter().zip(&found.maps[layer]).enumerate() {
                let (image, i, j) = (at / (shape.tokens * shape.tokens * shape.heads), at / shape.tokens % shape.tokens, at % shape.tokens);
                row[image * shape.tokens + j] += before[image * shape.tokens + i] * (a * g).max(0.0) / shape.heads as f64;
            }
            assert_close("row", &found.relevance[layer], &row, Tolerance::both(1e-11));
        }
    }
}

#[test]
fn f32_follows_f64() {
    let (config, head) = (VitConfig::tiny_for_tests(), HeadKind::Linear(CLASSES));
    let (weights, data) = (lively(&config, head), random_pixels(&config, 2));
    let mut narrow = Weights::<f32>::zeros(&config, head);
    for ((_, mut to), (_, from)) in narrow.named_mut().into_iter().zip(weights.named()) {
        to.fill(from.to_rows().iter().map(|&v| v as f32).collect());
    }
    let narrow_pixels: Vec<f32> = data.iter().map(|&v| v as f32).collect();
    let batch = Pixels { data: &narrow_pixels, images: 2, patches: GRID };
    let pass32 = forward::run(&config, &narrow, &batch, Keep::Everything, &mut Arena::default()).unwrap();
    assert_close("logits", &pass32.logits, &pass(&config, &weights, &data, 2).logits, Tolerance::both(1e-5));
    let seed: Vec<f32> = seeded(5, pass32.logits.len());
    let found = backward::run(&config, &narrow, &batch, &pass32, &seed, Extra::Nothing, &mut Arena::default()).unwrap();
    assert_close("pixels", &found.pixels, &pull_back(&config, &weights, &data, 2, Extra::Nothing).pixels, Tolerance::both(2e-4));
}

#[test]
fn another_grid_cannot_train() {
    let (config, head) = (VitConfig::tiny_for_tests(), HeadKind::Linear(CLASSES));
    let weights = lively(&config, head);
    let data = seeded::<f64>(1, 3 * 16 * 12);
    let batch = Pixels { data: &data, images: 1, patches: Patches { rows: 4, cols: 3 } };
    let pass = forward::run(&config, &weights, &batch, Keep::Everything, &mut Arena::default()).unwrap();
    assert!(backward::run(&config, &weights, &batch, &pass, &[1.0, 0.0, 0.0], Extra::Weights, &mut Arena::default()).is_err());
}
