//! Layouts beyond their numbers: what is refused by name, what has to be said, what can be written again, how pictures are prepared.

mod goldens_reader;
mod lively;

use std::collections::BTreeMap;
use std::path::Path;

use goldens_reader::{Golden, Values, flat, folder, read};
use kernels::Device;
use kernels::check::{Tolerance, assert_close};
use xai::{Activation, Hints, Probe, Storage, Vit};

fn one(shape: &[usize]) -> Values {
    Values { shape: shape.to_vec(), data: vec![0.5; shape.iter().product()] }
}

#[track_caller]
fn refused(path: &Path, hints: &Hints, words: &[&str]) {
    let message = Vit::load_with(path, hints, &Device::Cpu).expect_err("this checkpoint must be refused").to_string();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

/// A file that holds tensors of these names.
fn named(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tensors = names.iter().map(|name| ((*name).to_owned(), one(&[1]))).collect();
    lively::write(&folder.path().join("model.safetensors"), &tensors);
    folder
}

/// A copy of a golden's checkpoint with its tensors and its configuration changed.
fn changed(name: &str, tensors: impl Fn(&mut BTreeMap<String, Values>), config: impl Fn(&mut serde_json::Value)) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let mut all = read(&folder(name).join("model.safetensors"));
    tensors(&mut all);
    lively::write(&copy.path().join("model.safetensors"), &all);
    let text = std::fs::read(folder(name).join("config.json")).unwrap();
    let mut json: serde_json::Value = serde_json::from_slice(&text).unwrap();
    config(&mut json);
    if !json.is_null() {
        std::fs::write(copy.path().join("config.json"), json.to_string()).unwrap();
    }
    copy
}

fn with_field(name: &str, field: &str, value: serde_json::Value) -> tempfile::TempDir {
    changed(name, |_| {}, |json| json[field] = value.clone())
}

#[test]
fn models_of_other_kinds_are_refused_by_their_name() {
    let cases: [(&[&str], &str); 13] = [
        (&["encoder.layers.0.self_attn.q_proj.weight", "head.probe"], "SigLIP"),
        (&["vision_model.encoder.layers.0.self_attn.q_proj.weight"], "SigLIP"),
        (&["blocks.0.attn.qkv.weight", "pos_embed", "attn_pool.latent"], "SigLIP"),
        (&["layer.0.attention.q_proj.weight", "embeddings.register_tokens"], "DINOv3"),
        (&["model.layer.0.attention.q_proj.weight"], "DINOv3"),
        (&["blocks.0.attn.qkv.weight", "storage_tokens"], "DINOv3"),
        (&["blocks.0.attn.qkv.weight", "blocks.0.gamma_1", "reg_token"], "DINOv3"),
        (&["encoder.layer.0.attention.attention.query.weight", "encoder.layer.0.lambda_1"], "BEiT"),
        (&["blocks.0.attn.qkv.weight", "blocks.0.attn.relative_position_bias_table"], "BEiT"),
        (&["layers.0.blocks.0.attn.qkv.weight", "layers.0.blocks.0.attn.relative_position_bias_table"], "Swin"),
        (&["encoder.layers.0.self_attn.q_proj.weight", "embeddings.class_embedding"], "CLIP"),
        (&["encoder.layer.0.attention.attention.query.weight", "encoder.layer.0.mlp.weights_in.weight"], "SwiGLU"),
        (&["blocks.0.attn.qkv.weight", "pos_embed", "decoder_embed.weight"], "masked autoencoder"),
    ];
    for (names, kind) in cases {
        refused(named(names).path(), &Hints::default(), &[kind, "support"]);
    }
    let planned = ["SigLIP", "DINOv3", "BEiT", "Swin"];
    for (names, kind) in cases.iter().filter(|(_, kind)| planned.contains(kind)) {
        refused(named(names).path(), &Hints::default(), &[kind, "planned"]);
    }
}

#[test]
fn configurations_of_other_kinds_are_refused_by_their_name() {
    for (model_type, kind) in [
        ("siglip_vision_model", "SigLIP"),
        ("dinov3_vit", "DINOv3"),
        ("beit", "BEiT"),
        ("swinv2", "Swin"),
        ("clip_vision_model", "CLIP"),
        ("vit_mae", "masked autoencoder"),
        ("vivit", "vit is"),
    ] {
        refused(with_field("hf_vit", "model_type", model_type.into()).path(), &Hints::default(), &["model_type", model_type, kind]);
    }
    for (architecture, kind) in
        [("vit_base_patch16_siglip_224", "SigLIP"), ("beit_base_patch16_224", "BEiT"), ("resnet50", "not supported")]
    {
        let path = with_field("layouts/timm_vit", "architecture", architecture.into());
        refused(path.path(), &Hints::default(), &["architecture", architecture, kind]);
    }
    refused(with_field("layouts/timm_vit", "global_pool", "map".into()).path(), &Hints::default(), &["global_pool", "map"]);
    for (field, value, words) in [
        ("crop_mode", serde_json::json!("border"), "border"),
        ("crop_pct", serde_json::json!(0.0), "crop_pct"),
        ("interpolation", serde_json::json!("hamming"), "hamming"),
        ("input_size", serde_json::json!([3, 0, 0]), "size"),
        ("std", serde_json::json!([0.0, 1.0, 1.0]), "image_std"),
    ] {
        let path = changed("layouts/timm_vit", |_| {}, |json| json["pretrained_cfg"][field] = value.clone());
        refused(path.path(), &Hints::default(), &[words]);
    }
}

#[test]
fn what_stands_in_a_file_twice_or_out_of_order_is_refused() {
    let twice = changed(
        "layouts/dinov2_own",
        |all| {
            let student: Vec<_> = all.iter().map(|(name, values)| (name.replace("teacher", "student"), values.clone())).collect();
            all.extend(student);
        },
        |_| {},
    );
    refused(twice.path(), &Hints::default(), &["more than one vision transformer", "`student.backbone.`", "`teacher.backbone.`"]);
    let gap = changed(
        "layouts/dinov2_own_chunked",
        |all| {
            *all = std::mem::take(all).into_iter().map(|(name, values)| (name.replace("blocks.1.3", "blocks.1.5"), values)).collect();
        },
        |_| {},
    );
    refused(gap.path(), &Hints::default(), &["chunks"]);
}

#[test]
fn biases_that_the_configuration_denies_are_named() {
    refused(with_field("hf_vit", "qkv_bias", false.into()).path(), &Hints::default(), &["attention.attention.query.bias is not expected"]);
    let without = |all: &mut BTreeMap<String, Values>| all.retain(|name, _| !name.ends_with("key.bias"));
    refused(changed("hf_vit", without, |_| {}).path(), &Hints::default(), &["attention.attention.key.bias", "is missing"]);
}

#[test]
fn heads_and_activation_are_asked_for_and_may_be_said_but_not_twice() {
    let none = |json: &mut serde_json::Value| *json = serde_json::Value::Null;
    let file = changed("layouts/vit_pytorch_newer_cls", |_| {}, none);
    refused(file.path(), &Hints::default(), &["--heads N", "anybody", "num_attention_heads", "--arch"]);
    let heads = |heads| Hints { heads: Some(heads), ..Hints::default() };
    // Six patches are no square grid: the picture's sides have to be said as well.
    refused(file.path(), &heads(2), &["no square grid", "image_size"]);
    refused(&folder("layouts/vit_pytorch_newer_cls"), &heads(3), &["3 heads were said", "has 2"]);
    let relu = Hints { activation: Some(Activation::Relu), ..Hints::default() };
    refused(&folder("layouts/hf5_deit_tanh"), &relu, &["activation relu was said", "gelu-tanh"]);
    let said = Vit::load_with(&folder("layouts/vit_pytorch_newer_cls"), &relu, &Device::Cpu).unwrap();
    assert_eq!(said.config().hidden_act, Activation::Relu);
    assert!("swish".parse::<Activation>().unwrap_err().to_string().contains("gelu, gelu-tanh, relu"));
}

#[test]
fn every_model_of_hugging_face_can_be_written_again() {
    for name in [
        "layouts/hf5_vit_relu_grey",
        "layouts/hf4_deit_distilled",
        "layouts/hf5_deit_tanh",
        "layouts/hf5_dinov2",
        "layouts/hf4_dinov2_registers",
    ] {
        let golden = Golden::load(name);
        let written = tempfile::tempdir().unwrap();
        golden.vit.save(written.path(), Storage::F32).unwrap();
        let again = Vit::load(written.path(), &Device::Cpu).unwrap();
        assert_eq!((again.config(), again.head(), again.labels()), (golden.vit.config(), golden.vit.head(), golden.vit.labels()), "{name}");
        let logits = |vit: &Vit| flat(&vit.trace(&golden.batch, Probe::Logits).unwrap().logits());
        assert_eq!(logits(&again), logits(&golden.vit), "{name}");
        if name.contains("hf4") {
            let (before, after) = (read(&folder(golden.name).join("model.safetensors")), read(&written.path().join("model.safetensors")));
            let before: BTreeMap<_, _> = before.into_iter().filter(|(name, _)| !name.ends_with("mask_token")).collect();
            assert_eq!(after, before, "{name}: names, shapes and values are those of the library");
        }
    }
}

#[test]
fn what_hugging_face_does_not_compute_is_not_written() {
    for (name, what) in [
        ("layouts/timm_vit", "resizing positions"),
        ("layouts/timm_gap_registers", "without class token"),
        ("layouts/vit_pytorch_older", "another width"),
        ("layouts/vit_pytorch_attention_alone", "without MLP"),
        ("layouts/timm_no_embed_class", "positions"),
    ] {
        let refused = Golden::load(name).vit.save(tempfile::tempdir().unwrap().path(), Storage::F32).unwrap_err().to_string();
        assert!(refused.contains(what) && refused.contains("no place"), "{name}: {refused}");
    }
}

#[test]
fn pictures_are_prepared_as_timm_prepares_them() {
    let reference = read(&folder("timm_transform").join("reference.safetensors"));
    let cases: serde_json::Value = serde_json::from_slice(&std::fs::read(folder("timm_transform").join("cases.json")).unwrap()).unwrap();
    let picture = &reference["picture"];
    let bytes = picture.data.iter().map(|&value| value as u8).collect();
    let picture = image::RgbImage::from_raw(picture.shape[1] as u32, picture.shape[0] as u32, bytes).unwrap();
    for (name, case) in cases.as_object().unwrap() {
        let path = changed("layouts/timm_vit", |_| {}, |json| json["pretrained_cfg"] = case.clone());
        let vit = Vit::load(path.path(), &Device::Cpu).unwrap();
        assert!(vit.source().notes.iter().any(|note| note.contains("pretrained_cfg")));
        let found = flat(&vit.preprocessor().prepare(&picture).unwrap().pixels());
        // One level of 255, divided by the smallest deviation.
        assert_close(name, &found, &reference[&format!("pixels.{name}")].data, Tolerance::absolute(1.001 / 255.0 / 0.224));
    }
}
