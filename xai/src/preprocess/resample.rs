//! Resizing with Pillow's filters, antialiased when shrinking.

use super::Size;
use crate::Error;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;
use serde::Serialize;

/// Most pixels a resized picture may have, before any crop: 64 mebipixels, 192 MiB.
const MOST_PIXELS: u64 = 1 << 26;

/// The filter of a resize, numbered as Pillow does in `preprocessor_config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Resample {
    /// Pillow's 0: the nearest pixel, no averaging.
    Nearest,
    /// Pillow's 1: a windowed sinc over six pixels.
    Lanczos,
    /// Pillow's 2: a triangle over two pixels.
    Bilinear,
    /// Pillow's 3: Catmull-Rom over four pixels (a = -0.5).
    Bicubic,
}

/// Resizes to `size`; a picture that has it already comes back as it is.
pub(super) fn resize(image: &RgbImage, size: Size, resample: Resample) -> Result<RgbImage, Error> {
    let refuse = |problem: String| Error::Picture { height: image.height(), width: image.width(), problem };
    if image.width() == 0 || image.height() == 0 {
        return Err(refuse("it has no pixels; decode it again".into()));
    }
    let (height, width) = (size.height, size.width);
    if height == 0 || width == 0 || u64::from(height) * u64::from(width) > MOST_PIXELS {
        return Err(refuse(format!("resized it would be {height}x{width}; cut it to a less extreme shape first")));
    }
    if (image.height(), image.width()) == (height, width) {
        return Ok(image.clone());
    }
    let filter = match resample {
        Resample::Nearest => return Ok(nearest(image, size)),
        Resample::Lanczos => FilterType::Lanczos3,
        Resample::Bilinear => FilterType::Bilinear,
        Resample::Bicubic => FilterType::CatmullRom,
    };
    let between = if columns_first(image, size) { Size { width: image.width(), ..size } } else { Size { height: image.height(), ..size } };
    pass(&pass(image, between, filter)?, size, filter)
}

/// Whether the height is resized before the width, as Pillow 13 chooses it; earlier releases always began with the width.
///
/// Bytes are rounded and clipped between the passes: where a filter overshoots black or white, the order shows.
/// Either way the picture in between has no more pixels than the larger of the other two.
fn columns_first(image: &RgbImage, size: Size) -> bool {
    let rows_lost = i64::from(image.height()) - i64::from(size.height);
    let cols_lost = i64::from(image.width()) - i64::from(size.width);
    rows_lost > 0 && rows_lost > 2 * cols_lost
}

/// Rows converted to floats at a time while they are narrowed, so that a large photograph is never held as floats.
const BAND: u32 = 64;

/// One direction of the resize: `size` differs from the picture's in its height or in its width.
///
/// Computed in f32 and rounded once: the crate's 8-bit path is up to 2/255 away from Pillow's.
fn pass(image: &RgbImage, size: Size, filter: FilterType) -> Result<RgbImage, Error> {
    let (height, width) = (image.height(), image.width());
    if (size.height, size.width) == (height, width) {
        return Ok(image.clone());
    }
    let across = size.height == height;
    let band = if across { BAND } else { height };
    let mut bytes = Vec::with_capacity(size.height as usize * size.width as usize * 3);
    for rows in image.as_raw().chunks(band as usize * width as usize * 3) {
        let tall = (rows.len() / (width as usize * 3)) as u32;
        let (from, to) = ((tall, width), (if across { tall } else { size.height }, size.width));
        let filtered = convolve(rows, from, to, filter).map_err(|cause| {
            let problem = format!("it cannot be resized to {}x{}: {cause}", size.height, size.width);
            Error::Picture { height, width, problem }
        })?;
        // Adding a half and truncating is Pillow's rounding; the cast clips to 0 and 255.
        bytes.extend(filtered.pixels().iter().flat_map(|pixel| pixel.0.map(|value| (value + 0.5) as u8)));
    }
    RgbImage::from_raw(size.width, size.height, bytes).ok_or_else(|| Error::Picture {
        height,
        width,
        problem: format!("resized to {}x{} it lost pixels", size.height, size.width),
    })
}

type Sides = (u32, u32);

fn convolve(rows: &[u8], from: Sides, to: Sides, filter: FilterType) -> Result<TypedImage<'static, F32x3>, Box<dyn std::error::Error>> {
    let pixels: Vec<F32x3> = rows.as_chunks::<3>().0.iter().map(|pixel| F32x3::new(pixel.map(f32::from))).collect();
    let source = TypedImageRef::new(from.1, from.0, &pixels)?;
    let mut filtered = TypedImage::new(to.1, to.0);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize_typed(&source, &mut filtered, &options)?;
    Ok(filtered)
}

fn nearest(image: &RgbImage, size: Size) -> RgbImage {
    let rows = nearest_sources(image.height(), size.height);
    let cols = nearest_sources(image.width(), size.width);
    RgbImage::from_fn(size.width, size.height, |col, row| *image.get_pixel(cols[col as usize], rows[row as usize]))
}

/// The source pixel under the middle of each of `to` pixels.
///
/// The positions are summed step by step as Pillow does; multiplying rounds some middles to the other neighbour.
fn nearest_sources(from: u32, to: u32) -> Vec<u32> {
    let step = f64::from(from) / f64::from(to);
    let positions = std::iter::successors(Some(step * 0.5), |position| Some(position + step));
    positions.take(to as usize).map(|position| (position as u32).min(from - 1)).collect()
}
