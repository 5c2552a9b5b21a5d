//! Checkpoints on disk: found, understood, checked and read; or written.
//!
//! A checkpoint is a folder with `model.safetensors` and, as Hugging Face or timm write them, `config.json` and
//! `preprocessor_config.json`; or one file of weights, whose neighbours of those names are obeyed as well. `stored` says which files are
//! taken and reads them; whatever they are on disk, they go on as safetensors in memory, and `tensors` is what layouts see of them.

mod architecture;
mod convert;
mod fill;
pub mod fuzz;
mod hints;
mod hugging_face_json;
mod layout;
mod names;
mod options;
mod preparation;
mod pth;
mod refusal;
mod safetensors_file;
mod safetensors_header;
mod save;
mod seen;
mod shards;
mod stated;
mod stored;
mod tensors;
mod timm_json;
mod written;

use std::path::Path;
use std::sync::Arc;

use kernels::Device;

use crate::vit::arena::Arenas;
use crate::vit::weights::Weights;
use crate::vit::{HeadKind, Model, Source};
use crate::{Error, Labels, Vit};
use architecture::Known;
pub use convert::{Converted, to_safetensors};
pub use hints::Hints;
use layout::Layout;
pub use options::{LoadOptions, Pickles};
pub use pth::child::ChildProgram;
pub use pth::confined::read_pickle_confined;
pub use refusal::Reason;
pub use save::Storage;
use seen::Seen;
use stored::{Stored, locate, read_bounded};
use tensors::Tensors;

/// A configuration file larger than this is none.
const LARGEST_JSON: u64 = 4 << 20;

impl Vit {
    /// Loads a checkpoint in the layout its tensor names show: Hugging Face's ViT, `DeiT` and DINOv2, timm's, DINOv2's own,
    /// vit-pytorch's and the thesis's, with or without a classifier.
    ///
    /// The architecture is what the tensors show, completed by `config.json`; without one, by the one named architecture whose
    /// dimensions match. [`Source::notes`] says what was taken and why.
    ///
    /// # Errors
    /// [`Error::Refused`] says with a stable reason why a file is not read or a value not taken; [`Error::Checkpoint`] names what
    /// is missing, unexpected or of another shape, or what has to be said because tensors do not show it; [`Error::Config`] names the field of a configuration that is not supported; [`Error::Kernel`] says
    /// why a device is not available.
    pub fn load(path: &Path, device: &Device) -> Result<Self, Error> {
        Self::load_with(path, LoadOptions::default(), device)
    }

    /// Loads a checkpoint without `config.json` as the architecture `arch`.
    ///
    /// # Errors
    /// As for [`Vit::load`], and [`Error::Unknown`] with the architectures there are.
    pub fn load_as(path: &Path, arch: &str, device: &Device) -> Result<Self, Error> {
        Self::load_with(path, &Hints { arch: Some(arch.into()), ..Hints::default() }, device)
    }

    /// Loads a checkpoint with what its files do not say: [`Hints`] about the architecture, or those and how files are read.
    ///
    /// # Errors
    /// As for [`Vit::load`]; hints that contradict the checkpoint's own configuration are refused.
    pub fn load_with(path: &Path, options: impl Into<LoadOptions>, device: &Device) -> Result<Self, Error> {
        let options = options.into();
        device.require()?;
        let (file, folder) = locate(path)?;
        let json = |name: &str| read_text(&folder.join(name));
        let stored = stored::read(&file, &options)?;
        let parts = Parts { config: json("config.json")?, preprocessor: json("preprocessor_config.json")?, hints: options.hints };
        from_stored(&stored, &parts, *device)
    }

    /// Loads a checkpoint that is already in memory, as one embedded in a program; `name` is what messages call it.
    ///
    /// # Errors
    /// As for [`Vit::load`].
    pub fn from_bytes(name: &str, weights: &[u8], config: &str, preprocessor: &str) -> Result<Self, Error> {
        let parts = Parts { config: Some(config.into()), preprocessor: Some(preprocessor.into()), hints: Hints::default() };
        from_stored(&Stored::in_memory(name, weights), &parts, Device::Cpu)
    }
}

/// What is said about the weights.
pub(crate) struct Parts {
    /// The text of `config.json`.
    pub config: Option<String>,
    /// The text of `preprocessor_config.json`.
    pub preprocessor: Option<String>,
    pub hints: Hints,
}

/// A model from the files that were read.
fn from_stored(stored: &Stored, parts: &Parts, device: Device) -> Result<Vit, Error> {
    let tensors: &Tensors = &safetensors_file::open(stored)?;
    let layout = Layout::detect(tensors)?;
    let mut notes = stored.notes.clone();
    notes.push(format!("{} tensors in the layout of {layout}", tensors.names().len()));
    let known = Known { tensors, layout: &layout, seen: Seen::read(tensors, &layout)? };
    let (config, stated) = architecture::of(&known, parts, &mut notes)?;
    config.validate("config.json")?;
    let head = layout.head();
    head.validate(config.pooling)?;
    // Shapes first: a configuration may claim far more than the file holds.
    let mut weights = Weights::unfilled(&config, head);
    fill::fill(tensors, &layout, &config, &mut weights, &mut notes)?;
    let labels = labels(stated.labels, head, &mut notes);
    let preprocessor = preparation::of(parts.preprocessor.as_deref(), stated.preprocessor, &config, &mut notes)?;
    let source = Source { name: stored.path.clone(), sha256: stored.sha256.clone(), notes };
    let arenas = Arenas::default();
    let on_cpu = Model { config, weights, labels, preprocessor, device: Device::Cpu, source, arenas, engine: None };
    Vit { model: Arc::new(on_cpu) }.on(device)
}

fn read_text(path: &Path) -> Result<Option<String>, Error> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = read_bounded(path, LARGEST_JSON)?;
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|_| Error::Checkpoint { path: path.display().to_string(), problem: "the file is not UTF-8 text".into() })
}

fn labels(names: Option<Vec<String>>, head: HeadKind, notes: &mut Vec<String>) -> Labels {
    let classes = head.classes();
    if head == HeadKind::None {
        notes.push("no classifier: features and class-agnostic methods only".into());
        return Labels::numbered(0);
    }
    match names {
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
