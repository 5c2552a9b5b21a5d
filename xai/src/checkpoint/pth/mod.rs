//! PyTorch's checkpoints, `.pth`, `.pt`, `.bin` and `.ckpt`: checked within bounds, then written as safetensors.
//!
//! A checkpoint is a zip archive with one pickle, which says what tensors there are, and one member for each storage. Read the
//! files in this order: `zip`, `pickle`, `node`, `globals`, `objects`, `state_dict`, `view`. What comes out is a list of names,
//! shapes and places, every one of them inside the file; their bytes are copied as they are. `child` and `confined` do this in
//! a process that can do nothing else.
//!
//! # Why candle's reader is not behind this check
//! It runs no code either, but version 0.11.1 panics where the arguments of a tensor are short, overflows the stack on nested
//! tuples, takes all memory for a memo of 428 bytes that doubles itself, and answers a nested checkpoint with no tensors and no
//! error. A check that rules all of this out has already found every tensor's place; reading the file a second time would only
//! add a second reader to trust. In the tests candle's reader is the independent oracle, on files that it can read.

mod around;
pub(super) mod child;
pub(super) mod confined;
mod cursor;
mod globals;
mod kinds;
mod node;
mod objects;
mod pickle;
mod state_dict;
mod view;
mod zip;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use safetensors::Dtype;

use super::names::{MOST_TENSORS, expect_name};
use super::refusal::{Reason, Refusal};
pub(super) use around::around;
use node::Tensor;
use zip::Member;

/// A tensor and the bytes of its storage.
struct Placed<'a> {
    name: &'a str,
    tensor: Tensor<'a>,
    storage: &'a [u8],
}

/// Writes the state dict of a `.pth` as safetensors and says what was taken; `key` chooses one of several.
///
/// Nothing is written before everything is checked.
pub(super) fn convert(bytes: &[u8], key: Option<&str>, out: &mut dyn Write) -> Result<Vec<String>, Refusal> {
    let (placed, notes) = read(bytes, key).map_err(kinds::with_remedy)?;
    write(&placed, out).map_err(|error| Refusal::new(Reason::NotWritten, format!("its tensors cannot be written ({error})")))?;
    Ok(notes)
}

fn read<'a>(bytes: &'a [u8], key: Option<&str>) -> Result<(Vec<Placed<'a>>, Vec<String>), Refusal> {
    kinds::expect_archive(bytes)?;
    let archive = Archive::open(bytes)?;
    let (nodes, root) = pickle::walk(archive.member("data.pkl")?)?;
    let found = state_dict::find(&nodes, root, key)?;
    if found.tensors.len() > MOST_TENSORS {
        return Err(Refusal::new(
            Reason::TooComplex,
            format!("{} tensors are more than the {MOST_TENSORS} that are read", found.tensors.len()),
        ));
    }
    let mut names = BTreeSet::new();
    let mut storages = BTreeMap::new();
    let mut placed = Vec::new();
    for (name, tensor) in found.tensors {
        expect_name(name)?;
        if !names.insert(name) {
            return Err(Refusal::new(Reason::DuplicateName, format!("its state dict holds {name} twice")));
        }
        view::check(name, tensor)?;
        let storage = match storages.get(tensor.storage.key) {
            Some(bytes) => *bytes,
            None => archive.member(&format!("data/{}", tensor.storage.key))?,
        };
        storages.insert(tensor.storage.key, storage);
        expect_length(name, tensor, storage)?;
        placed.push(Placed { name, tensor: tensor.clone(), storage });
    }
    expect_bounded(&placed, bytes.len())?;
    let mut notes = vec![found.note];
    if !archive.has_checksums {
        notes.push("saved without checksums: damage would not be seen".into());
    }
    Ok((placed, notes))
}

/// A checkpoint's archive, all in one folder.
struct Archive<'a> {
    members: BTreeMap<&'a str, Member<'a>>,
    folder: &'a str,
    has_checksums: bool,
}

impl<'a> Archive<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let members = zip::members(bytes)?;
        let pickles: Vec<&str> = members.keys().filter_map(|name| name.strip_suffix("data.pkl")).collect();
        let folder = match pickles.as_slice() {
            [folder] if folder.is_empty() || folder.ends_with('/') => *folder,
            [] => return Err(Refusal::new(Reason::WrongKind, "the archive holds no data.pkl: PyTorch did not write it")),
            _ => return Err(Refusal::new(Reason::WrongKind, "the archive holds several pickles: PyTorch did not write it")),
        };
        // PyTorch can be told to write no checksums; then all of them are zero.
        let has_checksums = members.values().any(|member| member.checksum != 0);
        let archive = Self { members, folder, has_checksums };
        if archive.find("constants.pkl").is_some() {
            return Err(Refusal::new(Reason::TorchScript, "it is a TorchScript archive: a program, not a state dict"));
        }
        match archive.find("byteorder").map(|member| member.bytes) {
            None | Some(b"little") => Ok(archive),
            Some(_) => Err(Refusal::new(Reason::UnsupportedTensor, "its numbers do not begin with their lowest byte")),
        }
    }

    fn find(&self, name: &str) -> Option<Member<'a>> {
        self.members.get(format!("{}{name}", self.folder).as_str()).copied()
    }

    /// The bytes of a member, found undamaged.
    fn member(&self, name: &str) -> Result<&'a [u8], Refusal> {
        let missing = || Refusal::new(Reason::Incomplete, format!("the archive holds no {}", name.escape_debug()));
        let member = self.find(name).ok_or_else(missing)?;
        if !member.is_plain {
            let problem = format!("{} in the archive is compressed or encrypted, which PyTorch never does", name.escape_debug());
            return Err(Refusal::new(Reason::Compressed, problem));
        }
        if self.has_checksums && crc32fast::hash(member.bytes) != member.checksum {
            let problem = format!("the checksum of {} does not match its bytes: the file is damaged, copy it again", name.escape_debug());
            return Err(Refusal::malformed(problem));
        }
        Ok(member.bytes)
    }
}

/// A storage holds just the numbers that the pickle says.
fn expect_length(name: &str, tensor: &Tensor, storage: &[u8]) -> Result<(), Refusal> {
    let claimed = tensor.storage.count.checked_mul(view::width(tensor));
    if claimed == Some(storage.len()) {
        return Ok(());
    }
    let problem = format!("the storage of tensor {name} has {} bytes, not the {} numbers it claims", storage.len(), tensor.storage.count);
    Err(Refusal::new(Reason::BadOffsets, problem))
}

/// Tensors may share a storage, as tied weights do, but not so that a small file becomes a large one.
fn expect_bounded(placed: &[Placed], file: usize) -> Result<(), Refusal> {
    let total = placed.iter().try_fold(0_usize, |total, placed| total.checked_add(view::length(&placed.tensor)));
    match total {
        Some(total) if total <= file.saturating_mul(2) => Ok(()),
        _ => Err(Refusal::new(Reason::TooComplex, "its tensors share their storages so often that they outgrow the file")),
    }
}

/// The length of the header, the header, and every tensor's bytes; wide numbers first, so that each lies where its width divides.
fn write(placed: &[Placed], out: &mut dyn Write) -> std::io::Result<()> {
    let mut order: Vec<&Placed> = placed.iter().collect();
    order.sort_by_key(|placed| (std::cmp::Reverse(view::width(&placed.tensor)), placed.name));
    let mut header = serde_json::Map::new();
    header.insert("__metadata__".into(), serde_json::json!({ "format": "pt" }));
    let mut at = 0;
    for placed in &order {
        let end = at + view::length(&placed.tensor);
        let dtype: Dtype = placed.tensor.storage.dtype;
        let entry = serde_json::json!({ "dtype": dtype, "shape": placed.tensor.shape, "data_offsets": [at, end] });
        header.insert(placed.name.into(), entry);
        at = end;
    }
    let mut header = serde_json::Value::from(header).to_string();
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for Placed { tensor, storage, .. } in order {
        if view::is_contiguous(tensor) {
            let start = tensor.offset * view::width(tensor);
            out.write_all(&storage[start..start + view::length(tensor)])?;
        } else {
            out.write_all(&view::gather(tensor, storage))?;
        }
    }
    out.flush()
}
