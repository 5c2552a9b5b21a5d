//! Three AdamW steps through the engine's weight gradients against PyTorch's.

mod goldens_reader;

use goldens_reader::{Golden, folder, read, report};
use kernels::check::{Tolerance, assert_close};
use xai::Storage;
use xai::training::{AdamW, Decay, Step, Training};

/// What `torch.optim.AdamW(lr=1e-3, weight_decay=0.05)` does to every parameter alike.
const STEP: Step =
    Step { adamw: AdamW { rate: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.05 }, decay: Decay::Everything, clip: None };
/// A constant added to all keys changes no softmax, so the gradient of a key's bias is zero by mathematics and rounding by
/// computation. AdamW divides rounding by rounding: each of three steps may go anywhere within its rate.
const NO_GRADIENT: Tolerance = Tolerance::absolute(3e-3);
const LABELS: [usize; 2] = [1, 3];

#[test]
fn three_steps_end_where_pytorch_ends() {
    let golden = Golden::load("hf_vit");
    let expected = read(&folder("hf_vit_training").join("reference.safetensors"));
    let mut training = Training::of(golden.vit.clone());
    let losses: Vec<f64> = (0..3).map(|_| training.step(&golden.batch, &LABELS, &[], STEP).unwrap()).collect();
    report("losses", assert_close("losses", &losses, &expected["losses"].data, Tolerance::absolute(1e-6)));

    let written = tempfile::tempdir().unwrap();
    training.vit().save(written.path(), Storage::F32).unwrap();
    let found = read(&written.path().join("model.safetensors"));
    let names: Vec<&str> = expected.keys().filter_map(|key| key.strip_prefix("after_3_steps.")).collect();
    assert_eq!(names, found.keys().map(String::as_str).collect::<Vec<_>>(), "every weight has a golden, and the other way round");
    let mut largest = 0.0;
    for name in names {
        let after = &expected[&format!("after_3_steps.{name}")];
        assert_eq!(found[name].shape, after.shape, "{name}");
        if name.ends_with("key.bias") {
            assert_close(name, &found[name].data, &after.data, NO_GRADIENT);
        } else {
            largest = f64::max(largest, assert_close(name, &found[name].data, &after.data, Tolerance::absolute(4e-6)));
        }
    }
    report("weights after three steps", largest);
}

#[test]
fn the_comparison_would_notice_a_missing_step() {
    let golden = Golden::load("hf_vit");
    let (start, after) =
        (read(&folder("hf_vit").join("model.safetensors")), read(&folder("hf_vit_training").join("reference.safetensors")));
    for (name, start) in start.iter().filter(|(name, _)| !name.ends_with("key.bias")) {
        let moved = start.data.iter().zip(&after[&format!("after_3_steps.{name}")].data).map(|(a, b)| (a - b).abs());
        assert!(moved.fold(0.0, f32::max) > 1e-3, "{name} hardly moved");
    }
    assert_eq!(golden.vit.parameters(), start.values().map(|tensor| tensor.data.len()).sum::<usize>());
}

#[test]
fn a_step_leaves_the_model_it_came_from_as_it_was() {
    let golden = Golden::load("hf_vit");
    let before = golden.trace().logits().to_owned();
    let mut training = Training::of(golden.vit.clone());
    training.step(&golden.batch, &LABELS, &[], STEP).unwrap();
    assert_eq!(golden.trace().logits(), before);
    assert_ne!(training.vit().trace(&golden.batch, xai::Probe::Logits).unwrap().logits(), before);
}
