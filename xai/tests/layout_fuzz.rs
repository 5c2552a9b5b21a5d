//! Damaged checkpoints of every layout never panic and take no more than they hold: they load and compute, or they are refused.

mod goldens_reader;

use goldens_reader::{batch, folder, read};
use proptest::prelude::*;
use proptest::sample::Index;
use xai::{Method, Probe, Rollout, Target, Vit, explain};

const PREPROCESSOR: &str = r#"{ "size": { "height": 8, "width": 12 } }"#;

struct Whole {
    name: String,
    weights: Vec<u8>,
    config: String,
}

/// Every layout's golden but the thesis's, of which the repository holds only a part.
fn whole() -> Vec<Whole> {
    let folders = std::fs::read_dir(folder("layouts")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = folders.filter(|path| !path.ends_with("thesis")).collect();
    folders.sort();
    let read = |path: std::path::PathBuf| Whole {
        name: format!("layouts/{}", path.file_name().unwrap().to_string_lossy()),
        weights: std::fs::read(path.join("model.safetensors")).unwrap(),
        config: std::fs::read_to_string(path.join("config.json")).unwrap(),
    };
    folders.into_iter().map(read).collect()
}

/// Loads, traces and explains; every step may refuse and none may panic. True where all went well.
fn survives(name: &str, weights: &[u8], config: &str) -> bool {
    let Ok(vit) = Vit::from_bytes("damaged", weights, config, PREPROCESSOR) else { return false };
    let pixels = batch(&read(&folder(name).join("reference.safetensors"))["pixel_values"]);
    let Ok(trace) = vit.trace(&pixels, Probe::Gradients) else { return false };
    explain(&trace, Target::Predicted, &Method::Rollout(Rollout::vit_explain_fixed())).is_ok() && trace.gradients(Target::Class(0)).is_ok()
}

#[test]
fn whole_checkpoints_survive() {
    for Whole { name, weights, config } in whole() {
        assert!(survives(&name, &weights, &config) != name.ends_with("dinov2_own"), "{name}: all explain but the one without classes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_of_the_header(which in any::<Index>(), changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4)) {
        let mut all = whole();
        let Whole { name, weights, config } = which.get_mut(&mut all);
        let header = 8 + u64::from_le_bytes(*weights.first_chunk().unwrap()) as usize;
        for (at, value) in changes {
            weights[at.index(header)] = value;
        }
        survives(name, weights, config);
    }

    #[test]
    fn swapped_digits_of_the_header(which in any::<Index>(), at in any::<Index>(), digit in b'0'..=b'9') {
        let mut all = whole();
        let Whole { name, weights, config } = which.get_mut(&mut all);
        let header = 8 + u64::from_le_bytes(*weights.first_chunk().unwrap()) as usize;
        let digits: Vec<usize> = (8..header).filter(|&place| weights[place].is_ascii_digit()).collect();
        weights[digits[at.index(digits.len())]] = digit;
        survives(name, weights, config);
    }

    #[test]
    fn changed_characters_of_the_configuration(which in any::<Index>(), at in any::<Index>(), character in "[0-9a-z\"{}\\[\\]:,.eE-]") {
        let mut all = whole();
        let Whole { name, weights, config } = which.get_mut(&mut all);
        let place = at.index(config.len());
        config.replace_range(place..=place, &character);
        survives(name, weights, config);
    }
}

/// A side of zero lets the others claim anything without taking room in the file.
#[test]
fn empty_tensors_claim_nothing() {
    for name in ["pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "cls_token", "blocks.0.mlp.fc1.weight", "reg_token"] {
        let golden = whole().into_iter().find(|golden| golden.name == "layouts/timm_vit").unwrap();
        let length = u64::from_le_bytes(*golden.weights.first_chunk().unwrap()) as usize;
        let mut header: serde_json::Value = serde_json::from_slice(&golden.weights[8..8 + length]).unwrap();
        header[name] = serde_json::json!({ "dtype": "F32", "shape": [1u64 << 60, 1u64 << 60, 0], "data_offsets": [0, 0] });
        let header = header.to_string();
        let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &golden.weights[8 + length..]].concat();
        assert!(Vit::from_bytes(name, &file, "{}", PREPROCESSOR).is_err(), "{name}");
        assert!(!survives("layouts/timm_vit", &file, &golden.config), "{name}");
    }
}
