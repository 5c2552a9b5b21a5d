//! The zip archive around a checkpoint: its central directory, read within limits, and its members as slices.
//!
//! PyTorch stores its members without compression, one behind the other, and writes no comment. Exactly that is taken: every
//! member lies inside the file, none overlaps another, and its local header says what the directory says. Nothing is ever
//! decompressed.

use std::collections::BTreeMap;

use super::super::refusal::{Reason, Refusal};
use super::cursor::Cursor;

/// A checkpoint with optimiser states has three storages for each tensor.
const MOST_MEMBERS: u64 = 10_000;
const LONGEST_NAME: usize = 512;

/// Bytes of the record that ends an archive, and of the two that stand before it in a large one.
const END: usize = 22;
const LOCATOR: usize = 20;
/// What a 32-bit field says when the number stands in a 64-bit field.
const ELSEWHERE: u32 = u32::MAX;

/// A member as it lies in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub bytes: &'a [u8],
    /// Whether the bytes are the member itself, neither compressed nor encrypted.
    pub is_plain: bool,
    /// CRC-32 of the bytes.
    pub checksum: u32,
}

/// Where the central directory lies.
struct Directory {
    members: u64,
    at: usize,
    end: usize,
}

/// What the central directory says of a member.
struct Record<'a> {
    name: &'a str,
    is_plain: bool,
    checksum: u32,
    /// Bytes in the file.
    size: usize,
    header: usize,
}

/// The members of an archive by name.
pub(super) fn members(bytes: &[u8]) -> Result<BTreeMap<&str, Member<'_>>, Refusal> {
    let directory = directory(bytes)?;
    let mut cursor = Cursor::new(bytes, directory.at);
    let (mut members, mut extents) = (BTreeMap::new(), Vec::new());
    for _ in 0..directory.members {
        let record = record(&mut cursor)?;
        let (extent, data) = stored(bytes, &record)?;
        extents.push(extent);
        if members.insert(record.name, Member { bytes: data, is_plain: record.is_plain, checksum: record.checksum }).is_some() {
            return Err(Refusal::new(Reason::DuplicateName, format!("the archive holds {} twice", record.name)));
        }
    }
    if cursor.at() != directory.end {
        return Err(Refusal::malformed("the archive's directory does not end where it says"));
    }
    extents.sort_unstable();
    extents.push((directory.at, directory.end));
    match extents.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        Some(pair) => Err(Refusal::new(Reason::BadOffsets, format!("members of the archive overlap at byte {}", pair[1].0))),
        None => Ok(members),
    }
}

fn directory(bytes: &[u8]) -> Result<Directory, Refusal> {
    let cut = || Refusal::new(Reason::Incomplete, "the archive has no directory at its end: the file is cut, or more follows it");
    let end = bytes.len().checked_sub(END).ok_or_else(cut)?;
    let mut cursor = Cursor::new(bytes, end);
    let mut next = || cursor.u32();
    if next() != Some(0x0605_4b50) {
        return Err(cut());
    }
    let (disks, counts, size, at) = (next(), next(), next(), next());
    let (Some(disks), Some(counts), Some(size), Some(at), Some(0)) = (disks, counts, size, at, cursor.u16()) else { return Err(cut()) };
    let (here, members) = (counts & 0xffff, counts >> 16);
    let directory = if size == ELSEWHERE || at == ELSEWHERE || members == 0xffff {
        large_directory(bytes, end)?
    } else if disks == 0 && here == members {
        Directory { members: members.into(), at: at as usize, end: at as usize + size as usize }
    } else {
        return Err(Refusal::malformed("the archive claims to go on in other files"));
    };
    if directory.end > end {
        return Err(Refusal::new(Reason::BadOffsets, "the archive's directory leaves the file"));
    }
    if directory.members > MOST_MEMBERS {
        return Err(Refusal::new(
            Reason::TooComplex,
            format!("{} members are more than the {MOST_MEMBERS} that are read", directory.members),
        ));
    }
    Ok(directory)
}

/// The directory of an archive that 32 bits do not measure.
fn large_directory(bytes: &[u8], end: usize) -> Result<Directory, Refusal> {
    let broken = || Refusal::malformed("the archive's 64-bit directory cannot be read");
    let locator = end.checked_sub(LOCATOR).ok_or_else(broken)?;
    let mut cursor = Cursor::new(bytes, locator);
    let (Some(0x0706_4b50), Some(0), Some(at)) = (cursor.u32(), cursor.u32(), cursor.u64()) else { return Err(broken()) };
    let mut cursor = Cursor::new(bytes, usize::try_from(at).map_err(|_| broken())?);
    let (Some(0x0606_4b50), Some(_), Some(0)) = (cursor.u32(), cursor.take(12), cursor.u64()) else { return Err(broken()) };
    let (Some(here), Some(members), Some(size), Some(at)) = (cursor.u64(), cursor.u64(), cursor.u64(), cursor.u64()) else {
        return Err(broken());
    };
    let (Ok(size), Ok(at)) = (usize::try_from(size), usize::try_from(at)) else { return Err(broken()) };
    let directory_end = at.checked_add(size).filter(|end| *end <= locator && here == members).ok_or_else(broken)?;
    Ok(Directory { members, at, end: directory_end })
}

fn record<'a>(cursor: &mut Cursor<'a>) -> Result<Record<'a>, Refusal> {
    let broken = || Refusal::malformed("the archive's directory cannot be read");
    let (Some(0x0201_4b50), Some(_)) = (cursor.u32(), cursor.u32()) else { return Err(broken()) };
    let (Some(flags), Some(method), Some(_), Some(checksum)) = (cursor.u16(), cursor.u16(), cursor.u32(), cursor.u32()) else {
        return Err(broken());
    };
    let (Some(packed), Some(size), Some(name), Some(extra)) = (cursor.u32(), cursor.u32(), cursor.u16(), cursor.u16()) else {
        return Err(broken());
    };
    let (Some(comment), Some(0), Some(_), Some(header)) = (cursor.u16(), cursor.u16(), cursor.take(6), cursor.u32()) else {
        return Err(broken());
    };
    let (Some(name), Some(extra), Some(_)) = (cursor.take(name.into()), cursor.take(extra.into()), cursor.take(comment.into())) else {
        return Err(broken());
    };
    let name = printable(name)?;
    let is_plain = method == 0 && flags & 1 == 0;
    let [size, packed, header] = large_numbers([size, packed, header], extra).ok_or_else(broken)?;
    if is_plain && size != packed {
        return Err(Refusal::malformed(format!("{name} is stored, but of two sizes")));
    }
    Ok(Record { name, is_plain, checksum, size: packed, header })
}

fn printable(name: &[u8]) -> Result<&str, Refusal> {
    let plain = !name.is_empty() && name.len() <= LONGEST_NAME && name.iter().all(|byte| (b' '..=b'~').contains(byte) && *byte != b'\\');
    let name = std::str::from_utf8(name).ok().filter(|name| plain && !name.starts_with('/') && name.split('/').all(|part| part != ".."));
    name.ok_or_else(|| Refusal::new(Reason::BadName, "a member of the archive has a name that no PyTorch file has"))
}

/// Numbers that may stand in the extra field of 64-bit archives instead.
fn large_numbers(numbers: [u32; 3], extra: &[u8]) -> Option<[usize; 3]> {
    let mut cursor = Cursor::new(extra, 0);
    let mut large = Cursor::new(&[], 0);
    while let (Some(kind), Some(length)) = (cursor.u16(), cursor.u16()) {
        let field = cursor.take(length.into())?;
        if kind == 1 {
            large = Cursor::new(field, 0);
        }
    }
    let mut number = |number: u32| if number == ELSEWHERE { usize::try_from(large.u64()?).ok() } else { Some(number as usize) };
    Some([number(numbers[0])?, number(numbers[1])?, number(numbers[2])?])
}

/// The extent of a member with its local header, and its bytes.
fn stored<'a>(bytes: &'a [u8], record: &Record) -> Result<((usize, usize), &'a [u8]), Refusal> {
    let name = record.name;
    let broken = || Refusal::malformed(format!("{name} has no header of its own where the archive's directory says"));
    let mut cursor = Cursor::new(bytes, record.header);
    let (Some(0x0403_4b50), Some(_), Some(_)) = (cursor.u32(), cursor.u32(), cursor.take(10)) else {
        return Err(broken());
    };
    let (Some(size), Some(length), Some(extra)) = (cursor.take(8), cursor.u16(), cursor.u16()) else { return Err(broken()) };
    if cursor.take(length.into()) != Some(name.as_bytes()) || cursor.take(extra.into()).is_none() {
        return Err(broken());
    }
    // Writers that stream leave the size to what follows the bytes; others must say the same twice.
    let local = u32::from_le_bytes([size[0], size[1], size[2], size[3]]);
    if ![0, ELSEWHERE].contains(&local) && local as usize != record.size {
        return Err(Refusal::malformed(format!("{name} has another size in its own header than in the archive's directory")));
    }
    let cut = || Refusal::new(Reason::Incomplete, format!("{name} goes on behind the end of the file"));
    let data = cursor.take(record.size).ok_or_else(cut)?;
    Ok(((record.header, cursor.at()), data))
}
