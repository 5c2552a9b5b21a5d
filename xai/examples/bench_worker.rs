//! Our side of `bench/side_by_side.py`: forward pass with CLS rollout, batch 1, one timed run a line of JSON.
//!
//! The protocol stands in `bench/README.md`.

use std::io::{BufRead, Write};
use std::time::Instant;

use ndarray::Array4;
use serde::Deserialize;
use serde_json::{Value, json};
use xai::{Batch, HeadKind, Method, Rollout, Target, Vit, VitConfig, explain};

#[derive(Deserialize)]
struct Command {
    model: String,
    run: usize,
}

/// A model with the picture it is timed on.
struct Loaded {
    name: String,
    vit: Vit,
    batch: Batch,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let versions = json!({ "pellucid": env!("CARGO_PKG_VERSION") });
    say(&json!({ "ready": "pellucid", "threads": rayon::current_num_threads(), "versions": versions }))?;
    let mut loaded: Option<Loaded> = None;
    for line in std::io::stdin().lock().lines() {
        if let Err(error) = answer(&line?, &mut loaded) {
            say(&json!({ "error": error.to_string() }))?;
        }
    }
    Ok(())
}

fn answer(line: &str, loaded: &mut Option<Loaded>) -> Result<(), Box<dyn std::error::Error>> {
    let Command { model, run } = serde_json::from_str(line)?;
    if loaded.as_ref().is_none_or(|loaded| loaded.name != model) {
        *loaded = None;
        *loaded = Some(load(&model)?);
    }
    let Some(Loaded { vit, batch, .. }) = loaded else { return Err("no model".into()) };
    let method = Method::Rollout(Rollout::abnar_2020());
    for _ in 0..run {
        let started = Instant::now();
        let maps = explain(&vit.trace(batch, method.probe())?, Target::Predicted, &method)?;
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        say(&json!({ "model": model, "milliseconds": milliseconds, "patches": maps[0].values.len() }))?;
    }
    say(&json!({ "done": model }))?;
    Ok(())
}

/// Random weights, a random picture; DINOv2 at 224 pixels, where its positions are resized in the pass.
fn load(name: &str) -> Result<Loaded, Box<dyn std::error::Error>> {
    let config = VitConfig::by_name(name)?;
    let side = if name.starts_with("dinov2") { 224 } else { config.image_size.0 };
    let numbers = kernels::check::seeded::<f32>(7, 3 * side * side);
    let batch = Batch::new(Array4::from_shape_vec((1, 3, side, side), numbers)?)?;
    Ok(Loaded { name: name.to_owned(), vit: Vit::random(config, HeadKind::None, 1)?, batch })
}

fn say(value: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}
