//! Checkpoints on disk: found, understood, checked and read; or written.
//!
//! A checkpoint is a folder with `model.safetensors` and, as Hugging Face writes them, `config.json` and
//! `preprocessor_config.json`; or one file of weights, whose neighbours of those names are obeyed as well. `stored` says which
//! files are taken and reads them; whatever they are on disk, they go on as safetensors in memory.

mod architecture;
mod config_json;
mod convert;
mod fill;
pub mod fuzz;
mod layout;
mod names;
mod options;
mod pth;
mod refusal;
mod safetensors_file;
mod safetensors_header;
mod save;
mod shards;
mod stored;
mod tensors;

use std::path::Path;
use std::sync::Arc;

use kernels::Device;

use crate::vit::config::{Family, VitConfig};
use crate::vit::weights::Weights;
use crate::vit::{HeadKind, Model, Source};
use crate::{Error, Labels, Preprocessor, Vit};
use config_json::ConfigJson;
pub use convert::{Converted, to_safetensors};
use layout::Layout;
pub use options::{LoadOptions, Pickles};
pub use pth::child::ChildProgram;
pub use pth::confined::read_pickle_confined;
pub use refusal::Reason;
pub use save::Precision;
use stored::{Stored, locate, read_bounded};
use tensors::Tensors;

/// A configuration file larger than this is none.
const LARGEST_JSON: u64 = 4 << 20;

/// How the pictures of DINOv2's published checkpoints are prepared.
const DINOV2_PREPROCESSOR: &str = r#"{
    "image_processor_type": "BitImageProcessor", "size": { "shortest_edge": 256 }, "crop_size": { "height": 224, "width": 224 },
    "resample": 3, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]
}"#;

impl Vit {
    /// Loads a checkpoint in the layout its tensor names show: Hugging Face's ViT or DINOv2, with or without a classifier.
    ///
    /// The architecture comes from `config.json`; without one, from dimensions that match exactly one named architecture.
    /// [`Source::notes`] says what was taken and why.
    ///
    /// # Errors
    /// [`Error::Refused`] says with a stable reason why a file is not read or a value not taken; [`Error::Checkpoint`] names
    /// what is missing, unexpected or of another shape; [`Error::Config`] names the field of a configuration that is not
    /// supported; [`Error::Kernel`] says why a device is not available.
    pub fn load(path: &Path, device: &Device) -> Result<Self, Error> {
        Self::load_with(path, &LoadOptions::default(), device)
    }

    /// Loads a checkpoint with what its files leave open: architecture, expected hash, who reads pickles.
    ///
    /// # Errors
    /// As for [`Vit::load`], and [`Error::Unknown`] with the architectures there are.
    pub fn load_with(path: &Path, options: &LoadOptions, device: &Device) -> Result<Self, Error> {
        let arch = options.arch.as_deref().map(VitConfig::by_name).transpose()?;
        load(path, arch, options, device)
    }

    /// Loads a checkpoint without `config.json` as the architecture `arch`.
    ///
    /// # Errors
    /// As for [`Vit::load`], and [`Error::Unknown`] with the architectures there are.
    pub fn load_as(path: &Path, arch: &str, device: &Device) -> Result<Self, Error> {
        Self::load_with(path, &LoadOptions { arch: Some(arch.into()), ..LoadOptions::default() }, device)
    }
}

fn load(path: &Path, arch: Option<VitConfig>, options: &LoadOptions, device: &Device) -> Result<Vit, Error> {
    device.require()?;
    let (file, folder) = locate(path)?;
    let json = |name: &str| read_text(&folder.join(name));
    let stored = stored::read(&file, options)?;
    from_parts(&stored, Parts { config: json("config.json")?, preprocessor: json("preprocessor_config.json")?, arch }, *device)
}

/// What stands beside the weights.
pub(crate) struct Parts {
    pub config: Option<String>,
    pub preprocessor: Option<String>,
    pub arch: Option<VitConfig>,
}

fn from_parts(stored: &Stored, parts: Parts, device: Device) -> Result<Vit, Error> {
    let tensors = safetensors_file::open(stored)?;
    let layout = Layout::detect(&tensors)?;
    let mut notes = stored.notes.clone();
    notes.push(format!("{} tensors in the layout of Hugging Face's {layout}", tensors.names().len()));
    let (config, id2label) = architecture(&tensors, &layout, &parts, &mut notes)?;
    config.validate("config.json")?;
    let head = layout.classes(&tensors).map_or(HeadKind::None, HeadKind::Linear);
    head.validate()?;
    // Shapes first: a configuration may claim far more than the file holds.
    let mut weights = Weights::unfilled(&config, head);
    fill::fill(&tensors, &layout, &config, &mut weights, &mut notes)?;
    let labels = labels(id2label, head, &mut notes);
    let preprocessor = preprocessor(parts.preprocessor.as_deref(), &config, &mut notes)?;
    let source = Source { name: stored.path.clone(), sha256: stored.sha256.clone(), notes };
    Ok(Vit { model: Arc::new(Model { config, weights, labels, preprocessor, device, source }) })
}

impl Vit {
    /// Loads a checkpoint that is already in memory, as one embedded in a program; `name` is what messages call it.
    ///
    /// # Errors
    /// As for [`Vit::load`].
    pub fn from_bytes(name: &str, weights: &[u8], config: &str, preprocessor: &str) -> Result<Self, Error> {
        let parts = Parts { config: Some(config.into()), preprocessor: Some(preprocessor.into()), arch: None };
        from_parts(&Stored::in_memory(name, weights), parts, Device::Cpu)
    }
}

fn read_text(path: &Path) -> Result<Option<String>, Error> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = read_bounded(path, LARGEST_JSON)?;
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|_| Error::Checkpoint { path: path.display().to_string(), problem: "the file is not UTF-8 text".into() })
}

fn architecture(
    tensors: &Tensors,
    layout: &Layout,
    parts: &Parts,
    notes: &mut Vec<String>,
) -> Result<(VitConfig, Option<Vec<String>>), Error> {
    match (&parts.config, &parts.arch) {
        (Some(text), _) => {
            let config = ConfigJson::parse(text)?;
            notes.push("architecture from config.json".into());
            if parts.arch.is_some() {
                notes.push("the named architecture was not needed: config.json decides".into());
            }
            Ok((config.architecture(layout.family())?, config.labels()?))
        }
        (None, Some(arch)) => {
            notes.push("no config.json: architecture as named".into());
            Ok((arch.clone(), None))
        }
        (None, None) => {
            let (name, config) = architecture::guess(tensors, layout)?;
            notes.push(format!("no config.json: dimensions match {name} and no other named architecture"));
            Ok((config, None))
        }
    }
}

fn labels(id2label: Option<Vec<String>>, head: HeadKind, notes: &mut Vec<String>) -> Labels {
    let HeadKind::Linear(classes) = head else {
        notes.push("no classifier: features and class-agnostic methods only".into());
        return Labels::numbered(0);
    };
    match id2label {
        Some(names) if names.len() == classes => Labels::new(names),
        Some(names) => {
            notes.push(format!("id2label names {} classes, the head has {classes}: classes are numbered", names.len()));
            Labels::numbered(classes)
        }
        None => {
            notes.push("no id2label: classes are numbered".into());
            Labels::numbered(classes)
        }
    }
}

fn preprocessor(text: Option<&str>, config: &VitConfig, notes: &mut Vec<String>) -> Result<Preprocessor, Error> {
    if let Some(text) = text {
        return Preprocessor::from_config(text);
    }
    if config.family == Family::Dinov2 {
        notes.push("no preprocessor_config.json: pictures are prepared as DINOv2's own checkpoints say (256, centre 224, bicubic)".into());
        return Preprocessor::from_config(DINOV2_PREPROCESSOR);
    }
    let (height, width) = config.image_size;
    notes.push(format!("no preprocessor_config.json: pictures are resized to {height} × {width}, mean and deviation 0.5"));
    Ok(Preprocessor::for_size(height, width))
}
