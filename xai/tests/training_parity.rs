//! Three AdamW steps through the engine's weight gradients against PyTorch's.

mod goldens_reader;
mod lively;

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
    training.vit().unwrap().save(written.path(), Storage::F32).unwrap();
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
    assert_ne!(training.vit().unwrap().trace(&golden.batch, xai::Probe::Logits).unwrap().logits(), before);
}

/// The same with an epsilon of the gradients' size: biases before BatchNorm have no gradient but rounding.
const STEP_DNN3: Step = Step { adamw: AdamW { eps: 1e-4, ..STEP.adamw }, ..STEP };
const LABELS_DNN3: [usize; 5] = [1, 3, 0, 3, 6];

#[test]
fn three_steps_of_the_thesiss_head_end_where_pytorch_ends() {
    let expected = read(&folder("thesis_training").join("reference.safetensors"));
    let batch = goldens_reader::batch(&expected["pixel_values"]);
    let mut training = Training::of(lively::thesis());
    let losses: Vec<f64> = (0..3).map(|_| training.step(&batch, &LABELS_DNN3, &[], STEP_DNN3).unwrap()).collect();
    report("losses", assert_close("losses", &losses, &expected["losses"].data, Tolerance::absolute(2e-6)));

    let (written, vit) = (tempfile::tempdir().unwrap(), training.vit().unwrap());
    vit.save(written.path(), Storage::F32).unwrap();
    let found = read(&written.path().join("model.safetensors"));
    let names: Vec<&str> = expected.keys().filter_map(|key| key.strip_prefix("after_3_steps.")).collect();
    assert_eq!(names, found.keys().map(String::as_str).collect::<Vec<_>>(), "every tensor has a golden, and the other way round");
    let (mut of_weights, mut of_statistics) = (0.0, 0.0);
    for name in names {
        // Of large tensors every 61st value is there.
        let every = if found[name].data.len() > 5000 { 61 } else { 1 };
        let some: Vec<f32> = found[name].data.iter().copied().step_by(every).collect();
        // What a batch's mean takes away again has no gradient but rounding: of PyTorch's own f32, 4e-6 after three steps.
        let without = name == "vit.layernorm.bias" || name.starts_with("classifier.fc") && name.ends_with("bias");
        let tolerance = if without { Tolerance::absolute(3e-5) } else { Tolerance::both(4e-6) };
        let worst = assert_close(name, &some, &expected[&format!("after_3_steps.{name}")].data, tolerance);
        let largest = if name.contains("running_") { &mut of_statistics } else { &mut of_weights };
        *largest = f64::max(*largest, worst);
    }
    report("weights after three steps", of_weights);
    report("running statistics after three steps", of_statistics);

    let again = xai::Vit::load(written.path(), &xai::Device::Cpu).unwrap();
    let logits = |vit: &xai::Vit| vit.trace(&batch, xai::Probe::Logits).unwrap().logits().to_owned();
    assert_eq!(logits(&again), logits(&vit), "what is saved can be loaded, folded as the model is");
}

#[test]
fn the_comparison_of_the_thesiss_head_would_notice_a_missing_step() {
    let expected = read(&folder("thesis_training").join("reference.safetensors"));
    let start = read(&folder("layouts/thesis").join("model.safetensors"));
    let kept = ["bn1.weight", "bn2.bias", "bn3.running_mean", "bn1.running_var", "out.weight", "out.bias"];
    for name in kept.map(|name| format!("classifier.{name}")) {
        let (before, after) = (&start[&format!("module.vit.{name}")], &expected[&format!("after_3_steps.{name}")]);
        let moved = before.data.iter().zip(&after.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(moved > 5e-4, "{name} hardly moved");
    }
}

#[test]
fn a_head_that_normalises_batches_refuses_a_single_picture() {
    let vit = lively::thesis();
    let batch =
        goldens_reader::alone(&goldens_reader::batch(&read(&folder("thesis_training").join("reference.safetensors"))["pixel_values"]), 0);
    let refused = Training::of(vit).step(&batch, &[1], &[], STEP).unwrap_err().to_string();
    assert!(refused.contains("train on two pictures or more"), "{refused}");
}
