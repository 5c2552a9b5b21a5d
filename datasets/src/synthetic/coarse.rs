//! Smooth fields worked out on a coarse grid and interpolated: what changes slowly need not be asked at every pixel.

use super::noise::mix;

/// Pixels between two grid points.
const STEP: usize = 4;

/// `field(y, x)` in pixels, for every pixel of a square picture, row by row; several values a point.
pub(super) fn coarse<const N: usize>(size: u32, field: impl Fn(f32, f32) -> [f32; N]) -> Vec<[f32; N]> {
    let n = size as usize;
    let points = n.div_ceil(STEP) + 1;
    let grid: Vec<[f32; N]> = (0..points * points).map(|k| field(((k / points) * STEP) as f32, ((k % points) * STEP) as f32)).collect();
    let mut plane = Vec::with_capacity(n * n);
    for y in 0..n {
        let (row, ty) = (y / STEP * points, (y % STEP) as f32 / STEP as f32);
        for x in 0..n {
            let (at, tx) = (row + x / STEP, (x % STEP) as f32 / STEP as f32);
            let (a, b, c, d) = (&grid[at], &grid[at + 1], &grid[at + points], &grid[at + points + 1]);
            plane.push(std::array::from_fn(|i| mix(mix(a[i], b[i], tx), mix(c[i], d[i], tx), ty)));
        }
    }
    plane
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_field_is_met_exactly() {
        for (index, [value]) in coarse(18, |y, x| [2.0 * y - 0.5 * x]).into_iter().enumerate() {
            let expected = 2.0 * (index / 18) as f32 - 0.5 * (index % 18) as f32;
            assert!((value - expected).abs() <= 1e-4, "pixel {index}: {value} against {expected}");
        }
    }
}
