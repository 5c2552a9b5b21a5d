//! Every layout of checkpoints against PyTorch: loaded by its names alone, computed, explained.

mod goldens_reader;
mod lively;

use goldens_reader::{Golden, TARGETS, flat, folder, report};
use kernels::check::{Tolerance, assert_close};
use ndarray::Array4;
use xai::{
    Activation, AttentionMap, Attribution, Batch, Family, FinalNorm, HeadKind, Method, Pooling, Positions, Relevance, Rollout, Target,
    Tokens, VitConfig, explain, explicit,
};

/// What a layout must be recognised as.
struct Expected {
    name: &'static str,
    /// A piece of the note that says what was found.
    layout: &'static str,
    head: HeadKind,
    tokens: Tokens,
    pooling: Pooling,
    /// What else is particular about this golden.
    particular: fn(&VitConfig) -> bool,
}

const DISTILLED: Tokens = Tokens { distillation: true, ..Tokens::CLS };

fn registers(registers: usize) -> Tokens {
    Tokens { registers, ..Tokens::CLS }
}

fn expected() -> Vec<Expected> {
    let row = |name, layout, head, tokens, pooling, particular| Expected { name, layout, head, tokens, pooling, particular };
    let linear = HeadKind::Linear(5);
    let (cls, mean, both) = (Pooling::Cls, Pooling::MeanPatches, Pooling::ClsAndMean);
    let (hugging_face, modern) = ("Hugging Face's", "names of transformers 5 in memory");
    vec![
        row("layouts/hf5_vit_relu_grey", modern, linear, Tokens::CLS, cls, |c| {
            c.hidden_act == Activation::Relu && !c.qkv_bias && c.num_channels == 1 && c.family == Family::Vit
        }),
        row("layouts/hf4_deit_distilled", hugging_face, HeadKind::Distilled(5), DISTILLED, Pooling::ClsAndDistillation, |c| {
            c.family == Family::Deit
        }),
        row("layouts/hf5_deit_tanh", modern, linear, DISTILLED, cls, |c| c.hidden_act == Activation::GeluTanh),
        row("layouts/hf5_dinov2", modern, linear, Tokens::CLS, both, |c| c.layer_scale && c.family == Family::Dinov2),
        row("layouts/hf4_dinov2_registers", hugging_face, linear, registers(3), both, |c| c.positions == Positions::NotRegisters),
        row("layouts/timm_vit", "timm", linear, Tokens::CLS, cls, |c| c.layer_norm_eps == 1e-6),
        row("layouts/timm_gap_registers", "timm", linear, Tokens { registers: 2, ..Tokens::NONE }, mean, |c| {
            c.final_norm == FinalNorm::Pooled && !c.qkv_bias && c.positions == Positions::Every
        }),
        row("layouts/timm_no_embed_class", "timm", linear, registers(1), mean, |c| {
            c.positions == Positions::Patches && c.hidden_act == Activation::GeluTanh && c.layer_scale
        }),
        row("layouts/timm_deit_distilled", "timm", HeadKind::Distilled(5), DISTILLED, Pooling::ClsAndDistillation, |_| true),
        row("layouts/dinov2_own_chunked", "in chunks", linear, registers(2), both, |c| c.num_hidden_layers == 4),
        row("layouts/dinov2_own", "DINOv2's own", HeadKind::None, Tokens::CLS, both, |c| c.image_size == (12, 12)),
        row("layouts/vit_pytorch_older", "vit-pytorch", linear, Tokens::CLS, cls, |c| {
            c.attention_width() == 12 && c.hidden_size == 10 && c.num_channels == 1 && c.hidden_act == Activation::Relu
        }),
        row("layouts/vit_pytorch_attention_alone", "vit-pytorch", linear, Tokens::CLS, Pooling::MeanTokens, |c| c.intermediate_size == 0),
        row("layouts/vit_pytorch_newer_cls", "vit-pytorch", linear, Tokens::CLS, cls, |c| c.patch_norms && c.head_width() == 6),
        row("layouts/vit_pytorch_newer_mean", "vit-pytorch", linear, Tokens::NONE, mean, |c| c.final_norm == FinalNorm::Tokens),
    ]
}

fn golden(expected: &Expected) -> Golden {
    Golden::load(expected.name)
}

#[test]
fn every_layout_is_found_from_its_names() {
    for expected in expected() {
        let (name, vit) = (expected.name, golden(&expected).vit);
        assert!(vit.source().notes[0].contains(expected.layout), "{name}: {:?}", vit.source().notes);
        assert_eq!(
            (vit.head(), vit.config().special_tokens, vit.config().pooling),
            (expected.head, expected.tokens, expected.pooling),
            "{name}"
        );
        let says_names = ["hf", "timm_vit"].iter().any(|start| name.starts_with(&format!("layouts/{start}")));
        assert_eq!(vit.labels().names().get(1).is_some_and(|label| label == "melanoma"), says_names, "{name}");
        assert!((expected.particular)(vit.config()), "{name}: {:?}", vit.config());
    }
}

#[test]
fn every_golden_of_a_layout_is_in_the_table() {
    let there = std::fs::read_dir(folder("layouts")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut there: Vec<String> = there.filter(|name| name != "thesis").map(|name| format!("layouts/{name}")).collect();
    there.sort();
    let mut known: Vec<&str> = expected().iter().map(|expected| expected.name).collect();
    known.sort_unstable();
    assert_eq!(there, known);
}

/// Logits, features, tokens, attention and every kind of map of one golden.
fn agrees(golden: &Golden) {
    let (name, trace) = (golden.name, golden.trace());
    let close = |what: &str, found: &[f32], key: &str, tolerance: Tolerance| {
        let worst = assert_close(&format!("{name}: {what}"), found, golden.values(key), tolerance);
        report(&format!("{name}: {what}"), worst);
    };
    close("features", &flat(&trace.features()), "features", Tolerance::absolute(4e-6));
    close("tokens", &flat(&trace.tokens().unwrap()), "last_hidden_state", Tolerance::absolute(4e-6));
    for layer in 0..trace.layers() {
        close("attention", &flat(&trace.attention(layer).unwrap()), &format!("attention.{layer}"), Tolerance::absolute(1e-6));
    }
    let map = |target: Target, method: Method| -> Vec<f32> {
        let maps: Vec<Attribution> = explain(&trace, target, &method).unwrap();
        maps.iter().flat_map(|map| flat(&map.values)).collect()
    };
    let any = Target::Predicted;
    if golden.vit.head() == HeadKind::None {
        close("attention map", &map(any, Method::Attention(AttentionMap::default())), "attention_map", Tolerance::absolute(1e-6));
        return close("rollout", &map(any, Method::Rollout(Rollout::abnar_2020())), "rollout_map", Tolerance::absolute(1e-6));
    }
    close("logits", &flat(&trace.logits()), "logits", Tolerance::absolute(4e-6));
    close("attention map", &map(any, Method::Attention(AttentionMap::default())), "attention_map", Tolerance::absolute(1e-6));
    close("rollout", &map(any, Method::Rollout(Rollout::abnar_2020())), "rollout_map", Tolerance::absolute(1e-6));
    for (key, target) in TARGETS {
        let gradients = trace.gradients(target).unwrap();
        close("pixel gradient", &flat(&gradients.pixels()), &format!("pixel_gradient.{key}"), Tolerance::both(5e-6));
        let relevance = map(target, Method::Relevance(Relevance::chefer_iccv21()));
        close("relevance", &relevance, &format!("chefer_map.{key}"), Tolerance::both(2e-6));
    }
}

#[test]
fn every_layout_computes_and_explains_as_pytorch() {
    for expected in expected() {
        agrees(&golden(&expected));
    }
}

/// The explicit products know nothing of where a row starts.
#[test]
fn rows_are_the_explicit_products_wherever_the_head_reads() {
    for golden in expected().iter().map(golden) {
        let trace = golden.trace();
        let special = golden.vit.config().special_tokens.count();
        let read = |products: &ndarray::Array3<f32>| -> Vec<f32> {
            let rows =
                trace.start_row().outer_iter().zip(products.outer_iter()).map(|(start, product)| start.dot(&product)).collect::<Vec<_>>();
            rows.iter().flat_map(|row| row.iter().skip(special).copied().collect::<Vec<_>>()).collect()
        };
        let map = |method: Method| {
            explain(&trace, Target::Class(1), &method).unwrap().iter().flat_map(|map| flat(&map.values)).collect::<Vec<_>>()
        };
        for settings in [Rollout::abnar_2020(), Rollout::vit_explain_fixed()] {
            let full = read(&explicit::rollout(&trace, &settings).unwrap());
            assert_close(golden.name, &map(Method::Rollout(settings)), &full, Tolerance::both(1e-6));
        }
        if golden.vit.head() != HeadKind::None {
            let settings = Relevance::chefer_iccv21();
            let full = read(&explicit::relevance(&trace, Target::Class(1), &settings).unwrap());
            assert_close(golden.name, &map(Method::Relevance(settings)), &full, Tolerance::both(2e-6));
        }
    }
}

#[test]
fn start_rows_sum_to_one_and_lie_where_the_head_reads() {
    for golden in expected().iter().map(golden) {
        let (row, config) = (golden.trace().start_row(), golden.vit.config());
        assert_close(golden.name, &row.sum_axis(ndarray::Axis(1)).to_vec(), &[1.0; 2], Tolerance::absolute(1e-6));
        let on_patches: f32 = row.row(0).iter().skip(config.special_tokens.count()).sum();
        let reads_patches = [Pooling::MeanPatches, Pooling::MeanTokens].contains(&config.pooling);
        assert_eq!(on_patches > 0.0, reads_patches, "{}", golden.name);
    }
}

#[test]
fn the_thesiss_head_has_its_batch_norm_folded() {
    let golden = Golden::of("layouts/thesis", lively::thesis());
    assert_eq!(golden.vit.head(), HeadKind::Dnn3(7));
    assert_eq!(golden.vit.head_parameters(), 12 * 512 + 512 + 512 * 256 + 256 + 256 * 64 + 64 + 64 * 7 + 7 + 2 * (512 + 256 + 64));
    agrees(&golden);
}

#[test]
fn a_model_of_one_channel_refuses_colours_and_prepares_its_own_pictures() {
    let golden = Golden::load("layouts/hf5_vit_relu_grey");
    let colours = Batch::new(Array4::zeros((1, 3, 8, 12))).unwrap();
    let refused = golden.vit.trace(&colours, xai::Probe::Logits).unwrap_err().to_string();
    assert!(refused.contains("channels of the pictures: expected 1"), "{refused}");
    let picture = image::RgbImage::from_pixel(30, 20, image::Rgb([200, 150, 120]));
    let batch = golden.vit.preprocessor().prepare(&picture).unwrap();
    assert_eq!(batch.pixels().dim(), (1, 1, 8, 12));
    assert_close("grey", &flat(&batch.pixels()), &[(162.0 / 255.0 - 0.5) / 0.5; 96], Tolerance::absolute(1e-6));
    assert_eq!(golden.trace().gradients(Target::Class(1)).unwrap().pixels().dim(), (2, 1, 8, 12));
}
