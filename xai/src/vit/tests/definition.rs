//! The vision transformer by its formulas, one image, one loop after the other.

use super::GRID;
use crate::vit::config::{Pooling, VitConfig};
use crate::vit::layers::{Linear, Norm, Tensor};
use crate::vit::weights::Weights;

pub fn logits(config: &VitConfig, weights: &Weights<f64>, image: &[f64], nudges: &[f64]) -> Vec<f64> {
    let mut x = embed(config, weights, image);
    let per_block = config.num_attention_heads * x.len() * x.len();
    for (index, block) in weights.blocks.iter().enumerate() {
        let nudges = nudges.get(index * per_block..(index + 1) * per_block).unwrap_or(&[]);
        let normed: Vec<_> = x.iter().map(|row| norm(&block.norm1, row, config)).collect();
        let qkv: Vec<_> = normed.iter().map(|row| linear(&block.qkv, row)).collect();
        let branch: Vec<_> = attention(config, &qkv, nudges).iter().map(|row| linear(&block.projection, row)).collect();
        add(&mut x, &branch, &block.scale1);
        let branch: Vec<_> = x.iter().map(|row| mlp(block, row, config)).collect();
        add(&mut x, &branch, &block.scale2);
    }
    let tokens: Vec<_> = x.iter().map(|row| norm(&weights.norm, row, config)).collect();
    weights.head.forward(&pool(config, &tokens), 1).unwrap()
}

fn embed(config: &VitConfig, weights: &Weights<f64>, image: &[f64]) -> Vec<Vec<f64>> {
    let (p, width) = (config.patch_size, config.image_size.1);
    let pixel = |c: usize, y: usize, x: usize| image[(c * config.image_size.0 + y) * width + x];
    let patch =
        |row: usize, col: usize| -> Vec<f64> { (0..3 * p * p).map(|i| pixel(i / (p * p), row * p + i / p % p, col * p + i % p)).collect() };
    let mut x = vec![weights.cls.data.clone()];
    x.extend((0..GRID.count()).map(|k| linear(&weights.patch, &patch(k / GRID.cols, k % GRID.cols))));
    let positions = weights.positions.data.chunks(config.hidden_size);
    x.iter().zip(positions).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect()).collect()
}

fn attention(config: &VitConfig, qkv: &[Vec<f64>], nudges: &[f64]) -> Vec<Vec<f64>> {
    let (d, width, tokens) = (config.head_width(), config.hidden_size, qkv.len());
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

fn mlp(block: &crate::vit::weights::Block<f64>, row: &[f64], config: &VitConfig) -> Vec<f64> {
    let hidden = linear(&block.fc1, &norm(&block.norm2, row, config));
    let gelu = |x: f64| 0.5 * x * (1.0 + kernels::Real::erf(x * std::f64::consts::FRAC_1_SQRT_2));
    linear(&block.fc2, &hidden.into_iter().map(gelu).collect::<Vec<_>>())
}

fn pool(config: &VitConfig, tokens: &[Vec<f64>]) -> Vec<f64> {
    let mean: Vec<f64> =
        (0..tokens[0].len()).map(|d| tokens[1..].iter().map(|row| row[d]).sum::<f64>() / (tokens.len() - 1) as f64).collect();
    match config.pooling {
        Pooling::Cls => tokens[0].clone(),
        Pooling::MeanPatches => mean,
        Pooling::ClsAndMean => [tokens[0].clone(), mean].concat(),
    }
}

fn linear(layer: &Linear<f64>, x: &[f64]) -> Vec<f64> {
    let weight = |input: usize, output: usize| layer.weight.data[input * layer.outputs() + output];
    let dot = |output: usize| (0..x.len()).map(|input| weight(input, output) * x[input]).sum::<f64>();
    layer.bias.data.iter().enumerate().map(|(output, bias)| dot(output) + bias).collect()
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
