//! A checkpoint's weights in memory, as safetensors, whatever they were on disk.
//!
//! What is given is a file or a folder. In a folder the first of these is taken: `model.safetensors`,
//! `model.safetensors.index.json`, `pytorch_model.bin`, `pytorch_model.bin.index.json`; then the only file of an ending that
//! holds weights. Every file is opened once and read whole, so that what is checked, hashed and used are the same bytes.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::options::{LoadOptions, Pickles};
use super::pth;
use super::refusal::{Reason, Refusal};
use super::shards;
use crate::Error;
use crate::fingerprint::{hexadecimal, sha256};

/// Twice what the largest published vision transformer of these layouts takes.
const LARGEST_WEIGHTS: u64 = 16 << 30;
/// Names that Hugging Face gives, in the order in which they are looked for.
const NAMES: [&str; 4] = ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];
const PICKLES: [&str; 4] = ["pth", "pt", "bin", "ckpt"];

/// Weights as they were read.
pub(super) struct Stored<'a> {
    /// The file that was found, or the index of several.
    pub path: String,
    pub parts: Vec<Part<'a>>,
    /// Of the bytes that were read; of several files, of the index and the shards in the order of their names.
    pub sha256: String,
    pub notes: Vec<String>,
}

/// One safetensors file in memory.
pub(super) struct Part<'a> {
    /// The shard's file, where there are several.
    pub path: Option<String>,
    pub bytes: Cow<'a, [u8]>,
}

impl<'a> Stored<'a> {
    /// A file that is already in memory.
    pub fn in_memory(name: &str, bytes: &'a [u8]) -> Self {
        Self { path: name.into(), parts: vec![Part { path: None, bytes: bytes.into() }], sha256: sha256(bytes), notes: Vec::new() }
    }
}

/// Reads what [`locate`] found.
pub(super) fn read(file: &Path, options: &LoadOptions) -> Result<Stored<'static>, Error> {
    let path = file.display().to_string();
    let stored = if ends_with(file, ".index.json") {
        shards::read(file, options)?
    } else {
        let whole = read_whole(file, LARGEST_WEIGHTS, options)?;
        let part = Part { path: None, bytes: whole.bytes.into() };
        Stored { path: path.clone(), parts: vec![part], sha256: whole.sha256, notes: whole.notes }
    };
    match &options.sha256 {
        Some(expected) if !expected.eq_ignore_ascii_case(&stored.sha256) => {
            let problem = format!("its SHA-256 is {}, {expected} was expected: it is another file, or damaged", stored.sha256);
            Err(Refusal::new(Reason::HashMismatch, problem).of(path))
        }
        _ => Ok(stored),
    }
}

/// A file's tensors as safetensors, and the hash of what stood on disk.
pub(super) struct Whole {
    pub bytes: Vec<u8>,
    pub sha256: String,
    /// Bytes that stood on disk.
    pub size: u64,
    pub notes: Vec<String>,
}

/// Reads one file of at most `most` bytes.
pub(super) fn read_whole(path: &Path, most: u64, options: &LoadOptions) -> Result<Whole, Error> {
    if !holds_pickle(path) {
        let bytes = read_bounded(path, most)?;
        return Ok(Whole { sha256: sha256(&bytes), size: bytes.len() as u64, bytes, notes: Vec::new() });
    }
    let key = options.key.as_deref();
    let converted = match &options.pickles {
        Pickles::Refuse => Err(not_read(path)),
        Pickles::InProcess => {
            let held = read_bounded(path, most)?;
            let mut bytes = Vec::new();
            let notes = pth::convert(&held, key, &mut bytes);
            notes.map(|notes| Whole { bytes, sha256: sha256(&held), size: held.len() as u64, notes })
        }
        Pickles::InChild(program) => {
            let (file, size) = open_bounded(path, most)?;
            let answer = program.read(file, size, key);
            answer.map(|answer| Whole { bytes: answer.safetensors, sha256: answer.sha256, size, notes: answer.notes })
        }
    };
    converted.map_err(|refusal| refusal.of(path.display().to_string()))
}

fn not_read(path: &Path) -> Refusal {
    let name = path.file_name().unwrap_or_default().display();
    let problem = format!(
        "it holds a pickle, which this program was not told how to read: `pellucid convert {name} model.safetensors` reads it in a \
         process that can do nothing else; a program chooses with LoadOptions::pickles"
    );
    Refusal::new(Reason::PickleNotRead, problem)
}

/// The file to read and the folder of its configuration.
pub(super) fn locate(path: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let refuse = |reason, problem: &str| Err(Refusal::new(reason, problem).of(path.display().to_string()));
    if path.is_dir() {
        return match in_folder(path) {
            Some(file) => Ok((file, path.to_owned())),
            None => refuse(
                Reason::NotFound,
                "the folder holds no model.safetensors and no other weights, or several; give the file itself, or a folder as Hugging Face writes it",
            ),
        };
    }
    if !path.is_file() {
        return refuse(Reason::NotFound, "there is no such file or folder; give a file of weights, a checkpoint's folder, or random:NAME");
    }
    if !holds_weights(path) && !ends_with(path, ".index.json") {
        return refuse(Reason::WrongKind, "only .safetensors, its .index.json, and PyTorch's .pth, .pt, .bin and .ckpt are read");
    }
    Ok((path.to_owned(), path.parent().unwrap_or(Path::new(".")).to_owned()))
}

fn in_folder(folder: &Path) -> Option<PathBuf> {
    let known = NAMES.iter().map(|name| folder.join(name)).find(|file| file.is_file());
    known.or_else(|| {
        let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        let mut weights = entries.filter(|file| file.is_file() && holds_weights(file));
        weights.next().filter(|_| weights.next().is_none())
    })
}

fn holds_weights(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "safetensors") || holds_pickle(path)
}

fn holds_pickle(path: &Path) -> bool {
    path.extension().is_some_and(|ending| PICKLES.iter().any(|pickle| ending == *pickle))
}

fn ends_with(path: &Path, ending: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending))
}

/// The bytes of a file of at most `most` bytes.
pub(super) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let refuse = |problem: String| Refusal::new(Reason::Unreadable, problem).of(path.display().to_string());
    let (file, size) = open_bounded(path, most)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size as usize).map_err(|_| refuse(format!("there is no memory for its {size} bytes")))?;
    file.take(size).read_to_end(&mut bytes).map_err(|error| refuse(format!("it cannot be read ({error})")))?;
    Ok(bytes)
}

fn open_bounded(path: &Path, most: u64) -> Result<(File, u64), Error> {
    let refuse = |reason, problem: String| Refusal::new(reason, problem).of(path.display().to_string());
    let file = File::open(path).map_err(|error| refuse(Reason::Unreadable, format!("it cannot be opened ({error})")))?;
    let size = file.metadata().map_err(|error| refuse(Reason::Unreadable, format!("it cannot be examined ({error})")))?.len();
    if size > most {
        return Err(refuse(Reason::TooLarge, format!("{size} bytes are more than the {most} that are read")));
    }
    Ok((file, size))
}

/// The hash of several files.
#[derive(Default)]
pub(super) struct HashOfFiles(Sha256);

impl HashOfFiles {
    pub fn add(&mut self, sha256: &str) {
        self.0.update(sha256);
    }

    pub fn finish(self) -> String {
        hexadecimal(&self.0.finalize())
    }
}
