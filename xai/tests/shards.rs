//! Checkpoints in several files, and which file of a folder is taken.

mod goldens_reader;
mod lively;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use goldens_reader::{Values, folder, read};
use kernels::Device;
use serde_json::json;
use xai::{LoadOptions, Pickles, Storage, Vit, sha256, to_safetensors};

fn trusting() -> LoadOptions {
    LoadOptions { pickles: Pickles::InProcess, ..LoadOptions::default() }
}

/// The ViT golden with its tensors in two files and an index.
fn sharded() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(folder("hf_vit").join("config.json"), copy.path().join("config.json")).unwrap();
    let tensors = read(&folder("hf_vit").join("model.safetensors"));
    let mut map = BTreeMap::new();
    for part in 0..2 {
        let file = format!("model-0000{}-of-00002.safetensors", part + 1);
        let own: BTreeMap<String, Values> =
            tensors.iter().enumerate().filter(|(at, _)| at % 2 == part).map(|(_, (name, values))| (name.clone(), values.clone())).collect();
        map.extend(own.keys().map(|name| (name.clone(), file.clone())));
        lively::write(&copy.path().join(file), &own);
    }
    write_index(&copy.path().join("model.safetensors.index.json"), &map);
    copy
}

fn write_index(path: &Path, map: &BTreeMap<String, String>) {
    std::fs::write(path, json!({ "metadata": { "total_size": 1 }, "weight_map": map }).to_string()).unwrap();
}

/// Everything that a model holds, as it would be saved.
fn saved(vit: &Vit) -> Vec<u8> {
    let written = tempfile::tempdir().unwrap();
    vit.save(written.path(), Storage::F32).unwrap();
    std::fs::read(written.path().join("model.safetensors")).unwrap()
}

#[test]
fn two_shards_are_the_model_that_one_file_is() {
    let shards = sharded();
    let whole = saved(&Vit::load(&folder("hf_vit"), &Device::Cpu).unwrap());
    for path in [shards.path().to_owned(), shards.path().join("model.safetensors.index.json")] {
        let vit = Vit::load(&path, &Device::Cpu).unwrap();
        assert!(saved(&vit) == whole, "{}", path.display());
        let notes = vit.source().notes.join("; ");
        assert!(notes.contains("2 shards by ") && vit.source().name.ends_with("index.json"), "{notes}");
    }
    let joined = to_safetensors(shards.path(), &LoadOptions::default()).unwrap();
    let file = shards.path().join("model.safetensors");
    std::fs::write(&file, joined.safetensors).unwrap();
    assert!(saved(&Vit::load(&file, &Device::Cpu).unwrap()) == whole, "the shards joined");
}

#[test]
fn the_hash_is_of_the_index_and_every_shard() {
    let shards = sharded();
    let hash = |name: &str| sha256(&std::fs::read(shards.path().join(name)).unwrap());
    let names = ["model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let expected = sha256(names.map(hash).concat().as_bytes());
    let loaded = || Vit::load(shards.path(), &Device::Cpu).unwrap().source().sha256.clone();
    assert_eq!(loaded(), expected);
    let options = LoadOptions { sha256: Some(expected.clone()), ..LoadOptions::default() };
    assert!(Vit::load_with(shards.path(), &options, &Device::Cpu).is_ok());
    // One bit of one value in the last shard.
    let file = shards.path().join(names[2]);
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(file, bytes).unwrap();
    assert_ne!(loaded(), expected);
    assert_eq!(Vit::load_with(shards.path(), &options, &Device::Cpu).unwrap_err().code(), "hash-mismatch");
}

#[test]
fn pickled_shards_are_read_as_well() {
    let copy = tempfile::tempdir().unwrap();
    let mut map = BTreeMap::new();
    for (file, golden) in [("a.bin", "views.pth"), ("b.bin", "protocol_2.pth")] {
        let path = folder("pickles").join(golden);
        std::fs::copy(&path, copy.path().join(file)).unwrap();
        map.extend(names(&path).into_iter().map(|name| (name, file.to_owned())));
    }
    write_index(&copy.path().join("pytorch_model.bin.index.json"), &map);
    assert_eq!(names(copy.path()), map.into_keys().collect::<Vec<_>>());
    assert_eq!(to_safetensors(copy.path(), &LoadOptions::default()).unwrap_err().code(), "pickle-not-read");
}

/// Names of a checkpoint's tensors, sorted.
fn names(path: &Path) -> Vec<String> {
    let converted = to_safetensors(path, &trusting()).unwrap();
    let mut names: Vec<String> = read_names(&converted.safetensors);
    names.sort();
    names
}

fn read_names(bytes: &[u8]) -> Vec<String> {
    safetensors::SafeTensors::deserialize(bytes).unwrap().names().into_iter().map(str::to_owned).collect()
}

/// The order is documented in `stored.rs`: each name hides all that come after it.
#[test]
fn a_folder_gives_the_first_of_the_known_names() {
    let copy = tempfile::tempdir().unwrap();
    let put = |name: &str, from: PathBuf| std::fs::copy(from, copy.path().join(name)).map(drop).unwrap();
    let taken = || to_safetensors(copy.path(), &trusting()).map(|converted| converted.notes[0].clone()).map_err(|refused| refused.code());
    let pickle = |name: &str| folder("pickles").join(name);
    assert_eq!(taken(), Err("not-found"));
    put("epoch_3.pth", pickle("nested.pth"));
    assert!(taken().unwrap().ends_with("epoch_3.pth"), "the only file with weights");
    put("epoch_4.pt", pickle("nested.pth"));
    assert_eq!(taken(), Err("not-found"), "two files with weights, and none of a known name");
    std::fs::write(copy.path().join("pytorch_model.bin.index.json"), "[]").unwrap();
    assert_eq!(taken(), Err("bad-index"));
    put("pytorch_model.bin", pickle("views.pth"));
    assert!(taken().unwrap().ends_with("pytorch_model.bin"));
    std::fs::write(copy.path().join("model.safetensors.index.json"), "[]").unwrap();
    assert_eq!(taken(), Err("bad-index"));
    put("model.safetensors", folder("hf_vit").join("model.safetensors"));
    assert!(taken().unwrap().ends_with("model.safetensors"));
}
