//! A small experiment, and where it learns.

use crate::run::setup;

const EXPERIMENT: &str = include_str!("small.toml");

#[test]
fn a_run_says_what_it_learned_on() {
    let (dir, pellucid) = setup("train");
    dir.write("small.toml", EXPERIMENT.as_bytes());
    pellucid.line("train small.toml --out run").succeeds().warns(&["epoch 1"]);
    let written = std::fs::read_to_string(dir.path("run/computed.toml")).unwrap();
    assert_eq!(written, "device = \"cpu\"\nprecision = \"f32\"\n");
    assert!(dir.exists("run/model.safetensors") && dir.exists("run/evaluation.json"));
}

#[test]
fn a_device_that_is_not_there_is_told_before_anything_is_written() {
    let (dir, pellucid) = setup("train_nowhere");
    dir.write("small.toml", EXPERIMENT.as_bytes());
    pellucid.line("train small.toml --out run --device cuda:99").fails().warns(&["CUDA device 99 is not available", "use the CPU"]);
    dir.pellucid().line("train small.toml --out run --precision bf16").fails().warns(&["rounded to bf16 on the CPU", "f32"]);
    assert!(!dir.exists("run"));
}
