//! Small text in a bitmap font.

use image::{Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// A raster of the font, enlarged by a whole factor for large pictures.
#[derive(Clone, Copy)]
pub(super) struct Size {
    raster: RasterHeight,
    factor: u32,
}

/// About 36 characters to the width of the picture.
pub(super) fn size_for(width: u32) -> Size {
    match width / 28 {
        ..24 => Size { raster: RasterHeight::Size16, factor: 1 },
        24..32 => Size { raster: RasterHeight::Size24, factor: 1 },
        height => Size { raster: RasterHeight::Size32, factor: height / 32 },
    }
}

/// Height of a line of text in pixels.
pub(super) fn height(size: Size) -> u32 {
    size.raster.val() as u32 * size.factor
}

/// Width of a text on one line, in pixels.
pub(super) fn width(text: &str, size: Size) -> u32 {
    advance(size).saturating_mul(text.chars().count() as u32)
}

/// Draws a line from its upper left corner (row, column), clipped to the canvas.
pub(super) fn draw(canvas: &mut RgbImage, (top, left): (u32, u32), text: &str, size: Size, ink: Rgb<u8>) {
    for (index, letter) in text.chars().enumerate() {
        let start = left.saturating_add(advance(size).saturating_mul(index as u32));
        if start >= canvas.width() {
            return;
        }
        let raster = |letter| get_raster(letter, FontWeight::Regular, size.raster);
        if let Some(glyph) = raster(letter).or_else(|| raster('?')) {
            for row in 0..height(size) {
                for col in 0..advance(size) {
                    let cover = glyph.pixel((col / size.factor) as usize, (row / size.factor) as usize).unwrap_or(0);
                    if let Some(pixel) = canvas.get_pixel_mut_checked(start + col, top + row) {
                        blend(pixel, ink, cover);
                    }
                }
            }
        }
    }
}

/// Breaks a text between words into lines of at most `width` pixels; a longer word is cut.
pub(super) fn wrap(text: &str, size: Size, width: u32) -> Vec<String> {
    let most = (width / advance(size)).max(1) as usize;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        for part in letters.chunks(most) {
            match lines.last_mut() {
                Some(line) if line.chars().count() + 1 + part.len() <= most => {
                    line.push(' ');
                    line.extend(part);
                }
                _ => lines.push(part.iter().collect()),
            }
        }
    }
    lines
}

fn advance(size: Size) -> u32 {
    get_raster_width(FontWeight::Regular, size.raster) as u32 * size.factor
}

fn blend(pixel: &mut Rgb<u8>, ink: Rgb<u8>, cover: u8) {
    for (channel, dark) in pixel.0.iter_mut().zip(ink.0) {
        let mixed = u32::from(*channel) * (255 - u32::from(cover)) + u32::from(dark) * u32::from(cover);
        *channel = ((mixed + 127) / 255) as u8;
    }
}
