//! Pictures and broken pictures for the tests of decoding, all made here.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::Cursor;

use datasets::{Decoded, Limits, Refusal, decode};
use image::{ImageFormat, Rgb, RgbImage};

/// A smooth picture with a dark blob that no turning or mirroring leaves as it was.
pub fn lesion(height: u32, width: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (v, u) = (y as f32 / height as f32, x as f32 / width as f32);
        let dark = if (v - 0.3).hypot(u - 0.25) < 0.2 { 110.0 } else { 0.0 };
        Rgb([220.0 - dark - 30.0 * u, 170.0 - dark + 40.0 * v, 150.0 - dark * 0.8 + 20.0 * u].map(|c: f32| c as u8))
    })
}

pub fn png_of(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A JPEG of good quality; `progressive` chooses the process.
pub fn jpeg_of(image: &RgbImage, progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 92);
    encoder.set_progressive(progressive);
    encoder.encode(image.as_raw(), image.width() as u16, image.height() as u16, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// Puts a segment behind the start-of-image marker.
pub fn with_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, body, &jpeg[2..]].concat()
}

/// A TIFF block with one entry, the orientation.
pub fn orientation_block(orientation: u8) -> Vec<u8> {
    let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
    [&b"MM\0*\0\0\0\x08\0\x01"[..], &entry, &[0; 4]].concat()
}

/// A chunk with its checksum.
pub fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let named = [&name[..], body].concat();
    [&(body.len() as u32).to_be_bytes()[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat()
}

/// A PNG's signature and header; width before height, as the format has it.
pub fn png_header(width: u32, height: u32, depth: u8, kind: u8) -> Vec<u8> {
    let body = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, kind, 0, 0, 0]].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &body)].concat()
}

/// Puts a chunk behind the header of a PNG.
pub fn with_chunk(png: &[u8], name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&png[..33], &chunk(name, body), &png[33..]].concat()
}

/// A JPEG's frame header with three components, after the start of image.
pub fn jpeg_header(sof: u8, precision: u8, height: u16, width: u16, components: u8) -> Vec<u8> {
    let mut body = vec![precision];
    body.extend(height.to_be_bytes());
    body.extend(width.to_be_bytes());
    body.push(components);
    (1..=components).for_each(|id| body.extend([id, 0x11, 0]));
    with_segment(&[0xFF, 0xD8], sof, &body)
}

/// Decodes within the default limits.
pub fn open(bytes: &[u8]) -> Result<Decoded, Refusal> {
    decode(bytes, &Limits::default())
}

/// The code of the refusal.
pub fn code(bytes: &[u8]) -> &'static str {
    match open(bytes) {
        Err(refusal) => refusal.code(),
        Ok(decoded) => panic!("taken as {} of {:?}, notes {:?}", decoded.format, decoded.image.dimensions(), decoded.notes),
    }
}

/// Fails when a channel of a pixel differs by more than `allowed`.
pub fn assert_close(found: &RgbImage, wanted: &RgbImage, allowed: u8) {
    assert_eq!(found.dimensions(), wanted.dimensions());
    for ((x, y, a), b) in found.enumerate_pixels().zip(wanted.pixels()) {
        for c in 0..3 {
            let difference = a.0[c].abs_diff(b.0[c]);
            assert!(difference <= allowed, "row {y}, column {x}, channel {c}: {} against {}, {difference} apart", a.0[c], b.0[c]);
        }
    }
}
