//! Which files of a repository make a checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::name::is_file_name;

/// Beside the weights; a repository may lack either.
pub(super) const BESIDE: [&str; 2] = ["config.json", "preprocessor_config.json"];

/// Weights in one file.
pub(super) const WHOLE: &str = "model.safetensors";

/// The list of the files that weights are spread over.
pub(super) const INDEX: &str = "model.safetensors.index.json";

/// The last resort: read only behind the bounded check of pickled files.
pub(super) const PICKLED: &str = "pytorch_model.bin";

/// A configuration larger than this is none.
const LARGEST_JSON: u64 = 4 << 20;

/// Twice what the largest published vision transformer takes; of all files together.
pub(super) const LARGEST: u64 = 16 << 30;

/// More files than any vision transformer is spread over.
const MOST_SHARDS: usize = 128;

/// Why a checkpoint's files could not be put together.
pub(super) enum Gap<E> {
    /// What the file's source says.
    Source(E),
    /// No weights at all.
    NoWeights,
    /// An index that cannot be followed.
    Index(String),
}

/// Most bytes of a file by its name.
pub(super) fn limit(file: &str) -> u64 {
    if file.ends_with(".json") { LARGEST_JSON } else { LARGEST }
}

/// Asks `obtain` for one file after the other, until there is a checkpoint: what stands beside the weights, then the weights.
pub(super) fn gather<E>(mut obtain: impl FnMut(&str) -> Result<Option<PathBuf>, E>) -> Result<(), Gap<E>> {
    for file in BESIDE {
        obtain(file).map_err(Gap::Source)?;
    }
    if obtain(WHOLE).map_err(Gap::Source)?.is_some() {
        return Ok(());
    }
    if let Some(index) = obtain(INDEX).map_err(Gap::Source)? {
        for shard in shards(&index).map_err(Gap::Index)? {
            let found = obtain(&shard).map_err(Gap::Source)?;
            found.ok_or_else(|| Gap::Index(format!("names {shard}, which is not there")))?;
        }
        return Ok(());
    }
    obtain(PICKLED).map_err(Gap::Source)?.map(|_| ()).ok_or(Gap::NoWeights)
}

/// Where each tensor lies; only the files are of interest here.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The files that an index names, each once.
fn shards(index: &Path) -> Result<BTreeSet<String>, String> {
    let text = std::fs::read_to_string(index).map_err(|error| format!("cannot be read ({error})"))?;
    let index: Index = serde_json::from_str(&text).map_err(|error| format!("is no index of weights ({error})"))?;
    let shards: BTreeSet<String> = index.weight_map.into_values().collect();
    if shards.is_empty() || shards.len() > MOST_SHARDS {
        return Err(format!("names {} files; 1 to {MOST_SHARDS} are taken", shards.len()));
    }
    match shards.iter().find(|shard| !is_file_name(shard) || !shard.ends_with(".safetensors")) {
        Some(wrong) => {
            Err(format!("names {:?}, which is no safetensors file of the repository", wrong.chars().take(80).collect::<String>()))
        }
        None => Ok(shards),
    }
}
