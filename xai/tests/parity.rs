//! The engine's forward and backward against PyTorch and Hugging Face's `transformers`, in `f32` against rounded `f64`.

mod goldens_reader;

use goldens_reader::{Golden, TARGETS, flat, report};
use kernels::check::{Tolerance, assert_close};
use xai::{HeadFusion, HeadKind, Patches, Probe, Target};

/// Both models with a head.
fn goldens() -> [Golden; 2] {
    [Golden::load("hf_vit"), Golden::load("dinov2")]
}

#[test]
fn checkpoints_are_understood() {
    let [vit, dinov2] = goldens();
    for golden in [&vit, &dinov2] {
        assert_eq!(golden.vit.head(), HeadKind::Linear(5));
        assert_eq!(golden.vit.labels().names()[1], "melanoma");
        assert!(golden.vit.source().notes.iter().any(|note| note.contains("config.json")));
    }
    assert_eq!(vit.trace().patches(), Patches { rows: 2, cols: 7 });
    assert_eq!(dinov2.trace().patches(), Patches { rows: 4, cols: 6 });
}

#[test]
fn logits_and_every_token_agree() {
    for golden in goldens() {
        let trace = golden.trace();
        let logits = assert_close("logits", &flat(&trace.logits()), golden.values("logits"), Tolerance::absolute(4e-6));
        let tokens = assert_close("tokens", &flat(&trace.tokens().unwrap()), golden.values("last_hidden_state"), Tolerance::absolute(4e-6));
        report(&format!("{}: logits", golden.name), logits);
        report(&format!("{}: tokens", golden.name), tokens);
    }
}

#[test]
fn a_model_without_a_head_has_the_same_tokens() {
    let golden = Golden::load("dinov2_no_head");
    assert_eq!(golden.vit.head(), HeadKind::None);
    let trace = golden.vit.trace(&golden.batch, Probe::Attention).unwrap();
    assert_eq!(trace.logits().dim(), (2, 0));
    assert_close("tokens", &flat(&trace.tokens().unwrap()), golden.values("last_hidden_state"), Tolerance::absolute(4e-6));
    for layer in 0..trace.layers() {
        let found = flat(&trace.attention(layer).unwrap());
        assert_close("attention", &found, golden.values(&format!("attention.{layer}")), Tolerance::absolute(1e-6));
    }
}

#[test]
fn the_head_reads_what_the_pooling_says() {
    for golden in goldens() {
        let (trace, tokens) = (golden.trace(), golden.values("last_hidden_state"));
        let width = golden.vit.config().hidden_size;
        let count = trace.patches().count() + 1;
        for (image, found) in tokens.chunks(count * width).zip(trace.features().rows()) {
            let mean = |d: usize| (1..count).map(|token| f64::from(image[token * width + d])).sum::<f64>() / (count - 1) as f64;
            let cls = image[..width].iter().map(|&value| f64::from(value));
            let expected: Vec<f64> = if golden.name == "hf_vit" { cls.collect() } else { cls.chain((0..width).map(mean)).collect() };
            assert_close("features", &found.to_vec(), &expected, Tolerance::absolute(4e-6));
        }
    }
}

#[test]
fn positions_are_resized_as_the_reference_does() {
    let golden = Golden::load("dinov2");
    let found = flat(&golden.trace().positions().unwrap());
    report("dinov2: positions", assert_close("positions", &found, golden.values("position_embeddings"), Tolerance::absolute(5e-7)));
}

#[test]
fn attention_of_every_head_agrees() {
    for golden in goldens() {
        let trace = golden.trace();
        for layer in 0..trace.layers() {
            let expected = golden.values(&format!("attention.{layer}"));
            let worst = assert_close("attention", &flat(&trace.attention(layer).unwrap()), expected, Tolerance::absolute(1e-6));
            report(&format!("{}: attention of layer {layer}", golden.name), worst);
        }
    }
}

/// The golden maps (B, H, N, N) fused over heads by definition, (B, N, N).
fn fused(golden: &Golden, layer: usize, fusion: HeadFusion) -> Vec<f64> {
    let heads = golden.vit.config().num_attention_heads;
    let map = golden.trace().patches().count() + 1;
    let (map, all) = (map * map, golden.values(&format!("attention.{layer}")));
    let of_heads = |image: usize, at: usize| (0..heads).map(move |head| f64::from(all[(image * heads + head) * map + at]));
    let fuse = |image: usize, at: usize| match fusion {
        HeadFusion::Mean => of_heads(image, at).sum::<f64>() / heads as f64,
        HeadFusion::Max => of_heads(image, at).fold(0.0, f64::max),
        HeadFusion::Min => of_heads(image, at).fold(1.0, f64::min),
    };
    (0..golden.batch.len()).flat_map(|image| (0..map).map(move |at| fuse(image, at))).collect()
}

#[test]
fn fused_attention_agrees_whether_kept_or_made_again() {
    for golden in goldens() {
        for fusion in [HeadFusion::Mean, HeadFusion::Max, HeadFusion::Min] {
            for probe in [Probe::Fused(fusion), Probe::Attention, Probe::Gradients] {
                let trace = golden.vit.trace(&golden.batch, probe).unwrap();
                for layer in 0..trace.layers() {
                    let found = flat(&trace.fused_attention(layer, fusion).unwrap());
                    assert_close("fused attention", &found, &fused(&golden, layer, fusion), Tolerance::absolute(1e-6));
                }
            }
        }
    }
}

#[test]
fn pixel_gradients_agree() {
    for golden in goldens() {
        let trace = golden.trace();
        for (name, target) in TARGETS.into_iter().chain([("predicted", Target::Predicted)]) {
            let found = flat(&trace.gradients(target).unwrap().pixels());
            let expected = golden.values(&format!("pixel_gradient.{name}"));
            let worst = assert_close("pixel gradient", &found, expected, Tolerance::both(5e-6));
            let largest = found.iter().fold(0.0, |most, value| f32::max(most, value.abs()));
            report(&format!("{}: pixel gradient of {name}, values up to {largest:.3}", golden.name), worst);
        }
    }
}

#[test]
fn gradients_exist_for_one_image_and_for_two() {
    for golden in goldens() {
        for batch in [goldens_reader::alone(&golden.batch, 0), golden.batch.clone()] {
            let trace = golden.vit.trace(&batch, Probe::Gradients).unwrap();
            let gradients = trace.gradients(Target::Class(1)).unwrap();
            for image in gradients.pixels().outer_iter() {
                let lively = image.iter().filter(|value| value.abs() > 1e-4).count();
                assert!(lively > image.len() / 2, "B = {}: only {lively} of {} gradients are not zero", batch.len(), image.len());
            }
        }
    }
}

#[test]
fn attention_gradients_agree() {
    for golden in goldens() {
        let trace = golden.trace();
        for (name, target) in TARGETS {
            for (layer, found) in trace.attention_gradients(target).unwrap().iter().enumerate() {
                let expected = golden.values(&format!("attention_gradient.{layer}.{name}"));
                let worst = assert_close("attention gradient", &flat(found), expected, Tolerance::both(5e-6));
                report(&format!("{}: attention gradient of layer {layer}, {name}", golden.name), worst);
            }
        }
    }
}

#[test]
fn input_times_gradient_agrees_before_channels_are_summed() {
    for golden in goldens() {
        let trace = golden.trace();
        for (name, target) in TARGETS {
            let found = flat(&(&trace.gradients(target).unwrap().pixels() * &golden.batch.pixels()));
            let expected = golden.values(&format!("gradient_x_input.{name}"));
            report(&format!("{}: input x gradient, {name}", golden.name), assert_close("product", &found, expected, Tolerance::both(5e-6)));
        }
    }
}
