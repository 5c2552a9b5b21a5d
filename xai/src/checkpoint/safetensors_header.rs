//! A safetensors header, checked before anything of the stated sizes is taken.
//!
//! The format's own reader takes the last of two equal names, headers of 100 MB and any number of tensors without values; this one
//! takes what checkpoints hold: at most 2,000 tensors, each named once, one behind the other from the first byte to the last. A
//! tensor without values, which vit-pytorch writes for a class token that it has not, stands between two others.

use std::fmt;

use safetensors::Dtype;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use super::names::{MOST_TENSORS, expect_name};
use super::refusal::{Reason, Refusal};

/// Headers of real vision transformers take tens of kilobytes.
const LARGEST_HEADER: u64 = 1 << 20;

/// What a header says of a tensor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// The names of a file's tensors, sorted; refuses bytes that are no safetensors file in order.
pub(super) fn check(bytes: &[u8]) -> Result<Vec<String>, Refusal> {
    let (text, data) = split(bytes)?;
    let header: Header =
        serde_json::from_slice(text).map_err(|error| Refusal::malformed(format!("its header cannot be read ({error})")))?;
    let mut tensors = header.0;
    if tensors.is_empty() {
        return Err(Refusal::new(Reason::NoTensors, "it holds 0 tensors"));
    }
    if tensors.len() > MOST_TENSORS {
        let problem = format!("it holds {} tensors; a vision transformer has at most {MOST_TENSORS}", tensors.len());
        return Err(Refusal::new(Reason::TooComplex, problem));
    }
    tensors.sort_by(|one, other| one.0.cmp(&other.0));
    if let Some(pair) = tensors.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Refusal::new(Reason::DuplicateName, format!("its header names {} twice", pair[0].0.escape_debug())));
    }
    for (name, entry) in &tensors {
        expect_name(name)?;
        check_size(name, entry)?;
    }
    let names = tensors.iter().map(|(name, _)| name.clone()).collect();
    check_order(tensors, data)?;
    Ok(names)
}

/// Eight bytes of length, then that many bytes of JSON, and all of it inside the file; what follows are numbers.
fn split(bytes: &[u8]) -> Result<(&[u8], usize), Refusal> {
    let Some((first, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(Refusal::new(Reason::Incomplete, format!("{} bytes are no safetensors file", bytes.len())));
    };
    let length = u64::from_le_bytes(*first);
    if length > LARGEST_HEADER {
        let problem = format!("its header claims {length} bytes, more than the {LARGEST_HEADER} that are read; is it a safetensors file?");
        return Err(Refusal::new(Reason::HeaderTooLong, problem));
    }
    let cut = || Refusal::new(Reason::Incomplete, format!("its header claims {length} bytes, but the file ends after {}", bytes.len()));
    let (text, data) = rest.split_at_checked(length as usize).ok_or_else(cut)?;
    Ok((text, data.len()))
}

fn check_size(name: &str, Entry { dtype, shape, data_offsets: (begin, end) }: &Entry) -> Result<(), Refusal> {
    let bits = shape.iter().try_fold(dtype.bitsize(), |bits, size| bits.checked_mul(*size));
    let Some(bits) = bits else {
        return Err(Refusal::new(Reason::BadShape, format!("tensor {name} of shape {shape:?} is larger than any memory")));
    };
    if begin > end || bits % 8 != 0 || bits / 8 != end - begin {
        let problem = format!("tensor {name} of shape {shape:?} does not take the bytes {begin} to {end}");
        return Err(Refusal::new(Reason::BadOffsets, problem));
    }
    Ok(())
}

/// Every byte of the data belongs to one tensor.
fn check_order(mut tensors: Vec<(String, Entry)>, data: usize) -> Result<(), Refusal> {
    tensors.sort_by_key(|(_, entry)| entry.data_offsets);
    let (mut at, mut empty) = (0, None);
    for (name, Entry { data_offsets: (begin, end), .. }) in &tensors {
        if *begin != at {
            let what = if *begin < at { "overlaps another" } else { "leaves a hole before it" };
            return Err(Refusal::new(Reason::BadOffsets, format!("tensor {name} at byte {begin} {what}")));
        }
        if *end > data {
            let problem = format!("tensor {name} ends at byte {end}, but the file holds {data} bytes of numbers: it is cut, copy it again");
            return Err(Refusal::new(Reason::Incomplete, problem));
        }
        if begin == end && empty.replace(at) == Some(at) {
            return Err(Refusal::new(Reason::BadOffsets, format!("tensor {name} stands where another tensor without values stands")));
        }
        at = *end;
    }
    if at == data { Ok(()) } else { Err(Refusal::new(Reason::BadOffsets, format!("{} bytes belong to no tensor", data - at))) }
}

/// All entries, equal names included, which a map would hide.
struct Header(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a map of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            // What people wrote about the file is not needed, and so never shown.
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
            } else {
                entries.push((name, map.next_value()?));
            }
        }
        Ok(Header(entries))
    }
}
