//! Goldens as tests read them: a model, its pixels and what PyTorch says about them (see `goldens/README.md`).
#![allow(dead_code)] // Each test file uses its own part of this.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kernels::Device;
use ndarray::{Array4, ArrayBase, Data, Dimension};
use safetensors::SafeTensors;
use xai::{Batch, Probe, Target, Trace, Vit};

/// Values with their shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

/// The targets that the goldens hold gradients of, besides the predicted class.
pub const TARGETS: [(&str, Target); 2] = [("class_1", Target::Class(1)), ("contrast_1_3", Target::Contrast { class: 1, against: 3 })];

/// A model with its reference values.
pub struct Golden {
    pub name: &'static str,
    pub vit: Vit,
    pub batch: Batch,
    reference: BTreeMap<String, Values>,
}

impl Golden {
    pub fn load(name: &'static str) -> Self {
        Self::of(name, Vit::load(&folder(name), &Device::Cpu).unwrap())
    }

    /// The same with another model in its place, for tests that load it in their own way.
    pub fn of(name: &'static str, vit: Vit) -> Self {
        let reference = read(&folder(name).join("reference.safetensors"));
        let batch = batch(&reference["pixel_values"]);
        Self { name, vit, batch, reference }
    }

    /// The same with what `export_methods.py` says about its methods.
    pub fn with_methods(name: &'static str) -> Self {
        let mut golden = Self::load(name);
        golden.reference.extend(read(&folder(&format!("{name}_methods")).join("reference.safetensors")));
        golden
    }

    /// The reference values under `key`.
    #[track_caller]
    pub fn values(&self, key: &str) -> &[f32] {
        &self.reference.get(key).unwrap_or_else(|| panic!("{} has no golden {key}", self.name)).data
    }

    /// Keys that start with `prefix`, without it.
    pub fn keys(&self, prefix: &str) -> Vec<&str> {
        self.reference.keys().filter_map(|key| key.strip_prefix(prefix)).collect()
    }

    /// A trace of all images that keeps everything.
    pub fn trace(&self) -> Trace {
        self.vit.trace(&self.batch, Probe::Gradients).unwrap()
    }
}

/// The folder of a golden.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name)
}

/// Every `f32` tensor of a safetensors file, read without the engine's own reader.
pub fn read(path: &Path) -> BTreeMap<String, Values> {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let floats = file.iter().filter(|(_, view)| view.dtype() == safetensors::Dtype::F32);
    let numbers = |bytes: &[u8]| bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    floats.map(|(name, view)| (name.to_owned(), Values { shape: view.shape().to_vec(), data: numbers(view.data()) })).collect()
}

/// Pixels (B, 3, H, W).
pub fn batch(pixels: &Values) -> Batch {
    let &[images, channels, height, width] = pixels.shape.as_slice() else { panic!("pixels have four dimensions") };
    Batch::new(Array4::from_shape_vec((images, channels, height, width), pixels.data.clone()).unwrap()).unwrap()
}

/// One image of a batch as a batch of its own.
pub fn alone(batch: &Batch, image: usize) -> Batch {
    Batch::new(batch.pixels().slice(ndarray::s![image..=image, .., .., ..]).to_owned()).unwrap()
}

/// Values in row-major order.
pub fn flat<S: Data<Elem = f32>, D: Dimension>(array: &ArrayBase<S, D>) -> Vec<f32> {
    array.iter().copied().collect()
}

/// Says how far off a comparison was, for those who run tests with `--nocapture`.
pub fn report(what: &str, worst: f64) {
    eprintln!("{what}: largest difference {worst:.2e}");
}
