//! Pixels, windows and rectangles of the picture that is drawn on.

use crate::Window;
use image::{Rgb, RgbImage, imageops};

/// Narrowest picture that a line of text fits under.
const READABLE: u32 = 400;

/// Whole factor that makes a small picture wide enough for text, without letting a thin one grow out of hand.
pub(super) fn enlargement(image: &RgbImage) -> u32 {
    let wanted = READABLE.div_ceil(image.width().max(1));
    let bound = (2048 / image.height().max(image.width()).max(1)).max(1);
    wanted.clamp(1, bound)
}

pub(super) fn enlarge(image: &RgbImage, factor: u32) -> RgbImage {
    if factor == 1 || image.width() == 0 || image.height() == 0 {
        return image.clone();
    }
    imageops::resize(image, image.width() * factor, image.height() * factor, imageops::FilterType::CatmullRom)
}

/// Fills from the corner (row, column) over (width, height), clipped to the picture.
pub(super) fn rectangle(picture: &mut RgbImage, (top, left): (u32, u32), (width, height): (u32, u32), colour: Rgb<u8>) {
    for row in top..top.saturating_add(height).min(picture.height()) {
        for col in left..left.saturating_add(width).min(picture.width()) {
            picture.put_pixel(col, row, colour);
        }
    }
}

/// Part of the drawn picture that the map covers.
pub(super) struct View {
    pub window: Window,
}

impl View {
    /// `None` where the window has no area or is not finite, or where there is no picture: then nothing can be drawn.
    pub fn of(window: &Window, factor: u32, picture: &RgbImage) -> Option<View> {
        let factor = factor as f32;
        let window =
            Window { top: window.top * factor, left: window.left * factor, height: window.height * factor, width: window.width * factor };
        let finite = [window.top, window.left, window.height, window.width].iter().all(|side| side.is_finite());
        let area = window.height > 0.0 && window.width > 0.0 && picture.width() > 0 && picture.height() > 0;
        (finite && area).then_some(View { window })
    }

    /// Where a pixel's middle lies in the window, (down, across) in [0, 1]; `None` outside.
    pub fn place(&self, row: u32, col: u32) -> Option<(f32, f32)> {
        let down = (row as f32 + 0.5 - self.window.top) / self.window.height;
        let across = (col as f32 + 0.5 - self.window.left) / self.window.width;
        let inside = (0.0..=1.0).contains(&down) && (0.0..=1.0).contains(&across);
        inside.then_some((down, across))
    }

    /// What the model did not see is shown darker.
    pub fn dim_outside(&self, picture: &mut RgbImage) {
        for (col, row, pixel) in picture.enumerate_pixels_mut() {
            if self.place(row, col).is_none() {
                pixel.0 = pixel.0.map(|value| (u16::from(value) * 3 / 4) as u8);
            }
        }
    }
}
