//! Checkpoints in several files, with the index that Hugging Face writes beside them.
//!
//! The index maps every tensor to its file. Files stand beside the index and nowhere else; every tensor is in the one file that
//! the index names; and no shard of the same name lies there unnamed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};

use super::LARGEST_JSON;
use super::names::{MOST_TENSORS, expect_name};
use super::options::LoadOptions;
use super::refusal::{Reason, Refusal};
use super::stored::{HashOfFiles, Part, Stored, read_bounded, read_whole};
use crate::{Error, sha256};

/// All shards together.
const LARGEST_WEIGHTS: u64 = 16 << 30;
const MOST_SHARDS: usize = 256;
/// Names given in a message before the rest is only counted.
const NAMED: usize = 4;

#[derive(Debug, Deserialize)]
struct Index {
    weight_map: WeightMap,
}

/// Tensors and their files, equal names included, which a map would hide.
#[derive(Debug)]
struct WeightMap(Vec<(String, String)>);

/// Reads the index and every shard that it names.
pub(super) fn read(index: &Path, options: &LoadOptions) -> Result<Stored<'static>, Error> {
    let path = index.display().to_string();
    let text = read_bounded(index, LARGEST_JSON)?;
    let folder = index.parent().unwrap_or(Path::new("."));
    let shards = parse(index, &text).and_then(|shards| present(folder, shards)).map_err(|refusal| refusal.of(&path))?;
    let mut hash = HashOfFiles::default();
    hash.add(&sha256(&text));
    let (mut parts, mut left, mut notes) = (Vec::new(), LARGEST_WEIGHTS, vec![format!("{} shards by {path}", shards.len())]);
    for (name, expected) in &shards {
        let shard = folder.join(name);
        let whole = read_whole(&shard, left, options)?;
        expect_tensors(&whole.bytes, expected).map_err(|refusal| refusal.of(shard.display().to_string()))?;
        left -= whole.size;
        hash.add(&whole.sha256);
        notes.extend(whole.notes);
        parts.push(Part { path: Some(shard.display().to_string()), bytes: whole.bytes.into() });
    }
    Ok(Stored { path, parts, sha256: hash.finish(), notes })
}

/// Files in the order of their names, each with its tensors.
type Shards = BTreeMap<String, BTreeSet<String>>;

fn parse(index: &Path, text: &[u8]) -> Result<Shards, Refusal> {
    let refuse = |problem: String| Refusal::new(Reason::BadIndex, problem);
    let parsed: Index = serde_json::from_slice(text).map_err(|error| refuse(format!("it is no index of shards ({error})")))?;
    let pairs = parsed.weight_map.0;
    if pairs.is_empty() || pairs.len() > MOST_TENSORS {
        return Err(refuse(format!("it names {} tensors; a vision transformer has 1 to {MOST_TENSORS}", pairs.len())));
    }
    let name = index.file_name().unwrap_or_default().to_string_lossy();
    let ending = name.strip_suffix(".index.json").and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
    let (mut shards, mut seen) = (Shards::new(), BTreeSet::new());
    for (tensor, file) in pairs {
        expect_name(&tensor)?;
        let stands_beside =
            !file.is_empty() && file.len() <= 255 && !file.contains(['/', '\\', ':']) && !file.chars().any(char::is_control);
        if !stands_beside || !file.ends_with(&format!(".{ending}")) {
            return Err(refuse(format!("{tensor} is in {file:?}, which is no .{ending} file beside the index")));
        }
        if !seen.insert(tensor.clone()) {
            return Err(Refusal::new(Reason::DuplicateName, format!("the index names {tensor} twice")));
        }
        shards.entry(file).or_default().insert(tensor);
    }
    if shards.len() > MOST_SHARDS {
        return Err(refuse(format!("it names {} shards, more than the {MOST_SHARDS} that are read", shards.len())));
    }
    Ok(shards)
}

/// Every shard is there, and none of the same family that the index does not name.
fn present(folder: &Path, shards: Shards) -> Result<Shards, Refusal> {
    let missing: Vec<&str> = shards.keys().map(String::as_str).filter(|name| !folder.join(name).is_file()).collect();
    if !missing.is_empty() {
        return Err(Refusal::new(Reason::MissingShard, format!("{} not beside the index", listed(&missing))));
    }
    let families: BTreeSet<&str> = shards.keys().filter_map(|name| family(name)).collect();
    let entries =
        std::fs::read_dir(folder).map_err(|error| Refusal::new(Reason::Unreadable, format!("its folder cannot be read ({error})")))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let extra: Vec<String> =
        names.filter(|name| !shards.contains_key(name) && family(name).is_some_and(|family| families.contains(family))).collect();
    match extra.first() {
        Some(name) => Err(Refusal::new(Reason::UnexpectedShard, format!("{name:?} lies beside the index, which does not name it"))),
        None => Ok(shards),
    }
}

/// What comes before `-00001-of-00002` and its ending.
fn family(name: &str) -> Option<&str> {
    let (before, total) = name.rsplit_once("-of-")?;
    let (family, number) = before.rsplit_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(number) && digits(total.split('.').next()?)).then_some(family)
}

/// A shard's tensors are those that the index says, no fewer and no more.
fn expect_tensors(shard: &[u8], expected: &BTreeSet<String>) -> Result<(), Refusal> {
    let found: BTreeSet<String> = super::safetensors_header::check(shard)?.into_iter().collect();
    let missing: Vec<&str> = expected.difference(&found).map(String::as_str).collect();
    if !missing.is_empty() {
        return Err(Refusal::new(
            Reason::MissingShard,
            format!("the shard lacks what the index says of it: {} not there", listed(&missing)),
        ));
    }
    let extra: Vec<&str> = found.difference(expected).map(String::as_str).collect();
    if !extra.is_empty() {
        return Err(Refusal::new(
            Reason::UnexpectedShard,
            format!("the shard holds what the index does not say of it: {} too many", listed(&extra)),
        ));
    }
    Ok(())
}

fn listed(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{}{rest} {verb}", names[..names.len().min(NAMED)].join(", "))
}

impl<'de> Deserialize<'de> for WeightMap {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = WeightMap;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a map of tensors to files")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WeightMap, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(WeightMap(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
