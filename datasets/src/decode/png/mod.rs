//! PNG: chunks and checksums are walked first, then the `png` crate decodes.

mod structure;

use std::io::Cursor;

use ::png::{BitDepth, ColorType, Decoder, DecodingError, Transformations};
use image::{Rgb, RgbImage};

use super::exif::orientation;
use super::{Decoded, Format, Limits, Note, Refusal, upright};
use structure::{Structure, walk};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, Refusal> {
    let structure = walk(bytes, limits)?;
    let mut notes = Vec::new();
    if structure.has_profile {
        notes.push(Note::ProfilePassedOver);
    }
    if structure.end < bytes.len() {
        notes.push(Note::TrailingBytes { bytes: bytes.len() - structure.end });
    }
    let image = pixels(&bytes[..structure.end], &structure, limits, &mut notes)?;
    let turn = structure.exif.clone().map_or(1, |range| orientation(&bytes[range]));
    Ok(Decoded { image: upright(image, turn, &mut notes), format: Format::Png, notes })
}

fn pixels(bytes: &[u8], structure: &Structure, limits: &Limits, notes: &mut Vec<Note>) -> Result<RgbImage, Refusal> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), ::png::Limits { bytes: limits.memory as usize });
    // Text and profiles can be compressed bombs; nobody asks for them.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(|error| refusal(error, limits))?;
    // The header's check has already bounded this buffer.
    let size = reader.output_buffer_size().ok_or_else(|| refusal(DecodingError::LimitsExceeded, limits))?;
    let mut raw = vec![0; size];
    let info = reader.next_frame(&mut raw).map_err(|error| refusal(error, limits))?;
    reader.finish().map_err(|error| refusal(error, limits))?;
    raw.truncate(info.buffer_size());
    if structure.palette {
        notes.push(Note::PaletteExpanded);
    }
    if info.bit_depth == BitDepth::Sixteen {
        notes.push(Note::SixteenBitsReduced);
        raw = raw.chunks_exact(2).map(|pair| reduced(u16::from_be_bytes([pair[0], pair[1]]))).collect();
    }
    Ok(rgb(&raw, info.color_type, (structure.height, structure.width), notes))
}

/// Samples of 8 bits to RGB; transparency is laid on white.
fn rgb(raw: &[u8], colour: ColorType, (height, width): (u32, u32), notes: &mut Vec<Note>) -> RgbImage {
    let samples = colour.samples();
    let mut image = RgbImage::new(width, height);
    let mut transparent = false;
    for (pixel, sample) in image.pixels_mut().zip(raw.chunks_exact(samples)) {
        let (base, alpha) = match *sample {
            [v] => ([v; 3], 255),
            [v, a] => ([v; 3], a),
            [r, g, b] => ([r, g, b], 255),
            [r, g, b, a] => ([r, g, b], a),
            _ => ([0; 3], 255),
        };
        transparent |= alpha < 255;
        *pixel = Rgb(base.map(|v| on_white(v, alpha)));
    }
    if samples <= 2 {
        notes.push(Note::GreyExpanded);
    }
    if transparent {
        notes.push(Note::TransparencyOnWhite);
    }
    image
}

/// `round(v·a/255 + 255·(1 - a/255))`.
fn on_white(value: u8, alpha: u8) -> u8 {
    let (v, a) = (u32::from(value), u32::from(alpha));
    ((v * a + 255 * (255 - a) + 127) / 255) as u8
}

/// `round(v / 257)`: 0 stays 0 and 65535 becomes 255.
fn reduced(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

fn refusal(error: DecodingError, limits: &Limits) -> Refusal {
    match error {
        DecodingError::LimitsExceeded => Refusal::TooMuchMemory { memory: limits.memory + 1, limit: limits.memory },
        DecodingError::IoError(_) => Refusal::Incomplete { format: Format::Png, what: "the pixel data ends early" },
        other => {
            let what: String = other.to_string().chars().take(200).collect();
            Refusal::Damaged { format: Format::Png, what }
        }
    }
}
