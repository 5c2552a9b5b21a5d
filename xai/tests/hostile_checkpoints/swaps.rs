//! K11: a file that is swapped while it is loaded. What is hashed are the bytes that are used.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use xai::{Device, LoadOptions, Pickles, Vit};

use crate::rows::Weights;

/// Two models that differ in one bias, and nothing else.
fn model(bias: f32) -> Vec<u8> {
    Weights::good().with("classifier.bias", |all| all.fill(bias)).file()
}

#[test]
fn a_swapped_file_is_used_as_it_was_hashed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, next) = (folder.path().join("model.safetensors"), folder.path().join("next"));
    std::fs::write(folder.path().join("config.json"), Weights::config()).unwrap();
    let models = [model(1.0), model(2.0)];
    std::fs::write(&file, &models[0]).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0.. {
                if done.load(Relaxed) {
                    return;
                }
                std::fs::write(&next, &models[turn % 2]).and_then(|()| std::fs::rename(&next, &file)).unwrap();
            }
        });
        let seen: Vec<usize> = (0..200).map(|_| loaded(&file, &models)).collect();
        done.store(true, Relaxed);
        assert!([0, 1].iter().all(|which| seen.contains(which)), "the file was never swapped between loads");
    });
}

/// Which of the models was loaded; its hash and its weights must say the same.
fn loaded(file: &Path, models: &[Vec<u8>; 2]) -> usize {
    let vit = Vit::load(file, &Device::Cpu).unwrap();
    let by_hash = models.iter().position(|model| xai::sha256(model) == vit.source().sha256).expect("the hash of one of both");
    let written = tempfile::tempdir().unwrap();
    vit.save(written.path(), xai::Storage::F32).unwrap();
    let saved = std::fs::read(written.path().join("model.safetensors")).unwrap();
    let read = safetensors::SafeTensors::deserialize(&saved).unwrap();
    let bias = f32::from_le_bytes(*read.tensor("classifier.bias").unwrap().data().first_chunk().unwrap());
    assert_eq!(bias, [1.0, 2.0][by_hash], "the weights that are used are those that were hashed");
    by_hash
}

/// The expected hash is compared with what was read, not with what lies there afterwards.
#[test]
fn an_expected_hash_holds_for_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    std::fs::write(folder.path().join("config.json"), Weights::config()).unwrap();
    std::fs::write(&file, model(1.0)).unwrap();
    let expecting = |bias| LoadOptions { sha256: Some(xai::sha256(&model(bias)).to_uppercase()), ..LoadOptions::default() };
    assert!(Vit::load_with(&file, expecting(1.0), &Device::Cpu).is_ok());
    let refused = Vit::load_with(&file, expecting(2.0), &Device::Cpu).unwrap_err();
    assert_eq!(refused.code(), "hash-mismatch");
    assert!(refused.to_string().contains(&xai::sha256(&model(1.0))), "{refused}");
}

/// A file that grows while it is read gives the bytes it had, and a pickle is asked for just as many.
#[test]
fn a_pickle_is_not_read_without_being_told_how() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.pth");
    std::fs::write(&file, b"PK\x03\x04").unwrap();
    let refused = Vit::load(&file, &Device::Cpu).unwrap_err();
    assert_eq!(refused.code(), "pickle-not-read");
    assert!(refused.to_string().contains("pellucid convert model.pth model.safetensors"), "{refused}");
    let trusted = LoadOptions { pickles: Pickles::InProcess, ..LoadOptions::default() };
    assert_eq!(Vit::load_with(&file, &trusted, &Device::Cpu).unwrap_err().code(), "incomplete");
}
