//! Checkpoints on disk, whole and broken, and models without a head.

use std::fs;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use xai::{HeadKind, Storage, Vit, VitConfig};

use crate::files::map;
use crate::pictures::{lesion, png};
use crate::run::{Dir, Pellucid, setup};

/// A folder with a checkpoint in `vit` and a picture in `lesion.png`.
fn with_checkpoint(name: &str) -> (Dir, Pellucid) {
    let (dir, pellucid) = setup(name);
    dir.write("lesion.png", &png(&lesion(64, 96)));
    let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(7), 3).unwrap();
    vit.save(&dir.path("vit"), Storage::F32).unwrap();
    (dir, pellucid)
}

/// Changes the checkpoint's weights as a whole file.
fn rewrite(dir: &Dir, change: impl Fn(&mut Vec<(String, Vec<usize>, Vec<u8>)>)) {
    let file = dir.path("vit/model.safetensors");
    let bytes = fs::read(&file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut pieces: Vec<_> =
        tensors.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec(), view.data().to_vec())).collect();
    change(&mut pieces);
    let views = pieces.iter().map(|(name, shape, bytes)| (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    let views: Vec<_> = views.collect();
    serialize_to_file(views, None, &file).unwrap();
}

#[test]
fn a_folder_on_disk_answers_as_the_model_it_was_saved_from() {
    let (dir, pellucid) = with_checkpoint("model_folder");
    pellucid.line("explain lesion.png --method rollout --model vit").succeeds().warns(&["model vit", "Hugging Face", "config.json"]);
    let found = dir.json("maps/explanation.json");
    let sha256 = xai::sha256(&fs::read(dir.path("vit/model.safetensors")).unwrap());
    assert_eq!(found["model"]["sha256"], sha256, "the weights file's own hash");
    assert_eq!(map(&dir.path("maps/lesion.rollout.grid.npy")).dim(), (2, 3));
}

#[test]
fn a_missing_tensor_is_named() {
    let (dir, pellucid) = with_checkpoint("model_missing_tensor");
    rewrite(&dir, |pieces| pieces.retain(|(name, ..)| !name.contains("layer.1.attention.attention.key.bias")));
    pellucid.line("explain lesion.png --model vit").fails().warns(&["vit.encoder.layer.1.attention.attention.key.bias"]);
    assert!(!dir.exists("maps"));
}

#[test]
fn weights_that_are_not_finite_are_named() {
    let (dir, pellucid) = with_checkpoint("model_nan");
    rewrite(&dir, |pieces| {
        let (_, _, bytes) = pieces.iter_mut().find(|(name, ..)| name.ends_with("classifier.weight")).expect("a classifier");
        bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    pellucid.line("explain lesion.png --model vit").fails().warns(&["classifier.weight", "finite"]);
}

#[test]
fn a_model_that_is_not_there_is_named_with_what_can_be_given() {
    let (dir, pellucid) = setup("model_missing");
    dir.write("lesion.png", &png(&lesion(64, 64)));
    pellucid.line("explain lesion.png --model nowhere/vit").fails().warns(&["nowhere/vit"]);
    dir.write("empty/readme.txt", b"no model");
    dir.pellucid().line("explain lesion.png --model empty").fails().warns(&["empty", "model.safetensors"]);
    dir.write("torn.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\xff{}");
    dir.pellucid().line("explain lesion.png --model torn.safetensors").fails().warns(&["torn.safetensors"]);
    dir.pellucid().line("explain lesion.png --model random:tiny_for_tests+cnn:7").fails().warns(&["random:NAME+dnn3:CLASSES"]);
    assert!(!dir.exists("maps"));
}

#[test]
fn a_model_without_a_head_answers_what_asks_for_no_class() {
    let (dir, pellucid) = setup("model_headless");
    dir.write("lesion.png", &png(&lesion(64, 96)));
    pellucid.line("explain lesion.png --method rollout,attention --model random:tiny_for_tests").succeeds();
    let image = dir.json("maps/explanation.json")["images"][0].clone();
    assert_eq!((image["logits"].as_array().map(Vec::len), &image["predicted"]), (Some(0), &serde_json::Value::Null), "{image}");
    let refused = dir.pellucid().line("explain lesion.png --method relevance --out other --model random:tiny_for_tests").fails();
    refused.warns(&["relevance", "no head", "rollout"]);
    dir.pellucid()
        .line("explain lesion.png --method rollout --target melanoma --out other --model random:tiny_for_tests")
        .fails()
        .warns(&["no head"]);
    assert!(!dir.exists("other"));
}

/// DINOv2 in its own names, a tiny one, without any configuration.
fn without_configuration(dir: &Dir) {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../xai/tests/goldens/layouts/dinov2_own/model.safetensors");
    dir.write("lesion.png", &png(&lesion(64, 96)));
    dir.write("dinov2/model.safetensors", &fs::read(golden).unwrap());
}

#[test]
fn heads_that_no_tensor_shows_are_asked_for_and_can_be_said() {
    let (dir, pellucid) = setup("model_heads");
    without_configuration(&dir);
    pellucid.line("explain lesion.png --method rollout --model dinov2").fails().warns(&["--heads N", "--arch", "num_attention_heads"]);
    assert!(!dir.exists("maps"));
    let said = dir.pellucid().line("explain lesion.png --method rollout --model dinov2 --heads 3").succeeds();
    said.warns(&["DINOv2's own", "heads as said", "3 × 3 patches"]);
    dir.pellucid().line("explain lesion.png --method rollout --model dinov2 --heads 5 --out other").fails().warns(&["num_attention_heads"]);
    dir.pellucid().line("explain lesion.png --model dinov2 --heads 0").ends_with(2);
    dir.pellucid().line("explain lesion.png --model dinov2 --heads 3 --activation swish").ends_with(2).warns(&["gelu", "relu"]);
    assert!(!dir.exists("other"));
}
