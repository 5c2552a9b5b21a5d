//! The Wilson interval of a proportion.

use super::{Confidence, Interval};
use crate::Error;

/// Wilson score interval of k successes in n trials:
/// `((p + z²/2n) ± z sqrt(p (1-p) / n + z²/4n²)) / (1 + z²/n)` with p = k/n.
///
/// Unlike `p ± z sqrt(p (1-p) / n)` it stays within \[0, 1\] and keeps its level for few trials and for p near 0 or 1.
/// It takes trials as independent: for several images of one lesion use [`super::clustered_bootstrap`].
/// Source: Wilson 1927; Brown, Cai and `DasGupta` 2001.
///
/// ```
/// use reports::statistics::{Confidence, wilson_interval};
///
/// let recall = wilson_interval(10, 10, Confidence::NinetyFive)?;
/// assert_eq!(recall.to_string(), "1.000 (95 % CI 0.722 to 1.000)");
/// # Ok::<(), reports::Error>(())
/// ```
///
/// # Errors
/// No trials, or more successes than trials.
pub fn wilson_interval(successes: u64, trials: u64, confidence: Confidence) -> Result<Interval, Error> {
    if trials == 0 || successes > trials {
        return Err(Error::NoProportion { successes, trials });
    }
    let n = trials as f64;
    let (p, z2_n) = (successes as f64 / n, confidence.z().powi(2) / n);
    let centre = (p + z2_n / 2.0) / (1.0 + z2_n);
    let half = (z2_n * (p * (1.0 - p) + z2_n / 4.0)).sqrt() / (1.0 + z2_n);
    // Rounding must not push an end past the estimate at 0 and at 1.
    let (lower, upper) = ((centre - half).clamp(0.0, p), (centre + half).clamp(p, 1.0));
    Ok(Interval { estimate: p, lower, upper, confidence })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_hand() {
        // k = 8, n = 10, z² = 3.8414588: centre (0.8 + 0.19207294) / 1.38414588 = 0.71674202,
        // half sqrt(0.38414588 * (0.16 + 0.09603647)) / 1.38414588 = 0.22657585.
        let interval = wilson_interval(8, 10, Confidence::NinetyFive).unwrap();
        assert!((interval.lower - 0.490_162_5).abs() < 1e-6, "{}", interval.lower);
        assert!((interval.upper - 0.943_317_8).abs() < 1e-6, "{}", interval.upper);
    }

    #[test]
    fn refuses_what_is_no_proportion() {
        assert_eq!(wilson_interval(0, 0, Confidence::Ninety), Err(Error::NoProportion { successes: 0, trials: 0 }));
        assert_eq!(wilson_interval(3, 2, Confidence::Ninety), Err(Error::NoProportion { successes: 3, trials: 2 }));
    }

    proptest! {
        #[test]
        fn holds_the_estimate_and_widens_with_the_level(n in 1..=u64::MAX, share in 0.0..=1.0_f64) {
            let k = ((n as f64 * share) as u64).min(n);
            let ends = [Confidence::Ninety, Confidence::NinetyFive, Confidence::NinetyNine]
                .map(|confidence| wilson_interval(k, n, confidence).unwrap());
            for i in ends {
                prop_assert!(0.0 <= i.lower && i.lower <= i.estimate && i.estimate <= i.upper && i.upper <= 1.0, "{i:?}");
            }
            prop_assert!(ends[1].lower <= ends[0].lower + 1e-15 && ends[1].upper + 1e-15 >= ends[0].upper);
        }
    }
}
