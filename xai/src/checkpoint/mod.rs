//! Checkpoints on disk: found, understood, checked and read; or written.
//!
//! A checkpoint is a folder with `model.safetensors` and, as Hugging Face or timm write them, `config.json` and
//! `preprocessor_config.json`; or one `.safetensors` file, whose neighbours of those names are obeyed as well.

mod architecture;
mod fill;
mod hints;
mod hugging_face_json;
mod layout;
mod preparation;
mod safetensors_file;
mod save;
mod seen;
mod stated;
mod tensors;
mod timm_json;
mod written;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernels::Device;

use crate::vit::arena::Arenas;
use crate::vit::weights::Weights;
use crate::vit::{HeadKind, Model, Source};
use crate::{Error, Labels, Vit, sha256};
use architecture::Known;
pub use hints::Hints;
use layout::Layout;
use safetensors_file::read_bounded;
pub use save::Storage;
use seen::Seen;
use tensors::Tensors;

/// A configuration file larger than this is none.
const LARGEST_JSON: u64 = 4 << 20;
/// Twice what the largest published vision transformer of these layouts takes.
const LARGEST_WEIGHTS: u64 = 16 << 30;

impl Vit {
    /// Loads a checkpoint in the layout its tensor names show: Hugging Face's ViT, `DeiT` and DINOv2, timm's, DINOv2's own,
    /// vit-pytorch's and the thesis's, with or without a classifier.
    ///
    /// The architecture is what the tensors show, completed by `config.json`; without one, by the one named architecture whose
    /// dimensions match. [`Source::notes`] says what was taken and why.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] names what is missing, unexpected, of another shape or not finite, or what has to be said because
    /// tensors do not show it; [`Error::Config`] names the field of a configuration that is not supported; [`Error::Kernel`] says
    /// why a device is not available.
    pub fn load(path: &Path, device: &Device) -> Result<Self, Error> {
        Self::load_with(path, &Hints::default(), device)
    }

    /// Loads a checkpoint without `config.json` as the architecture `arch`.
    ///
    /// # Errors
    /// As for [`Vit::load`], and [`Error::Unknown`] with the architectures there are.
    pub fn load_as(path: &Path, arch: &str, device: &Device) -> Result<Self, Error> {
        Self::load_with(path, &Hints { arch: Some(arch.into()), ..Hints::default() }, device)
    }

    /// Loads a checkpoint with what its files do not say: its architecture's name, its heads, its activation.
    ///
    /// # Errors
    /// As for [`Vit::load`]; hints that contradict the checkpoint's own configuration are refused.
    pub fn load_with(path: &Path, hints: &Hints, device: &Device) -> Result<Self, Error> {
        device.require()?;
        let (file, folder) = locate(path)?;
        let json = |name: &str| read_text(&folder.join(name));
        let parts = Parts { config: json("config.json")?, preprocessor: json("preprocessor_config.json")?, hints: hints.clone() };
        let bytes = read_bounded(&file, LARGEST_WEIGHTS)?;
        from_tensors(&safetensors_file::open(&file, &bytes)?, sha256(&bytes), &parts, *device)
    }

    /// Loads a checkpoint that is already in memory, as one embedded in a program; `name` is what messages call it.
    ///
    /// # Errors
    /// As for [`Vit::load`].
    pub fn from_bytes(name: &str, weights: &[u8], config: &str, preprocessor: &str) -> Result<Self, Error> {
        let parts = Parts { config: Some(config.into()), preprocessor: Some(preprocessor.into()), hints: Hints::default() };
        from_tensors(&safetensors_file::open(Path::new(name), weights)?, sha256(weights), &parts, Device::Cpu)
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

/// A model from tensors of any format; `sha256` is that of the file they came from.
fn from_tensors(tensors: &Tensors, sha256: String, parts: &Parts, device: Device) -> Result<Vit, Error> {
    let layout = Layout::detect(tensors)?;
    let mut notes = vec![format!("{} tensors in the layout of {layout}", tensors.names().len())];
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
    let source = Source { name: tensors.path().to_owned(), sha256, notes };
    Ok(Vit { model: Arc::new(Model { config, weights, labels, preprocessor, device, source, arenas: Arenas::default() }) })
}

fn locate(path: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let refuse = |problem: String| Err(Error::Checkpoint { path: path.display().to_string(), problem });
    if path.is_dir() {
        let file = path.join("model.safetensors");
        if !file.is_file() {
            return refuse("the folder holds no model.safetensors; give the file itself, or a folder as Hugging Face writes it".into());
        }
        return Ok((file, path.to_owned()));
    }
    if !path.is_file() {
        return refuse("there is no such file or folder; give a .safetensors file, a checkpoint's folder, or random:NAME".into());
    }
    if path.extension().is_none_or(|ending| ending != "safetensors") {
        return refuse("only .safetensors is read; convert the file with Python's safetensors.torch.save_file".into());
    }
    Ok((path.to_owned(), path.parent().unwrap_or(Path::new(".")).to_owned()))
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
