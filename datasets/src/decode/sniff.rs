//! What bytes are, by content alone.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refusal;

/// The formats that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// JPEG: baseline or progressive, 8 bits, grey or three components.
    Jpeg,
    /// PNG: not animated.
    Png,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
        })
    }
}

/// First bytes of formats that are refused by name.
const REFUSED: [(&[u8], &str); 26] = [
    (b"GIF8", "a GIF"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"II+\0", "a BigTIFF"),
    (b"MM\0+", "a BigTIFF"),
    (b"BM", "a BMP"),
    (b"%PDF", "a PDF"),
    (b"8BPS", "a Photoshop file"),
    (&[0, 0, 1, 0], "an icon (ICO)"),
    (&[0, 0, 2, 0], "a cursor (CUR)"),
    (&[0x76, 0x2F, 0x31, 0x01], "an OpenEXR file"),
    (b"#?RADIANCE", "a Radiance HDR file"),
    (b"#?RGBE", "a Radiance HDR file"),
    (&[0, 0, 0, 0x0C, b'j', b'P', b' ', b' '], "a JPEG 2000"),
    (&[0xFF, 0x4F, 0xFF, 0x51], "a JPEG 2000 stream"),
    (&[0, 0, 0, 0x0C, b'J', b'X', b'L', b' '], "a JPEG XL"),
    (&[0xFF, 0x0A], "a JPEG XL"),
    (&[0x8A, b'M', b'N', b'G'], "an MNG animation"),
    (&[0x8B, b'J', b'N', b'G'], "a JNG"),
    (b"qoif", "a QOI"),
    (b"DDS ", "a DDS texture"),
    (b"farbfeld", "a farbfeld"),
    (b"PK", "a ZIP archive or an office document"),
    (&[0x1F, 0x8B], "gzip data"),
    (b"MZ", "a program"),
    (&[0x7F, b'E', b'L', b'F'], "a program"),
];

/// JPEG or PNG by their signatures, or a refusal that names what else it is.
pub(super) fn sniff(bytes: &[u8]) -> Result<Format, Refusal> {
    if bytes.get(128..132) == Some(b"DICM") {
        // Before all others: a DICOM's first 128 bytes may be made to look like anything.
        return Err(Refusal::FormatNotAccepted { found: "a DICOM object" });
    }
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(&[0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n']) {
        return Ok(Format::Png);
    }
    match refused(bytes) {
        Some(found) => Err(Refusal::FormatNotAccepted { found }),
        None => Err(Refusal::UnknownFormat { start: bytes.iter().take(8).map(|b| format!("{b:02x}")).collect() }),
    }
}

fn refused(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("a WebP");
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(match bytes.get(8..12) {
            Some(b"avif" | b"avis") => "an AVIF",
            Some(b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1") => "a HEIC",
            _ => "a film or another ISO media file",
        });
    }
    markup(bytes).or_else(|| REFUSED.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name))
}

/// Text that opens with a tag, after a byte-order mark and space: SVG, HTML or other XML.
fn markup(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    let head = text.trim_ascii_start().get(..).filter(|t| t.starts_with(b"<"))?;
    let head = head[..head.len().min(1024)].to_ascii_lowercase();
    let has = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    if has(b"<svg") {
        Some("an SVG")
    } else if has(b"<!doctype html") || has(b"<html") || has(b"<script") || has(b"<body") {
        Some("an HTML page")
    } else {
        Some("an XML or HTML text")
    }
}
