//! Times of many runs of one thing.

use serde::Serialize;

/// Milliseconds, each single one and what they come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Samples {
    pub median: f64,
    pub first_quartile: f64,
    pub third_quartile: f64,
    pub raw: Vec<f64>,
}

impl Samples {
    /// Of times in the order in which they were taken; NaN where there are none.
    pub fn of(raw: Vec<f64>) -> Self {
        let mut sorted = raw.clone();
        sorted.sort_by(f64::total_cmp);
        let [first_quartile, median, third_quartile] = [0.25, 0.5, 0.75].map(|share| quantile(&sorted, share));
        Self { median, first_quartile, third_quartile, raw }
    }
}

/// By straight lines between neighbours, as numpy's default.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share * last as f64;
    let (below, rest) = (at.floor() as usize, at.fract());
    sorted[below] + rest * (sorted[(below + 1).min(last)] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_quartiles_of_unsorted_times() {
        let samples = Samples::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!((samples.first_quartile, samples.median, samples.third_quartile), (1.75, 2.5, 3.25));
        assert_eq!(samples.raw, [4.0, 1.0, 3.0, 2.0]);
        assert!(Samples::of(Vec::new()).median.is_nan() && Samples::of(vec![1.0, f64::NAN]).third_quartile.is_nan());
    }
}
