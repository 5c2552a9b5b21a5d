//! Every number that a pass gives, against the CPU's engine in `f64`.

use std::sync::Arc;

use kernels::attention::HeadFusion;
use kernels::cuda::Storage;
use kernels::rollout::{Layer, Normalise, push_row};

use super::{CLASSES, configs, cosine, device, lively, off, pictures, wide};
use crate::Patches;
use crate::vit::arena::Arena;
use crate::vit::backward::{self, Cotangents, Extra};
use crate::vit::config::VitConfig;
use crate::vit::cuda::{Engine, Passed, Pictures};
use crate::vit::embedding::Pixels;
use crate::vit::forward::{self, Keep, Pass};
use crate::vit::head::HeadKind;
use crate::vit::pooling;
use crate::vit::weights::Weights;

const IMAGES: usize = 2;
const HALF_IDENTITY: Layer = Layer { residual: 0.5, normalise: Normalise::Rows };

/// How near a device must come; the limits of the fast kinds of storage are looser than those of f32.
struct Gates {
    logits: f64,
    rollout: f64,
    relevance: f64,
    pixels: f64,
}

fn gates(storage: Storage) -> Gates {
    match storage {
        Storage::F32 => Gates { logits: 1e-5, rollout: 0.999_999, relevance: 0.999_99, pixels: 0.999_99 },
        Storage::Bf16 | Storage::F16 => Gates { logits: 2e-2, rollout: 0.9995, relevance: 0.995, pixels: 0.99 },
    }
}

/// What the CPU makes of the same weights in `f64`.
struct Exact {
    pass: Pass<f64>,
    found: Cotangents<f64>,
    tokens: Vec<f64>,
    rollout: Vec<f64>,
}

fn exact(config: &VitConfig, head: HeadKind, weights: &Weights<f32>, pixels: &Pixels<f64>, dlogits: &[f64]) -> Exact {
    let mut wide_weights = Weights::<f64>::zeros(config, head);
    for ((_, mut to), (_, from)) in wide_weights.named_mut().into_iter().zip(weights.named()) {
        to.fill(wide(&from.to_rows()));
    }
    let mut arena = Arena::default();
    let pass = forward::run(config, &wide_weights, pixels, Keep::Everything, &mut arena).unwrap();
    let found = backward::run(config, &wide_weights, pixels, &pass, dlogits, Extra::MapGradients, &mut arena).unwrap();
    let tokens = forward::tokens(config, &wide_weights, &pass, &mut arena).unwrap();
    let fused = forward::run(config, &wide_weights, pixels, Keep::Fused(HeadFusion::Mean), &mut arena).unwrap().fused;
    let mut rollout = pooling::start_row(config, IMAGES, pass.extent.tokens);
    fused.iter().rev().for_each(|map| push_row(HALF_IDENTITY, map, &mut rollout, pass.extent.tokens).unwrap());
    Exact { pass, found, tokens, rollout }
}

fn grid(config: &VitConfig) -> Patches {
    config.patches()
}

/// Numbers of a pass forward.
fn assert_forward(what: &str, storage: Storage, passed: &Passed, exact: &Exact) {
    let gates = gates(storage);
    for (name, found, expected) in [("logits", &passed.logits, &exact.pass.logits), ("features", &passed.pooled, &exact.pass.pooled)] {
        assert_eq!(found.len(), expected.len(), "{what}: {name}");
        let off = off(wide(found), expected.iter().copied());
        assert!(off <= gates.logits, "{what}: {name} are off by {off:e}");
    }
}

/// Numbers of the way back.
fn assert_backward(what: &str, storage: Storage, passed: &Passed, pictures: Pictures, dlogits: &[f32], exact: &Exact) {
    let gates = gates(storage);
    for explicit in [false, true] {
        let found = passed.pull_back(pictures, dlogits, explicit).unwrap();
        let near = cosine(&wide(&found.pixels), &exact.found.pixels);
        assert!(near >= gates.pixels, "{what}: pixels' cosine is {near}");
        let length = off(wide(&found.pixels), exact.found.pixels.iter().copied());
        assert!(length <= (1.0 - gates.pixels).sqrt() * 2.0, "{what}: pixels are off by {length:e}");
        for (layer, (row, expected)) in found.relevance.iter().zip(&exact.found.relevance).enumerate() {
            let near = cosine(&wide(row), expected);
            assert!(near >= gates.relevance, "{what}: the relevance row's cosine from layer {layer} is {near}");
        }
        for (layer, (maps, expected)) in found.maps.iter().zip(&exact.found.maps).enumerate().filter(|_| explicit) {
            let near = cosine(&wide(maps), expected);
            assert!(near >= gates.pixels, "{what}: the cosine of gradients at maps of layer {layer} is {near}");
        }
    }
}

fn assert_parity(what: &str, storage: Storage, config: &VitConfig, head: HeadKind) {
    let Some(queue) = device() else { return };
    let (weights, batch) = (lively(config, head), pictures(config, IMAGES));
    let data: Vec<f32> = batch.pixels().iter().copied().collect();
    let pictures = Pictures::of(&batch, grid(config));
    let dlogits: Vec<f32> = [1.0, -0.5, 0.25].repeat(IMAGES);
    assert_eq!(dlogits.len(), IMAGES * CLASSES);
    let exact = exact(config, head, &weights, &Pixels { data: &wide(&data), images: IMAGES, patches: grid(config) }, &wide(&dlogits));
    let engine = Arc::new(Engine::on(queue, storage, config, &weights).unwrap());
    let run = |keep| Passed::run(&engine, config, &weights, pictures, keep).unwrap();

    let passed = run(Keep::Everything);
    assert_forward(what, storage, &passed, &exact);
    assert_backward(what, storage, &passed, pictures, &dlogits, &exact);
    assert_forward(what, storage, &run(Keep::Nothing), &exact);

    let fused = run(Keep::Fused(HeadFusion::Mean));
    let near = cosine(&wide(&fused.pushed_row(HALF_IDENTITY, 0).unwrap()), &exact.rollout);
    assert!(near >= gates(storage).rollout, "{what}: rollout's cosine is {near}");
    let map = wide(&fused.fused_map(1, HeadFusion::Mean).unwrap());
    let rows = map.chunks(exact.pass.extent.tokens).map(|row| (row.iter().sum::<f64>() - 1.0).abs()).fold(0.0, f64::max);
    let limit = if storage == Storage::F32 { 2e-6 } else { 4e-3 };
    assert!(rows <= limit, "{what}: rows of a map sum to 1 but for {rows:e}");

    let (x, context) = fused.unfinished().unwrap();
    let tokens = forward::finished(config, &weights, fused.extent, (x, &context), &mut Arena::default()).unwrap();
    let off = off(wide(&tokens), exact.tokens.iter().copied());
    assert!(off <= gates(storage).logits, "{what}: tokens are off by {off:e}");
}

#[test]
fn in_f32() {
    for (what, config, head) in configs() {
        assert_parity(&format!("{what}, f32"), Storage::F32, &config, head);
    }
}

#[test]
fn in_bf16_and_f16() {
    for (what, config, head) in configs() {
        for storage in [Storage::Bf16, Storage::F16] {
            assert_parity(&format!("{what}, {storage}"), storage, &config, head);
        }
    }
}
