//! Models with seeded weights far from their initial values, so that nothing is zero or uniform by chance.
#![allow(dead_code)] // Each test file uses its own part of this.

use std::collections::BTreeMap;
use std::path::Path;

use kernels::Device;
use kernels::check::seeded;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use xai::{HeadKind, Storage, Vit, VitConfig};

use crate::goldens_reader::{Values, folder, read};

/// A model of this architecture whose every tensor is drawn anew, uniform in ±0.6.
pub fn lively(config: VitConfig, head: HeadKind, seed: u64) -> Vit {
    edited(config, head, seed, |_, _| {})
}

/// The same with `edit` applied to every tensor by its name on disk.
pub fn edited(config: VitConfig, head: HeadKind, seed: u64, edit: impl Fn(&str, &mut Vec<f32>)) -> Vit {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), config, head, seed, edit);
    Vit::load(folder.path(), &Device::Cpu).unwrap()
}

/// Writes such a model's checkpoint into `folder`.
pub fn save(folder: &Path, config: VitConfig, head: HeadKind, seed: u64, edit: impl Fn(&str, &mut Vec<f32>)) {
    Vit::random(config, head, seed).unwrap().save(folder, Storage::F32).unwrap();
    let file = folder.join("model.safetensors");
    let mut tensors = read(&file);
    for (index, (name, tensor)) in tensors.iter_mut().enumerate() {
        let numbers: Vec<f32> = seeded(1000 * seed + index as u64, tensor.data.len());
        tensor.data = numbers.iter().map(|number| 0.6 * number).collect();
        edit(name, &mut tensor.data);
    }
    write(&file, &tensors);
}

/// The golden of the thesis's head; its largest matrices follow a formula and are not in the repository.
pub fn thesis() -> Vit {
    let written = tempfile::tempdir().unwrap();
    let mut tensors = read(&folder("layouts/thesis").join("model.safetensors"));
    let formula = |count: usize| (0..count).map(|i| ((7919 * i % 257) as f32 - 128.0) / 1024.0).collect();
    for (name, shape) in [("fc1", [512, 12]), ("fc2", [256, 512]), ("fc3", [64, 256])] {
        let data = formula(shape[0] * shape[1]);
        tensors.insert(format!("module.vit.classifier.{name}.weight"), Values { shape: shape.to_vec(), data });
    }
    write(&written.path().join("model.safetensors"), &tensors);
    std::fs::copy(folder("layouts/thesis").join("config.json"), written.path().join("config.json")).unwrap();
    Vit::load(written.path(), &Device::Cpu).unwrap()
}

/// Writes `f32` tensors as a safetensors file.
pub fn write(file: &Path, tensors: &BTreeMap<String, Values>) {
    let bytes = |values: &Values| values.data.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let bytes: Vec<(&String, &Values, Vec<u8>)> = tensors.iter().map(|(name, values)| (name, values, bytes(values))).collect();
    let views = bytes.iter().map(|(name, values, bytes)| (*name, TensorView::new(Dtype::F32, values.shape.clone(), bytes).unwrap()));
    serialize_to_file(views, None, file).unwrap();
}
