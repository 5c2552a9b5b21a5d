//! Our side of `bench/side_by_side.py`: one timed run a line of JSON. The protocol stands in `bench/README.md`.

use std::io::{BufRead, Write};
use std::time::Instant;

use ndarray::Array4;
use serde::Deserialize;
use serde_json::{Value, json};
use xai::{Batch, Device, Gradient, HeadKind, Method, Precision, Probe, Relevance, Rollout, Target, Vit, VitConfig, explain};

#[derive(Deserialize)]
struct Command {
    model: String,
    batch: usize,
    task: Task,
    precision: Precision,
    run: usize,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Task {
    Forward,
    Rollout,
    Relevance,
    Saliency,
}

/// A model with the pictures it is timed on.
struct Loaded {
    asked: (String, usize, Precision),
    vit: Vit,
    batch: Batch,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let device = device()?;
    let tasks = ["forward", "rollout", "relevance", "saliency"];
    let tasks = json!({ "f32": tasks, "bf16": tasks });
    let versions = json!({ "pellucid": env!("CARGO_PKG_VERSION"), "device": device.to_string() });
    say(&json!({ "ready": "pellucid", "threads": rayon::current_num_threads(), "versions": versions, "tasks": tasks }))?;
    let mut loaded: Option<Loaded> = None;
    for line in std::io::stdin().lock().lines() {
        if let Err(error) = answer(&line?, device, &mut loaded) {
            say(&json!({ "error": error.to_string() }))?;
        }
    }
    Ok(())
}

fn answer(line: &str, device: Device, loaded: &mut Option<Loaded>) -> Result<(), Failure> {
    let Command { model, batch, task, precision, run } = serde_json::from_str(line)?;
    let asked = (model, batch, precision);
    if loaded.as_ref().is_none_or(|loaded| loaded.asked != asked) {
        *loaded = None;
        *loaded = Some(load(&asked, device)?);
    }
    let Some(Loaded { vit, batch, .. }) = loaded else { return Err("no model".into()) };
    for _ in 0..run {
        let started = Instant::now();
        let values = compute(vit, batch, task)?;
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        say(&json!({ "milliseconds": milliseconds, "values": values }))?;
    }
    say(&json!({ "done": asked.0 }))?;
    Ok(())
}

/// `--device cpu|cuda|cuda:N`; the CPU without it.
fn device() -> Result<Device, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(Device::Cpu),
        ["--device", device] => Ok(device.parse()?),
        _ => Err("the only argument is --device cpu|cuda|cuda:N".into()),
    }
}

/// From pixels in memory to plain numbers; says how many they are.
fn compute(vit: &Vit, batch: &Batch, task: Task) -> Result<usize, Failure> {
    let method = match task {
        Task::Forward => return Ok(vit.trace(batch, Probe::Logits)?.logits().len()),
        Task::Rollout => Method::Rollout(Rollout::abnar_2020()),
        Task::Relevance => Method::Relevance(Relevance::chefer_iccv21()),
        Task::Saliency => Method::Gradient(Gradient::default()),
    };
    let maps = explain(&vit.trace(batch, method.probe())?, Target::Class(0), &method)?;
    Ok(maps.iter().map(|map| map.values.len()).sum())
}

/// Random weights, a head of seven classes, random pictures; DINOv2 at 224 pixels, where its positions are resized in the pass.
fn load(asked: &(String, usize, Precision), device: Device) -> Result<Loaded, Failure> {
    let (name, images, precision) = asked;
    let config = VitConfig::by_name(name)?;
    let side = if name.starts_with("dinov2") { 224 } else { config.image_size.0 };
    let numbers = kernels::check::seeded::<f32>(7, images * 3 * side * side);
    let batch = Batch::new(Array4::from_shape_vec((*images, 3, side, side), numbers)?)?;
    let vit = Vit::random(config, HeadKind::Linear(7), 1)?.with_precision(*precision)?.on(device)?;
    Ok(Loaded { asked: asked.clone(), vit, batch })
}

fn say(value: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}
