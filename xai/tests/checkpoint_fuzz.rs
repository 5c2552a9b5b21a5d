//! Damaged checkpoints never panic: they load and compute, or they are refused with a typed error.

mod goldens_reader;

use goldens_reader::{batch, folder, read};
use proptest::prelude::*;
use xai::{HeatMap, Method, Probe, Target, Vit, explain};

struct Whole {
    weights: Vec<u8>,
    config: String,
    preprocessor: String,
}

fn whole() -> Whole {
    let bytes = |name: &str| std::fs::read(folder("hf_vit").join(name)).unwrap();
    let text = |name: &str| String::from_utf8(bytes(name)).unwrap();
    Whole { weights: bytes("model.safetensors"), config: text("config.json"), preprocessor: text("preprocessor_config.json") }
}

/// By the methods that make no passes of their own; those that do are met by fewer files, for they take a hundred times as long.
fn survives(weights: &[u8], config: &str, preprocessor: &str) -> bool {
    survives_by(|method| method.most_passes() == 0, weights, config, preprocessor)
}

/// Loads, traces, explains and draws maps; every step may refuse and none may panic. True where all went well.
fn survives_by(wanted: fn(&Method) -> bool, weights: &[u8], config: &str, preprocessor: &str) -> bool {
    let Ok(vit) = Vit::from_bytes("damaged", weights, config, preprocessor) else { return false };
    let pixels = batch(&read(&folder("hf_vit").join("reference.safetensors"))["pixel_values"]);
    let Ok(trace) = vit.trace(&pixels, Probe::Gradients) else { return false };
    let maps =
        |method| explain(&trace, Target::Predicted, method).and_then(|maps| maps.into_iter().map(|map| HeatMap::new(map.values)).collect());
    let methods: Vec<Method> = Method::named().into_iter().map(|(_, method, _)| method).filter(wanted).collect();
    let explained = methods.iter().all(|method| maps(method).is_ok_and(|maps: Vec<HeatMap>| maps.len() == 2));
    explained && trace.logits().iter().all(|logit| logit.is_finite())
}

#[test]
fn the_whole_checkpoint_survives() {
    let Whole { weights, config, preprocessor } = whole();
    assert!(survives_by(|_| true, &weights, &config, &preprocessor));
}

/// Places in the header, where a byte changes the meaning of everything, and anywhere.
fn places() -> impl Strategy<Value = (prop::sample::Index, bool, u8)> {
    (any::<prop::sample::Index>(), any::<bool>(), any::<u8>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes(changes in prop::collection::vec(places(), 1..4)) {
        let Whole { mut weights, config, preprocessor } = whole();
        let header = 8 + u64::from_le_bytes(*weights.first_chunk().unwrap()) as usize;
        for (at, in_header, value) in changes {
            let place = at.index(if in_header { header } else { weights.len() });
            weights[place] = value;
        }
        survives(&weights, &config, &preprocessor);
    }

    #[test]
    fn cut_anywhere(at in any::<prop::sample::Index>()) {
        let Whole { weights, config, preprocessor } = whole();
        prop_assert!(!survives(&weights[..at.index(weights.len())], &config, &preprocessor));
    }

    #[test]
    fn changed_characters_of_the_configurations(at in any::<prop::sample::Index>(), character in "[0-9a-z\"{}\\[\\]:,.eE-]", first in any::<bool>()) {
        let Whole { weights, mut config, mut preprocessor } = whole();
        let text = if first { &mut config } else { &mut preprocessor };
        let place = at.index(text.len());
        text.replace_range(place..=place, &character);
        survives(&weights, &config, &preprocessor);
    }

    #[test]
    fn bytes_of_any_kind(bytes in prop::collection::vec(any::<u8>(), 0..300), claims_its_length in any::<bool>()) {
        let Whole { config, preprocessor, .. } = whole();
        let length = (bytes.len() as u64).to_le_bytes();
        let file = if claims_its_length { [&length[..], &bytes].concat() } else { bytes };
        prop_assert!(!survives(&file, &config, &preprocessor));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_values_explained_by_every_method(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let Whole { mut weights, config, preprocessor } = whole();
        let header = 8 + u64::from_le_bytes(*weights.first_chunk().unwrap()) as usize;
        for (at, value) in changes {
            let place = header + at.index(weights.len() - header);
            weights[place] = value;
        }
        survives_by(|_| true, &weights, &config, &preprocessor);
    }
}
