//! The vision transformer by its formulas, one image, one loop after the other.

use super::GRID;
use kernels::Workspace;

use crate::vit::choices::{Activation, FinalNorm, Pooling, Positions};
use crate::vit::config::VitConfig;
use crate::vit::head::Head;
use crate::vit::layers::{Linear, Norm, Tensor};
use crate::vit::weights::{Mlp, Weights};

pub fn logits(config: &VitConfig, weights: &Weights<f64>, image: &[f64], nudges: &[f64]) -> Vec<f64> {
    let mut x = embed(config, weights, image);
    let per_block = config.num_attention_heads * x.len() * x.len();
    for (index, block) in weights.blocks.iter().enumerate() {
        let nudges = nudges.get(index * per_block..(index + 1) * per_block).unwrap_or(&[]);
        let normed: Vec<_> = x.iter().map(|row| norm(&block.norm1, row, config)).collect();
        let qkv: Vec<_> = normed.iter().map(|row| linear(&block.qkv, row)).collect();
        let branch: Vec<_> = attention(config, &qkv, nudges).iter().map(|row| linear(&block.projection, row)).collect();
        add(&mut x, &branch, &block.scale1);
        if let Some(mlp) = &block.mlp {
            let branch: Vec<_> = x.iter().map(|row| perceptron(mlp, row, config)).collect();
            add(&mut x, &branch, &mlp.scale);
        }
    }
    let pooled = match config.final_norm {
        FinalNorm::Tokens => pool(config, &x.iter().map(|row| norm(&weights.norm, row, config)).collect::<Vec<_>>()),
        FinalNorm::Pooled => norm(&weights.norm, &pool(config, &x), config),
    };
    classify(weights, &pooled)
}

/// The distilled head as its paper has it, a mean of two classifiers; the others' layers are judged elsewhere.
fn classify(weights: &Weights<f64>, pooled: &[f64]) -> Vec<f64> {
    let Head::Distilled { cls, distillation, .. } = &weights.head else {
        return weights.head.forward(pooled, &mut Workspace::default()).unwrap();
    };
    let (of_cls, of_distillation) = pooled.split_at(pooled.len() / 2);
    linear(cls, of_cls).iter().zip(linear(distillation, of_distillation)).map(|(a, b)| (a + b) / 2.0).collect()
}

fn embed(config: &VitConfig, weights: &Weights<f64>, image: &[f64]) -> Vec<Vec<f64>> {
    let (p, width) = (config.patch_size, config.image_size.1);
    let pixel = |c: usize, y: usize, x: usize| image[(c * config.image_size.0 + y) * width + x];
    let patch = |row: usize, col: usize| -> Vec<f64> {
        (0..config.patch_len()).map(|i| pixel(i / (p * p), row * p + i / p % p, col * p + i % p)).collect()
    };
    let token = |patch: Vec<f64>| match &weights.patch_norms {
        Some(norms) => norm(&norms.after, &linear(&weights.patch, &norm(&norms.before, &patch, config)), config),
        None => linear(&weights.patch, &patch),
    };
    let patches = (0..GRID.count()).map(|k| token(patch(k / GRID.cols, k % GRID.cols)));
    let single = weights.cls.iter().chain(&weights.distillation).map(|token| token.data.clone());
    let registers = weights.registers.iter().flat_map(|all| all.data.chunks(config.hidden_size)).map(<[f64]>::to_vec);
    let mut positions = weights.positions.data.chunks(config.hidden_size).map(Some);
    let none = |token: Vec<f64>| (token, None);
    let placed: Vec<(Vec<f64>, Option<&[f64]>)> = match config.positions {
        Positions::Every => single.chain(registers).chain(patches).map(|token| (token, positions.next().unwrap())).collect(),
        Positions::Patches => single.chain(registers).map(none).chain(patches.map(|token| (token, positions.next().unwrap()))).collect(),
        Positions::NotRegisters => {
            let single: Vec<_> = single.map(|token| (token, positions.next().unwrap())).collect();
            single.into_iter().chain(registers.map(none)).chain(patches.map(|token| (token, positions.next().unwrap()))).collect()
        }
    };
    let at = |position: Option<&[f64]>, d: usize| position.map_or(0.0, |position| position[d]);
    placed.into_iter().map(|(token, position)| token.iter().enumerate().map(|(d, value)| value + at(position, d)).collect()).collect()
}

fn attention(config: &VitConfig, qkv: &[Vec<f64>], nudges: &[f64]) -> Vec<Vec<f64>> {
    let (d, width, tokens) = (config.head_width(), config.attention_width(), qkv.len());
    let mut context = vec![vec![0.0; width]; tokens];
    for (head, query) in (0..config.num_attention_heads).flat_map(|h| (0..tokens).map(move |q| (h, q))) {
        let dot = |key: usize| (0..d).map(|i| qkv[query][head * d + i] * qkv[key][width + head * d + i]).sum::<f64>();
        let weights: Vec<f64> = (0..tokens).map(|key| (dot(key) / (d as f64).sqrt()).exp()).collect();
        let total: f64 = weights.iter().sum();
        for (key, weight) in weights.iter().enumerate() {
            let map = weight / total + nudges.get((head * tokens + query) * tokens + key).unwrap_or(&0.0);
            (0..d).for_each(|i| context[query][head * d + i] += map * qkv[key][2 * width + head * d + i]);
        }
    }
    context
}

fn perceptron(mlp: &Mlp<f64>, row: &[f64], config: &VitConfig) -> Vec<f64> {
    let hidden = linear(&mlp.fc1, &norm(&mlp.norm, row, config));
    let tanh = |x: f64| ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh();
    let activation = |x: f64| match config.hidden_act {
        Activation::Gelu => 0.5 * x * (1.0 + kernels::Real::erf(x * std::f64::consts::FRAC_1_SQRT_2)),
        Activation::GeluTanh => 0.5 * x * (1.0 + tanh(x)),
        Activation::Relu => x.max(0.0),
    };
    linear(&mlp.fc2, &hidden.into_iter().map(activation).collect::<Vec<_>>())
}

fn pool(config: &VitConfig, tokens: &[Vec<f64>]) -> Vec<f64> {
    let mean = |rows: &[Vec<f64>]| (0..tokens[0].len()).map(|d| rows.iter().map(|row| row[d]).sum::<f64>() / rows.len() as f64).collect();
    let patches = &tokens[tokens.len() - GRID.count()..];
    match config.pooling {
        Pooling::Cls => tokens[0].clone(),
        Pooling::MeanPatches => mean(patches),
        Pooling::MeanTokens => mean(tokens),
        Pooling::ClsAndMean => [tokens[0].clone(), mean(patches)].concat(),
        Pooling::ClsAndDistillation => [tokens[0].clone(), tokens[1].clone()].concat(),
    }
}

fn linear(layer: &Linear<f64>, x: &[f64]) -> Vec<f64> {
    let rows = layer.weight.to_rows();
    let weight = |input: usize, output: usize| rows[output * layer.inputs() + input];
    let dot = |output: usize| (0..x.len()).map(|input| weight(input, output) * x[input]).sum::<f64>();
    let bias = |output: usize| layer.bias.as_ref().map_or(0.0, |bias| bias.data[output]);
    (0..layer.outputs()).map(|output| dot(output) + bias(output)).collect()
}

fn norm(norm: &Norm<f64>, row: &[f64], config: &VitConfig) -> Vec<f64> {
    let count = row.len() as f64;
    let mean = row.iter().sum::<f64>() / count;
    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let scaled = |x: f64| (x - mean) / (variance + config.layer_norm_eps).sqrt();
    row.iter().zip(&norm.gain.data).zip(&norm.bias.data).map(|((&x, g), b)| scaled(x) * g + b).collect()
}

fn add(x: &mut [Vec<f64>], branch: &[Vec<f64>], scale: &Option<Tensor<f64>>) {
    for (x, branch) in x.iter_mut().zip(branch) {
        let scale = |d: usize| scale.as_ref().map_or(1.0, |s| s.data[d]);
        x.iter_mut().zip(branch).enumerate().for_each(|(d, (x, b))| *x += scale(d) * b);
    }
}
