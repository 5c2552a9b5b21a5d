//! Whether relevance lies on the lesion.
//!
//! A mask has 255 (anything above 127) on the lesion and covers the same field of view as the map
//! ([`Window::cut`](crate::Window::cut) where the model saw a crop); its resolution may differ: each cell
//! of the map counts with the share of its area that the mask covers, so no mass is lost or invented.
//! Dermoscopic lesions sit in the middle of the picture, therefore no figure without [`centre_control`] and
//! [`random_control`] beside it.

use crate::{Error, HeatMap};
use image::GrayImage;
use ndarray::Array2;

/// Share of |relevance| inside the mask, in [0, 1] (relevance mass accuracy, Arras et al. 2022).
///
/// `sum |v_i| c_i / sum |v_i|`, where `c_i` is the covered share of cell `i`. A map of zeros prefers no place and counts as uniform.
///
/// # Errors
/// [`Error::EmptyMask`] where the mask marks nothing: there is no lesion to hit.
///
/// ```
/// use image::{GrayImage, Luma};
/// use ndarray::array;
/// use xai::HeatMap;
/// use xai::metric::localisation::{area_corrected, area_share, relevance_mass};
/// let mask = GrayImage::from_fn(4, 2, |x, _| Luma([if x < 1 { 255 } else { 0 }]));
/// let map = HeatMap::new(array![[3.0, -1.0]])?;
/// assert_eq!(relevance_mass(&map, &mask)?, 0.375); // half of the left cell, which holds 3 of 4
/// assert_eq!(area_share(&mask)?, 0.25);
/// assert_eq!(area_corrected(&map, &mask)?, 0.125);
/// # Ok::<(), xai::Error>(())
/// ```
pub fn relevance_mass(map: &HeatMap, mask: &GrayImage) -> Result<f64, Error> {
    let area = area_share(mask)?;
    let total = map.mass();
    if total == 0.0 {
        return Ok(area);
    }
    let (rows, cols) = map.values().dim();
    let covered = coverage(mask, rows, cols);
    let inside: f64 = map.values().iter().zip(&covered).map(|(value, share)| f64::from(value.abs()) * share).sum();
    Ok((inside / total).clamp(0.0, 1.0))
}

/// Share of the picture that the mask covers: what a uniform map scores.
///
/// # Errors
/// [`Error::EmptyMask`] where that is nothing.
pub fn area_share(mask: &GrayImage) -> Result<f64, Error> {
    let marked = mask.pixels().filter(|pixel| pixel.0[0] > 127).count();
    if marked == 0 {
        return Err(Error::EmptyMask { height: mask.height(), width: mask.width() });
    }
    Ok(marked as f64 / mask.pixels().count() as f64)
}

/// Relevance mass minus area share: zero for a uniform map, below zero for one that avoids the lesion.
///
/// # Errors
/// As [`relevance_mass`].
pub fn area_corrected(map: &HeatMap, mask: &GrayImage) -> Result<f64, Error> {
    Ok(relevance_mass(map, mask)? - area_share(mask)?)
}

/// Whether the most relevant cell lies in the mask: 1 for a hit, 0 for a miss (pointing game, Zhang et al. 2016; no tolerance).
///
/// The largest signed value counts, at the middle of its cell. Tied cells share the point, so that a constant map scores
/// what chance would and not a sure hit.
///
/// # Errors
/// [`Error::EmptyMask`] where the mask marks nothing.
///
/// ```
/// use image::{GrayImage, Luma};
/// use ndarray::array;
/// use xai::{Error, HeatMap};
/// use xai::metric::localisation::pointing_game;
/// let map = HeatMap::new(array![[0.0, 0.9], [0.0, -2.0]])?;
/// let upper_right = GrayImage::from_fn(8, 8, |x, y| Luma([if x >= 4 && y < 4 { 255 } else { 0 }]));
/// assert_eq!(pointing_game(&map, &upper_right)?, 1.0);
/// assert!(matches!(pointing_game(&map, &GrayImage::new(8, 8)), Err(Error::EmptyMask { .. })));
/// # Ok::<(), xai::Error>(())
/// ```
pub fn pointing_game(map: &HeatMap, mask: &GrayImage) -> Result<f64, Error> {
    area_share(mask)?;
    let (rows, cols) = map.values().dim();
    let (_, highest) = map.range();
    let (mut hits, mut tied) = (0.0, 0.0);
    for ((row, col), value) in map.values().indexed_iter() {
        if *value == highest {
            let pixel = mask.get_pixel(middle(col, cols, mask.width()), middle(row, rows, mask.height()));
            hits += f64::from(u8::from(pixel.0[0] > 127));
            tied += 1.0;
        }
    }
    Ok(hits / tied)
}

/// A Gaussian blob in the middle that reaches the borders at three standard deviations: what always looking at the centre scores.
///
/// # Errors
/// [`Error::Shape`] where a side is zero.
pub fn centre_control(height: usize, width: usize) -> Result<HeatMap, Error> {
    let distance = |index: usize, count: usize| 3.0 * (2.0 * index as f32 + 1.0 - count as f32) / count as f32;
    HeatMap::new(Array2::from_shape_fn((height, width), |(row, col)| {
        let (down, across) = (distance(row, height), distance(col, width));
        (-0.5 * (down * down + across * across)).exp()
    }))
}

/// Independent uniform values in [0, 1), the same for the same seed on every machine.
///
/// # Errors
/// [`Error::Shape`] where a side is zero.
pub fn random_control(height: usize, width: usize, seed: u64) -> Result<HeatMap, Error> {
    let mut state = seed;
    HeatMap::new(Array2::from_shape_simple_fn((height, width), || {
        // SplitMix64 (Steele, Lea and Flood 2014); its upper 24 bits fill a float.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1 << 24) as f32
    }))
}

/// Covered share of each cell of a grid laid over the mask, row by row.
fn coverage(mask: &GrayImage, rows: usize, cols: usize) -> Vec<f64> {
    let (down, across) = (overlaps(mask.height(), rows), overlaps(mask.width(), cols));
    let mut covered = vec![0.0; rows * cols];
    for (x, y, pixel) in mask.enumerate_pixels() {
        if pixel.0[0] > 127 {
            for (row, tall) in &down[y as usize] {
                for (col, wide) in &across[x as usize] {
                    covered[row * cols + col] += tall * wide;
                }
            }
        }
    }
    covered
}

/// For each pixel of a side the cells it lies in, with the share of the cell's length it takes up.
fn overlaps(pixels: u32, cells: usize) -> Vec<Vec<(usize, f64)>> {
    let cells_per_pixel = cells as f64 / f64::from(pixels);
    (0..pixels)
        .map(|pixel| {
            let (start, end) = (f64::from(pixel) * cells_per_pixel, f64::from(pixel + 1) * cells_per_pixel);
            let touched = (start.floor() as usize)..(end.ceil() as usize).min(cells);
            touched.map(|cell| (cell, (end.min(cell as f64 + 1.0) - start.max(cell as f64)).max(0.0))).collect()
        })
        .collect()
}

/// The pixel under the middle of a cell.
fn middle(cell: usize, cells: usize, pixels: u32) -> u32 {
    let place = (cell as f64 + 0.5) / cells as f64 * f64::from(pixels);
    (place as u32).min(pixels.saturating_sub(1))
}
