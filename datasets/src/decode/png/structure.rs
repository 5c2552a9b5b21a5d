//! A walk over all chunks of a PNG: header, checksums, animation, and the true end.

use std::ops::Range;

use crate::decode::{Format, Limits, Refusal};

/// What the chunks say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Structure {
    pub height: u32,
    pub width: u32,
    pub palette: bool,
    /// Where the `eXIf` chunk's TIFF block begins and ends.
    pub exif: Option<Range<usize>>,
    pub has_profile: bool,
    /// The byte after the `IEND` chunk.
    pub end: usize,
}

/// What programs write for sRGB: 1/2.2 in units of 1/100 000.
const SRGB_GAMMA: [u8; 4] = 45_455_u32.to_be_bytes();

/// Bytes of the signature.
const SIGNATURE: usize = 8;

/// Walks from the signature to `IEND`; the size is checked before anything else is read.
pub(super) fn walk(bytes: &[u8], limits: &Limits) -> Result<Structure, Refusal> {
    let mut at = SIGNATURE;
    let mut structure = header(bytes, limits)?;
    let mut has_data = false;
    loop {
        let (name, body) = chunk(bytes, &mut at)?;
        match name {
            b"IHDR" if body.start != SIGNATURE + 8 => return Err(malformed(body.start, "two headers")),
            // The png crate, version 0.18.1, takes three bytes of the last colour without looking.
            b"PLTE" if body.len() % 3 != 0 || !(3..=768).contains(&body.len()) => {
                return Err(malformed(body.start, "a palette that is no list of 1 to 256 colours"));
            }
            b"IDAT" => has_data = true,
            b"acTL" | b"fcTL" | b"fdAT" => return Err(Refusal::Animated { format: Format::Png }),
            b"eXIf" => structure.exif = Some(body),
            b"iCCP" | b"cICP" => structure.has_profile = true,
            b"gAMA" => structure.has_profile |= bytes[body] != SRGB_GAMMA,
            b"IEND" => break,
            _ => {}
        }
    }
    if !has_data {
        return Err(Refusal::Incomplete { format: Format::Png, what: "it holds no pixel data" });
    }
    structure.end = at;
    Ok(structure)
}

/// Size and kind from the first chunk, before its checksum and all that follows.
fn header(bytes: &[u8], limits: &Limits) -> Result<Structure, Refusal> {
    let body = bytes.get(SIGNATURE..SIGNATURE + 21).ok_or_else(ends_early)?;
    let (start, body) = body.split_at(8);
    if start != [0, 0, 0, 13, b'I', b'H', b'D', b'R'] {
        return Err(malformed(SIGNATURE, "it does not begin with a header of 13 bytes"));
    }
    let width = u32::from_be_bytes([body[0], body[1], body[2], body[3]]);
    let height = u32::from_be_bytes([body[4], body[5], body[6], body[7]]);
    let (depth, kind) = (body[8], body[9]);
    let samples = match kind {
        0 => 2,
        2 | 3 => 4,
        4 => 2,
        6 => 4,
        _ => return Err(malformed(SIGNATURE + 17, "an unknown colour type")),
    };
    // The expanded samples (a transparent colour may add one), and three bytes of the picture itself.
    let bytes_a_pixel = 3 + samples * if depth == 16 { 3 } else { 1 };
    limits.check(Format::Png, height, width, bytes_a_pixel)?;
    Ok(Structure { height, width, palette: kind == 3, exif: None, has_profile: false, end: 0 })
}

/// The next chunk's name and body, its checksum met; `at` moves behind it.
fn chunk<'a>(bytes: &'a [u8], at: &mut usize) -> Result<(&'a [u8], Range<usize>), Refusal> {
    let head = bytes.get(*at..*at + 8).ok_or_else(ends_early)?;
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
    if length > i32::MAX as usize {
        return Err(malformed(*at, "a chunk longer than the format allows"));
    }
    let body = *at + 8..*at + 8 + length;
    let sum = bytes.get(body.end..body.end + 4).ok_or_else(ends_early)?;
    if u32::from_be_bytes([sum[0], sum[1], sum[2], sum[3]]) != crc32fast::hash(&bytes[*at + 4..body.end]) {
        return Err(Refusal::Damaged { format: Format::Png, what: format!("the checksum of the chunk at byte {at} is wrong") });
    }
    *at = body.end + 4;
    Ok((&head[4..], body))
}

fn ends_early() -> Refusal {
    Refusal::Incomplete { format: Format::Png, what: "the file ends before its last chunk" }
}

fn malformed(at: usize, what: &'static str) -> Refusal {
    Refusal::Malformed { format: Format::Png, at, what }
}
