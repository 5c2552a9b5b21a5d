//! Pictures: PNG, reduced where no page could show them.

use datasets::synthetic::DrawnLesion;
use image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};
use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, Rgb, RgbImage, RgbaImage};
use xai::Batch;

use super::Rendering;
use crate::Lesion;

/// Longest side that is shown.
const LONGEST_SIDE: u32 = 1200;
/// Pictures of a sheet, and the side of each.
const MOST_ON_A_SHEET: usize = 64;
const SIDE_ON_A_SHEET: u32 = 128;
/// Side of the only one.
const SIDE_ALONE: u32 = 256;

pub fn rgb(picture: &RgbImage) -> Rendering {
    let (width, height) = picture.dimensions();
    of(&format!("picture, {height}×{width} pixels (height × width), RGB"), (height, width), || match reduced(height, width) {
        Some((h, w)) => RgbImage::clone(&imageops::resize(picture, w, h, FilterType::Triangle)).into(),
        None => picture.clone().into(),
    })
}

pub fn grey(picture: &GrayImage) -> Rendering {
    let (width, height) = picture.dimensions();
    of(&format!("picture, {height}×{width} pixels (height × width), grey"), (height, width), || match reduced(height, width) {
        Some((h, w)) => imageops::resize(picture, w, h, FilterType::Triangle).into(),
        None => picture.clone().into(),
    })
}

pub fn rgba(picture: &RgbaImage) -> Rendering {
    let (width, height) = picture.dimensions();
    of(&format!("picture, {height}×{width} pixels (height × width), RGBA"), (height, width), || match reduced(height, width) {
        Some((h, w)) => imageops::resize(picture, w, h, FilterType::Triangle).into(),
        None => picture.clone().into(),
    })
}

pub fn any(picture: &DynamicImage) -> Rendering {
    let (width, height) = (picture.width(), picture.height());
    let colour = picture.color();
    of(&format!("picture, {height}×{width} pixels (height × width), {colour:?}"), (height, width), || match reduced(height, width) {
        Some((h, w)) => picture.resize_exact(w, h, FilterType::Triangle).to_rgb8().into(),
        None => picture.to_rgba8().into(),
    })
}

pub fn lesion(lesion: &Lesion) -> Rendering {
    Rendering { plain: format!("{lesion:?}"), ..rgb(&lesion.picture) }
}

pub fn drawn(drawn: &DrawnLesion) -> Rendering {
    lesion(&drawn.into())
}

/// A sheet of the batch's pictures, each stretched over its own range: prepared pixels know no colours.
pub fn batch(batch: &Batch) -> Rendering {
    let (height, width) = batch.size();
    let plain = format!("Batch of {} pictures, {} channels, {height}×{width} pixels (height × width)", batch.len(), batch.channels());
    let shown = batch.len().min(MOST_ON_A_SHEET);
    let cols = (shown as f64).sqrt().ceil() as u32;
    let rows = (shown as u32).div_ceil(cols);
    let (tall, wide) = reduced_to(height as u32, width as u32, if shown == 1 { SIDE_ALONE } else { SIDE_ON_A_SHEET });
    let mut sheet = RgbImage::from_pixel(cols * (wide + 2), rows * (tall + 2), Rgb([255, 255, 255]));
    for index in 0..shown {
        let small = imageops::resize(&stretched(batch, index), wide, tall, FilterType::Triangle);
        let (row, col) = (index as u32 / cols, index as u32 % cols);
        imageops::replace(&mut sheet, &small, i64::from(col * (wide + 2)), i64::from(row * (tall + 2)));
    }
    let rest = if batch.len() > shown { format!("; the first {shown} are shown") } else { String::new() };
    Rendering { plain: plain + &rest, ..rgb(&sheet) }
}

fn stretched(batch: &Batch, image: usize) -> RgbImage {
    let pixels = batch.pixels();
    let (height, width) = batch.size();
    let picture = pixels.index_axis(ndarray::Axis(0), image); // (C, H, W)
    let (low, high) = picture.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
    let span = (high - low).max(f32::MIN_POSITIVE);
    let last = batch.channels() - 1;
    let byte = |row: u32, col: u32, channel: usize| {
        let value = picture[[channel.min(last), row as usize, col as usize]];
        (255.0 * ((value - low) / span)).round() as u8
    };
    RgbImage::from_fn(width as u32, height as u32, |col, row| Rgb([0, 1, 2].map(|channel| byte(row, col, channel))))
}

/// The picture as PNG; one without pixels is only said.
fn of(plain: &str, (height, width): (u32, u32), reduced_picture: impl FnOnce() -> DynamicImage) -> Rendering {
    if height == 0 || width == 0 {
        return Rendering::text(format!("{plain}: nothing to see"));
    }
    let note = reduced(height, width).map_or(String::new(), |(h, w)| format!(", shown at {h}×{w}"));
    Rendering { plain: format!("{plain}{note}"), png: encoded(&reduced_picture()), ..Rendering::default() }
}

/// PNG bytes; writing to memory does not fail for the colours that come here.
pub(super) fn encoded(picture: &DynamicImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // The crate's own choice is made for speed: a notebook keeps its pictures, and these are a third smaller.
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, PngFilter::Adaptive);
    picture.write_with_encoder(encoder).ok().map(|()| bytes)
}

/// Height and width to show, where they are smaller than the picture's.
fn reduced(height: u32, width: u32) -> Option<(u32, u32)> {
    let to = reduced_to(height, width, LONGEST_SIDE);
    (to != (height, width)).then_some(to)
}

fn reduced_to(height: u32, width: u32, longest: u32) -> (u32, u32) {
    let scale = (f64::from(longest) / f64::from(height.max(width))).min(1.0);
    let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
    (side(height), side(width))
}
