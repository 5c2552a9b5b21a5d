//! The candle worker of `bench/side_by_side.py`: bare forward passes of candle-transformers' ViT and DINOv2.

use std::io::{BufRead, Write};
use std::time::Instant;

use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{Activation, VarBuilder, VarMap};
use candle_transformers::models::{dinov2, vit};
use serde::Deserialize;
use serde_json::{Value, json};
use xai::VitConfig;

#[derive(Deserialize)]
struct Command {
    model: String,
    batch: usize,
    task: String,
    precision: String,
    run: usize,
}

/// A model with the pictures it is timed on.
struct Loaded {
    asked: (String, usize),
    model: Box<dyn Module>,
    pixels: Tensor,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let versions = json!({ "candle-transformers": "0.11.1" });
    let threads = rayon::current_num_threads();
    say(&json!({ "ready": "candle", "threads": threads, "versions": versions, "tasks": { "f32": ["forward"] } }))?;
    let mut loaded: Option<Loaded> = None;
    for line in std::io::stdin().lock().lines() {
        if let Err(error) = answer(&line?, &mut loaded) {
            say(&json!({ "error": error.to_string() }))?;
        }
    }
    Ok(())
}

fn answer(line: &str, loaded: &mut Option<Loaded>) -> Result<(), Failure> {
    let Command { model, batch, task, precision, run } = serde_json::from_str(line)?;
    if (task.as_str(), precision.as_str()) != ("forward", "f32") {
        return Err(format!("candle has no {task} in {precision} here; there is forward in f32").into());
    }
    let asked = (model, batch);
    if loaded.as_ref().is_none_or(|loaded| loaded.asked != asked) {
        *loaded = None;
        *loaded = Some(load(&asked)?);
    }
    let Some(Loaded { model, pixels, .. }) = loaded else { return Err("no model".into()) };
    for _ in 0..run {
        let started = Instant::now();
        let values = model.forward(pixels)?.flatten_all()?.to_vec1::<f32>()?.len();
        say(&json!({ "milliseconds": started.elapsed().as_secs_f64() * 1e3, "values": values }))?;
    }
    say(&json!({ "done": asked.0 }))?;
    Ok(())
}

/// candle's ViT is no `Module`.
struct Vit(vit::Model);

impl Module for Vit {
    fn forward(&self, pixels: &Tensor) -> candle_core::Result<Tensor> {
        self.0.forward(pixels)
    }
}

fn load(asked: &(String, usize)) -> Result<Loaded, Failure> {
    let (name, images) = asked;
    let config = VitConfig::by_name(name)?;
    let variables = VarMap::new();
    let weights = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let dino = name == "dinov2_small";
    let model: Box<dyn Module> = if dino { Box::new(dinov2::vit_small(weights)?) } else { Box::new(Vit(vit_model(&config, weights)?)) };
    let side = if dino { 224 } else { config.image_size.0 };
    let pixels = Tensor::randn(0.0f32, 1.0, (*images, 3, side, side), &Device::Cpu)?;
    Ok(Loaded { asked: asked.clone(), model, pixels })
}

fn vit_model(config: &VitConfig, weights: VarBuilder) -> Result<vit::Model, Failure> {
    let config = vit::Config {
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
    Ok(vit::Model::new(&config, 7, weights)?)
}

fn say(value: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}
