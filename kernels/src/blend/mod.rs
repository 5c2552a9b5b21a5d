//! A small map laid over a picture in colour: sampled bilinearly, scaled, looked up in a table of 256 colours, blended.
//!
//! `pixel = (1 − a)·picture + a·colour(v)` with `v = (sample − low)/(high − low)` in [0, 1] and `a = opacity·strength(v)`.
//! Samples lie at half-pixel centres and edges are repeated: output row `i` of `height` reads the map at `(i + ½)·rows/height − ½`.

mod cpu;

use crate::error::expect_len;
use crate::{Error, Real};

/// Sides of map and picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows of the map.
    pub rows: usize,
    /// Columns of the map.
    pub cols: usize,
    /// Rows of the picture.
    pub height: usize,
    /// Columns of the picture.
    pub width: usize,
}

/// What makes a colour opaque.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strength {
    /// Every value alike.
    Even,
    /// The value itself: what is weak keeps the picture's own colour.
    Value,
    /// The distance from the middle of the scale, for signed maps around zero.
    FromMiddle,
}

/// How values become colours.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    /// Values at the first and the last colour; without them the map's own least and largest.
    pub ends: Option<(f64, f64)>,
    /// (256, 3).
    pub colours: &'a [u8],
    /// Opacity of the strongest value, in [0, 1].
    pub opacity: f64,
    /// What makes a colour opaque.
    pub strength: Strength,
}

/// Fills `out` (height, width, 4) with `map` (rows, cols) over `picture` (height, width, 3).
///
/// ```
/// use kernels::blend::{blend, Shape, Strength, Style};
/// let colours: Vec<u8> = (0..=255).flat_map(|level| [level, 0, 0]).collect();
/// let style = Style { ends: None, colours: &colours, opacity: 0.5, strength: Strength::Even };
/// let mut out = [0; 8];
/// blend(Shape { rows: 1, cols: 2, height: 1, width: 2 }, &[3.0f32, 5.0], style, &[100; 6], &mut out).unwrap();
/// assert_eq!(out, [50, 50, 50, 255, 178, 50, 50, 255]);
/// ```
pub fn blend<T: Real>(shape: Shape, map: &[T], style: Style, picture: &[u8], out: &mut [u8]) -> Result<(), Error> {
    let pixels = shape.height * shape.width;
    let values = shape.rows * shape.cols;
    // A picture cannot be made of no map at all.
    expect_len("blend", "map", map, if pixels > 0 { values.max(1) } else { values })?;
    expect_len("blend", "colours", style.colours, 3 * 256)?;
    expect_len("blend", "picture", picture, 3 * pixels)?;
    expect_len("blend", "out", out, 4 * pixels)?;
    cpu::blend(shape, map, style, picture, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_map_leaves_its_zero_alone() {
        let colours = vec![200; 768];
        let style = Style { ends: Some((-1.0, 1.0)), colours: &colours, opacity: 1.0, strength: Strength::FromMiddle };
        let mut out = [0; 12];
        blend(Shape { rows: 1, cols: 3, height: 1, width: 3 }, &[-1.0f64, 0.0, 1.0], style, &[10; 9], &mut out).unwrap();
        assert_eq!(out, [200, 200, 200, 255, 10, 10, 10, 255, 200, 200, 200, 255]);
    }

    #[test]
    fn a_flat_map_has_the_first_colour() {
        let colours: Vec<u8> = (0..768).map(|i| u8::try_from(i / 3).unwrap()).collect();
        let style = Style { ends: None, colours: &colours, opacity: 1.0, strength: Strength::Even };
        let mut out = [9; 4];
        blend(Shape { rows: 1, cols: 1, height: 1, width: 1 }, &[7.0f32], style, &[10; 3], &mut out).unwrap();
        assert_eq!(out, [0, 0, 0, 255]);
    }

    #[test]
    fn a_picture_without_a_map_is_refused() {
        let style = Style { ends: None, colours: &[0; 768], opacity: 1.0, strength: Strength::Even };
        let refused = blend::<f32>(Shape { rows: 0, cols: 1, height: 1, width: 1 }, &[], style, &[0; 3], &mut [0; 4]);
        assert!(matches!(refused, Err(Error::Length { argument: "map", .. })));
    }
}
