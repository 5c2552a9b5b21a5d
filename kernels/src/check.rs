//! Comparisons for tests: NaN fails, and the message names the first value that is off.

use crate::Real;

/// How far two numbers may lie apart: `|a − b| ≤ absolute + relative·|b|`.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// In units of the values.
    pub absolute: f64,
    /// As a share of the expected value.
    pub relative: f64,
}

impl Tolerance {
    /// Only an absolute bound.
    pub const fn absolute(bound: f64) -> Self {
        Self { absolute: bound, relative: 0.0 }
    }

    /// The same bound, absolute and relative.
    pub const fn both(bound: f64) -> Self {
        Self { absolute: bound, relative: bound }
    }
}

/// Fails unless both slices are as long and every pair lies within `tolerance`; returns the largest difference.
///
/// ```
/// use kernels::check::{assert_close, Tolerance};
/// let worst = assert_close("halves", &[0.5f32, 1.0], &[0.5f64, 1.001], Tolerance::absolute(0.01));
/// assert!((worst - 0.001).abs() < 1e-9);
/// ```
#[track_caller]
pub fn assert_close<A: Real, B: Real>(what: &str, found: &[A], expected: &[B], tolerance: Tolerance) -> f64 {
    assert_eq!(found.len(), expected.len(), "{what}: lengths differ");
    let mut worst = 0.0;
    for (index, (a, b)) in found.iter().zip(expected).enumerate() {
        let (a, b) = (a.to_f64(), b.to_f64());
        let difference = (a - b).abs();
        let close = difference <= tolerance.absolute + tolerance.relative * b.abs();
        assert!(close, "{what}[{index}]: found {a}, expected {b}, difference {difference:e}");
        worst = f64::max(worst, difference);
    }
    worst
}

/// Seeded numbers in [−1, 1): the inputs of tests, the same on every machine (SplitMix64).
pub fn seeded<T: Real>(seed: u64, count: usize) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    (0..count).map(|_| T::from_f64((next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0)).collect()
}

/// Fails unless `gradient` is the derivative of `score` at `at`, by central differences in `f64`.
///
/// Every coordinate is checked; a gradient that is zero everywhere fails, because a lost gradient looks like that.
#[track_caller]
pub fn assert_gradient(what: &str, at: &[f64], gradient: &[f64], score: impl Fn(&[f64]) -> f64) {
    const STEP: f64 = 1e-5;
    assert_eq!(at.len(), gradient.len(), "{what}: lengths differ");
    assert!(gradient.iter().any(|g| g.abs() > 1e-8), "{what}: the gradient is zero everywhere");
    let mut moved = at.to_vec();
    for i in 0..at.len() {
        moved[i] = at[i] + STEP;
        let above = score(&moved);
        moved[i] = at[i] - STEP;
        let below = score(&moved);
        moved[i] = at[i];
        let numeric = (above - below) / (2.0 * STEP);
        let difference = (numeric - gradient[i]).abs();
        assert!(difference <= 1e-7 + 1e-6 * numeric.abs(), "{what}[{i}]: gradient {}, differences say {numeric}", gradient[i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "found NaN")]
    fn not_a_number_fails() {
        assert_close("value", &[f32::NAN], &[0.0f32], Tolerance::absolute(f64::MAX));
    }

    #[test]
    #[should_panic(expected = "value[1]: found 2, expected 3")]
    fn a_difference_fails() {
        assert_close("value", &[1.0f64, 2.0], &[1.0f64, 3.0], Tolerance::absolute(0.9));
    }

    #[test]
    #[should_panic(expected = "lengths differ")]
    fn a_missing_value_fails() {
        assert_close("value", &[1.0f64], &[1.0f64, 3.0], Tolerance::absolute(9.0));
    }

    #[test]
    #[should_panic(expected = "zero everywhere")]
    fn a_lost_gradient_fails() {
        assert_gradient("constant", &[1.0], &[0.0], |_| 1.0);
    }

    #[test]
    #[should_panic(expected = "differences say")]
    fn a_wrong_gradient_fails() {
        assert_gradient("square", &[3.0], &[3.0], |x| x[0] * x[0]);
    }

    #[test]
    fn a_right_gradient_passes() {
        assert_gradient("square", &[3.0], &[6.0], |x| x[0] * x[0]);
    }
}
