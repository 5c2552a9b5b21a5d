//! Where most of the relevance lies.

use super::HeatMap;

impl HeatMap {
    /// The largest threshold `t` such that the cells with `|value| >= t` hold at least `share` of the sum of `|value|`.
    ///
    /// A contour at `t` encloses that share of the relevance: 0.5 half of it, 1 all of it. Shares outside [0, 1] are
    /// taken as the nearer end. A larger share never gives a larger threshold.
    ///
    /// ```
    /// use ndarray::array;
    /// let map = xai::HeatMap::new(array![[5.0, -3.0, 1.0, 1.0]])?;
    /// assert_eq!(map.mass_threshold(0.5), 5.0);
    /// assert_eq!(map.mass_threshold(0.51), 3.0);
    /// assert_eq!(map.mass_threshold(1.0), 1.0);
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn mass_threshold(&self, share: f32) -> f32 {
        let mut sizes: Vec<f32> = self.values.iter().map(|value| value.abs()).collect();
        sizes.sort_unstable_by(|one, other| other.total_cmp(one));
        // A share that is not a number falls through to the smallest value, like 1.
        let wanted = f64::from(share.clamp(0.0, 1.0)) * self.mass();
        let mut held = 0.0;
        for size in &sizes {
            held += f64::from(*size);
            if held >= wanted * (1.0 - 1e-12) {
                return *size;
            }
        }
        sizes.last().copied().unwrap_or(0.0)
    }

    /// Sum of |values|.
    pub(crate) fn mass(&self) -> f64 {
        self.values.iter().map(|value| f64::from(value.abs())).sum()
    }
}
