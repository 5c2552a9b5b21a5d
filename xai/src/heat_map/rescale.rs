//! From absolute relevance to the ends of a colour map.

use super::HeatMap;
use serde::{Deserialize, Serialize};

/// Which absolute values become the ends of the colour map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Rescale {
    /// The smallest value becomes 0, the largest 1.
    MinMax,
    /// As `MinMax` between the quantiles `1 - q` and `q`, for example 0.99; what lies beyond is clipped.
    Percentile(f32),
    /// Divided by the largest |value|: zero stays zero and the result lies in [-1, 1]. For signed maps.
    Symmetric,
}

impl HeatMap {
    /// Values in [0, 1], or in [-1, 1] for `Symmetric`; a flat map becomes all zeros.
    ///
    /// ```
    /// use ndarray::array;
    /// use xai::{HeatMap, Rescale};
    /// let map = HeatMap::new(array![[-1.0, 0.0, 0.0, 4.0]])?;
    /// assert_eq!(map.rescale(Rescale::MinMax).values(), array![[0.0, 0.2, 0.2, 1.0]]);
    /// assert_eq!(map.rescale(Rescale::Symmetric).values(), array![[-0.25, 0.0, 0.0, 1.0]]);
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn rescale(&self, how: Rescale) -> HeatMap {
        let (low, high) = self.limits(how);
        if self.is_flat() || low >= high {
            return HeatMap { values: self.values.mapv(|_| 0.0) };
        }
        // In f64, so that the distance between two huge values stays finite.
        let (low, span) = (f64::from(low), f64::from(high) - f64::from(low));
        let position = |value: f32| ((f64::from(value) - low) / span).clamp(0.0, 1.0);
        let values = match how {
            Rescale::Symmetric => self.values.mapv(|value| (2.0 * position(value) - 1.0) as f32),
            Rescale::MinMax | Rescale::Percentile(_) => self.values.mapv(|value| position(value) as f32),
        };
        HeatMap { values }
    }

    /// The absolute values that become the ends of the colour map.
    pub fn limits(&self, how: Rescale) -> (f32, f32) {
        let (low, high) = self.range();
        match how {
            Rescale::MinMax => (low, high),
            Rescale::Symmetric => {
                let largest = low.abs().max(high.abs());
                (-largest, largest)
            }
            Rescale::Percentile(q) => {
                let mut sorted: Vec<f32> = self.values.iter().copied().collect();
                sorted.sort_unstable_by(f32::total_cmp);
                (quantile(&sorted, 1.0 - q), quantile(&sorted, q))
            }
        }
    }
}

/// Linear interpolation between the two nearest ranks; a `q` that is not a number counts as 1.
fn quantile(sorted: &[f32], q: f32) -> f32 {
    let q = if q.is_nan() { 1.0 } else { f64::from(q).clamp(0.0, 1.0) };
    let position = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    let part = position.fract();
    (f64::from(below) * (1.0 - part) + f64::from(above) * part) as f32
}
