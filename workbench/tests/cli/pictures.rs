//! Pictures for the program, good and hostile, all made here.

use std::io::Cursor;

use datasets::{LesionClass, synthetic};
use image::{ImageFormat, RgbImage, imageops};

/// A drawn melanoma, cut so that height and width differ.
pub fn lesion(height: u32, width: u32) -> RgbImage {
    let drawn = synthetic::draw(LesionClass::Melanoma, 5, height.max(width)).image;
    imageops::crop_imm(&drawn, 0, 0, width, height).to_image()
}

pub fn png(picture: &RgbImage) -> Vec<u8> {
    encoded(picture, ImageFormat::Png)
}

pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    encoded(picture, ImageFormat::Jpeg)
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("a small picture can be written");
    bytes.into_inner()
}

/// The picture as a camera held on its side stores it: turned, with a note (EXIF orientation 6) that says how to turn it back.
pub fn png_of_a_turned_camera(upright: &RgbImage) -> Vec<u8> {
    let stored = png(&imageops::rotate270(upright));
    let orientation = [&b"MM\0*\0\0\0\x08\0\x01"[..], &[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0], &[0; 4]].concat();
    let (header, rest) = stored.split_at(33);
    [header, &chunk(b"eXIf", &orientation), rest].concat()
}

/// The first bytes of a PNG that claims to be this large.
pub fn png_that_claims(height: u32, width: u32) -> Vec<u8> {
    let body = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &body), &chunk(b"IDAT", &[]), &chunk(b"IEND", &[])].concat()
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let named = [&name[..], body].concat();
    [&(body.len() as u32).to_be_bytes()[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat()
}
