//! The centre of a picture, padded with black where the picture is smaller.

use super::Size;
use image::{RgbImage, imageops};

/// Upper left corner (row, column) of a centred crop of `size`: `floor((have - want) / 2)`, negative where it pads.
pub(super) fn corner(have: Size, want: Size) -> (i64, i64) {
    let start = |have: u32, want: u32| (i64::from(have) - i64::from(want)).div_euclid(2);
    (start(have.height, want.height), start(have.width, want.width))
}

/// Cuts or pads to `size` around the centre.
pub(super) fn center(image: &RgbImage, size: Size) -> RgbImage {
    let (row, col) = corner(Size { height: image.height(), width: image.width() }, size);
    let mut cut = RgbImage::new(size.width, size.height);
    imageops::replace(&mut cut, image, -col, -row);
    cut
}
