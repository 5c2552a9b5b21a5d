//! The hostile pictures by their numbers, and what is to come of each: the same at every door.

use crate::makers::{self, alpha, eight_bit_grey, palette, sixteen_bit};
use crate::pictures::{chunk, jpeg_header, jpeg_of, lesion, png_header, png_of, with_chunk, with_segment};

/// One file.
pub struct Row {
    pub id: &'static str,
    pub what: &'static str,
    pub bytes: Vec<u8>,
    pub expected: Expected,
}

/// What is to come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Refused with this code, and nothing is left.
    Refused(&'static str),
    /// Explained; a note with these words stands beside it.
    Noted(&'static str),
    /// Explained without a note.
    Taken,
}

use Expected::{Noted, Refused, Taken};

/// Every row; I22, I23, I30 and I31 are looked into further beside the table.
pub fn all() -> Vec<Row> {
    let groups = [beginnings(), bombs(), processes(), samples(), kinds(), two_faced(), metadata(), names_of_codecs(), boundaries()];
    let row = |(id, what, bytes, expected)| Row { id, what, bytes, expected };
    groups.into_iter().flatten().map(row).collect()
}

type Case = (&'static str, &'static str, Vec<u8>, Expected);

/// I01 to I04: too little of a file.
fn beginnings() -> Vec<Case> {
    let (jpeg, progressive, png) = (jpeg_of(&lesion(96, 96), false), jpeg_of(&lesion(96, 96), true), png_of(&lesion(64, 64)));
    let forged = |whole: &[u8]| [&whole[..whole.len() / 2], &[0xFF, 0xD9]].concat();
    let mut flipped = png.clone();
    flipped[png.len() - 20] ^= 0x10;
    vec![
        ("I01", "zero bytes", vec![], Refused("empty")),
        ("I02", "one byte", vec![0xFF], Refused("unknown-format")),
        ("I02", "a JPEG's first bytes only", jpeg[..3].to_vec(), Refused("incomplete")),
        ("I02", "a PNG's first bytes only", png[..8].to_vec(), Refused("incomplete")),
        ("I03", "JPEG cut in its scan", jpeg[..jpeg.len() / 2].to_vec(), Refused("incomplete")),
        ("I03", "the same with a forged end", forged(&jpeg), Refused("incomplete")),
        ("I03", "progressive JPEG cut in a scan", progressive[..progressive.len() / 2].to_vec(), Refused("incomplete")),
        ("I03", "the same with a forged end", forged(&progressive), Refused("incomplete")),
        ("I04", "PNG cut before its end", png[..png.len() - 12].to_vec(), Refused("incomplete")),
        ("I04", "PNG with a wrong checksum", flipped, Refused("damaged")),
    ]
}

/// I05 to I12: small files that ask for much.
fn bombs() -> Vec<Case> {
    let claim = |width, height, depth, kind| [png_header(width, height, depth, kind), chunk(b"IDAT", &[0; 1000])].concat();
    let zeros = makers::deflated_zeros();
    let with = |name: &[u8; 4], head: &[u8]| with_chunk(&png_of(&lesion(32, 32)), name, &[head, &zeros].concat());
    vec![
        ("I05", "30000 x 30000 of 1 bit, whole", makers::one_bit_bomb(), Refused("side-too-long")),
        ("I06", "30000 x 30000 RGB, 2.6 MB", makers::padded(&png_header(30_000, 30_000, 8, 2), 2_624_363), Refused("side-too-long")),
        ("I07", "2^31-1 a side, 60 bytes", png_header(i32::MAX as u32, i32::MAX as u32, 8, 6), Refused("side-too-long")),
        ("I08", "a strip, 1 wide", claim(1, 50_000_000, 8, 2), Refused("side-too-long")),
        ("I08", "a strip, 1 high", claim(50_000_000, 1, 8, 2), Refused("side-too-long")),
        ("I09", "PNG without width", claim(0, 480, 8, 2), Refused("zero-size")),
        ("I09", "JPEG without height", jpeg_header(0xC0, 8, 0, 640, 3), Refused("zero-size")),
        ("I10", "zTXt that unpacks to 64 MiB", with(b"zTXt", b"Comment\0\0"), Taken),
        ("I10", "iTXt that unpacks to 64 MiB", with(b"iTXt", b"Comment\0\x01\0\0\0"), Taken),
        ("I10", "iCCP that unpacks to 64 MiB", with(b"iCCP", b"icc\0\0"), Noted("profile")),
        ("I11", "progressive, 65535 x 65535", makers::padded(&jpeg_header(0xC2, 8, 65_535, 65_535, 3), 166), Refused("side-too-long")),
        ("I11", "progressive, 49.5 megapixels", jpeg_header(0xC2, 8, 4_500, 11_000, 3), Refused("too-much-memory")),
        ("I11", "progressive, 43.6 megapixels, whole", makers::flat_progressive(6_600, 0), Taken),
        ("I12", "10 000 scans", makers::many_scans(10_000), Refused("too-many-scans")),
        ("I12", "58 whole scans of 16 megapixels", makers::flat_progressive(4_000, 54), Taken),
    ]
}

/// I13, I14: ways of coding that are not taken.
fn processes() -> Vec<Case> {
    let header = |sof, precision| jpeg_header(sof, precision, 64, 64, 3);
    vec![
        ("I13", "CMYK", makers::cmyk(jpeg_encoder::ColorType::Cmyk), Refused("colour-model")),
        ("I13", "YCCK", makers::cmyk(jpeg_encoder::ColorType::CmykAsYcck), Refused("colour-model")),
        ("I14", "12 bits", header(0xC1, 12), Refused("jpeg-process")),
        ("I14", "lossless", header(0xC3, 8), Refused("jpeg-process")),
        ("I14", "arithmetic-coded", header(0xC9, 8), Refused("jpeg-process")),
    ]
}

/// I15, I16: samples that are no RGB of 8 bits.
fn samples() -> Vec<Case> {
    vec![
        ("I15", "16 bits a channel", sixteen_bit(), Noted("16 bits")),
        ("I16", "grey", eight_bit_grey(), Noted("grey picture")),
        ("I16", "palette", palette(), Noted("palette")),
        ("I16", "transparent", alpha(), Noted("laid on white")),
    ]
}

/// I17 to I19, I21: other kinds of files, whatever they are called.
fn kinds() -> Vec<Case> {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script><image href='http://other/x'/></svg>";
    let xxe = b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>";
    let dressed = |start: &[u8]| [start, &vec![0; 128 - start.len()], b"DICM\x02\0"].concat();
    let other = Refused("format-not-accepted");
    vec![
        ("I17", "animated GIF", b"GIF89a\x10\0\x10\0\xF0\0\0\0\0\0\xFF\xFF\xFF!\xFF\x0BNETSCAPE2.0".to_vec(), other),
        ("I17", "animated WebP", b"RIFF\x24\0\0\0WEBPVP8X\x0A\0\0\0\x02\0\0\0ANIM".to_vec(), other),
        ("I17", "APNG", makers::animated(), Refused("animated")),
        ("I18", "SVG with a script", svg.to_vec(), other),
        ("I18", "SVG with an external entity", xxe.to_vec(), other),
        ("I19", "HTML called .jpg", b"<!doctype html><script>alert(1)</script>".to_vec(), other),
        ("I19", "PDF called .jpg", b"%PDF-1.7\n1 0 obj".to_vec(), other),
        ("I19", "PNG called .jpg: content decides", png_of(&lesion(40, 40)), Taken),
        ("I21", "DICOM that begins as a program", dressed(b"MZ\x90\0"), other),
        ("I21", "DICOM that begins as a JPEG", dressed(b"\xFF\xD8\xFF\xE0"), other),
    ]
}

/// I20: pictures that are something else as well.
fn two_faced() -> Vec<Case> {
    let jpeg = jpeg_of(&lesion(40, 30), false);
    let followed = |tail: &[u8]| [&jpeg[..], tail].concat();
    let phar = with_segment(&jpeg, 0xFE, b"<?php __HALT_COMPILER(); ?>");
    let behind = Noted("after the end of the picture");
    vec![
        ("I20", "JPEG and ZIP", followed(b"PK\x03\x04 PLANTED-ARCHIVE"), behind),
        ("I20", "JPEG and PHAR", [&phar[..], b"GBMB"].concat(), behind),
        ("I20", "JPEG and HTML", followed(b"<script>PLANTED-SCRIPT</script>"), behind),
        ("I20", "PNG and ZIP", [&png_of(&lesion(40, 30))[..], b"PK\x03\x04"].concat(), behind),
        ("I20", "GIF and JAR", b"GIF89a\x01\0\x01\0\0\0\0;PK\x03\x04".to_vec(), Refused("format-not-accepted")),
    ]
}

/// I22 to I25: what stands beside the pixels.
fn metadata() -> Vec<Case> {
    let jpeg = jpeg_of(&lesion(32, 32), false);
    let exif = |body: &[u8]| with_segment(&jpeg, 0xE1, &[b"Exif\0\0", body].concat());
    let looped = b"MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08";
    let huge = [&b"II*\0\x08\0\0\0\xFF\xFF"[..], &[0xFF; 60_000]].concat();
    vec![
        ("I22", "turned camera, orientation 6", makers::turned(&lesion(48, 32), 6), Noted("turned upright")),
        ("I23", "JPEG with place, name, thumbnail", makers::private_jpeg(), Taken),
        ("I23", "PNG with place and name", makers::private_png(), Taken),
        ("I24", "EXIF directories in a circle", exif(looped), Taken),
        ("I24", "EXIF with 65 535 entries", exif(&huge), Taken),
        ("I24", "EXIF in a circle, in a PNG", with_chunk(&png_of(&lesion(32, 32)), b"eXIf", looped), Taken),
        ("I25", "colour profile that is none", with_segment(&jpeg, 0xE2, b"ICC_PROFILE\0\x01\x01garbage"), Noted("profile")),
        ("I25", "colour profile of 1 MiB", makers::with_large_profile(&jpeg), Noted("profile")),
        ("I25", "PNG with another gamma", with_chunk(&png_of(&lesion(32, 32)), b"gAMA", &100_000_u32.to_be_bytes()), Noted("profile")),
    ]
}

/// I26: refused by name, because no codec of theirs is compiled in.
fn names_of_codecs() -> Vec<Case> {
    let other = Refused("format-not-accepted");
    vec![
        ("I26", "Radiance HDR", b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n".to_vec(), other),
        ("I26", "TIFF", b"II*\0\x08\0\0\0\0\0".to_vec(), other),
        ("I26", "icon", b"\0\0\x01\0\x01\0\xFF\xFF\0\0\x01\0\x20\0\xFF\xFF\xFF\xFF\x16\0\0\0".to_vec(), other),
        ("I26", "BMP", b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0".to_vec(), other),
        ("I26", "OpenEXR", b"\x76\x2f\x31\x01\x02\0\0\0channels".to_vec(), other),
        ("I26", "AVIF", b"\0\0\0\x1cftypavif\0\0\0\0mif1miaf".to_vec(), other),
    ]
}

/// I29: at the limit yes, one over it no.
fn boundaries() -> Vec<Case> {
    vec![
        ("I29", "8 x 8", png_of(&lesion(8, 8)), Refused("too-small")),
        ("I29", "16 x 16", png_of(&lesion(16, 16)), Taken),
        ("I29", "50 megapixels, the limit", makers::flat_png(8_000, 6_250), Taken),
        ("I29", "51 megapixels", makers::flat_png(8_000, 6_375), Refused("too-many-pixels")),
        ("I29", "12 000 wide, the limit", makers::flat_png(12_000, 16), Taken),
        ("I29", "12 001 wide", makers::flat_png(12_001, 16), Refused("side-too-long")),
        ("I29", "20 MiB and a byte", makers::padded(&png_of(&lesion(32, 32)), (20 << 20) + 1), Refused("too-many-bytes")),
    ]
}
