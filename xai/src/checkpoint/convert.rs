//! Any readable checkpoint as one safetensors file.

use std::path::Path;

use safetensors::SafeTensors;

use super::options::LoadOptions;
use super::refusal::Refusal;
use super::safetensors_file;
use super::stored::{locate, read};
use crate::Error;

/// A checkpoint as one safetensors file in memory.
#[derive(Debug, Clone)]
pub struct Converted {
    /// The file's bytes; numbers are stored as they were.
    pub safetensors: Vec<u8>,
    /// As [`Source::sha256`](crate::Source): of what was read, not of what came out.
    pub sha256: String,
    /// What was found out about the checkpoint, one sentence each.
    pub notes: Vec<String>,
}

/// Reads the tensors of a checkpoint, with nothing asked of their names, and gives them as one safetensors file.
///
/// Takes all that [`Vit::load`](crate::Vit::load) takes: safetensors in one file or several, and PyTorch's checkpoints as
/// [`LoadOptions::pickles`] says.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// use xai::{HeadKind, LoadOptions, Storage, Vit, VitConfig, to_safetensors};
/// Vit::random(VitConfig::tiny_for_tests(), HeadKind::None, 1)?.save(folder.path(), Storage::F32)?;
/// let converted = to_safetensors(folder.path(), &LoadOptions::default())?;
/// assert_eq!(converted.sha256, xai::sha256(&std::fs::read(folder.path().join("model.safetensors")).unwrap()));
/// # Ok::<(), xai::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] with a stable reason.
pub fn to_safetensors(path: &Path, options: &LoadOptions) -> Result<Converted, Error> {
    let (file, _) = locate(path)?;
    let mut stored = read(&file, options)?;
    // The same checks as for a model that is loaded: names, sizes, order.
    safetensors_file::open(&stored)?;
    let mut notes = std::mem::take(&mut stored.notes);
    notes.insert(0, format!("read {}", stored.path));
    let safetensors = match stored.parts.pop() {
        Some(part) if stored.parts.is_empty() => part.bytes.into_owned(),
        last => {
            stored.parts.extend(last);
            let merged = merge(&stored.parts.iter().map(|part| &*part.bytes).collect::<Vec<_>>());
            merged.map_err(|error| Refusal::malformed(format!("its shards cannot be joined ({error})")).of(&stored.path))?
        }
    };
    Ok(Converted { safetensors, sha256: stored.sha256, notes })
}

fn merge(parts: &[&[u8]]) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let parts = parts.iter().map(|part| SafeTensors::deserialize(part)).collect::<Result<Vec<_>, _>>()?;
    let views = parts.iter().flat_map(SafeTensors::tensors);
    safetensors::serialize(views, Some([("format".to_owned(), "pt".to_owned())].into()))
}
