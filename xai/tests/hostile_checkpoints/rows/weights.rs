//! A good little model, whose files the rows damage.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use safetensors::SafeTensors;
use xai::{HeadKind, Storage, Vit, VitConfig};

/// Tensors of `f32` with their shapes.
#[derive(Clone)]
pub struct Weights(pub BTreeMap<String, (Vec<usize>, Vec<f32>)>);

struct Saved {
    weights: Weights,
    config: Vec<u8>,
}

static SAVED: LazyLock<Saved> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(7), 5).unwrap().save(folder.path(), Storage::F32).unwrap();
    let bytes = std::fs::read(folder.path().join("model.safetensors")).unwrap();
    let read = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    let weights = read.tensors().into_iter().map(|(name, view)| (name, (view.shape().to_vec(), numbers(view.data())))).collect();
    Saved { weights: Weights(weights), config: std::fs::read(folder.path().join("config.json")).unwrap() }
});

impl Weights {
    /// The good model's.
    pub fn good() -> Self {
        SAVED.weights.clone()
    }

    /// The good model's `config.json`.
    pub fn config() -> Vec<u8> {
        SAVED.config.clone()
    }

    /// The same with other values for the tensor whose name ends so.
    pub fn with(mut self, ending: &str, change: impl Fn(&mut Vec<f32>)) -> Self {
        let (_, (_, values)) = self.0.iter_mut().find(|(name, _)| name.ends_with(ending)).expect("the good model has such a tensor");
        change(values);
        self
    }

    /// As a safetensors file.
    pub fn file(&self) -> Vec<u8> {
        let mut at = 0;
        let mut entries = Vec::new();
        for (name, (shape, values)) in &self.0 {
            let end = at + 4 * values.len();
            entries.push(format!(r#""{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{at},{end}]}}"#));
            at = end;
        }
        safetensors(&format!("{{{}}}", entries.join(",")), &self.numbers())
    }

    /// All values, one tensor behind the other.
    pub fn numbers(&self) -> Vec<u8> {
        self.0.values().flat_map(|(_, values)| values.iter().flat_map(|value| value.to_le_bytes())).collect()
    }
}

/// A header, whatever it says, and the bytes after it.
pub fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}
