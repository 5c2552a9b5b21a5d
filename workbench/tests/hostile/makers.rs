//! Files that no camera writes, all made here.

use std::io::Write;

use image::{DynamicImage, RgbImage};
use jpeg_encoder::Encoder as JpegEncoder;
use png::{BitDepth, ColorType, Compression, Encoder};

use crate::pictures::{jpeg_header, jpeg_of, lesion, orientation_block, png_of, with_chunk, with_segment};

fn encoded(
    kind: ColorType,
    depth: BitDepth,
    (width, height): (u32, u32),
    prepare: impl FnOnce(&mut Encoder<'_, &mut Vec<u8>>),
    row: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(kind);
    encoder.set_depth(depth);
    encoder.set_compression(Compression::Fast);
    prepare(&mut encoder);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    (0..height).for_each(|_| stream.write_all(row).unwrap());
    stream.finish().unwrap();
    drop(writer);
    bytes
}

/// One colour, width before height as the format has it.
pub fn flat_png(width: u32, height: u32) -> Vec<u8> {
    encoded(ColorType::Rgb, BitDepth::Eight, (width, height), |_| {}, &vec![150; 3 * width as usize])
}

/// 900 million pixels in some hundred kilobytes: 112.5 MB when unpacked, 2.7 GB as RGB.
pub fn one_bit_bomb() -> Vec<u8> {
    encoded(ColorType::Grayscale, BitDepth::One, (30_000, 30_000), |_| {}, &[0; 3_750])
}

pub fn sixteen_bit() -> Vec<u8> {
    encoded(ColorType::Rgb, BitDepth::Sixteen, (32, 32), |_| {}, &[0x81, 0x01].repeat(3 * 32))
}

pub fn eight_bit_grey() -> Vec<u8> {
    encoded(ColorType::Grayscale, BitDepth::Eight, (32, 32), |_| {}, &[120; 32])
}

pub fn palette() -> Vec<u8> {
    encoded(ColorType::Indexed, BitDepth::Eight, (32, 32), |encoder| encoder.set_palette(vec![0, 0, 0, 200, 100, 50]), &[1; 32])
}

pub fn alpha() -> Vec<u8> {
    encoded(ColorType::Rgba, BitDepth::Eight, (32, 32), |_| {}, &[100, 0, 255, 128].repeat(32))
}

pub fn animated() -> Vec<u8> {
    encoded(ColorType::Rgb, BitDepth::Eight, (32, 32), |encoder| encoder.set_animated(1, 0).unwrap(), &[50; 96])
}

/// 64 MiB of zeros as a zlib stream, taken from a PNG of them.
pub fn deflated_zeros() -> Vec<u8> {
    let bytes = encoded(ColorType::Grayscale, BitDepth::Eight, (8_192, 8_192), |_| {}, &[0; 8_192]);
    let mut stream = Vec::new();
    let mut at = 8;
    while at + 8 < bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        if &bytes[at + 4..at + 8] == b"IDAT" {
            stream.extend_from_slice(&bytes[at + 8..at + 8 + length]);
        }
        at += 12 + length;
    }
    stream
}

/// The bytes, and zeros up to a length.
pub fn padded(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.resize(length, 0);
    padded
}

pub fn cmyk(kind: jpeg_encoder::ColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new(&mut bytes, 90).encode(&[90; 32 * 32 * 4], 32, 32, kind).unwrap();
    bytes
}

/// Headers of scans without their codes.
pub fn many_scans(count: usize) -> Vec<u8> {
    let scans = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x00].repeat(count);
    [&jpeg_header(0xC2, 8, 4_000, 4_000, 3)[..], &scans, &[0xFF, 0xD9]].concat()
}

/// A progressive JPEG of one grey, whole and within the rules, in which a scan costs next to nothing and visits every block.
pub fn flat_progressive(side: u16, more_scans: usize) -> Vec<u8> {
    let blocks = usize::from(side).div_ceil(8).pow(2);
    let mut bytes = jpeg_header(0xC2, 8, side, side, 3);
    bytes.extend([0xFF, 0xDB, 0, 67, 0]);
    bytes.extend([1; 64]);
    // One code of one bit in each table: "no difference" for DC, "so many blocks without any" for AC.
    for (kind, symbol) in [(0x00, 0x00), (0x10, 0xE0)] {
        bytes.extend([0xFF, 0xC4, 0, 20, kind, 1]);
        bytes.extend([0; 15]);
        bytes.push(symbol);
    }
    bytes.extend([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0]);
    bytes.extend(vec![0; (3 * blocks).div_ceil(8)]);
    let codes = empty_blocks(blocks);
    for component in [1, 2, 3].into_iter().chain(std::iter::repeat_n(1, more_scans)) {
        bytes.extend([0xFF, 0xDA, 0, 8, 1, component, 0, 1, 63, 0]);
        bytes.extend(&codes);
    }
    bytes.extend([0xFF, 0xD9]);
    bytes
}

/// Runs of blocks without coefficients: a zero bit, then the run minus 2^14 in 14 bits.
fn empty_blocks(mut blocks: usize) -> Vec<u8> {
    let (shortest, longest) = (1 << 14, (1 << 15) - 1);
    let mut bits = String::new();
    while blocks > 0 {
        // What is left must be long enough for a run of its own.
        let run = if blocks > longest && blocks - longest < shortest { blocks - shortest } else { blocks.min(longest) };
        assert!(run >= shortest, "{blocks} blocks are too few for this code");
        bits += &format!("0{:014b}", run - shortest);
        blocks -= run;
    }
    bits += &"1".repeat(bits.len().next_multiple_of(8) - bits.len());
    let bytes = bits.as_bytes().chunks(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | (bit - b'0')));
    bytes.flat_map(|byte| if byte == 0xFF { vec![byte, 0] } else { vec![byte] }).collect()
}

/// What a camera stores for an orientation, so that turning it gives `upright` back.
pub fn turned(upright: &RgbImage, orientation: u8) -> Vec<u8> {
    with_chunk(&png_of(&stored(upright, orientation)), b"eXIf", &orientation_block(orientation))
}

pub fn turned_jpeg(upright: &RgbImage, orientation: u8) -> Vec<u8> {
    let exif = [&b"Exif\0\0"[..], &orientation_block(orientation)].concat();
    with_segment(&jpeg_of(&stored(upright, orientation), false), 0xE1, &exif)
}

fn stored(upright: &RgbImage, orientation: u8) -> RgbImage {
    let picture = DynamicImage::ImageRgb8(upright.clone());
    let stored = match orientation {
        2 => picture.fliph(),
        3 => picture.rotate180(),
        4 => picture.flipv(),
        5 => picture.rotate90().fliph(),
        6 => picture.rotate270(),
        7 => picture.rotate270().fliph(),
        8 => picture.rotate90(),
        _ => picture,
    };
    stored.into_rgb8()
}

/// Words that may stand in no file, page or picture that is made from the two below.
pub const PRIVATE: [&str; 4] = ["PLANTED-NAME", "PLANTED-PLACE", "PLANTED-THUMBNAIL", "PLANTED-COMMENT"];

/// A place in a GPS directory, a name as the artist, a thumbnail of what was cut away, a comment and a packet of XMP.
pub fn private_jpeg() -> Vec<u8> {
    let exif = [&b"Exif\0\0"[..], &private_block()].concat();
    let xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>PLANTED-NAME PLANTED-PLACE</x:xmpmeta>";
    let commented = with_segment(&jpeg_of(&lesion(32, 32), false), 0xFE, b"PLANTED-COMMENT");
    with_segment(&with_segment(&commented, 0xE1, xmp), 0xE1, &exif)
}

pub fn private_png() -> Vec<u8> {
    let texts = with_chunk(&png_of(&lesion(32, 32)), b"tEXt", b"Author\0PLANTED-NAME");
    let texts = with_chunk(&texts, b"iTXt", b"Comment\0\0\0\0\0PLANTED-COMMENT PLANTED-PLACE");
    with_chunk(&texts, b"eXIf", &private_block())
}

/// A TIFF block: artist, a GPS directory with a latitude's reference, and a second directory with a thumbnail.
fn private_block() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_be_bytes()[..], &kind.to_be_bytes(), &count.to_be_bytes(), &value.to_be_bytes()].concat()
    };
    let first = [&b"MM\0*\0\0\0\x08\0\x02"[..], &entry(0x013B, 2, 13, 80), &entry(0x8825, 4, 1, 38), &38_u32.to_be_bytes()].concat();
    let gps = [&[0, 1][..], &entry(0x0002, 2, 14, 100), &[0; 4]].concat();
    [
        padded(&[first, gps].concat(), 80),
        padded(b"PLANTED-NAME", 20),
        padded(b"PLANTED-PLACE", 20),
        b"\xFF\xD8PLANTED-THUMBNAIL\xFF\xD9".to_vec(),
    ]
    .concat()
}

/// A profile spread over sixteen segments.
pub fn with_large_profile(jpeg: &[u8]) -> Vec<u8> {
    let part = |number: u8| [&b"ICC_PROFILE\0"[..], &[number, 16], &[0x5A; 65_000]].concat();
    (1..=16).rev().fold(jpeg.to_vec(), |jpeg, number| with_segment(&jpeg, 0xE2, &part(number)))
}
