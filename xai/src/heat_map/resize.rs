//! Bilinear resizing.

use super::HeatMap;
use ndarray::Array2;

impl HeatMap {
    /// Bilinear interpolation with half-pixel centres; edges are repeated, no value leaves the range.
    ///
    /// Output row `i` of `height` reads the input at `(i + 0.5) * rows / height - 0.5`. A side of zero counts as one.
    ///
    /// ```
    /// use ndarray::array;
    /// let map = xai::HeatMap::new(array![[0.0, 1.0]])?;
    /// assert_eq!(map.resize(1, 4).values(), array![[0.0, 0.25, 0.75, 1.0]]);
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn resize(&self, height: usize, width: usize) -> HeatMap {
        let (rows, cols) = self.values.dim();
        let across = neighbours(cols, width.max(1));
        let down = neighbours(rows, height.max(1));
        let wide = Array2::from_shape_fn((rows, across.len()), |(row, col)| {
            let (left, right, part) = across[col];
            blend(self.values[[row, left]], self.values[[row, right]], part)
        });
        let values = Array2::from_shape_fn((down.len(), across.len()), |(row, col)| {
            let (above, below, part) = down[row];
            blend(wide[[above, col]], wide[[below, col]], part)
        });
        HeatMap { values }
    }

    /// The interpolated value at a place, (down, across) in [0, 1] from the upper left corner of the map.
    pub(crate) fn at(&self, down: f32, across: f32) -> f32 {
        let (rows, cols) = self.values.dim();
        let (above, below, lower) = between(down * rows as f32 - 0.5, rows);
        let (left, right, further) = between(across * cols as f32 - 0.5, cols);
        let line = |row| blend(self.values[[row, left]], self.values[[row, right]], further);
        blend(line(above), line(below), lower)
    }
}

fn between(place: f32, count: usize) -> (usize, usize, f32) {
    let place = place.clamp(0.0, (count - 1) as f32);
    (place.floor() as usize, place.ceil() as usize, place.fract())
}

/// For each output place its two input neighbours and the share of the second.
fn neighbours(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let last = (from - 1) as f64;
    let place = |index: usize| ((index as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, last);
    (0..to)
        .map(|index| {
            let place = place(index);
            (place.floor() as usize, place.ceil() as usize, place.fract() as f32)
        })
        .collect()
}

/// Between the two, never beyond either, however the rounding falls.
fn blend(one: f32, other: f32, part: f32) -> f32 {
    (one * (1.0 - part) + other * part).clamp(one.min(other), one.max(other))
}
