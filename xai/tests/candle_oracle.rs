//! candle-transformers' own ViT and DINOv2 as a second opinion on the forward pass, and why neither can explain.

mod goldens_reader;
mod lively;

use std::collections::HashMap;

use candle_core::{DType, Device, Module, Tensor, Var};
use candle_nn::{Activation, VarBuilder};
use candle_transformers::models::{dinov2, vit};
use goldens_reader::{Values, flat, read, report};
use kernels::check::{Tolerance, assert_close, seeded};
use xai::{Batch, Family, HeadKind, Pooling, Probe, Target, Vit, VitConfig};

const CLASSES: usize = 4;

/// Three blocks on 4 × 4 patches: candle's ViT takes square pictures only.
fn square() -> VitConfig {
    VitConfig { image_size: (16, 16), num_hidden_layers: 3, ..VitConfig::tiny_for_tests() }
}

fn pixels(images: usize, side: usize) -> Batch {
    let numbers = seeded(9, images * 3 * side * side);
    Batch::new(ndarray::Array4::from_shape_vec((images, 3, side, side), numbers).unwrap()).unwrap()
}

fn tensor(batch: &Batch) -> Tensor {
    Tensor::from_vec(flat(&batch.pixels()), batch.pixels().dim(), &Device::Cpu).unwrap()
}

/// One model twice: in this engine and in candle's ViT.
fn both_vits() -> (Vit, vit::Model) {
    let (config, folder) = (square(), tempfile::tempdir().unwrap());
    lively::save(folder.path(), config.clone(), HeadKind::Linear(CLASSES), 3, |_, _| {});
    let ours = Vit::load(folder.path(), &kernels::Device::Cpu).unwrap();
    let weights = candle_core::safetensors::load(folder.path().join("model.safetensors"), &Device::Cpu).unwrap();
    let theirs = vit::Config {
        hidden_size: config.hidden_size,
        num_hidden_layers: config.num_hidden_layers,
        num_attention_heads: config.num_attention_heads,
        intermediate_size: config.intermediate_size,
        hidden_act: Activation::Gelu,
        layer_norm_eps: config.layer_norm_eps,
        image_size: config.image_size.0,
        patch_size: config.patch_size,
        num_channels: 3,
        qkv_bias: true,
    };
    (ours, vit::Model::new(&theirs, CLASSES, VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu)).unwrap())
}

#[test]
fn candles_vit_gives_the_same_logits() {
    let (ours, theirs) = both_vits();
    for images in [1, 2, 3] {
        let batch = pixels(images, 16);
        let found = flat(&ours.trace(&batch, Probe::Logits).unwrap().logits());
        let expected: Vec<f32> = theirs.forward(&tensor(&batch)).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        report(&format!("candle's ViT, B = {images}"), assert_close("logits", &found, &expected, Tolerance::both(1e-5)));
    }
}

/// Its fused softmax and layer norm have no backward, so the chain from logits to pixels breaks: one image has no gradient
/// at all, several have a gradient of exactly zero. Nothing says so. This is why the engine writes its own backward.
#[test]
fn candles_vit_loses_every_pixel_gradient_and_ours_does_not() {
    let (ours, theirs) = both_vits();
    for images in [1, 2] {
        let batch = pixels(images, 16);
        let var = Var::from_tensor(&tensor(&batch)).unwrap();
        let score = theirs.forward(&var).unwrap().narrow(1, 1, 1).unwrap().sum_all().unwrap();
        let gradients = score.backward().unwrap();
        match gradients.get(&var) {
            None => assert_eq!(images, 1, "one image has no gradient"),
            Some(lost) => {
                assert_eq!(images, 2, "two images have a gradient of zero");
                assert_eq!(lost.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap(), 0.0);
            }
        }
        let kept = ours.trace(&batch, Probe::Gradients).unwrap().gradients(Target::Class(1)).unwrap();
        assert!(kept.pixels().iter().all(|value| value.is_finite()));
        assert!(kept.pixels().iter().filter(|value| value.abs() > 1e-4).count() > kept.pixels().len() / 2);
    }
}

/// candle's DINOv2 is wired to pictures of 518 pixels, 1000 classes and an epsilon of 1e-5, takes one image, resizes positions by
/// nearest neighbour and has GELU's tanh form: it is an oracle at the trained size, and where GELU sees small numbers.
#[test]
fn candles_dinov2_gives_the_same_tokens_and_logits_at_its_own_size() {
    let config = VitConfig {
        family: Family::Dinov2,
        layer_scale: true,
        pooling: Pooling::ClsAndMean,
        image_size: (518, 518),
        patch_size: 14,
        hidden_size: 16,
        num_attention_heads: 2,
        intermediate_size: 64,
        layer_norm_eps: 1e-5,
        ..VitConfig::tiny_for_tests()
    };
    let folder = tempfile::tempdir().unwrap();
    let quiet = |name: &str, values: &mut Vec<f32>| {
        let factor = if name.contains("mlp.fc1") || name.contains("patch_embeddings") { 0.05 } else { 1.0 };
        values.iter_mut().for_each(|value| *value *= factor);
    };
    lively::save(folder.path(), config.clone(), HeadKind::Linear(1000), 4, quiet);
    let ours = Vit::load(folder.path(), &kernels::Device::Cpu).unwrap();
    let weights = dinov2_names(&config, read(&folder.path().join("model.safetensors")).into_iter().collect());
    let builder = VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu);
    let theirs = dinov2::DinoVisionTransformer::new(builder, config.num_hidden_layers, 16, 2).unwrap();

    let batch = pixels(1, 518);
    let trace = ours.trace(&batch, Probe::Logits).unwrap();
    let expected: Vec<f32> = theirs.forward(&tensor(&batch)).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    report("candle's DINOv2: logits", assert_close("logits", &flat(&trace.logits()), &expected, Tolerance::both(1e-4)));
    let last = [config.num_hidden_layers - 1];
    let patches: Vec<f32> =
        theirs.get_intermediate_layers(&tensor(&batch), &last, false, false, true).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    let found = flat(&trace.tokens().unwrap().slice(ndarray::s![.., 1.., ..]));
    report("candle's DINOv2: tokens", assert_close("patch tokens", &found, &patches, Tolerance::both(1e-4)));
}

/// Hugging Face's names to those of the original DINOv2, query, key and value packed into one.
fn dinov2_names(config: &VitConfig, weights: HashMap<String, Values>) -> HashMap<String, Tensor> {
    let renames = [
        ("dinov2.", ""),
        ("embeddings.patch_embeddings.projection", "patch_embed.proj"),
        ("embeddings.position_embeddings", "pos_embed"),
        ("embeddings.cls_token", "cls_token"),
        ("encoder.layer.", "blocks."),
        ("attention.output.dense", "attn.proj"),
        ("layer_scale1.lambda1", "ls1.gamma"),
        ("layer_scale2.lambda1", "ls2.gamma"),
        ("layernorm.", "norm."),
        ("classifier.", "head."),
    ];
    let renamed = |name: &str| renames.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    let tensor = |values: &Values| Tensor::from_slice(&values.data, values.shape.as_slice(), &Device::Cpu).unwrap();
    let mut tensors: HashMap<String, Tensor> = weights.iter().map(|(name, values)| (renamed(name), tensor(values))).collect();
    for (layer, kind) in (0..config.num_hidden_layers).flat_map(|layer| [(layer, "weight"), (layer, "bias")]) {
        let thirds =
            ["query", "key", "value"].map(|part| tensors.remove(&format!("blocks.{layer}.attention.attention.{part}.{kind}")).unwrap());
        tensors.insert(format!("blocks.{layer}.attn.qkv.{kind}"), Tensor::cat(&thirds, 0).unwrap());
    }
    tensors
}
