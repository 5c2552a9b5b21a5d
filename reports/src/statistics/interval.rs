//! A number with its confidence interval.

use std::fmt;

use serde::Serialize;

/// How often intervals made this way hold the true value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
pub enum Confidence {
    /// 90 %.
    Ninety,
    /// 95 %, the usual choice.
    #[default]
    NinetyFive,
    /// 99 %.
    NinetyNine,
}

impl Confidence {
    /// The level as a share: 0.90, 0.95 or 0.99.
    pub fn level(self) -> f64 {
        match self {
            Confidence::Ninety => 0.90,
            Confidence::NinetyFive => 0.95,
            Confidence::NinetyNine => 0.99,
        }
    }

    /// The two-sided quantile of the normal distribution, Φ⁻¹((1 + level) / 2).
    pub fn z(self) -> f64 {
        match self {
            Confidence::Ninety => 1.644_853_626_951_472_7,
            Confidence::NinetyFive => 1.959_963_984_540_054,
            Confidence::NinetyNine => 2.575_829_303_548_900_4,
        }
    }
}

/// An estimate and the ends of its confidence interval; all finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The number itself.
    pub estimate: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// The level of the interval.
    pub confidence: Confidence,
}

impl fmt::Display for Interval {
    /// As `0.871 (95 % CI 0.803 to 0.926)`; another precision by `{:.1}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(3);
        let Interval { estimate, lower, upper, confidence } = self;
        let level = 100.0 * confidence.level();
        write!(f, "{estimate:.digits$} ({level:.0} % CI {lower:.digits$} to {upper:.digits$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_itself() {
        let interval = Interval { estimate: 0.5, lower: 0.25, upper: 0.75, confidence: Confidence::NinetyFive };
        assert_eq!(interval.to_string(), "0.500 (95 % CI 0.250 to 0.750)");
        assert_eq!(format!("{interval:.1}"), "0.5 (95 % CI 0.2 to 0.8)");
    }
}
