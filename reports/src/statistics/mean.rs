//! The mean of a few values with its confidence interval.

use std::f64::consts::FRAC_2_PI;

use super::{Confidence, Interval};
use crate::Error;

/// Arithmetic mean.
///
/// # Errors
/// No value, or one that is not finite.
pub fn mean(values: &[f64]) -> Result<f64, Error> {
    if values.is_empty() {
        return Err(Error::NoSamples { what: "the values of a mean" });
    }
    if let Some((index, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite { index, value });
    }
    let n = values.len() as f64;
    // Divided before summing, so that large values do not overflow.
    Ok(values.iter().map(|value| value / n).sum())
}

/// Mean of n values with its Student interval, `x̄ ± t_{n-1} s / sqrt(n)`.
///
/// For independent values, as the results of several seeds; s is the standard deviation with n - 1.
///
/// ```
/// use reports::statistics::{Confidence, mean_interval};
///
/// // s = 1, t with two degrees of freedom = 4.303: 2 ± 4.303 / sqrt(3).
/// let accuracy = mean_interval(&[1.0, 2.0, 3.0], Confidence::NinetyFive)?;
/// assert_eq!(format!("{accuracy:.2}"), "2.00 (95 % CI -0.48 to 4.48)");
/// # Ok::<(), reports::Error>(())
/// ```
///
/// # Errors
/// Fewer than two values, or one that is not finite, or a spread too large for double precision.
pub fn mean_interval(values: &[f64], confidence: Confidence) -> Result<Interval, Error> {
    let estimate = mean(values)?;
    if values.len() < 2 {
        return Err(Error::TooFew { what: "values", found: values.len(), needed: 2 });
    }
    let n = values.len() as f64;
    let variance = values.iter().map(|value| (value - estimate).powi(2)).sum::<f64>() / (n - 1.0);
    let half = student_quantile(values.len() - 1, confidence) * (variance / n).sqrt();
    if !half.is_finite() {
        return Err(Error::UndefinedStatistic { on: "values whose squares exceed double precision" });
    }
    Ok(Interval { estimate, lower: estimate - half, upper: estimate + half, confidence })
}

/// The t with P(|T| <= t) = level for `freedom` >= 1 degrees of freedom, by bisection.
fn student_quantile(freedom: usize, confidence: Confidence) -> f64 {
    // One degree of freedom at 99 % is the widest case, t = 63.66.
    let (mut low, mut high) = (0.0, 64.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if student_within(middle, freedom) < confidence.level() { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// P(|T| <= t) for whole degrees of freedom, a finite series (Abramowitz and Stegun 26.7.3 and 26.7.4).
fn student_within(t: f64, freedom: usize) -> f64 {
    let theta = (t / (freedom as f64).sqrt()).atan();
    let (sine, cosine) = theta.sin_cos();
    let square = cosine * cosine;
    let series = |first: f64, from: usize| {
        let mut term = first;
        let mut sum = 0.0;
        for k in (from..freedom).step_by(2) {
            sum += term;
            term *= k as f64 / (k + 1) as f64 * square;
        }
        sum
    };
    if freedom % 2 == 1 { FRAC_2_PI * (theta + sine * series(cosine, 2)) } else { sine * series(1.0, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_printed_tables() {
        let table = [
            (1, Confidence::NinetyFive, 12.7062),
            (2, Confidence::NinetyFive, 4.3027),
            (3, Confidence::NinetyNine, 5.8409),
            (4, Confidence::Ninety, 2.1318),
            (9, Confidence::NinetyFive, 2.2622),
            (30, Confidence::NinetyNine, 2.7500),
            (1, Confidence::NinetyNine, 63.6567),
        ];
        for (freedom, confidence, expected) in table {
            let found = student_quantile(freedom, confidence);
            assert!((found - expected).abs() < 6e-5, "{freedom} degrees, {confidence:?}: {found}, not {expected}");
        }
    }

    #[test]
    fn many_degrees_of_freedom_are_normal() {
        let found = student_quantile(1_000_001, Confidence::NinetyFive);
        assert!((found - Confidence::NinetyFive.z()).abs() < 1e-5, "{found}");
    }

    #[test]
    fn refuses_by_name() {
        let interval = |values: &[f64]| mean_interval(values, Confidence::NinetyFive).unwrap_err();
        assert_eq!(interval(&[]), Error::NoSamples { what: "the values of a mean" });
        assert_eq!(interval(&[1.0]), Error::TooFew { what: "values", found: 1, needed: 2 });
        assert!(matches!(interval(&[1.0, f64::NAN]), Error::NotFinite { index: 1, .. }));
        assert!(matches!(interval(&[f64::MAX, -f64::MAX]), Error::UndefinedStatistic { .. }));
        assert_eq!(mean(&[f64::MAX, f64::MAX]), Ok(f64::MAX));
    }
}
