//! What is written can be read, what has no `config.json` is told by its dimensions or by name, and what a model cannot do it says.

mod goldens_reader;
mod lively;

use std::path::Path;

use goldens_reader::{Golden, flat, folder, read};
use kernels::Device;
use xai::{Batch, Error, Family, HeadKind, Labels, Method, Pooling, Probe, Storage, Target, Vit, VitConfig, explain};

fn load(path: &Path) -> Vit {
    Vit::load(path, &Device::Cpu).unwrap()
}

fn has_note(vit: &Vit, words: &str) -> bool {
    vit.source().notes.iter().any(|note| note.contains(words))
}

#[test]
fn four_bytes_keep_every_bit() {
    for golden in [Golden::load("hf_vit"), Golden::load("dinov2"), Golden::load("dinov2_no_head")] {
        let written = tempfile::tempdir().unwrap();
        golden.vit.save(written.path(), Storage::F32).unwrap();
        let again = load(written.path());
        assert_eq!((again.config(), again.head(), again.labels()), (golden.vit.config(), golden.vit.head(), golden.vit.labels()));
        let found = read(&written.path().join("model.safetensors"));
        for (name, before) in read(&folder(golden.name).join("model.safetensors")) {
            match found.get(&name) {
                Some(after) => assert_eq!(after, &before, "{name}"),
                None => assert!(name.ends_with("mask_token"), "{name} was lost"),
            }
        }
        let tokens = |vit: &Vit| flat(&vit.trace(&golden.batch, Probe::Logits).unwrap().tokens().unwrap());
        assert_eq!(tokens(&again), tokens(&golden.vit));
    }
}

#[test]
fn two_bytes_round_once() {
    let (golden, written) = (Golden::load("hf_vit"), tempfile::tempdir().unwrap());
    golden.vit.save(written.path(), Storage::F16).unwrap();
    let rewritten = tempfile::tempdir().unwrap();
    load(written.path()).save(rewritten.path(), Storage::F32).unwrap();
    let after = read(&rewritten.path().join("model.safetensors"));
    for (name, before) in read(&folder("hf_vit").join("model.safetensors")) {
        let rounded: Vec<f32> = before.data.iter().map(|&value| half::f16::from_f32(value).to_f32()).collect();
        assert_eq!(after[&name].data, rounded, "{name}");
    }
}

#[test]
fn what_two_bytes_cannot_hold_is_not_written() {
    let loud = |name: &str, values: &mut Vec<f32>| {
        if name == "vit.layernorm.weight" {
            values[3] = 70_000.0;
        }
    };
    let vit = lively::edited(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1, loud);
    let written = tempfile::tempdir().unwrap();
    let refused = vit.save(written.path(), Storage::F16).unwrap_err().to_string();
    assert!(refused.contains("norm.weight") && refused.contains("2 bytes"), "{refused}");
    assert!(!written.path().join("model.safetensors").exists());
    vit.save(written.path(), Storage::F32).unwrap();
}

#[test]
fn dimensions_that_match_one_architecture_need_no_configuration() {
    let written = tempfile::tempdir().unwrap();
    Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(3), 1).unwrap().save(written.path(), Storage::F32).unwrap();
    std::fs::remove_file(written.path().join("config.json")).unwrap();
    let guessed = load(written.path());
    assert_eq!(guessed.config(), &VitConfig::tiny_for_tests());
    assert!(has_note(&guessed, "tiny_for_tests"), "{:?}", guessed.source().notes);
    assert_eq!(guessed.labels(), &Labels::numbered(3));
    let of_file = load(&written.path().join("model.safetensors"));
    assert_eq!(of_file.source().sha256, guessed.source().sha256);
}

#[test]
fn dimensions_that_match_none_are_refused_with_the_names_there_are() {
    let written = tempfile::tempdir().unwrap();
    std::fs::copy(folder("hf_vit").join("model.safetensors"), written.path().join("model.safetensors")).unwrap();
    let refused = Vit::load(written.path(), &Device::Cpu).unwrap_err().to_string();
    assert!(refused.contains("--arch") && refused.contains("vit_large_patch32_384") && refused.contains("hidden: 18"), "{refused}");
    let wrong = Vit::load_as(written.path(), "tiny_for_tests", &Device::Cpu).unwrap_err().to_string();
    assert!(wrong.contains("does not fit"), "{wrong}");
    let unknown = Vit::load_as(written.path(), "vit_enormous", &Device::Cpu).unwrap_err();
    assert!(matches!(unknown, Error::Unknown { .. }), "{unknown}");
}

#[test]
fn a_named_architecture_is_taken_where_there_is_no_configuration() {
    let (config, written) = (VitConfig::tiny_for_tests(), tempfile::tempdir().unwrap());
    lively::save(written.path(), config.clone(), HeadKind::Linear(3), 5, |_, _| {});
    let with = load(written.path());
    std::fs::remove_file(written.path().join("config.json")).unwrap();
    let named = Vit::load_as(written.path(), "tiny_for_tests", &Device::Cpu).unwrap();
    assert_eq!((named.config(), named.source().sha256.as_str()), (&config, with.source().sha256.as_str()));
    assert!(has_note(&named, "as named"));
}

#[test]
fn names_that_do_not_match_the_head_are_replaced_by_numbers_and_that_is_said() {
    let written = tempfile::tempdir().unwrap();
    lively::save(written.path(), VitConfig::tiny_for_tests(), HeadKind::Linear(3), 5, |_, _| {});
    let config = written.path().join("config.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    json["id2label"] = serde_json::json!({"0": "nevus", "1": "melanoma"});
    std::fs::write(&config, json.to_string()).unwrap();
    let vit = load(written.path());
    assert_eq!(vit.labels(), &Labels::numbered(3));
    assert!(has_note(&vit, "id2label names 2 classes, the head has 3"), "{:?}", vit.source().notes);
    assert!(matches!(vit.with_labels(Labels::numbered(4)), Err(Error::Shape { .. })));
}

#[test]
fn without_a_head_attention_and_rollout_explain_and_the_others_say_what_they_need() {
    let golden = Golden::load("dinov2_no_head");
    assert!(golden.vit.labels().is_empty() && has_note(&golden.vit, "no classifier"));
    let trace = golden.trace();
    for (name, method, _) in Method::named() {
        let result = explain(&trace, Target::Predicted, &method);
        if method.is_class_specific() {
            let refused = result.expect_err(name);
            assert!(matches!(refused, Error::NoHead { .. }), "{name}: {refused}");
            assert!(refused.to_string().contains("class-agnostic methods only"), "{refused}");
        } else {
            assert_eq!(result.unwrap().len(), 2, "{name}");
        }
    }
}

#[test]
fn a_dnn_head_is_written_unfolded_and_read_again() {
    let dinov2 = VitConfig { family: Family::Dinov2, layer_scale: true, pooling: Pooling::ClsAndMean, ..VitConfig::tiny_for_tests() };
    for config in [VitConfig::tiny_for_tests(), dinov2] {
        let (written, batch) = (tempfile::tempdir().unwrap(), Batch::new(ndarray::Array4::from_elem((2, 3, 8, 12), 0.5)).unwrap());
        let vit = Vit::random(config, HeadKind::Dnn3(7), 1).unwrap();
        vit.save(written.path(), Storage::F32).unwrap();
        let again = load(written.path());
        let logits = |vit: &Vit| vit.trace(&batch, Probe::Logits).unwrap().logits().to_owned();
        assert_eq!((again.head(), logits(&again)), (HeadKind::Dnn3(7), logits(&vit)));
        let json = std::fs::read_to_string(written.path().join("config.json")).unwrap();
        assert!(!json.contains("architectures"), "no class of theirs reads it: {json}");
    }
}
