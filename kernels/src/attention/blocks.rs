//! Pieces of one head's queries, keys and values, laid out for the innermost product.

use super::Shape;
use crate::Real;
use crate::linear::panels::WIDTH;
use crate::linear::{Strip, Tile, shares};

/// Which third of the packed buffer.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Query,
    Key,
    Value,
}

/// Where one head's columns of one third begin, for a token of an image.
pub(super) fn start(shape: Shape, part: Part, (image, head): (usize, usize), token: usize) -> usize {
    (image * shape.tokens + token) * 3 * shape.width() + part as usize * shape.width() + head * shape.head_width
}

/// Rows (tokens, width) as strips of at most `most` tokens, each (width, its tokens).
pub(super) fn pack_strips<'a, T: Real>(strips: &mut [T], most: usize, (tokens, width): (usize, usize), row: impl Fn(usize) -> &'a [T]) {
    let mut first = 0;
    for count in shares(tokens, most) {
        let strip = &mut strips[first * width..][..count * width];
        for token in 0..count {
            strip[token..].iter_mut().step_by(count).zip(row(first + token)).for_each(|(to, &value)| *to = value);
        }
        first += count;
    }
}

/// Up to 32 rows, times `scale`, as a panel (width, 32); lanes without a row hold zeros.
pub(super) fn pack_panel<'a, T: Real>(panel: &mut [T], rows: usize, scale: T, row: impl Fn(usize) -> &'a [T]) {
    if rows < WIDTH {
        panel.fill(T::ZERO);
    }
    for lane in 0..rows {
        panel[lane..].iter_mut().step_by(WIDTH).zip(row(lane)).for_each(|(to, &value)| *to = value * scale);
    }
}

/// `c (rows, 32) ← a·b` with `a (steps, rows)`, its steps `a_step` apart, and `b (steps, 32)`.
///
/// # Panics
/// Where a slice is too short.
pub(super) fn multiply<T: Real>(tile: Tile<T>, (rows, steps): (usize, usize), (a, a_step): (&[T], usize), b: &[T], c: &mut [T]) {
    assert!(steps > 0 && a.len() >= (steps - 1) * a_step + rows && b.len() >= steps * WIDTH && c.len() >= rows * WIDTH, "attention: strip");
    let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
    let strip = Strip { rows, steps, a, a_step, b, c, add: false, ahead: std::ptr::null(), lines: 0 };
    // SAFETY: (1) lengths were just checked; (2) callers cut rows by `shares` of the tile's most; (3) the tile was chosen among
    // the instructions found on this processor.
    unsafe { tile(&strip) }
}
