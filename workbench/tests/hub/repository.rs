//! A small repository: the files of a random model, with the checksums that a hub would give them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use safetensors::SafeTensors;
use safetensors::tensor::serialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use xai::{HeadKind, Storage, Vit, VitConfig};

pub const ID: &str = "pellucid/tiny";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// How pictures are prepared for the model; whatever it says, it must arrive.
const PREPROCESSOR: &str = r#"{ "image_processor_type": "ViTImageProcessor", "size": { "height": 8, "width": 12 } }"#;

/// Files by name at one commit.
#[derive(Clone)]
pub struct Repository {
    pub commit: String,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Repository {
    /// Configuration, preparation and weights in one file.
    pub fn whole() -> Self {
        static FILES: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(saved);
        Self { commit: COMMIT.into(), files: FILES.clone() }
    }

    /// The same weights in two files with their index.
    pub fn sharded() -> Self {
        let mut repository = Self::whole();
        let weights = repository.files.remove("model.safetensors").expect("weights");
        let mut tensors = SafeTensors::deserialize(&weights).expect("the model's own file").tensors();
        tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
        let (first, second) = tensors.split_at(tensors.len() / 2);
        let mut map = BTreeMap::new();
        for (number, part) in [first, second].into_iter().enumerate() {
            let file = format!("model-0000{}-of-00002.safetensors", number + 1);
            map.extend(part.iter().map(|(name, _)| (name.clone(), file.clone())));
            repository.files.insert(file, serialize(part.iter().map(|(name, view)| (name, view)), None).expect("a shard"));
        }
        repository.with_index(&serde_json::json!({ "metadata": { "total_size": weights.len() }, "weight_map": map }))
    }

    /// Another index of shards.
    pub fn with_index(mut self, index: &serde_json::Value) -> Self {
        self.files.insert("model.safetensors.index.json".into(), index.to_string().into_bytes());
        self
    }

    pub fn with(mut self, file: &str, bytes: &[u8]) -> Self {
        self.files.insert(file.into(), bytes.to_vec());
        self
    }

    pub fn without(mut self, file: &str) -> Self {
        self.files.remove(file);
        self
    }

    pub fn at(mut self, commit: &str) -> Self {
        self.commit = commit.into();
        self
    }
}

fn saved() -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(7), 3).expect("a small model");
    vit.save(folder.path(), Storage::F32).expect("it can be written");
    let read = |file: &str| (file.to_owned(), std::fs::read(folder.path().join(file)).expect("it was written"));
    let mut files = BTreeMap::from(["config.json", "model.safetensors"].map(read));
    files.insert("preprocessor_config.json".into(), PREPROCESSOR.into());
    files
}

/// Whether a hub keeps a file apart from git.
pub fn is_large(file: &str) -> bool {
    !file.ends_with(".json")
}

/// The entity tag that a hub gives a file.
pub fn tag(file: &str, bytes: &[u8]) -> String {
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if is_large(file) {
        hexadecimal(&Sha256::digest(bytes))
    } else {
        hexadecimal(&Sha1::new().chain_update(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
    }
}
