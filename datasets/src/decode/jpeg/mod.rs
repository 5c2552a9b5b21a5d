//! JPEG: the structure is walked and every code read first, then zune-jpeg decodes in its strict mode.

mod huffman;
mod scan;
mod structure;

use image::RgbImage;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::exif::orientation;
use super::{Decoded, Format, Limits, Note, Refusal, upright};
use structure::{Structure, walk};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, Refusal> {
    let structure = walk(bytes, limits)?;
    let mut notes = Vec::new();
    if structure.components == 1 {
        notes.push(Note::GreyExpanded);
    }
    if structure.has_profile {
        notes.push(Note::ProfilePassedOver);
    }
    if structure.end < bytes.len() {
        notes.push(Note::TrailingBytes { bytes: bytes.len() - structure.end });
    }
    let image = pixels(&bytes[..structure.end], &structure, limits)?;
    let turn = structure.exif.map_or(1, |range| orientation(&bytes[range]));
    Ok(Decoded { image: upright(image, turn, &mut notes), format: Format::Jpeg, notes })
}

fn pixels(bytes: &[u8], structure: &Structure, limits: &Limits) -> Result<RgbImage, Refusal> {
    let options = DecoderOptions::default()
        // Without strictness a broken file is filled up with grey.
        .set_strict_mode(true)
        .set_max_width(limits.side as usize)
        .set_max_height(limits.side as usize)
        .jpeg_set_max_scans(limits.scans)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let raw = JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().map_err(refusal)?;
    RgbImage::from_raw(structure.width, structure.height, raw)
        .ok_or_else(|| Refusal::Damaged { format: Format::Jpeg, what: "the pixels do not fit the header's size".to_owned() })
}

fn refusal(error: DecodeErrors) -> Refusal {
    let text = error.to_string();
    let short_of_data = matches!(error, DecodeErrors::ExhaustedData | DecodeErrors::IoErrors(_)) || text.contains("Premature end");
    if short_of_data {
        Refusal::Incomplete { format: Format::Jpeg, what: "the coded data ends before the last row" }
    } else {
        Refusal::Damaged { format: Format::Jpeg, what: text.chars().take(200).collect() }
    }
}
